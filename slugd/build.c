/* SPDX-License-Identifier: ISC */
#include "build.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "log.h"
#include "mem.h"
#include "names.h"
#include "proc.h"
#include "procfile.h"
#include "pushes.h"
#include "repo.h"
#include "slugd.h"
#include "text.h"

#define TICK_MS    500
#define MAX_REPORT (4UL << 20)

static int check_objects(const struct app *app, const char *dir)
{
	if (dir && !repo_owns_objects(app->repo, dir))
		return err_set(ERR_INVALID,
			       "%s is not a folder of %s's objects", dir,
			       app->name);
	return 0;
}

int build_request_init(struct build_request *b, const struct slugd *d,
		       const struct push_request *req)
{
	const struct app *app = req->app;
	size_t n = 0;
	int rc;

	rc = ledger_app_by_id(d->ledger, app->id, &b->app);
	id_random(b->push);
	id_random(b->uuid);
	b->ref = xstrdup(req->ref);
	b->commit = xstrdup(req->new);
	b->user = xstrdup(req->user);
	if (req->quarantine)
		b->objects[n++] = xstrdup(req->quarantine);
	b->objects[n] = xstrdup(req->objects);
	if (!rc)
		rc = check_objects(app, req->quarantine);
	if (!rc)
		rc = check_objects(app, req->objects);
	return rc;
}

void build_request_restore(struct build_request *b, struct app *app,
			   const struct intent *i)
{
	b->app = app;
	memcpy(b->push, i->push, UUID_SIZE);
	b->ref = xstrdup(i->ref);
	b->commit = xstrdup(i->new);
	b->user = xstrdup(i->user);
}

void build_request_clear(struct build_request *b)
{
	app_free(b->app);
	free(b->ref);
	free(b->commit);
	free(b->user);
	free(b->objects[0]);
	free(b->objects[1]);
	stream_end(b->stream);
	b->stream = NULL;
}

void build_result_clear(struct build_result *r)
{
	slug_free(r->slug);
	build_free(r->build);
}

void build_say_refused(const struct build_request *b)
{
	char *copy = xstrdup(err_msg()), *save = NULL, *line;

	for (line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *safe = text_escape(line);

		stream_print(b->stream, " !     %s\n", safe);
		free(safe);
	}
	stream_print(b->stream, " !     Push rejected to %s.\n", b->app->name);
	free(copy);
}

/* A table of slugpack's arguments, which this fills; freed as strings. */
struct args {
	char *v[24];
	size_t n;
};

static void add(struct args *a, char *arg)
{
	if (a->n == sizeof(a->v) / sizeof(a->v[0]) - 1)
		abort();
	a->v[a->n++] = arg;
}

static void pack_args(struct args *a, const struct slugd *d,
		      const struct build_request *b, const char *uuid)
{
	const struct config *c = d->config;
	size_t i;

	add(a, proc_helper("slugpack"));
	add(a, xstrdup("--report=3"));
	add(a, xasprintf("--store=%s", d->dir));
	add(a, xasprintf("--slug=%s", uuid));
	add(a, xasprintf("--cache=%s/cache/%s", d->dir, b->app->name));
	add(a, xasprintf("--threads=%" PRId64, c->threads));
	add(a, xasprintf("--format=%s", c->compression));
	add(a, xasprintf("--level=%" PRId64, c->level));
	add(a, xasprintf("--max-size=%" PRIu64, c->max_size));
	add(a, xasprintf("--max-tree=%" PRIu64, c->max_tree));
	add(a, xasprintf("--max-blob=%" PRIu64, c->max_blob));
	add(a, xasprintf("--max-entries=%" PRId64, c->max_entries));
	add(a, xasprintf("--max-depth=%" PRId64, c->max_depth));
	add(a, xasprintf("--max-time=%" PRId64, c->max_time));
	for (i = 0; i < 2 && b->objects[i]; i++)
		add(a, xasprintf("--objects=%s", b->objects[i]));
	add(a, xstrdup("--"));
	add(a, xstrdup(b->app->repo));
	add(a, xstrdup(b->commit));
}

/*
 * Read slugpack's report to its end, which comes when it ends. A push that
 * goes away meanwhile has its slugpack killed.
 */
static int read_report(const struct build_request *b, int fd, pid_t pid,
		       char **out, size_t *len)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char *text = xcalloc(1, 1);
	size_t size = 0;
	ssize_t n = 1;
	int rc = 0;

	while (n > 0 || (n < 0 && errno == EINTR)) {
		if (!rc && b->check) {
			rc = b->check(b->ctx);
			if (rc)
				kill(pid, SIGKILL);
		}
		if (poll(&p, 1, TICK_MS) <= 0)
			continue;
		text = xrealloc(text, size + 4097, 1);
		n = read(fd, text + size, 4096);
		if (n > 0)
			size += (size_t)n;
		if (size > MAX_REPORT) {
			rc = err_set(ERR_FAILED, "slugpack says too much");
			kill(pid, SIGKILL);
			break;
		}
	}
	text[size] = '\0';
	*out = text;
	*len = size;
	return rc;
}

