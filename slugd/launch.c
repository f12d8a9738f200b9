/* SPDX-License-Identifier: ISC */
#include "launch.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "clock.h"
#include "err.h"
#include "gc.h"
#include "kept.h"
#include "log.h"
#include "mem.h"
#include "proc.h"
#include "slugd.h"

/* The process type that is run once, before a release becomes current. */
#define RELEASE_TYPE "release"

#define SPARE_S  10    /* more than slugrun may take for an order */
#define LOOK_MS  2000  /* for slugrun to say what it runs */
#define START_MS 10000 /* for slugrun to answer */

/* One launch, or one look whether it is needed. */
struct launch_job {
	struct slugd *slugd;
	struct app *app;
	struct release *release;
	struct stream *stream; /* NULL where the release is not pending */
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

static char *app_dir(const struct slugd *d, const struct app *app)
{
	return xasprintf("%s/apps/%s", d->dir, app->name);
}

/* Connect to the app's slugrun. Errors: ERR_UNAVAILABLE. */
static int connect_slugrun(const struct slugd *d, const struct app *app,
			   struct client **out)
{
	char *path = xasprintf("%s/apps/%s/slugrun.sock", d->dir, app->name);
	int64_t limit = d->config->timeout + d->config->grace + SPARE_S;
	int rc = client_open(out, path);

	if (!rc)
		client_set_timeout(*out, (int)limit * 1000);
	free(path);
	return rc;
}

int launch_call(const struct slugd *d, const struct app *app,
		const char *method, const char *path, const json_t *body,
		json_t **out)
{
	struct client *c = NULL;
	int rc = connect_slugrun(d, app, &c);

	if (rc)
		return err_set(ERR_NOTFOUND, "Nothing of %s runs.", app->name);
	rc = client_call(c, method, path, body, out);
	client_free(c);
	return rc;
}

static int spawn_slugrun(const struct slugd *d, const struct app *app,
			 pid_t *pid)
{
	char *dir = app_dir(d, app), *program = proc_helper("slugrun");
	const char *argv[] = { program, dir, NULL };
	struct proc_spec spec = { .argv = argv,
				  .err = PROC_INHERIT,
				  .session = true };
	int rc = 0;

	if (mkdir(dir, 0700) && errno != EEXIST)
		rc = err_sys("%s", dir);
	if (!rc)
		rc = proc_spawn(pid, &spec);
	free(program);
	free(dir);
	return rc;
}

/* A child that ends some time, and is to be waited for. */
struct reaper {
	pid_t pid;
	char *name;
};

static void *reap(void *arg)
{
	struct reaper *r = arg;

	if (proc_wait(r->pid, r->name))
		log_line("%s", err_msg());
	free(r->name);
	free(r);
	return NULL;
}

/* slugrun is a child of ours as long as we live: it must not be a zombie. */
static void watch_slugrun(const struct app *app, pid_t pid)
{
	struct reaper *r = xcalloc(1, sizeof(*r));
	pthread_t thread;

	r->pid = pid;
	r->name = xasprintf("slugrun of %s", app->name);
	if (pthread_create(&thread, NULL, reap, r))
		abort();
	pthread_detach(thread);
}

/* Connect to the app's slugrun; start it where there is none. */
static int need_slugrun(const struct slugd *d, const struct app *app,
			struct client **out)
{
	int64_t deadline = clock_mono_ms() + START_MS;
	const struct timespec pause = { 0, 5000000 };
	pid_t pid;
	int rc = connect_slugrun(d, app, out);

