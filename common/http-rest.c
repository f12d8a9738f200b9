/* SPDX-License-Identifier: ISC */
/*
 * Connections at rest: suspended, until their answer is there or their stream
 * has more to say.
 *
 * libmicrohttpd calls us back with a lock of its own held, and takes the same
 * lock in MHD_suspend_connection() and MHD_resume_connection(). So no lock of
 * ours, and none of our callers', may be held when these two are called. That
 * is why they are called here alone: the first on the server's thread, outside
 * of all handlers and readers, and the second on a thread that does nothing
 * else. Whoever ends a rest only puts it into that thread's queue.
 */
#include <stdlib.h>

#include "err.h"
#include "http-private.h"

/* How many locks of servers this thread holds. */
static _Thread_local unsigned held;

void http_lock(struct http_server *s)
{
	pthread_mutex_lock(&s->lock);
	held++;
}

void http_unlock(struct http_server *s)
{
	held--;
	pthread_mutex_unlock(&s->lock);
}

static void suspend(struct MHD_Connection *connection)
{
	if (held)
		abort();
	MHD_suspend_connection(connection);
}

static void resume(struct MHD_Connection *connection)
{
	if (held)
		abort();
	MHD_resume_connection(connection);
}

/* Under the lock: it is the resumer's from now on. */
static void hurry(struct http_server *s, struct http_rest *rest)
{
	TAILQ_REMOVE(&s->resting, rest, link);
	TAILQ_INSERT_TAIL(&s->over, rest, link);
	pthread_cond_signal(&s->rest_over);
}

/* Once a connection is resumed, its rest may be gone: it is not looked at. */
static void *run_resumer(void *arg)
{
	struct http_server *s = arg;
	struct MHD_Connection *connection;
	struct http_rest *rest;

	http_lock(s);
	for (;;) {
		rest = TAILQ_FIRST(&s->over);
		if (!rest && s->stopping)
			break;
		if (!rest) {
			pthread_cond_wait(&s->rest_over, &s->lock);
			continue;
		}
		TAILQ_REMOVE(&s->over, rest, link);
		connection = rest->connection;
		rest->is_resting = false;
		http_unlock(s);
		resume(connection);
		http_lock(s);
	}
	http_unlock(s);
	return NULL;
}

int http_rest_start(struct http_server *s)
{
	TAILQ_INIT(&s->resting);
	TAILQ_INIT(&s->over);
	pthread_cond_init(&s->rest_over, NULL);
	if (pthread_create(&s->resumer, NULL, run_resumer, s)) {
		pthread_cond_destroy(&s->rest_over);
		return err_set(ERR_SYSTEM, "cannot start a thread");
	}
	return 0;
}

void http_rest_stop(struct http_server *s)
{
	struct http_rest *rest;

	http_lock(s);
	s->stopping = true;
	while ((rest = TAILQ_FIRST(&s->resting)))
		hurry(s, rest);
	pthread_cond_signal(&s->rest_over);
	http_unlock(s);
	pthread_join(s->resumer, NULL);
	pthread_cond_destroy(&s->rest_over);
}

void http_rest_begin(struct http_server *s, struct http_rest *rest)
{
	bool over;

	suspend(rest->connection);
	http_lock(s);
	over = rest->is_over || s->stopping;
	if (!over) {
		rest->is_resting = true;
		TAILQ_INSERT_TAIL(&s->resting, rest, link);
	}
	http_unlock(s);
	if (over)
		resume(rest->connection);
}

void http_rest_end(struct http_server *s, struct http_rest *rest)
{
	if (!rest->is_over && rest->is_resting)
		hurry(s, rest);
	rest->is_over = true;
}
