/* SPDX-License-Identifier: ISC */
#include "jobs.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "err.h"
#include "log.h"
#include "mem.h"

struct job {
	void (*fn)(void *arg);
	void *arg;
	TAILQ_ENTRY(job) link;
};

/* The work of one key, and the thread that does it. */
struct lane {
	struct jobs *jobs;
	char *key;
	TAILQ_HEAD(, job) queue;
	TAILQ_ENTRY(lane) link;
};

struct jobs {
	pthread_mutex_t lock;
	pthread_cond_t idle;
	TAILQ_HEAD(, lane) lanes;
};

struct jobs *jobs_new(void)
{
	struct jobs *j = xcalloc(1, sizeof(*j));

	pthread_mutex_init(&j->lock, NULL);
	pthread_cond_init(&j->idle, NULL);
	TAILQ_INIT(&j->lanes);
	return j;
}

static void end_lane(struct lane *lane)
{
	struct jobs *j = lane->jobs;

	TAILQ_REMOVE(&j->lanes, lane, link);
	if (TAILQ_EMPTY(&j->lanes))
		pthread_cond_broadcast(&j->idle);
	free(lane->key);
	free(lane);
}

static void *run_lane(void *arg)
{
	struct lane *lane = arg;
	struct jobs *j = lane->jobs;
	struct job *job;

	pthread_mutex_lock(&j->lock);
	while ((job = TAILQ_FIRST(&lane->queue))) {
		TAILQ_REMOVE(&lane->queue, job, link);
		pthread_mutex_unlock(&j->lock);
		job->fn(job->arg);
		free(job);
		pthread_mutex_lock(&j->lock);
	}
	end_lane(lane);
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

static struct lane *find_lane(struct jobs *j, const char *key)
{
	struct lane *lane;

	TAILQ_FOREACH(lane, &j->lanes, link)
		if (!strcmp(lane->key, key))
			return lane;
	return NULL;
}

static void start_lane(struct lane *lane)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	/* As with memory: without a thread there is no going on. */
	if (pthread_create(&thread, &attr, run_lane, lane)) {
		log_line("cannot start a thread");
		abort();
	}
	pthread_attr_destroy(&attr);
}

void jobs_submit(struct jobs *j, const char *key, void (*fn)(void *arg),
		 void *arg)
{
	struct job *job = xcalloc(1, sizeof(*job));
	struct lane *lane;

	job->fn = fn;
	job->arg = arg;
	pthread_mutex_lock(&j->lock);
	lane = find_lane(j, key);
	if (lane) {
		TAILQ_INSERT_TAIL(&lane->queue, job, link);
	} else {
		lane = xcalloc(1, sizeof(*lane));
		lane->jobs = j;
		lane->key = xstrdup(key);
		TAILQ_INIT(&lane->queue);
		TAILQ_INSERT_TAIL(&lane->queue, job, link);
		TAILQ_INSERT_TAIL(&j->lanes, lane, link);
		start_lane(lane);
	}
	pthread_mutex_unlock(&j->lock);
}

/* A job that somebody waits for. */
struct call {
	int (*fn)(void *arg);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool over;
	int rc;
	char *message;
};

static void run_call(void *arg)
{
	struct call *call = arg;
	int rc = call->fn(call->arg);

	pthread_mutex_lock(&call->lock);
	call->rc = rc;
	if (rc)
		call->message = xstrdup(err_msg());
	call->over = true;
	pthread_cond_signal(&call->done);
	pthread_mutex_unlock(&call->lock);
}

int jobs_call(struct jobs *j, const char *key, int (*fn)(void *arg), void *arg)
{
	struct call call = { .fn = fn, .arg = arg };

	pthread_mutex_init(&call.lock, NULL);
	pthread_cond_init(&call.done, NULL);
	jobs_submit(j, key, run_call, &call);
	pthread_mutex_lock(&call.lock);
	while (!call.over)
		pthread_cond_wait(&call.done, &call.lock);
	pthread_mutex_unlock(&call.lock);
	pthread_cond_destroy(&call.done);
	pthread_mutex_destroy(&call.lock);
	if (call.rc)
		err_set(call.rc, "%s", call.message);
	free(call.message);
	return call.rc;
}

void jobs_drain(struct jobs *j)
{
	pthread_mutex_lock(&j->lock);
	while (!TAILQ_EMPTY(&j->lanes))
		pthread_cond_wait(&j->idle, &j->lock);
	pthread_mutex_unlock(&j->lock);
}

void jobs_free(struct jobs *j)
{
	if (!j)
		return;
	jobs_drain(j);
	pthread_cond_destroy(&j->idle);
	pthread_mutex_destroy(&j->lock);
	free(j);
}
