/* SPDX-License-Identifier: ISC */
#include "pushes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "launch.h"
#include "log.h"
#include "mem.h"
#include "pushes-internal.h"
#include "reflog.h"
#include "refusals.h"
#include "repo.h"
#include "slugd.h"

#define TICK_MS 1000

struct pushes *pushes_new(struct slugd *d)
{
	struct pushes *p = xcalloc(1, sizeof(*p));
	pthread_condattr_t attr;

	p->slugd = d;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->changed, &attr);
	pthread_condattr_destroy(&attr);
	TAILQ_INIT(&p->all);
	TAILQ_INIT(&p->sweeps);
	TAILQ_INIT(&p->left);
	p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	streams_watch(d->streams, p->wake);
	return p;
}

void push_free(struct push *push)
{
	struct pushes *p = push->pushes;

	if (push->build.app)
		lane_let_go(p->slugd->lanes, push->build.app->id,
			    push->build.push);
	build_request_clear(&push->build);
	free(push->old);
	json_decref(push->refs);
	free(push->folders);
	free(push->slug);
	lease_release(&push->lease);
	free(push);
}

void left_free(struct left *left)
{
	intent_free(left->intent);
	free(left);
}

void pushes_free(struct pushes *p)
{
	struct push *push;
	struct left *left;

	if (!p)
		return;
	while ((push = TAILQ_FIRST(&p->all))) {
		TAILQ_REMOVE(&p->all, push, link);
		push_free(push);
	}
	while ((left = TAILQ_FIRST(&p->left))) {
		TAILQ_REMOVE(&p->left, left, link);
		left_free(left);
	}
	close(p->wake);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void pushes_wake_watcher(struct pushes *p)
{
	uint64_t one = 1;

	if (write(p->wake, &one, sizeof(one)) < 0) {
		/* It is awake already. */
	}
}

void push_set_state(struct push *push, enum push_state state)
{
	struct pushes *p = push->pushes;

	pthread_mutex_lock(&p->lock);
	push->state = state;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

/*
 * Under the lock: a push of the same app that goes first, or what is left of
 * one, which would be in git's way.
 */
static bool must_wait(const struct push *push)
{
	const struct push *other;
	const struct sweep *sweep;
	const struct left *left;
	bool before = true;

	TAILQ_FOREACH(sweep, &push->pushes->sweeps, link) {
		if (sweep->app->id == push->build.app->id)
			return true;
	}
	TAILQ_FOREACH(left, &push->pushes->left, link) {
		if (left->intent->app == push->build.app->id)
			return true;
	}
	TAILQ_FOREACH(other, &push->pushes->all, link) {
		if (other == push)
			before = false;
		else if (other->build.app->id != push->build.app->id)
			continue;
		else if (other->state == PUSH_BUILDING ||
			 other->state == PUSH_ACCEPTED || other->torn ||
			 (before && other->state == PUSH_WAITING))
			return true;
	}
	return false;
}

int push_check_wanted(const struct push *push)
{
	if (push->over)
		return err_set(ERR_UNAVAILABLE, "the push went away");
	if (push->pushes->slugd->stopping)
		return err_set(ERR_UNAVAILABLE, "slugd is stopping");
	return 0;
}

/* Wait for the app's push lock, for a bounded time, and take it. */
static int take_lock(struct push *push)
{
	struct pushes *p = push->pushes;
	int64_t limit = p->slugd->config->push_wait;
	int64_t deadline = clock_mono_ms() + limit * 1000;
	bool waited = false;
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	while (!rc && must_wait(push)) {
		struct timespec tick = clock_deadline(TICK_MS);

		if (!waited)
			stream_print(push->build.stream,
				     "       Waiting for another push to "
				     "%s...\n",
				     push->build.app->name);
		waited = true;
		rc = push_check_wanted(push);
		if (!rc && clock_mono_ms() >= deadline)
			rc = err_set(ERR_CONFLICT,
				     "another push to %s is still going on "
				     "after %" PRId64 " seconds; try again",
				     push->build.app->name, limit);
		if (!rc)
			pthread_cond_timedwait(&p->changed, &p->lock, &tick);
	}
	if (!rc)
		push->state = PUSH_BUILDING;
	pthread_mutex_unlock(&p->lock);
	return rc;
}

/* As push_check_wanted(), for the build, which asks now and then. */
static int check_push(void *ctx)
{
	struct push *push = ctx;
	int rc;

	pthread_mutex_lock(&push->pushes->lock);
	rc = push_check_wanted(push);
	pthread_mutex_unlock(&push->pushes->lock);
	return rc;
}

struct accept_call {
	struct push *push;
	const struct build_result *result;
};

/* On the ledger's lane: what was packed, and the intent. */
static int accept_push(void *arg)
{
	struct accept_call *call = arg;
	struct push *push = call->push;
	const struct build_request *b = &push->build;
	struct reflog_mark mark = { 0, NULL };
	struct intent intent = {
		.app = b->app->id,
		.ref = b->ref,
		.old = push->old,
		.new = b->commit,
		.user = b->user,
		.slug = call->result->slug->uuid,
		.build = call->result->build->uuid,
		.created_at = clock_now(),
	};
	int rc = lease_text(&push->lease, &intent.lease);

	if (!rc)
		rc = reflog_note(b->app->repo, b->ref, &mark);
	intent.reflog_size = mark.size;
	intent.reflog_last = mark.last;
	memcpy(intent.push, b->push, UUID_SIZE);
	if (!rc)
		rc = ledger_accept(push->pushes->slugd->writer,
				   call->result->slug, call->result->build,
				   &intent);
	free(intent.lease);
	free(mark.last);
	return rc;
}

/* On the ledger's lane: what was packed becomes a release at once. */
static int deploy_built(void *arg)
{
	struct accept_call *call = arg;
	struct slugd *d = call->push->pushes->slugd;
	struct release *r = NULL;
	int rc = ledger_deploy_built(d->writer, call->result->slug,
				     call->result->build, &r);

	if (!rc)
		launch_release(d, call->push->build.app, r);
	release_free(r);
	return rc;
}

/* On the ledger's lane: the build that failed. */
static int note_failure(void *arg)
{
	struct accept_call *call = arg;

	return ledger_build_failed(call->push->pushes->slugd->writer,
				   call->result->build);
}

int push_check_refs(const struct push *push)
{
	const struct build_request *b = &push->build;
	const struct refusals_push p = {
		.repo = b->app->repo,
		.ref = b->ref,
		.old = push->old,
		.new = b->commit,
		.quarantine = push->quarantined ? b->objects[0] : NULL,
		.refs = push->refs,
	};

	return refusals_check(&p);
}

/* The push needs that slug, which gc leaves alone, or none: NULL. */
static void keep_slug(struct push *push, const char *slug)
{
	pthread_mutex_lock(&push->pushes->lock);
	str_replace(&push->slug, xstrdup(slug));
	pthread_mutex_unlock(&push->pushes->lock);
}

void pushes_slugs(struct pushes *p, char ***out, size_t *n)
{
	const struct push *push;
	char **v = NULL;

	*n = 0;
	pthread_mutex_lock(&p->lock);
	TAILQ_FOREACH(push, &p->all, link) {
		if (!push->slug)
			continue;
		v = xrealloc(v, *n + 1, sizeof(*v));
		v[(*n)++] = xstrdup(push->slug);
	}
	pthread_mutex_unlock(&p->lock);
	*out = v;
}

/* What was packed is of no use: it goes, and the build has failed. */
static void forget_slug(struct slugd *d, struct build_result *result)
{
	if (!result->slug)
		return;
	slugs_drop(d->slugs, result->slug->uuid);
	d->gc_due = true;
	str_replace(&result->build->status, xstrdup("failed"));
	str_replace(&result->build->slug, NULL);
}

/* The slug, which stays until the ledger can name it. */
static int pack(struct push *push, struct build_result *result)
{
	struct slugd *d = push->pushes->slugd;
	int lock = -1, rc = slugs_lock(d->slugs, false, &lock);

	if (!rc)
		rc = build_run(d, &push->build, result);
	if (!rc)
		keep_slug(push, result->slug->uuid);
	slugs_unlock(d->slugs, lock);
	return rc;
}

/* The slug, tried where that is to be, and the intent or the release. */
static int make_release(struct push *push, struct accept_call *call,
			struct build_result *result)
{
	struct slugd *d = push->pushes->slugd;
	int rc = pack(push, result);

	if (!rc && !push->direct)
		rc = trial_run(push, result->slug);
	if (!rc)
		rc = jobs_call(d->jobs, JOBS_LEDGER,
			       push->direct ? deploy_built : accept_push, call);
	return rc;
}

static int build_push(struct push *push)
{
	struct slugd *d = push->pushes->slugd;
	struct build_result result = { 0 };
	struct accept_call call = { push, &result };
	int rc = take_lock(push);

	/* Before it is packed; and again before it is tried. */
	if (!rc && !push->direct)
		rc = push_check_refs(push);
	if (!rc)
		rc = make_release(push, &call, &result);
	/* Before it is removed: gc would miss it. */
	keep_slug(push, NULL);
	if (rc && result.build) {
		char *why = xstrdup(err_msg());

		forget_slug(d, &result);
		trial_end(push);
		jobs_call(d->jobs, JOBS_LEDGER, note_failure, &call);
		err_set(rc, "%s", why);
		free(why);
	}
	build_result_clear(&result);
	return rc;
}

static void build_job(void *arg)
{
	struct push *push = arg;
	struct pushes *p = push->pushes;
	struct stream *stream;
	int rc = build_push(push);

	if (rc) {
		log_line("app=%s push=%s refused: %s", push->build.app->name,
			 push->build.push, err_msg());
		build_say_refused(&push->build);
	}
	stream = push->build.stream;
	push->build.stream = NULL;
	push_set_state(push, rc             ? PUSH_REFUSED
			     : push->direct ? PUSH_SETTLED
					    : PUSH_ACCEPTED);
	stream_end(stream);
	pthread_mutex_lock(&p->lock);
	push->jobs--;
	pthread_mutex_unlock(&p->lock);
	pushes_wake_watcher(p);
}

static void fill_status(const struct push *push, struct push_status *out)
{
	static const char *const names[] = {
		[PUSH_WAITING] = "pending",    [PUSH_BUILDING] = "pending",
		[PUSH_ACCEPTED] = "succeeded", [PUSH_SETTLED] = "succeeded",
		[PUSH_REFUSED] = "failed",     [PUSH_DROPPED] = "failed",
	};

	memcpy(out->id, push->build.push, UUID_SIZE);
	memcpy(out->build, push->build.uuid, UUID_SIZE);
	out->state = names[push->state];
}

/* Begin the push's stream and job. Frees it where that fails. */
static int start(struct push *push, struct push_status *out)
{
	struct pushes *p = push->pushes;
	char *key;
	int rc = stream_begin(p->slugd->streams, push->build.uuid,
			      &push->build.stream);

	if (rc) {
		push_free(push);
		return rc;
	}
	push->jobs = 1;
	push->build.check = check_push;
	push->build.ctx = push;
	fill_status(push, out);
	key = xasprintf("build %s", out->id);
	/* The job waits for the lock. */
	pthread_mutex_lock(&p->lock);
	rc = jobs_try(p->slugd->jobs, key, build_job, push);
	if (!rc)
		TAILQ_INSERT_TAIL(&p->all, push, link);
	pthread_mutex_unlock(&p->lock);
	free(key);
	if (rc) {
		stream_end(push->build.stream);
		push_free(push);
	} else {
		pushes_wake_watcher(p);
	}
	return rc;
}

static struct push *new_push(struct pushes *p)
{
	struct push *push = xcalloc(1, sizeof(*push));

	push->pushes = p;
	push->lease.fd = -1;
	return push;
}

int pushes_begin(struct pushes *p, const struct push_request *req,
		 struct push_status *out)
{
	struct push *push = new_push(p);
	int rc;

	push->old = xstrdup(req->old);
	push->refs = json_deep_copy(req->refs);
	push->quarantined = req->quarantine != NULL;
	rc = build_request_init(&push->build, p->slugd, req);
	if (!rc && req->quarantine)
		rc = repo_quarantine_folders(req->quarantine, &push->folders);
	else if (!rc)
		push->folders = xstrdup("");
	if (!rc)
		rc = lease_take(&push->lease, req->hook);
	if (rc) {
		push_free(push);
		return rc;
	}
	return start(push, out);
}

int pushes_deploy(struct pushes *p, const struct app *app, const char *commit,
		  const char *user, struct push_status *out)
{
	char *objects = xasprintf("%s/objects", app->repo);
	const struct push_request req = {
		.app = app,
		.ref = "",
		.new = commit,
		.user = user,
		.objects = objects,
	};
	struct push *push = new_push(p);
	int rc;

	push->direct = true;
	rc = build_request_init(&push->build, p->slugd, &req);
	free(objects);
	if (rc) {
		push_free(push);
		return rc;
	}
	return start(push, out);
}

int pushes_status(struct pushes *p, const char *id, struct push_status *out)
{
	struct push *push;
	int rc = err_set(ERR_NOTFOUND, "no such push");

	pthread_mutex_lock(&p->lock);
	TAILQ_FOREACH(push, &p->all, link) {
		if (strcmp(push->build.push, id) &&
		    strcmp(push->build.uuid, id))
			continue;
		fill_status(push, out);
		rc = 0;
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

enum push_wait pushes_waiting(struct pushes *p, const char *id, int64_t *app)
{
	enum push_wait wait = PUSH_WAIT_NONE;
	const struct push *push;

	*app = 0;
	pthread_mutex_lock(&p->lock);
	TAILQ_FOREACH(push, &p->all, link) {
		if (strcmp(push->build.push, id) != 0 || !push->build.app)
			continue;
		*app = push->build.app->id;
		if (push->state == PUSH_WAITING)
			wait = PUSH_WAIT_TURN;
		else if (push->state == PUSH_BUILDING)
			wait = push->trying ? PUSH_WAIT_LAUNCH : PUSH_WAIT_PACK;
	}
	pthread_mutex_unlock(&p->lock);
	return wait;
}
