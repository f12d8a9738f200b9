/* SPDX-License-Identifier: ISC */
#include "api.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addons.h"
#include "clock.h"
#include "configs.h"
#include "err.h"
#include "ids.h"
#include "jobs.h"
#include "launch.h"
#include "log.h"
#include "mem.h"
#include "names.h"
#include "repo-watch.h"
#include "route.h"

/* What a name and a port are made of. */
#define HOST_CHARS                                                             \
 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:[]"
#define MAX_BODY (64UL << 10)
#define MAX_VARS (1UL << 20)  /* config vars, or the environment of a dyno */
#define MAX_PUSH (64UL << 20) /* a first push has many thousand refs */
#define SPARE_S  10           /* more than a launch may take */

/* clang-format off */
static const struct http_route routes[] = {
	{ "GET", "/", api_root, LANE_INLINE, 0, NULL },
	{ "POST", "/session", api_session_create, LANE_INLINE, 0, NULL },
	{ "GET", "/account", api_account_info, LANE_INLINE, 0, NULL },
	{ "GET", "/apps", api_app_list, LANE_INLINE, 0, NULL },
	{ "POST", "/apps", api_app_create, LANE_LEDGER, 0, NULL },
	{ "GET", "/apps/:app", api_app_info, LANE_INLINE, 0, NULL },
	{ "PATCH", "/apps/:app", api_app_update, LANE_LOOK, 0, NULL },
	{ "GET", "/apps/:app/releases", api_release_list, LANE_INLINE, 0, NULL },
	{ "POST", "/apps/:app/releases", api_release_create, LANE_RELEASE, 0, NULL },
	{ "GET", "/apps/:app/releases/:release", api_release_info, LANE_INLINE, 0, NULL },
	{ "GET", "/apps/:app/releases/:release/config-vars", api_release_config, LANE_INLINE, 0, NULL },
	{ "PUT", "/apps/:app/releases/:release/actions/pin", api_release_pin, LANE_LEDGER, 0, NULL },
	{ "DELETE", "/apps/:app/releases/:release/actions/pin", api_release_unpin, LANE_LEDGER, 0, NULL },
	{ "GET", "/apps/:app/config-vars", api_config_info, LANE_INLINE, 0, NULL },
	{ "PATCH", "/apps/:app/config-vars", api_config_update, LANE_RELEASE, MAX_VARS, NULL },
	{ "GET", "/apps/:app/addons", api_addon_list, LANE_INLINE, 0, NULL },
	{ "POST", "/apps/:app/addons", api_addon_create, LANE_ADDON, 0, NULL },
	{ "GET", "/apps/:app/addons/:addon", api_addon_info, LANE_INLINE, 0, NULL },
	{ "PATCH", "/apps/:app/addons/:addon", api_addon_update, LANE_ADDON, 0, NULL },
	{ "DELETE", "/apps/:app/addons/:addon", api_addon_delete, LANE_ADDON, 0, NULL },
	{ "POST", "/apps/:app/addons/:addon/actions/rotate", api_addon_rotate, LANE_ADDON, 0, NULL },
	{ "GET", "/apps/:app/builds", api_build_list, LANE_INLINE, 0, NULL },
	{ "POST", "/apps/:app/builds", api_build_create, LANE_GIT, 0, NULL },
	{ "GET", "/apps/:app/builds/:build", api_build_info, LANE_INLINE, 0, NULL },
	{ "GET", "/apps/:app/slugs/:slug", api_slug_info, LANE_CHECKSUM, 0, NULL },
	{ "GET", "/apps/:app/formation", api_formation_list, LANE_INLINE, 0, NULL },
	{ "PATCH", "/apps/:app/formation", api_formation_batch, LANE_RELEASE, 0, NULL },
	{ "GET", "/apps/:app/formation/:type", api_formation_info, LANE_INLINE, 0, NULL },
	{ "PATCH", "/apps/:app/formation/:type", api_formation_update, LANE_RELEASE, 0, NULL },
	{ "GET", "/apps/:app/waiting", api_launch_waiting, LANE_LOOK, 0, NULL },
	{ "GET", "/apps/:app/dynos", api_dyno_list, LANE_LOOK, 0, NULL },
	{ "DELETE", "/apps/:app/dynos", api_dyno_restart_all, LANE_DYNOS, 0, NULL },
	{ "POST", "/apps/:app/dynos", api_dyno_create, LANE_LOOK, MAX_VARS, NULL },
	{ "GET", "/apps/:app/dynos/:dyno", api_dyno_info, LANE_LOOK, 0, NULL },
	{ "DELETE", "/apps/:app/dynos/:dyno", api_dyno_restart, LANE_DYNOS, 0, NULL },
	{ "POST", "/apps/:app/dynos/:dyno/actions/stop", api_dyno_stop, LANE_DYNOS, 0, NULL },
	{ "DELETE", "/apps/:app/formations/:type", api_dyno_restart, LANE_DYNOS, 0, NULL },
	{ "POST", "/apps/:app/formations/:type/actions/stop", api_dyno_stop, LANE_DYNOS, 0, NULL },
	{ "POST", "/apps/:app/log-sessions", api_log_session_create, LANE_INLINE, 0, NULL },
	{ "GET", "/logs/:session", api_log_stream, LANE_INLINE, 0, NULL },
	{ "GET", "/addon-services", api_service_list, LANE_INLINE, 0, NULL },
	{ "GET", "/addon-services/:service", api_service_info, LANE_INLINE, 0, NULL },
	{ "GET", "/addon-services/:service/plans", api_plan_list, LANE_INLINE, 0, NULL },
	{ "GET", "/slugs", api_slug_sizes, LANE_SLUGS, 0, NULL },
	{ "POST", "/slugs/actions/gc", api_slug_gc, LANE_SLUGS, 0, NULL },
	{ "GET", "/streams/:stream", api_stream, LANE_INLINE, 0, NULL },
	{ "POST", "/pushes", api_push_create, LANE_PUSH, MAX_PUSH, api_push_may },
	{ "GET", "/pushes/:push", api_push_info, LANE_INLINE, 0, NULL },
	{ "GET", "/pushes/:push/waiting", api_push_waiting, LANE_LOOK, 0, NULL },
	{ "POST", "/pushes/actions/settle", api_push_settle, LANE_LEDGER, MAX_PUSH, api_push_may },
	{ NULL, NULL, NULL, 0, 0, NULL },
};
/* clang-format on */

