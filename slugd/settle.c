/* SPDX-License-Identifier: ISC */
/*
 * The end of a push: settle, its four callers, and the thread that watches
 * leases.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "head.h"
#include "jobs.h"
#include "launch.h"
#include "log.h"
#include "mem.h"
#include "pushes-internal.h"
#include "reflog.h"
#include "repo.h"
#include "slugd.h"

#define TICK_MS      1000
#define MAX_PAUSE_MS 60000
#define SWEEPS       20 /* one each 100 ms, while others work there */
#define MAX_LEASES   256

/* The ref moved: make that durable, then the release. */
static int settle_moved(struct push *push, struct intent *intent,
			struct release **out)
{
	struct slugd *d = push->pushes->slugd;
	int rc;

	rc = repo_sync(push->build.app->repo, intent->ref, push->folders);
	/* For a clone; the release does not depend on it. */
	if (!rc && head_point(push->build.app->repo, intent->ref))
		log_line("app=%s: HEAD is not %s: %s", push->build.app->name,
			 intent->ref, err_msg());
	if (!rc)
		rc = ledger_deploy(d->writer, intent, out);
	if (rc)
		return rc;
	log_line("app=%s push=%s settled as v%" PRId64, push->build.app->name,
		 intent->push, (*out)->version);
	push_set_state(push, PUSH_SETTLED);
	launch_release(d, push->build.app, *out);
	lane_let_go(d->lanes, push->build.app->id, intent->push);
	return 0;
}

/* Did the intent's ref move to where the push was to move it? */
static int look_at_ref(const struct app *app, const struct intent *i,
		       bool *moved)
{
	const struct reflog_mark mark = { i->reflog_size, i->reflog_last };
	int rc = repo_ref_is_at(app->repo, i->ref, i->new, moved);

	if (!rc && !*moved)
		rc = reflog_has(app->repo, i->ref, i->old, i->new, &mark,
				moved);
	return rc;
}

/* The ref did not move, and will not. */
static int drop(struct push *push, const struct intent *i)
{
	struct slugd *d = push->pushes->slugd;
	int rc = ledger_drop(d->writer, i);

	if (rc)
		return rc;
	log_line("app=%s push=%s dropped: %s did not move",
		 push->build.app->name, i->push, i->ref);
	slugs_drop(d->slugs, i->slug);
	d->gc_due = true;
	trial_end(push);
	push_set_state(push, PUSH_DROPPED);
	return 0;
}

/*
 * Settle an accepted push: see pushes.h. moved: a hook says that the ref
 * did; else the lease is over, and the repository is asked. Where it cannot
 * say, that is an error, and the push stays as it is. *out stays NULL where
 * it was dropped.
 */
static int settle(struct push *push, bool moved, struct release **out)
{
	struct intent *i = NULL;
	int rc = ledger_intent(push->pushes->slugd->writer, push->build.app->id,
			       &i);

	if (!rc && !moved)
		rc = look_at_ref(push->build.app, i, &moved);
	if (!rc)
		rc = moved ? settle_moved(push, i, out) : drop(push, i);
	intent_free(i);
	return rc;
}

int pushes_settle(struct pushes *p, int64_t app, const char *ref,
		  const char *new, struct release **out)
{
	enum push_state state = PUSH_REFUSED;
	struct push *push, *found = NULL;
	int rc = 0;

	*out = NULL;
	pthread_mutex_lock(&p->lock);
	TAILQ_FOREACH(push, &p->all, link) {
		if (push->build.app->id != app ||
		    strcmp(push->build.ref, ref) ||
		    strcmp(push->build.commit, new) ||
		    (push->state != PUSH_ACCEPTED &&
		     push->state != PUSH_SETTLED))
			continue;
		found = push;
	}
	if (found) {
		state = found->state;
		found->jobs++;
	}
	pthread_mutex_unlock(&p->lock);
	if (!found)
		return 0;
	if (state == PUSH_ACCEPTED)
		rc = settle(found, true, out);
	else
		rc = ledger_release_by_push(p->slugd->writer, found->build.push,
					    out);
	pthread_mutex_lock(&p->lock);
	found->jobs--;
	pthread_mutex_unlock(&p->lock);
	return rc;
}

/* A job of the ledger's lane: the lease of an accepted push is over. */
static void settle_job(void *arg)
{
	struct push *push = arg;
	struct release *r = NULL;
	enum push_state state;

	pthread_mutex_lock(&push->pushes->lock);
	state = push->state;
	pthread_mutex_unlock(&push->pushes->lock);
	if (state == PUSH_ACCEPTED && settle(push, false, &r))
		log_line("app=%s push=%s cannot be settled yet: %s",
			 push->build.app->name, push->build.push, err_msg());
	release_free(r);
	pthread_mutex_lock(&push->pushes->lock);
	push->jobs--;
	pthread_mutex_unlock(&push->pushes->lock);
	pushes_wake_watcher(push->pushes);
}

