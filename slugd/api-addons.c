/* SPDX-License-Identifier: ISC */
/* Add-ons of an app, and the catalogue of what can be had. */
#include <stdlib.h>
#include <string.h>

#include "addons.h"
#include "api.h"
#include "err.h"
#include "mem.h"
#include "text.h"

static json_t *price_json(int64_t cents)
{
	return json_make("{s:I, s:b, s:s}", "cents", (json_int_t)cents,
			 "contract", 0, "unit", "month");
}

static json_t *service_reference(const char *name)
{
	json_t *user = api_user(name); /* an id made of the name */
	json_t *v = api_reference(json_str(user, "id", ""), name);

	json_decref(user);
	return v;
}

static json_t *plan_reference(const char *service, const char *plan,
			      int64_t price)
{
	char *name = xasprintf("%s:%s", service, plan);
	json_t *v = service_reference(name);

	json_object_set_new(v, "price", price_json(price));
	free(name);
	return v;
}

static json_t *addon_json(const struct app *app, const struct addon *a)
{
	json_t *vars = json_array(), *value;
	const char *key;

	json_object_foreach(a->config, key, value)
		json_array_append_new(vars, json_string(key));
	return json_make("{s:s, s:s, s:[], s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
			 " s:o, s:s, s:n, s:n}",
			 "id", a->uuid, "name", a->name, "actions", "app",
			 api_reference(app->uuid, app->name), "addon_service",
			 service_reference(a->service), "plan",
			 plan_reference(a->service, a->plan, a->price),
			 "billed_price", price_json(a->price), "billing_entity",
			 json_make("{s:s, s:s, s:s}", "id", app->uuid, "name",
				   app->name, "type", "app"),
			 "config_vars", vars, "created_at",
			 json_time(a->created_at), "updated_at",
			 json_time(a->updated_at), "state", a->state,
			 "provider_id", "web_url");
}

int api_addon_list(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct addon **v = NULL;
	struct app *app = NULL;
	size_t n = 0, i;
	int rc = api_app(d, req, &app);

	if (!rc)
		rc = ledger_addons(d->ledger, app->id, &v, &n);
	if (!rc)
		req->reply = json_array();
	for (i = 0; i < n; i++) {
		if (!rc)
			json_array_append_new(req->reply,
					      addon_json(app, v[i]));
		addon_free(v[i]);
	}
	free(v);
	app_free(app);
	return rc;
}

int api_addon_info(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct addon *a = NULL;
	struct app *app = NULL;
	int rc = api_app(d, req, &app);

	if (!rc)
		rc = ledger_addon(d->ledger, app->id, req->param[1], &a);
	if (!rc)
		req->reply = addon_json(app, a);
	addon_free(a);
	app_free(app);
	return rc;
}

static int unknown_service(const char *name)
{
	char *shown = text_cell(name, 60);

	err_set(ERR_NOTFOUND, "Couldn't find that add-on service: %s", shown);
	free(shown);
	return ERR_NOTFOUND;
}

/* "plan": {"name": "memcachier:100"} of the request, or "plan": "..." */
static int wanted_plan(const struct http_request *req, const char **out)
{
	json_t *plan = json_object_get(req->body, "plan");

	*out = json_is_string(plan) ? json_string_value(plan)
				    : json_str(plan, "name", NULL);
	return *out ? 0 : err_set(ERR_INVALID, "plan is missing");
}

/* What the changes below have in common: the app, and what to answer. */
struct change {
	struct app *app;
	struct addon_result result;
};

static int answer(struct http_request *req, struct change *c, int rc,
		  int status)
{
	if (!rc) {
		req->status = status;
		req->reply = addon_json(c->app, c->result.addon);
		if (c->result.release)
			api_name_release(req, c->app, c->result.release);
	}
	release_free(c->result.release);
	addon_free(c->result.addon);
	app_free(c->app);
	return rc;
}

int api_addon_create(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct change c = { 0 };
	const char *plan = NULL;
	int rc = api_app(d, req, &c.app);

	if (!rc)
		rc = wanted_plan(req, &plan);
	if (!rc)
		rc = addons_create(d, c.app, plan, req->peer->user, &c.result);
	return answer(req, &c, rc, 201);
}

int api_addon_update(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct change c = { 0 };
	const char *plan = NULL;
	int rc = api_app(d, req, &c.app);

	if (!rc)
		rc = wanted_plan(req, &plan);
	if (!rc)
		rc = addons_change(d, c.app, req->param[1], plan,
				   req->peer->user, &c.result);
	return answer(req, &c, rc, 200);
}

int api_addon_rotate(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct change c = { 0 };
	int rc = api_app(d, req, &c.app);

	if (!rc)
		rc = addons_rotate(d, c.app, req->param[1], req->peer->user,
				   &c.result);
	return answer(req, &c, rc, 200);
}

int api_addon_delete(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct change c = { 0 };
	int rc = api_app(d, req, &c.app);

	if (!rc)
		rc = addons_destroy(d, c.app, req->param[1], req->peer->user,
				    &c.result);
	if (!rc)
		str_replace(&c.result.addon->state, xstrdup("deprovisioned"));
	return answer(req, &c, rc, 200);
}

static json_t *service_json(const struct config_addon *a)
{
	json_t *v = service_reference(a->name);

	json_object_set_new(v, "human_name", json_string(a->name));
	json_object_set_new(v, "state", json_string("ga"));
	json_object_set_new(v, "cli_plugin_name", json_null());
	json_object_set_new(v, "supports_multiple_installations", json_false());
	json_object_set_new(v, "supports_sharing", json_false());
	return v;
}

int api_service_list(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	size_t i;

	req->reply = json_array();
	for (i = 0; i < d->config->nr_addons; i++)
		json_array_append_new(req->reply,
				      service_json(&d->config->addons[i]));
	return 0;
}

int api_service_info(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	const struct config_addon *a = config_addon(d->config, req->param[0]);

	if (!a)
		return unknown_service(req->param[0]);
	req->reply = service_json(a);
	return 0;
}

int api_plan_list(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	const struct config_addon *a = config_addon(d->config, req->param[0]);
	size_t i;

	if (!a)
		return unknown_service(req->param[0]);
	req->reply = json_array();
	for (i = 0; i < a->nr_plans; i++) {
		json_t *v = plan_reference(a->name, a->plans[i].name,
					   a->plans[i].price);

		json_object_set_new(v, "human_name",
				    json_string(a->plans[i].name));
		json_object_set_new(v, "default", json_boolean(i == 0));
		json_object_set_new(v, "addon_service",
				    service_reference(a->name));
		json_array_append_new(req->reply, v);
	}
	return 0;
}
