/* SPDX-License-Identifier: ISC */
/*
 * What runs of an app, which its slugrun knows:
 * https://devcenter.heroku.com/articles/platform-api-reference#dyno
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api.h"
#include "clock.h"
#include "err.h"
#include "launch.h"
#include "log.h"
#include "mem.h"
#include "order.h"

#define SPARE_S 10 /* more than slugrun may take for what it is at */

json_t *api_release_reference(struct slugd *d, const struct app *app,
			      int64_t version)
{
	struct release *r = NULL;
	char name[24];
	json_t *v;

	snprintf(name, sizeof(name), "%" PRId64, version);
	if (ledger_release(d->ledger, app->id, name, &r))
		return json_null();
	v = json_make("{s:s, s:I}", "id", r->uuid, "version",
		      (json_int_t)version);
	release_free(r);
	return v;
}

json_t *api_dyno_json(const struct app *app, const json_t *release,
		      const json_t *p)
{
	const char *name = json_str(p, "name", "");
	const char *since = json_str(p, "since", NULL);
	char id[ID_SIZE], *text;

	text = xasprintf("%s %s", app->uuid, name);
	id_of_text(id, "dyno", text);
	free(text);
	return json_make("{s:n, s:s, s:o, s:s, s:s, s:O, s:o, s:s, s:s, s:s,"
			 " s:o}",
			 "attach_url", "command", json_str(p, "command", ""),
			 "created_at", json_str_or_null(since), "id", id,
			 "name", name, "release", release, "app",
			 api_reference(app->uuid, app->name), "size",
			 API_DYNO_SIZE, "state", json_str(p, "state", "down"),
			 "type", json_str(p, "type", ""), "updated_at",
			 json_str_or_null(since));
}

/* All dynos of the app into *out; none where nothing runs. */
static int list(struct slugd *d, const struct app *app, json_t **out)
{
	json_t *state = NULL, *release, *p;
	size_t i;
	int rc = launch_call(d, app, "GET", "/", NULL, &state);

	if (rc && rc != ERR_UNAVAILABLE)
		return rc;
	*out = json_array();
	release = api_release_reference(d, app, json_int(state, "version", 0));
	json_array_foreach(json_object_get(state, "processes"), i, p)
		json_array_append_new(*out, api_dyno_json(app, release, p));
	json_decref(release);
	json_decref(state);
	return 0;
}

int api_dyno_list(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct app *app = NULL;
	int rc = api_app(d, req, &app);

	if (!rc)
		rc = list(d, app, &req->reply);
	app_free(app);
	return rc;
}

int api_dyno_info(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	const char *name = req->param[1];
	json_t *all = NULL, *v;
	struct app *app = NULL;
	size_t i;
	int rc = api_app(d, req, &app);

	if (!rc)
		rc = list(d, app, &all);
	json_array_foreach(all, i, v)
		if (!req->reply && (!strcmp(json_str(v, "name", ""), name) ||
				    !strcmp(json_str(v, "id", ""), name)))
			req->reply = json_incref(v);
	if (!rc && !req->reply)
		rc = err_set(ERR_NOTFOUND, "Couldn't find that dyno.");
	json_decref(all);
	app_free(app);
	return rc;
}

void api_event(const struct slugd *d, const struct app *app, const char *fmt,
	       ...)
{
	json_t *body;
	char *line;
	va_list ap;

	va_start(ap, fmt);
	line = xvasprintf(fmt, ap);
	va_end(ap);
	body = json_make("{s:s, s:[o]}", "name", "api", "lines",
			 json_str_or_null(line));
	/* slugd's own log has it in any case. */
	launch_call(d, app, "POST", "/log", body, NULL);
	json_decref(body);
	free(line);
}

/* POST it to the app's slugrun; wait, not too long, while that is busy. */
static int call(const struct slugd *d, const struct app *app, const char *path,
		const json_t *body)
{
	int64_t until = clock_mono_ms() + (d->config->timeout + SPARE_S) * 1000;
	const struct timespec pause = { 0, 50000000 };
	int rc;

	while ((rc = launch_call(d, app, "POST", path, body, NULL)) ==
		       ERR_CONFLICT &&
	       clock_mono_ms() < until && !d->stopping)
		nanosleep(&pause, NULL);
	return rc;
}

/* POST path {"name": name} to the app's slugrun; NULL: all. */
static int order(struct slugd *d, struct http_request *req, const char *path,
		 const char *name)
{
	struct app *app = NULL;
	json_t *body = json_make("{s:o}", "name", json_str_or_null(name));
	json_t *fences = NULL;
	int rc = api_app(d, req, &app);

	/* They may be others since the release was launched. */
	if (!rc && !strcmp(path, "/restart"))
		rc = order_fences(d, &fences);
	if (fences)
		json_object_set_new(body, "fences", fences);
	if (!rc)
		rc = call(d, app, path, body);
	if (rc == ERR_UNAVAILABLE)
		rc = ERR_NOTFOUND;
	if (!rc) {
		log_line("app=%s user=%s %s %s", app->name, req->peer->user,
			 strrchr(path, '/') + 1, name ? name : "all");
		req->status = 202;
		req->reply = json_object();
	}
	json_decref(body);
	app_free(app);
	return rc;
}

int api_dyno_restart_all(void *ctx, struct http_request *req)
{
	return order(ctx, req, "/restart", NULL);
}

int api_dyno_restart(void *ctx, struct http_request *req)
{
	return order(ctx, req, "/restart", req->param[1]);
}

int api_dyno_stop(void *ctx, struct http_request *req)
{
	return order(ctx, req, "/dynos/stop", req->param[1]);
}
