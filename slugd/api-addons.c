/* SPDX-License-Identifier: ISC */
/* Add-ons of an app, and the catalogue of what can be had. */
#include <stdlib.h>
#include <string.h>

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

static json_t *addon_json(const struct app *app, const struct addon *a,
			  const char *state)
{
	json_t *vars = json_array(), *value;
	const char *key;

	json_object_foreach(a->config, key, value)
		json_array_append_new(vars, json_string(key));
	return json_make("{s:s, s:s, s:[], s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
			 " s:o, s:s, s:n}",
			 "id", a->uuid, "name", a->name, "actions", "app",
			 api_reference(app->uuid, app->name), "addon_service",
			 service_reference(a->service), "plan",
			 plan_reference(a->service, a->plan, a->price),
			 "billed_price", price_json(a->price), "billing_entity",
			 json_make("{s:s, s:s, s:s}", "id", app->uuid, "name",
				   app->name, "type", "app"),
			 "config_vars", vars, "created_at",
			 json_time(a->created_at), "updated_at",
			 json_time(a->updated_at), "state", state, "web_url");
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
			json_array_append_new(
				req->reply,
				addon_json(app, v[i], "provisioned"));
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
		req->reply = addon_json(app, a, "provisioned");
	addon_free(a);
	app_free(app);
	return rc;
}

static int unknown(const char *what, const char *name)
{
	char *shown = text_cell(name, 60);

	err_set(ERR_NOTFOUND, "Couldn't find that add-on %s: %s", what, shown);
	free(shown);
	return ERR_NOTFOUND;
}

/* "memcachier" or "memcachier:100", as the catalogue has it. */
static int choose_plan(const struct config *c, const char *name,
		       const struct config_addon **service,
		       const struct config_plan **plan)
{
	char *copy = xstrdup(name), *colon = strchr(copy, ':');
	int rc = 0;

	if (colon)
		*colon++ = '\0';
	*service = config_addon(c, copy);
	*plan = *service ? config_plan(*service, colon) : NULL;
	if (!*service)
		rc = unknown("service", copy);
	else if (!*plan)
		rc = unknown("plan", name);
	free(copy);
	return rc;
}

/* The add-on that provider "static" makes: it has nothing to do but this. */
static struct addon *new_addon(const struct config_addon *service,
			       const struct config_plan *plan)
{
	struct addon *a = xcalloc(1, sizeof(*a));

	a->service = xstrdup(service->name);
	a->plan = xstrdup(plan->name);
	a->name = xstrdup(service->name);
	a->price = plan->price;
	a->config = json_deep_copy(service->vars);
	return a;
}

int api_addon_create(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	json_t *wanted = json_object_get(req->body, "plan");
	const char *name = json_is_string(wanted)
				   ? json_string_value(wanted)
				   : json_str(wanted, "name", NULL);
	const struct config_addon *service = NULL;
	const struct config_plan *plan = NULL;
	struct release *r = NULL;
	struct addon *a = NULL;
	struct app *app = NULL;
	int rc = api_app(d, req, &app);

	if (!rc && !name)
		rc = err_set(ERR_INVALID, "plan is missing");
	if (!rc)
		rc = choose_plan(d->config, name, &service, &plan);
	if (rc)
		goto done;
	a = new_addon(service, plan);
	rc = ledger_addon_create(d->writer, app->id, a, req->peer->user, &r);
	if (rc)
		goto done;
	req->status = 201;
	req->reply = addon_json(app, a, "provisioned");
	api_released(d, req, app, r);
done:
	release_free(r);
	addon_free(a);
	app_free(app);
	return rc;
}

int api_addon_delete(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct release *r = NULL;
	struct addon *a = NULL;
	struct app *app = NULL;
	int rc = api_app(d, req, &app);

	if (!rc)
		rc = ledger_addon_destroy(d->writer, app->id, req->param[1],
					  req->peer->user, &a, &r);
	if (!rc) {
		req->reply = addon_json(app, a, "deprovisioned");
		api_released(d, req, app, r);
	}
	release_free(r);
	addon_free(a);
	app_free(app);
	return rc;
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
		return unknown("service", req->param[0]);
	req->reply = service_json(a);
	return 0;
}

int api_plan_list(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	const struct config_addon *a = config_addon(d->config, req->param[0]);
	size_t i;

	if (!a)
		return unknown("service", req->param[0]);
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