/* Under the lock: the pushes of the app that wait for us. */
static struct repo_waiter *find_waiters(struct pushes *p, const struct app *app,
					size_t *n)
{
	struct repo_waiter *v = NULL;
	struct push *push;

	*n = 0;
	TAILQ_FOREACH(push, &p->all, link) {
		if (push->build.app->id != app->id || push->direct ||
		    push->state != PUSH_WAITING || lease_is_over(&push->lease))
			continue;
		v = xrealloc(v, *n + 1, sizeof(*v));
		v[*n].pid = push->lease.pid;
		v[(*n)++].quarantine = xstrdup(push->build.objects[0]);
	}
	return v;
}

/* False where somebody works there. */
static bool sweep_once(struct pushes *p, const struct app *app)
{
	struct repo_waiter *v;
	size_t n;
	bool done;

	pthread_mutex_lock(&p->lock);
	v = find_waiters(p, app, &n);
	pthread_mutex_unlock(&p->lock);
	done = repo_sweep(app->repo, v, n);
	while (n)
		free(v[--n].quarantine);
	free(v);
	return done;
}

/*
 * A job of the app's git lane: what a killed git-receive-pack leaves behind
 * would be in the way of the next push, which waits for it. Its hooks may
 * still be ending.
 */
static void sweep_job(void *arg)
{
	const struct timespec pause = { 0, 100000000 };
	struct sweep *sweep = arg;
	struct pushes *p = sweep->pushes;
	const struct app *app = sweep->app;
	int i;

	for (i = 0; i < SWEEPS && !sweep_once(p, app); i++)
		nanosleep(&pause, NULL);
	if (i == SWEEPS)
		log_line("app=%s: somebody works in %s, not swept", app->name,
			 app->repo);
	pthread_mutex_lock(&p->lock);
	TAILQ_REMOVE(&p->sweeps, sweep, link);
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	app_free(sweep->app);
	free(sweep);
}

/* Under the lock. Takes the app. */
static void sweep(struct pushes *p, struct app *app)
{
	char *key = xasprintf("git %s", app->name);
	struct sweep *sweep = xcalloc(1, sizeof(*sweep));

	sweep->pushes = p;
	sweep->app = app;
	TAILQ_INSERT_TAIL(&p->sweeps, sweep, link);
	jobs_submit(p->slugd->jobs, key, sweep_job, sweep);
	free(key);
}

static void take_up_job(void *arg);

/* Is it time to try again? If so, *retry and *pause are the next time's. */
static bool is_time(int64_t *retry, int64_t *pause)
{
	if (clock_mono_ms() < *retry)
		return false;
	*pause = *pause ? *pause * 2 : TICK_MS;
	if (*pause > MAX_PAUSE_MS)
		*pause = MAX_PAUSE_MS;
	*retry = clock_mono_ms() + *pause;
	return true;
}

/* Under the lock: what the end of a lease means for its push. */
static void after_lease(struct push *push)
{
	struct pushes *p = push->pushes;

	if (push->jobs)
		return;
	if (push->state == PUSH_ACCEPTED) {
		if (!is_time(&push->retry, &push->pause))
			return;
		push->jobs++;
		push->torn = true;
		jobs_submit(p->slugd->jobs, JOBS_LEDGER, settle_job, push);
	} else if (push->state >= PUSH_SETTLED) {
		TAILQ_REMOVE(&p->all, push, link);
		if (push->torn ||
		    (push->state == PUSH_REFUSED && !push->direct)) {
			sweep(p, push->build.app);
			push->build.app = NULL;
		}
		push_free(push);
	}
}

/* Under the lock: try again with the intents that could not be taken up. */
static void look_at_left(struct pushes *p)
{
	struct left *left;

	TAILQ_FOREACH(left, &p->left, link) {
		if (left->busy || !is_time(&left->retry, &left->pause))
			continue;
		left->busy = true;
		jobs_submit(p->slugd->jobs, JOBS_LEDGER, take_up_job, left);
	}
}

/*
 * Look at every lease, and note those that are to be waited for. *wait: ms
 * until the next look, -1 where there is nothing to look at.
 */
