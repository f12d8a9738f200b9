/* SPDX-License-Identifier: ISC */
#include "launch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "gc.h"
#include "kept.h"
#include "log.h"
#include "mem.h"
#include "order.h"
#include "runner.h"
#include "slugd.h"

/* In milliseconds: between two attempts to bring an app back. */
#define RETRY_MS     1000
#define RETRY_MAX_MS 60000

/* One launch, or one look whether it is needed. */
struct launch_job {
	struct slugd *slugd;
	struct app *app;
	struct release *release;
	struct stream *stream; /* NULL where the release is not pending */
	int pause;             /* ms since the last attempt; 0: none was */
};

bool slugd_launches(const struct slugd *d)
{
	return strcmp(d->config->driver, "none") != 0;
}

char *launch_web_url(const struct slugd *d, const struct app *app)
{
	if (!slugd_launches(d) || !app->port)
		return NULL;
	return xasprintf("http://127.0.0.1:%" PRId64 "/", app->port);
}

int launch_call(const struct slugd *d, const struct app *app,
		const char *method, const char *path, const json_t *body,
		json_t **out)
{
	struct client *c = NULL;
	int rc = runner_connect(d, app, &c);

	if (rc)
		return err_set(ERR_UNAVAILABLE, "Nothing of %s runs.",
			       app->name);
	rc = client_call(c, method, path, body, out);
	if (rc == ERR_UNAVAILABLE)
		rc = err_set(ERR_FAILED, "slugrun did not answer.");
	client_free(c);
	return rc;
}

int launch_scale(const struct slugd *d, const struct app *app)
{
	struct release *current = NULL;
	struct slug *slug = NULL;
	json_t *list = NULL, *order = NULL;
	int rc = ledger_release_current(d->ledger, app->id, &current);

	if (rc || !current->slug)
		goto done;
	rc = ledger_slug(d->ledger, current->slug, &slug);
	if (!rc)
		rc = order_processes(d, app, slug, &list);
	if (rc)
		goto done;
	order = json_make("{s:o}", "processes", list);
	rc = launch_call(d, app, "PATCH", "/formation", order, NULL);
	/* Nothing runs: the next launch has as many. */
	if (rc == ERR_UNAVAILABLE || rc == ERR_NOTFOUND)
		rc = 0;
done:
	json_decref(order);
	slug_free(slug);
	release_free(current);
	return rc;
}

static int launch(struct launch_job *job)
{
	const struct slugd *d = job->slugd;
	struct slug *slug = NULL;
	json_t *order = NULL;
	int rc = ledger_slug(d->ledger, job->release->slug, &slug);

	if (!rc)
		rc = order_make(d, job->app, job->release, slug, &order);
	/* What came with the release comes once. */
	if (!rc && job->release->status != RELEASE_PENDING) {
		json_object_set_new(order, "release_command", json_null());
		json_object_set_new(order, "events", json_array());
	}
	if (!rc)
		rc = runner_launch(d, job->app, order, job->stream, NULL);
	json_decref(order);
	slug_free(slug);
	return rc;
}

struct finish_call {
	struct ledger *writer;
	int64_t id;
	enum release_status status;
};

static int run_finish(void *arg)
{
	struct finish_call *call = arg;

	return ledger_release_finish(call->writer, call->id, call->status);
}

static void job_free(struct launch_job *job)
{
	stream_end(job->stream);
	app_free(job->app);
	release_free(job->release);
	free(job);
}

/* Does slugrun run the release already? */
static bool is_running(const struct launch_job *job)
{
	return runner_version(job->slugd, job->app, "version") ==
	       job->release->version;
}

/* Launch it unless it runs, and watch it. */
static int see_it_run(struct launch_job *job, bool runs)
{
	int rc = runs ? 0 : launch(job);

	if (!rc)
		watches_add(job->slugd->watches, job->app);
	return rc;
}

/* Write down how the launch of r ended. */
static void finish(struct slugd *d, const struct app *app,
		   const struct release *r, enum release_status status)
{
	struct finish_call call = { d->writer, r->id, status };

	if (jobs_call(d->jobs, JOBS_LEDGER, run_finish, &call))
		log_line("app=%s v%" PRId64 ": %s", app->name, r->version,
			 err_msg());
}

/* Another release was launched in its place, and so what it changed is. */
static void finish_skipped(struct slugd *d, const struct app *app,
			   const struct release *r, int64_t by)
{
	struct stream *stream = NULL;

	log_line("app=%s v%" PRId64 " superseded by v%" PRId64, app->name,
		 r->version, by);
	if (r->output && stream_begin(d->streams, r->output, &stream))
		log_line("%s", err_msg());
	stream_print(stream, "superseded by v%" PRId64 "\n", by);
	stream_end(stream);
	finish(d, app, r, RELEASE_SUCCEEDED);
}

/*
 * Is the launch of no use, since a newer release waits for its own, or was
 * launched? What a push or a build made is launched in any case.
 */