	if (!rc)
		return 0;
	rc = spawn_slugrun(d, app, &pid);
	if (rc)
		return rc;
	watch_slugrun(app, pid);
	while (connect_slugrun(d, app, out)) {
		if (clock_mono_ms() > deadline)
			return err_set(ERR_FAILED, "slugrun does not answer");
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* What slugrun is told of a release's processes. */
static int describe_processes(const struct launch_job *job,
			      const struct slug *slug, json_t **out)
{
	struct formation *v = NULL;
	size_t n = 0, i;
	json_t *list = json_array();
	int rc = ledger_formation(job->slugd->ledger, job->app->id,
				  slug->process_types, &v, &n);

	for (i = 0; i < n && !rc; i++) {
		if (!strcmp(v[i].type, RELEASE_TYPE))
			continue;
		json_array_append_new(
			list, json_make("{s:s, s:I, s:s}", "type", v[i].type,
					"quantity", (json_int_t)v[i].quantity,
					"command",
					json_str(slug->process_types, v[i].type,
						 "")));
	}
	formation_free(v, n);
	if (rc)
		json_decref(list);
	else
		*out = list;
	return rc;
}

/* The uid of the app's processes, where they have one of their own. */
static int describe_uid(const struct slugd *d, const struct app *app,
			json_t *order)
{
	const struct config *c = d->config;
	int64_t uid = c->uid_first + app->id - 1;

	if (d->uid || !c->own_uid)
		return 0;
	if (uid > c->uid_last)
		return err_set(ERR_INVALID,
			       "no uid from %" PRId64 " to %" PRId64
			       " is left for %s",
			       c->uid_first, c->uid_last, app->name);
	json_object_set_new(order, "uid", json_integer(uid));
	return 0;
}

/* How its processes are held. */
static void describe_fences(const struct config *c, json_t *order)
{
	json_t *fences = json_make(
		"{s:b, s:b, s:b, s:I, s:I, s:I, s:I}", "namespaces",
		c->namespaces, "seccomp", c->seccomp, "cgroups", c->cgroups,
		"memory", (json_int_t)c->memory, "max_processes",
		(json_int_t)c->max_processes, "max_files",
		(json_int_t)c->max_files, "log_size", (json_int_t)c->log_size);

	json_object_update(order, fences);
	json_decref(fences);
}

/* What the log is told of the release. */
static json_t *describe_events(const struct release *r)
{
	json_t *list = json_array();

	json_array_append_new(
		list, json_sprintf("%s by user %s", r->description, r->user));
	json_array_append_new(list, json_sprintf("Release v%" PRId64
						 " created by user %s",
						 r->version, r->user));
	return list;
}

static int describe(const struct launch_job *job, json_t **out)
{
	const struct config *c = job->slugd->config;
	const struct release *r = job->release;
	struct slug *slug = NULL;
	json_t *processes = NULL;
	int rc = ledger_slug(job->slugd->ledger, r->slug, &slug);

	if (!rc)
		rc = describe_processes(job, slug, &processes);
	if (rc)
		goto done;
	if (!slugs_has(job->slugd->slugs, r->slug)) {
		rc = err_set(ERR_FAILED, "the slug of v%" PRId64 " is gone",
			     r->version);
		goto done;
	}
	*out = json_make(
		"{s:s, s:I, s:I, s:s, s:s, s:s, s:o, s:O, s:I,"
		" s:[I, I], s:I, s:I}",
		"app", job->app->name, "version", (json_int_t)r->version,
		"created_at", (json_int_t)r->created_at, "commit", slug->commit,
		"store", job->slugd->dir, "slug", r->slug, "config",
		release_environment(r), "processes", processes, "listen",
		(json_int_t)job->app->port, "ports", (json_int_t)c->port_first,
		(json_int_t)c->port_last, "timeout", (json_int_t)c->timeout,
		"grace", (json_int_t)c->grace);
	json_object_update_new(
		*out, json_make("{s:b, s:o, s:I, s:o, s:o}", "trial", false,
				"release_command",
				json_str_or_null(json_str(slug->process_types,
							  RELEASE_TYPE, NULL)),
				"release_timeout",
				(json_int_t)c->release_timeout, "check",
				strcmp(c->check, "tcp") ? json_string(c->check)
							: json_null(),
				"events", describe_events(r)));
	describe_fences(c, *out);
	rc = describe_uid(job->slugd, job->app, *out);
	if (rc) {
		json_decref(*out);
		*out = NULL;
	}
done:
	json_decref(processes);
	slug_free(slug);
	return rc;
}

/* Give slugrun the order; wait while it is busy with another one. */
static int order_launch(const struct launch_job *job, struct client *c,
			const json_t *order)
{
	int64_t limit = (job->slugd->config->timeout + 5) * 1000;
	int64_t deadline = clock_mono_ms() + limit;
	const struct timespec pause = { 0, 100000000 };
	int rc;

	while ((rc = client_call(c, "POST", "/launch", order, NULL)) ==
		       ERR_CONFLICT &&
	       clock_mono_ms() < deadline && !job->slugd->stopping)
		nanosleep(&pause, NULL);
	return rc;
}

static int launch(const struct launch_job *job)
{
	struct client *c = NULL;
	json_t *order = NULL;
	int rc = describe(job, &order);

	if (!rc)
		rc = need_slugrun(job->slugd, job->app, &c);
	if (!rc)
		rc = order_launch(job, c, order);
	if (rc == ERR_UNAVAILABLE)
		rc = err_set(ERR_FAILED, "slugrun did not take the order");
	client_free(c);
	json_decref(order);
	return rc;
}

struct finish_call {
	struct ledger *writer;
	int64_t id;
	enum release_status status;
};

static int finish(void *arg)
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
	struct client *c = NULL;
	json_t *state = NULL;
	int64_t version = 0;

	if (!connect_slugrun(job->slugd, job->app, &c)) {
		/* One that is busy answers this all the same. */
		client_set_timeout(c, LOOK_MS);
		if (!client_call(c, "GET", "/", NULL, &state))
			version = json_int(state, "version", 0);
	}
	client_free(c);
	json_decref(state);
	return version == job->release->version;
}

static void launch_job(void *arg)
{
	struct launch_job *job = arg;
	struct slugd *d = job->slugd;
	struct finish_call call = { d->writer, job->release->id,
				    RELEASE_SUCCEEDED };
	int rc = 0;

	/* Left pending: the next start launches it. */
	if (d->stopping)
		goto done;
	rc = is_running(job) ? 0 : launch(job);
	if (rc && d->stopping)
		goto done;
	if (rc) {
		log_line("app=%s v%" PRId64 " was not launched: %s",
			 job->app->name, job->release->version, err_msg());
		stream_print(job->stream, "%s\n", err_msg());
		call.status = RELEASE_FAILED;
	} else {
		log_line("app=%s v%" PRId64 " launched", job->app->name,
			 job->release->version);
	}
	if (jobs_call(d->jobs, JOBS_LEDGER, finish, &call))
		log_line("app=%s v%" PRId64 ": %s", job->app->name,
			 job->release->version, err_msg());
	gc_release(d, job->app->id);
done:
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

void launch_release(struct slugd *d, const struct app *app,
		    const struct release *r)
{
	struct launch_job *job;

	if (d->recovering)
		return; /* launch_recover() sees to it */
	kept_release(d, app, r);
	if (r->status != RELEASE_PENDING) {
		gc_release(d, app->id);
		return;
	}
	job = new_job(d, app, r);
	if (!job)
		return;
	if (stream_begin(d->streams, r->output, &job->stream))
		log_line("%s", err_msg());
	submit(d, "launch", launch_job, job);
}

/* After a start: does the app run its current release? */
static void resume_job(void *arg)
{
	struct launch_job *job = arg;

	if (!is_running(job) && !job->slugd->stopping && launch(job))
		log_line("app=%s v%" PRId64 " was not launched again: %s",
			 job->app->name, job->release->version, err_msg());
	job_free(job);
}

static void resume(struct slugd *d, const struct app *app)
{
	struct release *r = NULL;
	struct launch_job *job = NULL;

	if (!ledger_release_current(d->ledger, app->id, &r) && r->slug)
		job = new_job(d, app, r);
	if (job)
		submit(d, "launch", resume_job, job);
	release_free(r);
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
			resume(d, apps[i]);
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

	if (!connect_slugrun(job->slugd, job->app, &c) &&
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
