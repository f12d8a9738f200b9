/* SPDX-License-Identifier: ISC */
/* Apps: https://devcenter.heroku.com/articles/platform-api-reference#app */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api.h"
#include "err.h"
#include "idle.h"
#include "launch.h"
#include "log.h"
#include "mem.h"
#include "names.h"
#include "route.h"
#include "safe-path.h"
#include "sock.h"
#include "text.h"

json_t *api_stack(void)
{
	return api_reference("00000000-0000-4000-8000-000000000001", API_STACK);
}

static json_t *generation(void)
{
	return api_reference("00000000-0000-4000-8000-000000000003",
			     API_GENERATION);
}

static json_t *region(void)
{
	return api_reference("00000000-0000-4000-8000-000000000002", "here");
}

/* Size of what runs, or null. */
static json_t *slug_size(struct slugd *d, const struct release *current)
{
	struct slug *slug = NULL;
	json_t *v;

	if (!current || !current->slug ||
	    ledger_slug(d->ledger, current->slug, &slug))
		return json_null();
	v = json_integer(slug->size);
	slug_free(slug);
	return v;
}

static json_t *app_json(struct slugd *d, const struct app *a)
{
	struct release *first = NULL, *last = NULL, *current = NULL;
	char *url = NULL, *busy = lane_busy(d->lanes, a->id);
	struct idle idle = { .web = true };
	json_t *v = NULL;

	if (ledger_release(d->ledger, a->id, "v1", &first) ||
	    ledger_release_last(d->ledger, a->id, &last))
		goto done;
	if (ledger_release_current(d->ledger, a->id, &current))
		current = NULL;
	idle_release(&idle, d, a, current);
	if (idle.web)
		url = launch_web_url(d, a);
	v = json_make(
		"{s:s, s:s, s:b, s:n, s:n, s:o, s:n, s:o, s:o, s:s, s:o, s:b,"
		" s:n, s:o, s:o, s:o, s:n, s:o, s:n, s:o, s:o, s:o, s:o, s:o}",
		"id", a->uuid, "name", a->name, "acm", 0, "archived_at",
		"buildpack_provided_description", "build_stack", api_stack(),
		"internal_routing", "created_at", json_time(a->created_at),
		"updated_at", json_time(last->created_at), "git_url", a->repo,
		"generation", generation(), "maintenance", a->maintenance,
		"organization", "owner", api_user(first->user), "region",
		region(), "released_at", json_time(last->created_at),
		"repo_size", "slug_size", slug_size(d, current), "space",
		"stack", api_stack(), "team", json_null(), "web_url",
		json_str_or_null(url), "busy", json_str_or_null(busy), "idle",
		json_str_or_null(idle.why));
done:
	idle_clear(&idle);
	free(busy);
	free(url);
	release_free(first);
	release_free(last);
	release_free(current);
	return v;
}

int api_app_info(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct app *a = NULL;
	int rc = api_app(d, req, &a);

	if (!rc) {
		req->reply = app_json(d, a);
		rc = req->reply ? 0 : ERR_FAILED;
	}
	app_free(a);
	return rc;
}

int api_app_list(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct app **v = NULL;
	size_t n = 0, i;
	int rc = ledger_apps(d->ledger, &v, &n);

	if (!rc)
		req->reply = json_array();
	for (i = 0; i < n && !rc; i++) {
		json_t *app = app_json(d, v[i]);

		if (app)
			json_array_append_new(req->reply, app);
		else
			rc = ERR_FAILED;
	}
	apps_free(v, n);
	return rc;
}

/* A port for the app's stable address: free now, and nobody's. */
static int choose_port(struct slugd *d, int64_t *out)
{
	uint16_t first = d->config->port_first, last = d->config->port_last;
	unsigned port;

	*out = 0;
	if (!slugd_launches(d))
		return 0;
	for (port = first; port <= last; port++)
		if (!ledger_port_is_taken(d->writer, port) &&
		    sock_port_is_free((uint16_t)port)) {
			*out = port;
			return 0;
		}
	return err_set(ERR_CONFLICT,
		       "no port from %u to %u is free; see [launch] ports",
		       first, last);
}

/*
 * POST /apps {"name", "repository"}: beyond Heroku's, the bare repository
 * that slugctl made ready.
 */
int api_app_create(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	const char *name = json_str(req->body, "name", NULL);
	const char *repo = json_str(req->body, "repository", NULL);
	char *real = NULL;
	struct app *a = NULL;
	int64_t port = 0;
	int rc;

	if (!name || !repo)
		return err_set(ERR_INVALID,
			       "an app needs a name and a repository; make "
			       "one with: slugctl init APP");
	rc = name_check_app(name);
	if (rc)
		return rc;
	if (req->peer->uid && req->peer->uid != d->uid)
		return err_set(ERR_FORBIDDEN,
			       "only root and slugd's own account make apps: "
			       "the settings of a repository name programs "
			       "that slugd's account runs");
	real = realpath(repo, NULL);
	if (!real)
		rc = err_sys("%s", repo);
	else if (!text_is_utf8(real))
		rc = err_set(ERR_INVALID, "the repository's path is not "
					  "UTF-8");
	if (!rc)
		rc = safe_path_check(real, d->dir, d->uid);
	if (!rc)
		rc = safe_repo_check(real, d->uid);
	if (!rc)
		rc = choose_port(d, &port);
	if (!rc)
		rc = ledger_app_create(d->writer, name, real, port,
				       req->peer->user, &a);
	if (!rc) {
		log_line("app=%s created for %s by %s", a->name, a->repo,
			 req->peer->user);
		route_refresh(d);
		req->status = 201;
		req->reply = app_json(d, a);
	}
	free(real);
	app_free(a);
	return rc;
}

/* A maintenance to be switched, on the ledger's lane. */
struct switching {
	struct slugd *slugd;
	int64_t app;
	bool on;
	const char *user;
};

static int write_down(void *arg)
{
	struct switching *s = arg;

	return ledger_maintenance_set(s->slugd->writer, s->app, s->on, s->user);
}

static int switch_maintenance(struct slugd *d, struct app *app, bool on,
			      const char *user)
{
	struct switching s = { d, app->id, on, user };
	char *words;
	int rc = jobs_call(d->jobs, JOBS_LEDGER, write_down, &s);

	if (rc)
		return rc;
	rc = route_maintenance(d, app, on);
	if (!rc || (rc == ERR_UNAVAILABLE && !on)) {
		log_line("app=%s user=%s maintenance %s", app->name, user,
			 on ? "on" : "off");
		api_event(d, app, "Maintenance mode %s by user %s",
			  on ? "enabled" : "disabled", user);
		app->maintenance = on;
		return 0;
	}
	words = xstrdup(err_msg());
	s.on = app->maintenance;
	if (jobs_call(d->jobs, JOBS_LEDGER, write_down, &s))
		log_line("app=%s: %s", app->name, err_msg());
	err_set(rc, "%s", words);
	free(words);
	return rc;
}

/* PATCH {"maintenance": true} */
int api_app_update(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	json_t *on = json_object_get(req->body, "maintenance");
	struct app *a = NULL;
	int rc = api_app(d, req, &a);

	if (!rc && !json_is_boolean(on))
		rc = err_set(ERR_INVALID, "maintenance: it is true or false");
	if (!rc)
		rc = switch_maintenance(d, a, json_is_true(on),
					req->peer->user);
	if (!rc) {
		req->reply = app_json(d, a);
		rc = req->reply ? 0 : ERR_FAILED;
	}
	app_free(a);
	return rc;
}