static void run_request(void *arg)
{
	http_run(arg);
}

/* A request that makes a release of the app, once the app's lane is free. */
struct change {
	struct slugd *slugd;
	struct http_request *req;
	int64_t app;   /* 0: it names none */
	int64_t until; /* so long it waits, by clock_mono_ms() */
};

static struct change *new_change(struct slugd *d, struct http_request *req)
{
	struct change *c = xcalloc(1, sizeof(*c));
	struct app *app = NULL;

	c->slugd = d;
	c->req = req;
	c->until = clock_mono_ms() + (d->config->timeout + SPARE_S) * 1000;
	if (!api_app(d, req, &app))
		c->app = app->id;
	app_free(app);
	return c;
}

static void refuse(struct change *c, int rc)
{
	http_finish(c->req, rc);
	free(c);
}

static void run_release(void *arg);

/* A job of its own lane, in which the app's changes keep their order. */
static void wait_for_lane(void *arg)
{
	struct change *c = arg;
	int rc = lane_wait(c->slugd->lanes, c->app, c->until);

	if (!rc) {
		jobs_submit(c->slugd->jobs, JOBS_LEDGER, run_release, c);
		return;
	}
	refuse(c, rc);
}

/* On the ledger's lane, where a release lane is taken, too. */
static void run_release(void *arg)
{
	struct change *c = arg;
	char *busy = lane_busy(c->slugd->lanes, c->app), *key;
	int rc;

	if (busy) {
		key = xasprintf("wait %" PRId64, c->app);
		rc = jobs_try(c->slugd->jobs, key, wait_for_lane, c);
		if (rc)
			refuse(c, rc);
		free(key);
		free(busy);
		return;
	}
	http_run(c->req);
	free(c);
}

/* On the add-on lane of the app. */
static void run_addon(void *arg)
{
	struct change *c = arg;
	int rc = lane_wait(c->slugd->lanes, c->app, c->until);

	if (rc)
		http_finish(c->req, rc);
	else
		http_run(c->req);
	free(c);
}

/* The job's key of an app's lane of that name. Caller frees. */
static char *app_lane(struct slugd *d, const struct http_request *req,
		      const char *name)
{
	struct app *app = NULL;
	char *key;

	/* An app has two names, but one lane. */
	if (ledger_app(d->ledger, req->param[0], &app))
		key = xasprintf("%s %s", name, req->param[0]);
	else
		key = xasprintf("%s %s", name, app->name);
	app_free(app);
	return key;
}

static void defer(void *ctx, int lane, struct http_request *req)
{
	static const char *const keys[NR_LANES] = {
		[LANE_LEDGER] = JOBS_LEDGER,
		[LANE_PUSH] = "pushes",
		[LANE_SLUGS] = JOBS_SLUGS,
		[LANE_CHECKSUM] = "checksums",
	};
	static const char *const app_keys[NR_LANES] = {
		[LANE_GIT] = "git",
		[LANE_DYNOS] = "dynos",
		[LANE_LOOK] = "look",
	};
	struct slugd *d = ctx;
	struct change *c = NULL;
	char *key = NULL;
	int rc = 0;

	if (keys[lane]) {
		rc = jobs_try(d->jobs, keys[lane], run_request, req);
	} else if (lane == LANE_RELEASE) {
		c = new_change(d, req);
		jobs_submit(d->jobs, JOBS_LEDGER, run_release, c);
	} else if (lane == LANE_ADDON) {
		c = new_change(d, req);
		key = addons_lane(c->app);
		rc = jobs_try(d->jobs, key, run_addon, c);
	} else {
		key = app_lane(d, req, app_keys[lane]);
		rc = jobs_try(d->jobs, key, run_request, req);
	}
	free(key);
	if (rc) {
		free(c);
		http_finish(req, rc);
	}
}