/* Have slugpack put the slug into the store; its report into *report. */
static int run_slugpack(struct slugd *d, const struct build_request *b,
			const char *uuid, json_t **report)
{
	static const char *const env[] = { "PATH=/usr/bin:/bin", "LC_ALL=C",
					   "HOME=/", NULL };
	struct args args = { .n = 0 };
	struct proc_spec spec = { .env = env, .dir = "/" };
	int fds[2] = { -1, -1 }, rc, ended;
	char *text = NULL;
	size_t len = 0, i;
	pid_t pid;

	pack_args(&args, d, b, uuid);
	spec.argv = (const char *const *)(void *)args.v;
	if (pipe2(fds, O_CLOEXEC)) {
		rc = err_sys("pipe");
		goto done;
	}
	spec.extra = fds[1];
	rc = proc_spawn(&pid, &spec);
	if (rc)
		goto done;
	close(fds[1]);
	fds[1] = -1;
	rc = read_report(b, fds[0], pid, &text, &len);
	if (rc) {
		char *why = xstrdup(err_msg());

		proc_wait(pid, "slugpack");
		rc = err_set(rc, "%s", why);
		free(why);
		goto done;
	}
	ended = proc_wait(pid, "slugpack");
	if (!len || json_read(report, text, len))
		rc = ended ? ended
			   : err_set(ERR_FAILED, "slugpack gave no report");
done:
	for (i = 0; i < args.n; i++)
		free(args.v[i]);
	if (fds[0] >= 0)
		close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	free(text);
	return rc;
}

static struct build *new_build(const struct build_request *b)
{
	struct build *build = xcalloc(1, sizeof(*build));

	memcpy(build->uuid, b->uuid, UUID_SIZE);
	build->app = b->app->id;
	build->commit = xstrdup(b->commit);
	build->ref = xstrdup(b->ref);
	build->user = xstrdup(b->user);
	build->status = xstrdup("failed");
	build->created_at = build->updated_at = clock_now();
	return build;
}

static struct slug *new_slug(const struct build_request *b, const char *uuid,
			     const json_t *report)
{
	struct slug *s = xcalloc(1, sizeof(*s));
	json_t *types = json_object_get(report, "process_types");

	memcpy(s->uuid, uuid, UUID_SIZE);
	s->app = b->app->id;
	s->commit = xstrdup(b->commit);
	s->commit_description =
		xstrdup(json_str(report, "commit_description", ""));
	s->size = json_int(report, "size", 0);
	s->tree_size = json_int(report, "tree_size", 0);
	s->process_types =
		json_is_object(types) ? json_incref(types) : json_object();
	s->created_at = clock_now();
	return s;
}

/* What the developer is told of the slug. */
static void say_slug(const struct build_request *b, const struct slug *s,
		     const json_t *report)
{
	char *size = text_size((uint64_t)s->size), *names;
	json_t *notice;
	size_t i;

	stream_print(b->stream, " done, %s\n", size);
	free(size);
	json_array_foreach(json_object_get(report, "notices"), i, notice) {
		char *safe = text_escape(json_string_value(notice));

		stream_print(b->stream, "       %s\n", safe);
		free(safe);
	}
	/* Without web it has no address, and perhaps nothing runs. */
	if (!json_object_get(s->process_types, "web")) {
		names = procfile_names(s->process_types);
		stream_print(b->stream,
			     "       Procfile declares types -> %s\n", names);
		free(names);
	}
}

int build_run(struct slugd *d, const struct build_request *b,
	      struct build_result *result)
{
	char uuid[UUID_SIZE];
	json_t *report = NULL, *error;
	int rc;

	result->build = new_build(b);
	stream_print(b->stream, "-----> Compressing...");
	id_random(uuid);
	rc = run_slugpack(d, b, uuid, &report);
	error = json_object_get(report, "error");
	if (!rc && error)
		rc = err_set(ERR_INVALID, "%s",
			     json_str(error, "message", "slugpack failed"));
	if (rc) {
		slugs_drop(d->slugs, uuid);
		d->gc_due = true;
		goto done;
	}
	result->slug = new_slug(b, uuid, report);
	str_replace(&result->build->status, xstrdup("succeeded"));
	str_replace(&result->build->slug, xstrdup(uuid));
	say_slug(b, result->slug, report);
done:
	if (rc)
		stream_print(b->stream, " failed\n");
	json_decref(report);
	return rc;
}
