/* SPDX-License-Identifier: ISC */
#include "runner.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "jobs.h"
#include "log.h"
#include "mem.h"
#include "proc.h"
#include "slugd.h"

#define SPARE_S  10    /* more than slugrun may take for an order */
#define LOOK_MS  2000  /* for slugrun to say what it runs */
#define AGAIN_MS 4000  /* ... before another one is started */
#define START_MS 10000 /* for slugrun to answer */

static char *app_dir(const struct slugd *d, const struct app *app)
{
	return xasprintf("%s/apps/%s", d->dir, app->name);
}

int runner_connect(const struct slugd *d, const struct app *app,
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

static int make_app_dir(const struct slugd *d, const struct app *app)
{
	char *dir = app_dir(d, app);
	int rc = 0;

	if (mkdir(dir, 0700) && errno != EEXIST)
		rc = err_sys("%s", dir);
	free(dir);
	return rc;
}

static int spawn(const struct slugd *d, const struct app *app, pid_t *pid)
{
	char *dir = app_dir(d, app), *program = proc_helper("slugrun");
	const char *argv[] = { program, dir, NULL };
	struct proc_spec spec = {
		.argv = argv, .dir = "/", .err = PROC_INHERIT, .session = true
	};
	int rc = proc_spawn(pid, &spec);

	free(program);
	free(dir);
	return rc;
}

/* A child that ends some time, and is to be waited for. */
struct reaper {
	pid_t pid; /* 0: none was started */
	sem_t known;
	char *name;
};

static void *reap(void *arg)
{
	struct reaper *r = arg;

	while (sem_wait(&r->known))
		;
	if (r->pid && proc_wait(r->pid, r->name))
		log_line("%s", err_msg());
	sem_destroy(&r->known);
	free(r->name);
	free(r);
	return NULL;
}

/*
 * slugrun is a child of ours as long as we live, and must not be a zombie:
 * who waits for it is there before it is.
 */
static int spawn_watched(const struct slugd *d, const struct app *app)
{
	struct reaper *r = xcalloc(1, sizeof(*r));
	pthread_t thread;
	pid_t pid;
	int rc;

	sem_init(&r->known, 0, 0);
	r->name = xasprintf("slugrun of %s", app->name);
	rc = jobs_no_thread(pthread_create(&thread, NULL, reap, r));
	if (rc) {
		sem_destroy(&r->known);
		free(r->name);
		free(r);
		/* ERR_UNAVAILABLE is a slugrun that does not answer. */
		return err_set(ERR_FAILED, "%s", err_msg());
	}
	pthread_detach(thread);
	rc = spawn(d, app, &pid);
	r->pid = rc ? 0 : pid;
	sem_post(&r->known);
	return rc;
}

/* As a unit where there are units, else as a child. */
static int start(const struct slugd *d, const struct app *app)
{
	int rc;

	if (d->parent)
		return privilege_start(d->parent, app->name);
	rc = make_app_dir(d, app);
	if (rc)
		return rc;
	rc = units_start(d->units, app->name);
	if (!rc)
		return 0;
	if (rc != ERR_NOTFOUND)
		log_line("app=%s: its slugrun is no unit: %s", app->name,
			 err_msg());
	return spawn_watched(d, app);
}

int runner_need(const struct slugd *d, const struct app *app,
		struct client **out)
{
	int64_t deadline = clock_mono_ms() + START_MS;
	const struct timespec pause = { 0, 5000000 };
	int64_t again = 0;
	int rc = 0;

	while (runner_connect(d, app, out)) {
		if (clock_mono_ms() > deadline)
			return err_set(ERR_FAILED, "slugrun does not answer");
		/* One that met the end of the one before it ends, too. */
		if (clock_mono_ms() >= again) {
			rc = start(d, app);
			again = clock_mono_ms() + AGAIN_MS;
		}
		if (rc)
			return rc;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int runner_state(const struct slugd *d, const struct app *app, json_t **out)
{
	struct client *c = NULL;
	int rc = runner_connect(d, app, &c);

	*out = NULL;
	if (!rc) {
		/* One that is busy answers this all the same. */
		client_set_timeout(c, LOOK_MS);
		rc = client_call(c, "GET", "/", NULL, out);
	}
	client_free(c);
	return rc;
}

int64_t runner_version(const struct slugd *d, const struct app *app,
		       const char *what)
{
	json_t *state = NULL;
	int64_t version = 0;

	if (!runner_state(d, app, &state))
		version = json_int(state, what, 0);
	json_decref(state);
	return version;
}

bool runner_can_try(const struct slugd *d, const struct app *app)
{
	json_t *state = NULL;
	bool can =
		runner_state(d, app, &state) || json_object_get(state, "trial");

	json_decref(state);
	return can;
}

int runner_end_trial(const struct slugd *d, const struct app *app)
{
	struct client *c = NULL;
	int rc = 0;

	/* Where none answers, or it knows none, there is no trial. */
	if (!runner_connect(d, app, &c))
		rc = client_call(c, "DELETE", "/trial", NULL, NULL);
	client_free(c);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int64_t time_of(const struct slugd *d, const json_t *order)
{
	int64_t s = d->config->timeout + d->config->grace + SPARE_S;

	return json_str(order, "release_command", NULL)
		       ? s + d->config->release_timeout
		       : s;
}

static bool is_wanted(const struct slugd *d, const atomic_bool *unwanted)
{
	return !d->stopping && !(unwanted && *unwanted);
}

/* POST it; wait while slugrun is busy with another launch. */
static int post(const struct slugd *d, struct client *c, const json_t *order,
		const atomic_bool *unwanted)
{
	int64_t limit = (d->config->timeout + 5) * 1000;
	int64_t deadline = clock_mono_ms() + limit;
	const struct timespec pause = { 0, 100000000 };
	int rc;

	client_set_timeout(c, (int)time_of(d, order) * 1000);
	client_set_cancel(c, d->stop_fd);
	while ((rc = client_call(c, "POST", "/launch", order, NULL)) ==
		       ERR_CONFLICT &&
	       clock_mono_ms() < deadline && is_wanted(d, unwanted))
		nanosleep(&pause, NULL);
	return rc;
}

/* A thread that reads what the release command says. */
struct follower {
	const struct slugd *slugd;
	const struct app *app;
	struct stream *output;
	bool open; /* its last line */
	int64_t version;
	int limit; /* ms, for the whole launch */
	pthread_t thread;
	atomic_bool over; /* the launch is */
};

static int say_output(void *ctx, const char *data, size_t len)
{
	struct follower *f = ctx;

	stream_write(f->output, data, len);
	f->open = len && data[len - 1] != '\n';
	return 0;
}

static int read_output(struct follower *f)
{
	char *path = xasprintf("/output?version=%" PRId64, f->version);
	struct client *c = NULL;
	int rc = runner_connect(f->slugd, f->app, &c);

	if (!rc) {
		client_set_timeout(c, f->limit);
		client_set_cancel(c, f->slugd->stop_fd);
		rc = client_stream(c, path, say_output, f);
	}
	client_free(c);
	free(path);
	return rc;
}

/* Is it the launch that is going on? Before, there may be output of others. */
static bool has_begun(const struct follower *f)
{
	return runner_version(f->slugd, f->app, "launching") == f->version;
}

static void *follow_output(void *arg)
{
	const struct timespec pause = { 0, 20000000 };
	struct follower *f = arg;
	int rc;

	while (!f->over && !has_begun(f))
		nanosleep(&pause, NULL);
	rc = read_output(f);
	if (rc && rc != ERR_NOTFOUND && !f->slugd->stopping)
		log_line("app=%s: no output of the release command: %s",
			 f->app->name, err_msg());
	if (f->open)
		stream_print(f->output, "\n");
	return NULL;
}

/* NULL: nobody can read it, which is logged. */
static struct follower *follow(const struct slugd *d, const struct app *app,
			       const json_t *order, struct stream *output)
{
	struct follower *f = xcalloc(1, sizeof(*f));

	f->slugd = d;
	f->app = app;
	f->output = output;
	f->limit = (int)time_of(d, order) * 1000;
	f->version = json_int(order, "version", 0);
	if (jobs_no_thread(
		    pthread_create(&f->thread, NULL, follow_output, f))) {
		log_line("app=%s: no output of the release command: %s",
			 app->name, err_msg());
		free(f);
		return NULL;
	}
	return f;
}

static void follow_end(struct follower *f)
{
	if (!f)
		return;
	f->over = true;
	pthread_join(f->thread, NULL);
	free(f);
}

/* Has slugrun tried it? Its release command does not run again, then. */
static bool was_tried(const struct slugd *d, const struct app *app,
		      const json_t *order)
{
	return runner_version(d, app, "trial") == json_int(order, "version", 0);
}

/* What a release command says was heard: only its end is new. */
static int cut_output(int rc)
{
	static const char prefix[] = "the release command ";
	const char *why = err_msg();

	if (rc && !strncmp(why, prefix, strlen(prefix))) {
		char *line = xstrndup(why, strcspn(why, "\n"));

		err_set(rc, "%s", line);
		free(line);
	}
	return rc;
}

int runner_launch(const struct slugd *d, const struct app *app,
		  const json_t *order, struct stream *output,
		  const atomic_bool *unwanted)
{
	struct client *c = NULL;
	struct follower *f = NULL;
	int rc = runner_need(d, app, &c);

	if (!rc && json_str(order, "release_command", NULL) &&
	    !was_tried(d, app, order))
		f = follow(d, app, order, output);
	if (!rc)
		rc = post(d, c, order, unwanted);
	if (rc == ERR_UNAVAILABLE)
		rc = err_set(ERR_FAILED, "slugrun did not take the order");
	if (f)
		rc = cut_output(rc);
	follow_end(f);
	client_free(c);
	return rc;
}