static nfds_t look(struct pushes *p, struct pollfd *fds, int *wait)
{
	struct push *push, *next;
	nfds_t n = 0;

	*wait = streams_heartbeat(p->slugd->streams) ? TICK_MS : -1;

	fds[n++] = (struct pollfd){ p->wake, POLLIN, 0 };
	pthread_mutex_lock(&p->lock);
	for (push = TAILQ_FIRST(&p->all); push; push = next) {
		next = TAILQ_NEXT(push, link);
		if (!push->over && !push->direct &&
		    lease_is_over(&push->lease)) {
			push->over = true;
			pthread_cond_broadcast(&p->changed);
		}
		if (push->over || push->direct)
			after_lease(push);
		else if (n < MAX_LEASES)
			fds[n++] = (struct pollfd){ push->lease.fd, POLLIN, 0 };
	}
	look_at_left(p);
	if (!TAILQ_EMPTY(&p->all) || !TAILQ_EMPTY(&p->left))
		*wait = TICK_MS;
	pthread_mutex_unlock(&p->lock);
	return n;
}

static void *watch(void *arg)
{
	struct pushes *p = arg;
	struct pollfd fds[MAX_LEASES];
	uint64_t count;
	int wait;

	while (!p->slugd->stopping) {
		nfds_t n = look(p, fds, &wait);

		poll(fds, n, wait);
		if (read(p->wake, &count, sizeof(count)) < 0) {
			/* Nobody called: a lease ended, or time passed. */
		}
	}
	return NULL;
}

int pushes_start(struct pushes *p)
{
	int rc = jobs_no_thread(pthread_create(&p->watcher, NULL, watch, p));

	p->watching = !rc;
	return rc;
}

void pushes_stop(struct pushes *p)
{
	if (!p->watching)
		return;
	pushes_wake_watcher(p);
	pthread_join(p->watcher, NULL);
	p->watching = false;
}

/*
 * An intent of the last slugd, as a push of this one. Errors: what the ledger
 * said; nothing is changed then.
 */
static int take_up(struct pushes *p, const struct intent *i)
{
	struct push *push;
	struct app *app = NULL;
	int rc = ledger_app_by_id(p->slugd->ledger, i->app, &app);

	if (rc)
		return rc;
	push = xcalloc(1, sizeof(*push));
	push->pushes = p;
	push->state = PUSH_ACCEPTED;
	push->torn = true;
	push->old = xstrdup(i->old);
	build_request_restore(&push->build, app, i);
	lease_restore(&push->lease, i->lease);
	rc = trial_take_up(push, i);
	if (rc) {
		push_free(push);
		return rc;
	}
	push->over = lease_is_over(&push->lease);
	push->jobs = push->over;
	pthread_mutex_lock(&p->lock);
	TAILQ_INSERT_TAIL(&p->all, push, link);
	pthread_mutex_unlock(&p->lock);
	if (push->over)
		settle_job(push);
	return 0;
}

/* A job of the ledger's lane: an intent that could not be taken up before. */
static void take_up_job(void *arg)
{
	struct left *left = arg;
	struct pushes *p = left->pushes;
	int rc = take_up(p, left->intent);

	if (rc)
		log_line("push=%s cannot be taken up yet: %s",
			 left->intent->push, err_msg());
	pthread_mutex_lock(&p->lock);
	left->busy = false;
	if (!rc) {
		TAILQ_REMOVE(&p->left, left, link);
		left_free(left);
		pthread_cond_broadcast(&p->changed);
	}
	pthread_mutex_unlock(&p->lock);
}

/* Take up the intent, which this takes: now, or by a job that tries again. */
static void take_up_or_leave(struct pushes *p, struct intent *i)
{
	struct left *left;

	if (!take_up(p, i)) {
		intent_free(i);
		return;
	}
	log_line("push=%s cannot be taken up yet: %s", i->push, err_msg());
	left = xcalloc(1, sizeof(*left));
	left->pushes = p;
	left->intent = i;
	TAILQ_INSERT_TAIL(&p->left, left, link);
}

int pushes_recover(struct pushes *p)
{
	struct intent **v = NULL;
	struct app **apps = NULL;
	size_t n = 0, nr_apps = 0, i;
	int rc = ledger_apps(p->slugd->ledger, &apps, &nr_apps);

	for (i = 0; i < nr_apps; i++) {
		if (repo_sweep(apps[i]->repo, NULL, 0))
			continue;
		pthread_mutex_lock(&p->lock);
		sweep(p, apps[i]);
		pthread_mutex_unlock(&p->lock);
		apps[i] = NULL;
	}
	apps_free(apps, nr_apps);
	if (!rc)
		rc = ledger_intents(p->slugd->ledger, &v, &n);
	for (i = 0; i < n; i++)
		take_up_or_leave(p, v[i]);
	free(v);
	return rc;
}
