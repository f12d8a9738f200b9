/* SPDX-License-Identifier: ISC */
#include "gc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "err.h"
#include "log.h"
#include "mem.h"
#include "pushes.h"
#include "retention.h"
#include "slugd.h"
#include "text.h"

#define WAIT_MS    5000 /* for builds to end, where somebody waits */
#define RELEASE_MS 1000 /* where nobody does: that of the release itself */
#define SLACK      10   /* a pass only for so many-th of keep */

/* What an app may lose, and by a pass over all: exactly. */
struct choice {
	int64_t app;
	bool exactly;
	struct kept_slug *v;
	size_t n, go;
};

static uint64_t more_bytes(void *ctx, const char *uuid)
{
	uint64_t bytes = 0;

	/* What cannot be read is not removed either: slugs_gc() tells. */
	if (slugs_sum_add(ctx, uuid, &bytes))
		log_line("%s", err_msg());
	return bytes;
}

/* Only looks: what is chosen may be needed again when it is to go. */
static int choose(struct slugd *d, struct choice *c)
{
	const struct config *config = d->config;
	struct retention rule = { config->keep, config->keep_bytes, more_bytes,
				  NULL };
	int64_t most = rule.keep + (c->exactly ? 0 : rule.keep / SLACK);
	int64_t there = 0;
	int rc = ledger_slug_count(d->ledger, c->app, &there);

	if (rc || (!rule.keep_bytes && (!rule.keep || there <= most)))
		return rc;
	rc = ledger_slugs(d->ledger, c->app, &c->v, &c->n);
	if (rc)
		return rc;
	rule.ctx = slugs_sum_new(d->slugs);
	c->go = retention_choose(c->v, c->n, &rule);
	slugs_sum_free(rule.ctx);
	return 0;
}

struct expire_call {
	struct slugd *slugd;
	const struct choice *choice;
	size_t at; /* the next of its slugs */
	int64_t releases;
};

/* On the ledger's lane, which others get between the parts. */
static int expire(void *arg)
{
	struct expire_call *call = arg;
	const struct choice *c = call->choice;

	return ledger_expire(call->slugd->writer, c->app, c->v, c->n, &call->at,
			     &call->releases);
}

static int let_go(struct slugd *d, const struct choice *c,
		  struct gc_result *out)
{
	struct expire_call call = { d, c, 0, 0 };
	int rc = 0;

	if (c->go)
		d->gc_due = true;
	while (c->go && !rc && call.at < c->n)
		rc = jobs_call(d->jobs, JOBS_LEDGER, expire, &call);
	out->releases += call.releases;
	return rc;
}

/* Take the store's lock; for so long it is tried. */
static int lock_store(struct slugd *d, int64_t wait, int *lock)
{
	const struct timespec pause = { 0, 50000000 };
	int64_t deadline = clock_mono_ms() + wait;
	int rc;

	while ((rc = slugs_lock(d->slugs, true, lock)) == ERR_CONFLICT &&
	       clock_mono_ms() < deadline && !d->stopping)
		nanosleep(&pause, NULL);
	if (rc == ERR_CONFLICT)
		err_set(rc, "slugs are being packed or checked; try again");
	return rc;
}

/* Under the lock: remove what neither the ledger nor a push names. */
static int sweep_once(struct slugd *d, struct slug_freed *freed)
{
	char **there = NULL, **keep = NULL;
	size_t n = 0, nr_keep = 0, i;
	int rc;

	/* In this order, as what no push has any more is in the ledger. */
	pushes_slugs(d->pushes, &keep, &nr_keep);
	rc = ledger_slugs_there(d->ledger, &there, &n);
	keep = xrealloc(keep, nr_keep + n, sizeof(*keep));
	for (i = 0; i < n; i++)
		keep[nr_keep++] = there[i];
	free(there);
	if (!rc)
		rc = slugs_gc(d->slugs, (const char *const *)keep, nr_keep,
			      freed);
	for (i = 0; i < nr_keep; i++)
		free(keep[i]);
	free(keep);
	return rc;
}

static int sweep(struct slugd *d, struct gc_result *out)
{
	struct slug_freed freed = { 0 };
	int rc;

	/* Before it: what comes meanwhile is for the next pass. */
	d->gc_due = false;
	rc = sweep_once(d, &freed);
	/* A push was dropped meanwhile, and its slug with it. */
	if (rc == ERR_NOTFOUND)
		rc = sweep_once(d, &freed);
	out->bytes = freed.bytes;
	if (rc)
		d->gc_due = true;
	if (freed.bytes)
		log_line("gc: %zu slugs, %zu pages, %zu segments removed, "
			 "%" PRIu64 " bytes",
			 freed.slugs, freed.pages, freed.segments, freed.bytes);
	return rc;
}

/*
 * The same, also where letting go failed with rc: on a full disk the ledger
 * cannot be written before something was removed. The first error counts.
 */
static int sweep_after(struct slugd *d, int rc, struct gc_result *out)
{
	char *why = rc ? xstrdup(err_msg()) : NULL;
	int after = sweep(d, out);

	if (why)
		err_set(rc, "%s", why);
	free(why);
	return rc ? rc : after;
}

int gc_run(struct slugd *d, struct gc_result *out)
{
	struct app **apps = NULL;
	size_t n = 0, i;
	int lock = -1, rc;

	*out = (struct gc_result){ 0 };
	rc = lock_store(d, WAIT_MS, &lock);
	if (rc)
		return rc;
	rc = ledger_apps(d->ledger, &apps, &n);
	for (i = 0; i < n && !rc; i++) {
		struct choice c = { .app = apps[i]->id, .exactly = true };

		rc = choose(d, &c);
		if (!rc)
			rc = let_go(d, &c, out);
		free(c.v);
	}
	rc = sweep_after(d, rc, out);
	slugs_unlock(d->slugs, lock);
	apps_free(apps, n);
	return rc;
}

static int after_release(struct slugd *d, struct choice *c)
{
	struct gc_result result = { 0 };
	int lock = -1, rc = choose(d, c);

	if (rc || (!c->go && !d->gc_due))
		return rc;
	rc = lock_store(d, RELEASE_MS, &lock);
	if (rc)
		return rc == ERR_CONFLICT ? 0 : rc;
	rc = sweep_after(d, let_go(d, c, &result), &result);
	slugs_unlock(d->slugs, lock);
	return rc;
}

struct job {
	struct slugd *slugd;
	struct choice choice;
};

static void release_job(void *arg)
{
	struct job *job = arg;

	if (!job->slugd->stopping && after_release(job->slugd, &job->choice))
		log_line("gc: %s", err_msg());
	free(job->choice.v);
	free(job);
}

void gc_release(struct slugd *d, int64_t app)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->slugd = d;
	job->choice.app = app;
	jobs_submit(d->jobs, JOBS_SLUGS, release_job, job);
}

static void start_job(void *arg)
{
	struct slugd *d = arg;
	struct gc_result result;

	if (d->stopping)
		return;
	d->gc_due = true;
	if (gc_run(d, &result))
		log_line("gc: %s", err_msg());
}

void gc_recover(struct slugd *d)
{
	jobs_submit(d->jobs, JOBS_SLUGS, start_job, d);
}