/* The uids of apps, where they have some of their own. */
static bool is_app(void *ctx, uid_t uid)
{
	const struct slugd *d = ctx;

	return d->roots_apps && d->config->own_uid &&
	       uid >= d->config->uid_first && uid <= d->config->uid_last;
}

int api_start(struct slugd *d, int fd, struct http_server **out)
{
	const struct http_config config = {
		.routes = routes,
		.ctx = d,
		.defer = defer,
		.max_body = MAX_BODY,
		.is_app = is_app,
	};

	return http_start(out, fd, &config);
}

int api_root(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	json_t *branches = json_array();
	char **name, *path = configs_path(d);

	for (name = d->config->deploy_branches; *name; name++)
		json_array_append_new(branches, json_string(*name));
	req->reply = json_make(
		"{s:s, s:s, s:s, s:s, s:s, s:i, s:o, s:o, s:o, s:{s:s?, s:I},"
		" s:o}",
		"name", "slugd", "version", PACKAGE_VERSION, "directory",
		d->dir, "platform", d->config->platform, "driver",
		d->config->driver, "pid", (int)getpid(), "started_at",
		json_time(d->started_at), "deploy_branches", branches, "route",
		route_json(d), "configuration", "path", path, "reads",
		(json_int_t)configs_reads(d), "problems",
		repo_watch_findings(d->repo_watch));
	free(path);
	return 0;
}

/*
 * The service account speaks for whomever it names, once, before anything
 * else on the connection; nobody else does.
 */
int api_session_create(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	const char *user = json_str(req->body, "user", NULL);

	if (req->peer->calls)
		return err_set(ERR_BADREQUEST,
			       "a session begins with the connection");
	if (req->peer->uid != d->uid)
		return err_set(ERR_FORBIDDEN,
			       "only the service account may speak for "
			       "another user");
	if (!user)
		return err_set(ERR_INVALID, "user is missing");
	if (name_check_user(user))
		return ERR_INVALID;
	str_replace(&req->peer->user, xstrdup(user));
	req->status = 201;
	req->reply = json_make("{s:s}", "user", user);
	return 0;
}

/* Who asks: Heroku's client wants to know before it shows dynos. */
int api_account_info(void *ctx, struct http_request *req)
{
	(void)ctx;
	req->reply = api_user(req->peer->user);
	json_object_set_new(req->reply, "name",
			    json_str_or_null(req->peer->user));
	return 0;
}

int api_app(struct slugd *d, struct http_request *req, struct app **out)
{
	return ledger_app(d->ledger, req->param[0], out);
}

json_t *api_reference(const char *uuid, const char *name)
{
	return json_make("{s:s, s:s}", "id", uuid, "name", name);
}

json_t *api_user(const char *user)
{
	char id[ID_SIZE];

	id_of_text(id, "user", user);
	return json_make("{s:s, s:o}", "id", id, "email",
			 json_str_or_null(user));
}

json_t *api_url(struct http_request *req, const char *folder, const char *id)
{
	const char *host = http_get_header(req, "Host");
	char *url;
	json_t *v;

	if (!id)
		return json_null();
	if (!host || !*host || host[strspn(host, HOST_CHARS)])
		host = "slugd";
	url = xasprintf("http://%s/%s/%s", host, folder, id);
	v = json_string(url);
	free(url);
	return v;
}

json_t *api_stream_url(struct http_request *req, const char *uuid)
{
	return api_url(req, "streams", uuid);
}

void api_released(struct slugd *d, struct http_request *req,
		  const struct app *app, const struct release *r)
{
	api_name_release(req, app, r);
	launch_release(d, app, r);
}

int api_unread(int rc, const struct release *r)
{
	return err_prefix(rc, "v%" PRId64 " was made, and cannot be shown now",
			  r->version);
}

void api_name_release(struct http_request *req, const struct app *app,
		      const struct release *r)
{
	char version[24];

	snprintf(version, sizeof(version), "%" PRId64, r->version);
	http_add_header(req, "Slugd-Release", version);
	log_line("app=%s v%s user=%s %s", app->name, version, r->user,
		 r->description);
}

int api_stream(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;

	return stream_serve(d->streams, req->param[0], req);
}
