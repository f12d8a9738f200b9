/* SPDX-License-Identifier: ISC */
/*
 * The trial of a push: before its ref moves, its release command is run and
 * its web processes are started and checked. The app's release lane is the
 * push's from then until it is settled or dropped.
 */
#include <stdlib.h>

#include "clock.h"
#include "err.h"
#include "log.h"
#include "mem.h"
#include "order.h"
#include "pushes-internal.h"
#include "runner.h"
#include "slugd.h"

#define TICK_MS 500

struct trial {
	struct push *push;
	const struct slug *slug;
	bool command; /* it has a release command */
	atomic_bool unwanted;
	/* Under the lock of pushes: */
	bool over;
	int rc;
	char *why;
};

/* The release as it will be, should the ref move. */
static int next_release(struct ledger *l, const struct push *push,
			const struct slug *slug, struct release **out)
{
	int rc = ledger_today(l, push->build.app->id, out);
	struct release *r = *out;

	if (rc)
		return rc;
	str_replace(&r->slug, xstrdup(slug->uuid));
	str_replace(&r->commit, xstrdup(slug->commit));
	str_replace(&r->user, xstrdup(push->build.user));
	r->description = xasprintf("Deploy %.7s", slug->commit);
	return 0;
}

static int try_release(struct trial *t)
{
	struct push *push = t->push;
	struct slugd *d = push->pushes->slugd;
	struct release *next = NULL;
	json_t *order = NULL;
	int rc = next_release(d->ledger, push, t->slug, &next);

	if (!rc)
		rc = order_make(d, push->build.app, next, t->slug, &order);
	/* Launches before it took their time. */
	if (!rc)
		rc = push_check_refs(push);
	if (!rc && runner_can_try(d, push->build.app)) {
		json_object_set_new(order, "trial", json_true());
		rc = runner_launch(d, push->build.app, order,
				   push->build.stream, &t->unwanted);
	}
	json_decref(order);
	release_free(next);
	return rc;
}

/* In the app's lane of launches, after all that were made before. */
static void trial_job(void *arg)
{
	struct trial *t = arg;
	struct pushes *p = t->push->pushes;
	int rc = t->unwanted ? 0 : try_release(t);

	pthread_mutex_lock(&p->lock);
	t->rc = rc;
	if (rc)
		t->why = xstrdup(err_msg());
	t->over = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

/* Wait for the job's end; have it end where the push goes away meanwhile. */
static int await(struct trial *t)
{
	struct pushes *p = t->push->pushes;
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	while (!t->over) {
		struct timespec tick = clock_deadline(TICK_MS);

		pthread_cond_timedwait(&p->changed, &p->lock, &tick);
		if (t->over || !push_check_wanted(t->push))
			continue;
		t->unwanted = true;
		pthread_mutex_unlock(&p->lock);
		if (runner_end_trial(p->slugd, t->push->build.app))
			log_line("app=%s: %s", t->push->build.app->name,
				 err_msg());
		pthread_mutex_lock(&p->lock);
	}
	if (t->unwanted || t->rc)
		rc = push_check_wanted(t->push);
	if (!rc && t->rc)
		rc = err_set(t->rc, "%s", t->why);
	pthread_mutex_unlock(&p->lock);
	free(t->why);
	return rc;
}

/* On the ledger's lane: nobody else makes the next release from now on. */
static int take_lane(void *arg)
{
	struct push *push = arg;
	struct slugd *d = push->pushes->slugd;
	const struct build_request *b = &push->build;
	struct release *next = NULL;
	int rc = ledger_today(d->writer, b->app->id, &next);

	if (!rc) {
		lane_take(d->lanes, b->app->id, b->push, next->version,
			  b->user);
		/* Beside what the watcher reads, in one word of memory. */
		pthread_mutex_lock(&push->pushes->lock);
		push->tried = true;
		pthread_mutex_unlock(&push->pushes->lock);
	}
	release_free(next);
	return rc;
}

/*
 * What the release command says is the release's output, not the build's,
 * which has ended but for what went wrong.
 */
static int turn_to_release(struct push *push)
{
	struct stream *build = push->build.stream;
	int rc = stream_begin(push->pushes->slugd->streams, push->build.push,
			      &push->build.stream);

	if (rc)
		return rc;
	stream_print(build, "-----> Running release command...\n");
	stream_end(build);
	return 0;
}

/* The build is of no use, and says why, as the release's output will. */
static void say_in_build(struct push *push)
{
	struct stream *release = push->build.stream;

	if (stream_begin(push->pushes->slugd->streams, push->build.uuid,
			 &push->build.stream))
		return;
	build_say_refused(&push->build);
	stream_end(push->build.stream);
	push->build.stream = release;
}

/* A job of the app's lane of launches. */
static void submit(struct slugd *d, const struct app *app,
		   void (*fn)(void *arg), void *arg)
{
	char *key = xasprintf("launch %s", app->name);

	jobs_submit(d->jobs, key, fn, arg);
	free(key);
}

int trial_run(struct push *push, const struct slug *slug)
{
	struct slugd *d = push->pushes->slugd;
	struct trial t = { .push = push, .slug = slug };
	bool needed = false;
	int rc;

	t.command = order_release_command(slug) != NULL;

	rc = order_needs_trial(d, push->build.app, slug, &needed);
	if (rc || !needed)
		return rc;
	rc = jobs_call(d->jobs, JOBS_LEDGER, take_lane, push);
	if (rc)
		return rc;
	pthread_mutex_lock(&push->pushes->lock);
	push->trying = true;
	pthread_mutex_unlock(&push->pushes->lock);
	if (t.command)
		rc = turn_to_release(push);
	if (rc)
		return rc;
	submit(d, push->build.app, trial_job, &t);
	rc = await(&t);
	/* Else post-receive says it, as git may refuse the push after us. */
	if (rc && t.command)
		say_in_build(push);
	else if (rc)
		stream_print(push->build.stream,
			     "-----> Launching... failed\n");
	return rc;
}

struct ending {
	struct slugd *slugd;
	struct app *app;
};

static void end_job(void *arg)
{
	struct ending *e = arg;

	if (runner_end_trial(e->slugd, e->app))
		log_line("app=%s: %s", e->app->name, err_msg());
	app_free(e->app);
	free(e);
}

void trial_end(struct push *push)
{
	struct slugd *d = push->pushes->slugd;
	const struct build_request *b = &push->build;
	struct ending *e;

	if (!push->tried)
		return;
	e = xcalloc(1, sizeof(*e));
	e->slugd = d;
	/* Before what may be launched once the lane is free. */
	if (ledger_app_by_id(d->ledger, b->app->id, &e->app))
		free(e);
	else
		submit(d, e->app, end_job, e);
	lane_let_go(d->lanes, b->app->id, b->push);
}

int trial_take_up(struct push *push, const struct intent *i)
{
	struct slugd *d = push->pushes->slugd;
	struct slug *slug = NULL;
	bool needed = false;
	int rc = ledger_slug(d->ledger, i->slug, &slug);

	if (!rc)
		rc = order_needs_trial(d, push->build.app, slug, &needed);
	if (!rc && needed)
		rc = take_lane(push);
	slug_free(slug);
	return rc;
}
