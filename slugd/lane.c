/* SPDX-License-Identifier: ISC */
#include "lane.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "clock.h"
#include "err.h"
#include "mem.h"

/* A lane that is held. */
struct lane {
	int64_t app, version;
	char *push, *user;
	TAILQ_ENTRY(lane) link;
};

struct lanes {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	TAILQ_HEAD(, lane) held;
	bool stopping;
};

struct lanes *lanes_new(void)
{
	struct lanes *l = xcalloc(1, sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->changed, NULL);
	TAILQ_INIT(&l->held);
	return l;
}

static void lane_free(struct lane *lane)
{
	free(lane->push);
	free(lane->user);
	free(lane);
}

void lanes_free(struct lanes *l)
{
	struct lane *lane;

	if (!l)
		return;
	while ((lane = TAILQ_FIRST(&l->held))) {
		TAILQ_REMOVE(&l->held, lane, link);
		lane_free(lane);
	}
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

void lanes_stop(struct lanes *l)
{
	pthread_mutex_lock(&l->lock);
	l->stopping = true;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

/* Under the lock. */
static struct lane *find(const struct lanes *l, int64_t app)
{
	struct lane *lane;

	TAILQ_FOREACH(lane, &l->held, link)
		if (lane->app == app)
			return lane;
	return NULL;
}

void lane_take(struct lanes *l, int64_t app, const char *push, int64_t version,
	       const char *user)
{
	struct lane *lane = xcalloc(1, sizeof(*lane));

	lane->app = app;
	lane->version = version;
	lane->push = xstrdup(push);
	lane->user = xstrdup(user);
	pthread_mutex_lock(&l->lock);
	TAILQ_INSERT_TAIL(&l->held, lane, link);
	pthread_mutex_unlock(&l->lock);
}

void lane_let_go(struct lanes *l, int64_t app, const char *push)
{
	struct lane *lane;

	pthread_mutex_lock(&l->lock);
	lane = find(l, app);
	if (lane && !strcmp(lane->push, push)) {
		TAILQ_REMOVE(&l->held, lane, link);
		lane_free(lane);
		pthread_cond_broadcast(&l->changed);
	}
	pthread_mutex_unlock(&l->lock);
}

/* Under the lock. */
static char *words(const struct lane *lane)
{
	return xasprintf("v%" PRId64 " is being launched for a push by %s",
			 lane->version, lane->user);
}

char *lane_busy(struct lanes *l, int64_t app)
{
	const struct lane *lane;
	char *s = NULL;

	pthread_mutex_lock(&l->lock);
	lane = find(l, app);
	if (lane)
		s = words(lane);
	pthread_mutex_unlock(&l->lock);
	return s;
}

int lane_wait(struct lanes *l, int64_t app, int64_t until)
{
	int64_t left = until - clock_mono_ms();
	struct timespec end = clock_deadline(left > 0 ? left : 0);
	const struct lane *lane;
	bool late = false;
	int rc = 0;

	pthread_mutex_lock(&l->lock);
	while ((lane = find(l, app)) && !l->stopping && !late)
		late = pthread_cond_clockwait(&l->changed, &l->lock,
					      CLOCK_MONOTONIC, &end) != 0;
	if (lane && l->stopping) {
		rc = err_set(ERR_UNAVAILABLE, "slugd is stopping");
	} else if (lane) {
		char *busy = words(lane);

		rc = err_set(ERR_CONFLICT, "%s; try again later", busy);
		free(busy);
	}
	pthread_mutex_unlock(&l->lock);
	return rc;
}
