/* SPDX-License-Identifier: ISC */
/*
 * One-off processes, detached or attached:
 * https://devcenter.heroku.com/articles/platform-api-reference#dyno-create
 *
 * An attached one's client asks for an upgrade of its connection, and this
 * for one of its own to slugrun; over that the client's is handed on, and
 * slugd is out of it.
 */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "err.h"
#include "frames.h"
#include "launch.h"
#include "log.h"
#include "mem.h"
#include "names.h"
#include "runner.h"

/* Of Heroku's day for a one-off process. */
#define MAX_TIME 86400

static int check_env(json_t *env)
{
	const char *key;
	json_t *value;
	void *i;

	if (env && !json_is_null(env) && !json_is_object(env))
		return err_set(ERR_INVALID, "env is no object");
	for (i = json_object_iter(env); i; i = json_object_iter_next(env, i)) {
		key = json_object_iter_key(i);
		value = json_object_iter_value(i);
		if (name_check_config_key(key))
			return ERR_INVALID;
		if (!json_is_string(value))
			return err_set(ERR_INVALID, "%s is no string", key);
	}
	return 0;
}

/* The order for slugrun that the request is, into *out. */
static int read_order(const json_t *body, json_t **out)
{
	const char *command = json_str(body, "command", "");
	const char *type = json_str(body, "type", NULL);
	int64_t limit = json_int(body, "time_to_live", MAX_TIME);
	json_t *env = json_object_get(body, "env");
	int rc = check_env(env);

	if (!rc)
		rc = api_check_size(body);
	if (rc)
		return rc;
	if (!command[strspn(command, " \t\r\n")])
		return err_set(ERR_INVALID, "command is missing");
	if (limit < 1 || limit > MAX_TIME)
		return err_set(ERR_INVALID, "time_to_live is not 1 to %d",
			       MAX_TIME);
	if (type && name_check_process_type(type))
		return ERR_INVALID;
	*out = json_make("{s:s, s:b, s:O*, s:s*, s:I}", "command", command,
			 "attach", json_bool(body, "attach", 0), "env", env,
			 "type", type, "time_to_live", (json_int_t)limit);
	return 0;
}

static int start_detached(struct slugd *d, struct http_request *req,
			  const struct app *app, const json_t *order)
{
	json_t *process = NULL, *release;
	int rc = launch_call(d, app, "POST", "/dynos", order, &process);

	if (rc)
		return rc;
	release =
		api_release_reference(d, app, json_int(process, "version", 0));
	req->status = 201;
	req->reply = api_dyno_json(app, release, process);
	log_line("app=%s user=%s run %s", app->name, req->peer->user,
		 json_str(process, "name", ""));
	json_decref(release);
	json_decref(process);
	return 0;
}

static int start_attached(struct slugd *d, struct http_request *req,
			  const struct app *app, const json_t *order)
{
	struct client *c = NULL;
	struct client_upgraded slugrun = { -1, NULL, 0 };
	const char *name;
	int rc;

	rc = runner_connect(d, app, &c);
	if (rc)
		rc = err_set(ERR_UNAVAILABLE, "Nothing of %s runs.", app->name);
	if (!rc)
		rc = client_upgrade(c, "/dynos", order, FRAMES_PROTOCOL,
				    &slugrun);
	if (rc)
		goto done;
	name = client_header(c, "Slugd-Dyno");
	http_add_header(req, "Slugd-Dyno", name ? name : "run");
	http_reply_upgrade(req, FRAMES_PROTOCOL, frames_hand_on,
			   frames_to(slugrun.fd));
	log_line("app=%s user=%s run %s", app->name, req->peer->user,
		 name ? name : "");
done:
	free(slugrun.early);
	client_free(c);
	return rc;
}

/* What keeps the app from running anything, in words. */
static int check_app(struct slugd *d, const struct app *app)
{
	struct release *today = NULL;
	int rc;

	if (!slugd_launches(d))
		return err_set(ERR_INVALID, "slugd launches nothing here "
					    "([launch] driver = none)");
	rc = ledger_today(d->ledger, app->id, &today);
	if (!rc && !today->slug)
		rc = err_set(ERR_INVALID,
			     "%s has no code yet: push to it first", app->name);
	release_free(today);
	return rc;
}

int api_dyno_create(void *ctx, struct http_request *req)
{
	bool attach = json_bool(req->body, "attach", 0);
	struct slugd *d = ctx;
	struct app *app = NULL;
	json_t *order = NULL;
	int rc = api_app(d, req, &app);

	if (!rc)
		rc = check_app(d, app);
	if (!rc)
		rc = read_order(req->body, &order);
	if (!rc && attach && !http_wants_upgrade(req, FRAMES_PROTOCOL))
		rc = err_set(ERR_BADREQUEST,
			     "to be attached, ask for an upgrade of the "
			     "connection to " FRAMES_PROTOCOL);
	if (!rc)
		rc = attach ? start_attached(d, req, app, order)
			    : start_detached(d, req, app, order);
	if (rc == ERR_UNAVAILABLE)
		rc = err_set(ERR_UNAVAILABLE,
			     "Nothing of %s runs: it needs a release that is "
			     "up.",
			     app->name);
	json_decref(order);
	app_free(app);
	return rc;
}
