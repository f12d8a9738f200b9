/* SPDX-License-Identifier: ISC */
#include "jobs.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "err.h"
#include "mem.h"

#define RESERVED 8 /* threads for what cannot be refused, ... */
#define LEDGER   1 /* ... and so many of them for the ledger alone */

struct job {
	void (*fn)(void *arg);
	void *arg;
	TAILQ_ENTRY(job) link;
};

/* The work of one key, and the thread that does it. */
struct lane {
	struct jobs *jobs;
	char *key;
	bool ledger;
	TAILQ_HEAD(, job) queue;
	TAILQ_ENTRY(lane) link;
	STAILQ_ENTRY(lane) waiting;
};

/* A thread that is there from the start to the end. */
struct reserved {
	struct jobs *jobs;
	pthread_t thread;
	bool ledger;
};

STAILQ_HEAD(waiting, lane);

struct jobs {
	pthread_mutex_t lock;
	pthread_cond_t idle, work;
	TAILQ_HEAD(, lane) lanes;
	struct waiting waiting[2]; /* for a thread; 1: the ledger's */
	struct reserved reserved[RESERVED];
	size_t nr_reserved;
	bool over;
};

/* Under the lock. */
static void end_lane(struct lane *lane)
{
	struct jobs *j = lane->jobs;

	TAILQ_REMOVE(&j->lanes, lane, link);
	if (TAILQ_EMPTY(&j->lanes))
		pthread_cond_broadcast(&j->idle);
	free(lane->key);
	free(lane);
}

/* Under the lock, which is open while a job runs. */
static void run_lane(struct lane *lane)
{
	struct jobs *j = lane->jobs;
	struct job *job;

	while ((job = TAILQ_FIRST(&lane->queue))) {
		TAILQ_REMOVE(&lane->queue, job, link);
		pthread_mutex_unlock(&j->lock);
		job->fn(job->arg);
		free(job);
		pthread_mutex_lock(&j->lock);
	}
	end_lane(lane);
}

/* Under the lock: a lane that waits for such a thread, or NULL. */
static struct lane *next_lane(struct jobs *j, bool ledger)
{
	struct lane *lane = STAILQ_FIRST(&j->waiting[ledger]);

	if (lane)
		STAILQ_REMOVE_HEAD(&j->waiting[ledger], waiting);
	return lane;
}

static void *run_reserved(void *arg)
{
	struct reserved *r = arg;
	struct jobs *j = r->jobs;
	struct lane *lane;

	pthread_mutex_lock(&j->lock);
	for (;;) {
		lane = next_lane(j, r->ledger);
		if (lane)
			run_lane(lane);
		else if (j->over)
			break;
		else
			pthread_cond_wait(&j->work, &j->lock);
	}
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

/* A thread of a lane; it helps out before it ends. */
static void *run_further(void *arg)
{
	struct lane *lane = arg;
	struct jobs *j = lane->jobs;

	pthread_mutex_lock(&j->lock);
	for (; lane; lane = next_lane(j, false))
		run_lane(lane);
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

int jobs_new(struct jobs **out)
{
	struct jobs *j = *out = xcalloc(1, sizeof(*j));
	struct reserved *r;
	int rc = 0;

	pthread_mutex_init(&j->lock, NULL);
	pthread_cond_init(&j->idle, NULL);
	pthread_cond_init(&j->work, NULL);
	TAILQ_INIT(&j->lanes);
	STAILQ_INIT(&j->waiting[false]);
	STAILQ_INIT(&j->waiting[true]);
	while (!rc && j->nr_reserved < RESERVED) {
		r = &j->reserved[j->nr_reserved];
		r->jobs = j;
		r->ledger = j->nr_reserved < LEDGER;
		rc = jobs_no_thread(
			pthread_create(&r->thread, NULL, run_reserved, r));
		if (!rc)
			j->nr_reserved++;
	}
	if (rc) {
		jobs_free(j);
		*out = NULL;
	}
	return rc;
}

static struct lane *find_lane(struct jobs *j, const char *key)
{
	struct lane *lane;

	TAILQ_FOREACH(lane, &j->lanes, link)
		if (!strcmp(lane->key, key))
			return lane;
	return NULL;
}

int jobs_no_thread(int error)
{
	if (!error)
		return 0;
	return err_set(ERR_UNAVAILABLE,
		       "slugd cannot start a thread: %s. Its account or its "
		       "unit is at the limit of processes (see ulimit -u and "
		       "TasksMax); try again later",
		       strerror(error));
}

/* Under the lock: a thread of its own. Errors: ERR_UNAVAILABLE. */
static int start_lane(struct lane *lane)
{
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	error = pthread_create(&thread, &attr, run_further, lane);
	pthread_attr_destroy(&attr);
	return jobs_no_thread(error);
}

/* Under the lock: one without a job. It runs, or it waits. */
static int new_lane(struct jobs *j, const char *key, bool refusable,
		    struct lane **out)
{
	struct lane *lane = xcalloc(1, sizeof(*lane));
	int rc = 0;

	lane->jobs = j;
	lane->key = xstrdup(key);
	lane->ledger = !strcmp(key, JOBS_LEDGER);
	TAILQ_INIT(&lane->queue);
	if (!lane->ledger)
		rc = start_lane(lane);
	if (rc && refusable) {
		free(lane->key);
		free(lane);
		return rc;
	}
	TAILQ_INSERT_TAIL(&j->lanes, lane, link);
	if (lane->ledger || rc) {
		STAILQ_INSERT_TAIL(&j->waiting[lane->ledger], lane, waiting);
		pthread_cond_broadcast(&j->work);
	}
	*out = lane;
	return 0;
}

static int submit(struct jobs *j, const char *key, bool refusable,
		  void (*fn)(void *arg), void *arg)
{
	struct job *job;
	struct lane *lane;
	int rc = 0;

	pthread_mutex_lock(&j->lock);
	lane = find_lane(j, key);
	if (!lane)
		rc = new_lane(j, key, refusable, &lane);
	if (!rc) {
		job = xcalloc(1, sizeof(*job));
		job->fn = fn;
		job->arg = arg;
		TAILQ_INSERT_TAIL(&lane->queue, job, link);
	}
	pthread_mutex_unlock(&j->lock);
	return rc;
}

void jobs_submit(struct jobs *j, const char *key, void (*fn)(void *arg),
		 void *arg)
{
	(void)submit(j, key, false, fn, arg);
}

int jobs_try(struct jobs *j, const char *key, void (*fn)(void *arg), void *arg)
{
	return submit(j, key, true, fn, arg);
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
	size_t i;

	if (!j)
		return;
	jobs_drain(j);
	pthread_mutex_lock(&j->lock);
	j->over = true;
	pthread_cond_broadcast(&j->work);
	pthread_mutex_unlock(&j->lock);
	for (i = 0; i < j->nr_reserved; i++)
		pthread_join(j->reserved[i].thread, NULL);
	pthread_cond_destroy(&j->work);
	pthread_cond_destroy(&j->idle);
	pthread_mutex_destroy(&j->lock);
	free(j);
}
