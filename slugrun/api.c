/* SPDX-License-Identifier: ISC */
#include "supervisor.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "change.h"
#include "err.h"
#include "formation.h"
#include "json.h"
#include "launch.h"
#include "oneoff.h"
#include "text.h"

/* What a name in the log is made of. */
#define LOG_NAME                                                               \
 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

/* Those of r that are there to be seen, but for replacements. */
static void list_processes(json_t *list, const struct release *r)
{
	const struct process *p;

	for (p = TAILQ_FIRST(&r->processes); p; p = TAILQ_NEXT(p, link)) {
		if (!p->oneoff && !process_counts(p))
			continue;
		if (p->fresh && formation_find(r, p->name, p))
			continue;
		json_array_append_new(list, process_json(p));
	}
}

static void list_oneoffs(json_t *list, const struct release *r)
{
	const struct process *p;

	for (p = TAILQ_FIRST(&r->processes); p; p = TAILQ_NEXT(p, link))
		if (p->oneoff)
			json_array_append_new(list, process_json(p));
}

static int get_state(void *ctx, struct http_request *req)
{
	const struct supervisor *s = ctx;
	const struct release *trial = launch_trial(s), *old;
	const struct release *fresh = launch_release(s);
	const struct release *r = s->running ? s->running : fresh;
	char *waiting = launch_waiting(s);
	json_t *list = json_array();

	if (r)
		list_processes(list, r);
	if (fresh && fresh != r)
		list_oneoffs(list, fresh);
	for (old = TAILQ_FIRST(&s->leaving); old; old = TAILQ_NEXT(old, link))
		list_oneoffs(list, old);
	req->reply = json_make(
		"{s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o}", "app",
		r ? r->app : s->name, "version",
		s->running ? json_integer(s->running->version) : json_null(),
		"trial", trial ? json_integer(trial->version) : json_null(),
		"launching",
		launch_is_busy(s) && fresh ? json_integer(fresh->version)
					   : json_null(),
		"listen",
		s->route ? json_integer(route_port(s->route)) : json_null(),
		"ports", r && r->fence ? "fenced" : "watched", "processes",
		list, "until", json_str_or_null(waiting));
	free(waiting);
	return 0;
}

static int post_launch(void *ctx, struct http_request *req)
{
	struct supervisor *s = ctx;
	struct release *r = NULL;
	int rc;

	rc = release_parse(&r, req->body);
	if (!rc)
		rc = appdir_check_uid(s, r->uid);
	if (!rc)
		rc = launch_order(s, r, req);
	if (!rc)
		return HTTP_LATER;
	release_free(r);
	return rc;
}

static int delete_trial(void *ctx, struct http_request *req)
{
	return launch_end_trial(ctx, req);
}

/* ?version=N: of that launch alone. */
static int get_output(void *ctx, struct http_request *req)
{
	struct supervisor *s = ctx;
	const char *version = http_get_query(req, "version");
	int64_t n = 0;
	int rc = 0;

	if (version)
		rc = text_parse_int(&n, version, 1, INT64_MAX);
	if (rc)
		return rc;
	if (!s->capture || (n && n != capture_version(s->capture)))
		return err_set(ERR_NOTFOUND, "no such launch");
	capture_serve(s->capture, req);
	return 0;
}

static int patch_formation(void *ctx, struct http_request *req)
{
	return change_scale(ctx, req);
}

static int post_restart(void *ctx, struct http_request *req)
{
	return change_restart(ctx, req);
}

static int post_dyno_stop(void *ctx, struct http_request *req)
{
	return change_stop(ctx, req);
}

static int post_dynos(void *ctx, struct http_request *req)
{
	struct supervisor *s = ctx;
	bool attach = json_bool(req->body, "attach", 0);
	struct process *p = NULL;
	int rc;

	rc = oneoff_new(s, req->body, &p);
	if (!rc && attach)
		rc = oneoff_attach(p, req);
	if (!rc)
		rc = oneoff_start(s, p);
	if (rc || attach)
		return rc;
	req->reply = process_json(p);
	json_object_set_new(req->reply, "version",
			    json_integer(p->release->version));
	return rc;
}

static int post_log(void *ctx, struct http_request *req)
{
	struct supervisor *s = ctx;
	const char *name = json_str(req->body, "name", ""), *line;
	const json_t *lines = json_object_get(req->body, "lines");
	size_t i;

	if (!*name || name[strspn(name, LOG_NAME)] || strlen(name) > 64)
		return err_set(ERR_INVALID, "name is none for the log");
	if (!json_is_array(lines))
		return err_set(ERR_INVALID, "lines is no array");
	for (i = 0; i < json_array_size(lines); i++) {
		line = json_string_value(json_array_get(lines, i));
		if (line)
			applog_printf(&s->log, name, "%s", line);
	}
	return 0;
}

static int post_stop(void *ctx, struct http_request *req)
{
	struct supervisor *s = ctx;

	if (s->nr_stop_req == sizeof(s->stop_req) / sizeof(s->stop_req[0]))
		return err_set(ERR_CONFLICT, "slugrun is stopping");
	s->stop_req[s->nr_stop_req++] = req;
	supervisor_stop(s);
	return HTTP_LATER;
}

/* {"route": as in an order}: what leads requests to the app is new. */
static int post_route(void *ctx, struct http_request *req)
{
	struct supervisor *s = ctx;
	int rc = 0;

	if (s->route)
		rc = route_change(s->route,
				  json_object_get(req->body, "route"));
	if (!rc)
		req->reply = json_object();
	return rc;
}

/* Each in lane 1, the only one: the main thread. */
const struct http_route api_routes[] = {
	{ "GET", "/", get_state, 1, 0, NULL },
	{ "POST", "/launch", post_launch, 1, 0, NULL },
	{ "DELETE", "/trial", delete_trial, 1, 0, NULL },
	{ "GET", "/output", get_output, 1, 0, NULL },
	{ "PATCH", "/formation", patch_formation, 1, 0, NULL },
	{ "POST", "/restart", post_restart, 1, 0, NULL },
	{ "POST", "/dynos", post_dynos, 1, 0, NULL },
	{ "POST", "/dynos/stop", post_dyno_stop, 1, 0, NULL },
	{ "POST", "/log", post_log, 1, 0, NULL },
	{ "POST", "/route", post_route, 1, 0, NULL },
	{ "POST", "/stop", post_stop, 1, 0, NULL },
	{ NULL, NULL, NULL, 0, 0, NULL },
};