static bool skip(const struct launch_job *job)
{
	struct slugd *d = job->slugd;
	const struct release *r = job->release;
	struct release *last = NULL, *current = NULL, *now = NULL;
	bool skipped = false;

	if (!ledger_release(d->ledger, r->app, r->uuid, &now) &&
	    now->status != RELEASE_PENDING) {
		skipped = true; /* and that is known */
	} else if (!ledger_release_current(d->ledger, r->app, &current) &&
		   current->version > r->version) {
		finish_skipped(d, job->app, r, current->version);
		skipped = true;
	} else if (strcmp(r->kind, "deploy") != 0 &&
		   !ledger_release_last(d->ledger, r->app, &last)) {
		/* It stays pending: the other launch may fail. */
		skipped = last->version > r->version &&
			  last->status == RELEASE_PENDING;
	}
	release_free(now);
	release_free(last);
	release_free(current);
	return skipped;
}

static struct launch_job *new_launch(struct slugd *d, const struct app *app,
				     const struct release *r);
static void launch_job(void *arg);
static void resume(struct slugd *d, const struct app *app, int pause);

/*
 * Releases older than r were skipped for it: what becomes of them? Each call
 * is of an older one.
 */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void finish_older(const struct launch_job *job, bool launched)
{
	struct slugd *d = job->slugd;
	const struct release *r = job->release, *newest = NULL;
	struct launch_job *again = NULL;
	struct release **v = NULL;
	size_t n = 0, i;

	if (ledger_releases_pending(d->ledger, &v, &n))
		log_line("%s", err_msg());
	for (i = 0; i < n; i++) {
		if (v[i]->app != r->app || v[i]->version >= r->version)
			continue;
		newest = v[i];
		if (launched)
			finish_skipped(d, job->app, v[i], r->version);
	}
	/* Not as a job behind a push's trial, which it would end. */
	if (newest && !launched)
		again = new_launch(d, job->app, newest);
	releases_free(v, n);
	if (again)
		launch_job(again);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void launch_job(void *arg)
{
	struct launch_job *job = arg;
	const struct release *r = job->release;
	struct slugd *d = job->slugd;
	int rc = 0;

	/* Left pending: the next start launches it. */
	if (d->stopping || skip(job))
		goto done;
	rc = see_it_run(job, is_running(job));
	if (rc && d->stopping)
		goto done;
	if (rc) {
		log_line("app=%s v%" PRId64 " was not launched: %s",
			 job->app->name, r->version, err_msg());
		stream_print(job->stream, "%s\n", err_msg());
		finish(d, job->app, r, RELEASE_FAILED);
		finish_older(job, false);
		/* After a start of slugd nothing may run yet. */
		resume(d, job->app, 0);
	} else {
		log_line("app=%s v%" PRId64 " launched", job->app->name,
			 r->version);
		finish_older(job, true);
		finish(d, job->app, r, RELEASE_SUCCEEDED);
	}
	gc_release(d, job->app->id);
done:
	/* Not before: for now its git would be in the way. */
	kept_release(d, job->app, r);
	job_free(job);
}

static struct launch_job *new_job(struct slugd *d, const struct app *app,
				  const struct release *r)
{
	struct launch_job *job = xcalloc(1, sizeof(*job));
	char version[24];

	job->slugd = d;
	snprintf(version, sizeof(version), "%" PRId64, r->version);
	if (ledger_app_by_id(d->ledger, app->id, &job->app) ||
	    ledger_release(d->ledger, app->id, version, &job->release)) {
		log_line("app=%s v%" PRId64 ": %s", app->name, r->version,
			 err_msg());
		job_free(job);
		return NULL;
	}
	return job;
}

/* A job of the app's own lane: fn(job) for the release. */
static void submit(struct slugd *d, const char *lane, void (*fn)(void *arg),
		   struct launch_job *job)
{
	char *key = xasprintf("%s %s", lane, job->app->name);

	jobs_submit(d->jobs, key, fn, job);
	free(key);
}

static struct launch_job *new_launch(struct slugd *d, const struct app *app,
				     const struct release *r)
{
	struct launch_job *job = new_job(d, app, r);

	if (job && stream_begin(d->streams, r->output, &job->stream))
		log_line("%s", err_msg());
	return job;
}

void launch_release(struct slugd *d, const struct app *app,
		    const struct release *r)
{
	struct launch_job *job;

	if (d->recovering)
		return; /* launch_recover() sees to it */
	if (r->status != RELEASE_PENDING) {
		kept_release(d, app, r);
		gc_release(d, app->id);
		return;
	}
	job = new_launch(d, app, r);
	if (job)
		submit(d, "launch", launch_job, job);
}

/* A scaling may have been written down and not been done. */
static int scale_again(const struct launch_job *job)
{
	int rc = launch_scale(job->slugd, job->app);

	/* The release that is in the way has as many. */
	return rc == ERR_CONFLICT ? 0 : rc;
}

/* See that the current release runs; where that fails, again later. */
static void bring_back(struct launch_job *job)
{
	struct slugd *d = job->slugd;
	int pause = job->pause ? job->pause : RETRY_MS, rc;
	bool runs = is_running(job);

	/* A push's trial, which this would end, may be what runs next. */
	if (!runs && runner_version(d, job->app, "trial")) {
		watches_retry(d->watches, job->app, pause);
		return;
	}
	rc = see_it_run(job, runs);
	if (!rc && runs)
		rc = scale_again(job);
	if (!rc || d->stopping)
		return;
	if (job->pause)
		pause = pause < RETRY_MAX_MS / 2 ? pause * 2 : RETRY_MAX_MS;
	log_line("app=%s v%" PRId64 " was not launched again: %s; next try in "
		 "%d s",
		 job->app->name, job->release->version, err_msg(),
		 pause / 1000);
	watches_retry(d->watches, job->app, pause);
}

/* After a start: does the app run its current release? */
static void resume_job(void *arg)
{
	struct launch_job *job = arg;
	struct release *now = NULL;

	/* Another one may have been launched since this was asked for. */
	if (!ledger_release_current(job->slugd->ledger, job->app->id, &now) &&
	    now->slug) {
		release_free(job->release);
		job->release = now;
		now = NULL;
	}
	release_free(now);

	if (!job->slugd->stopping)
		bring_back(job);
	job_free(job);
}

static void resume(struct slugd *d, const struct app *app, int pause)
{
	struct release *r = NULL;
	struct launch_job *job = NULL;

	if (!ledger_release_current(d->ledger, app->id, &r) && r->slug)
		job = new_job(d, app, r);
	if (job) {
		job->pause = pause;
		submit(d, "launch", resume_job, job);
	}
	release_free(r);
}

void launch_again(struct slugd *d, int64_t id, int pause)
{
	struct app *app = NULL;

	if (!ledger_app_by_id(d->ledger, id, &app)) {
		log_line("app=%s: %s", app->name,
			 pause ? "trying to bring it back"
			       : "its slugrun was killed");
		resume(d, app, pause);
	}
	app_free(app);
}

/* Is one of the pending releases the app's? */
static bool has_pending(const struct app *app, struct release **v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (v[i]->app == app->id)
			return true;
	return false;
}

static bool has_intent(const struct slugd *d, const struct app *app)
{
	struct intent *i = NULL;
	int rc = ledger_intent(d->ledger, app->id, &i);

	intent_free(i);
	/* What cannot be read may be there. */
	return rc != ERR_NOTFOUND;
}

static void stray_job(void *arg)
{
	struct launch_job *job = arg;

	if (!job->slugd->stopping && runner_end_trial(job->slugd, job->app))
		log_line("app=%s: %s", job->app->name, err_msg());
	job_free(job);
}

/* A trial without an intent is nobody's, also where no release ever ran. */
static void recover_app(struct slugd *d, const struct app *app)
{
	struct launch_job *job;

	if (!has_intent(d, app)) {
		job = xcalloc(1, sizeof(*job));
		job->slugd = d;
		if (ledger_app_by_id(d->ledger, app->id, &job->app))
			job_free(job);
		else
			submit(d, "launch", stray_job, job);
	}
	resume(d, app, 0);
}

int launch_recover(struct slugd *d)
{
	struct release **v = NULL;
	struct app **apps = NULL, *app;
	size_t n = 0, nr_apps = 0, i;
	int rc = ledger_apps(d->ledger, &apps, &nr_apps);

	if (!rc)
		rc = ledger_releases_pending(d->ledger, &v, &n);
	d->recovering = false;
	for (i = 0; i < nr_apps && !rc; i++) {
		kept_recover(d, apps[i]);
		if (slugd_launches(d) && !has_pending(apps[i], v, n))
			recover_app(d, apps[i]);
	}
	for (i = 0; i < n && !rc; i++) {
		app = NULL;
		if (!ledger_app_by_id(d->ledger, v[i]->app, &app))
			launch_release(d, app, v[i]);
		app_free(app);
	}
	apps_free(apps, nr_apps);
	releases_free(v, n);
	return rc;
}

static void stop_job(void *arg)
{
	struct launch_job *job = arg;
	struct client *c = NULL;

	if (!runner_connect(job->slugd, job->app, &c) &&
	    client_call(c, "POST", "/stop", NULL, NULL))
		log_line("app=%s: %s", job->app->name, err_msg());
	client_free(c);
	job_free(job);
}

void launch_stop_all(struct slugd *d)
{
	struct app **apps = NULL;
	size_t n = 0, i;

	if (ledger_apps(d->ledger, &apps, &n))
		log_line("%s", err_msg());
	for (i = 0; i < n; i++) {
		struct launch_job *job = xcalloc(1, sizeof(*job));

		job->slugd = d;
		job->app = apps[i];
		submit(d, "launch", stop_job, job);
	}
	free(apps);
	jobs_drain(d->jobs);
}
