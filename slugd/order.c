/* SPDX-License-Identifier: ISC */
#include "order.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "hidden.h"
#include "route.h"
#include "slugd.h"
#include "users.h"

/* The process type that is run once, before a release becomes current. */
#define RELEASE_TYPE "release"

int order_processes(const struct slugd *d, const struct app *app,
		    const struct slug *slug, json_t **out)
{
	struct formation *v = NULL;
	size_t n = 0, i;
	json_t *list = json_array();
	int rc = ledger_formation(d->ledger, app->id, slug->process_types, &v,
				  &n);

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

	if (!d->roots_apps || !users_are_there())
		return 0;
	if (!c->own_uid)
		return err_set(ERR_INVALID,
			       "%s would be root's: own_uid is off in "
			       "slugd.ini, where slugd is root; set it on, or "
			       "have slugd run as another user",
			       app->name);
	if (uid > c->uid_last)
		return err_set(ERR_INVALID,
			       "no uid from %" PRId64 " to %" PRId64
			       " is left for %s",
			       c->uid_first, c->uid_last, app->name);
	json_object_set_new(order, "uid", json_integer(uid));
	return 0;
}

int order_fences(const struct slugd *d, json_t **out)
{
	const struct config *c = d->config;
	json_t *hide = NULL, *show = json_array();
	int rc = hidden_paths(d, &hide);
	size_t i;

	for (i = 0; c->show && c->show[i]; i++)
		json_array_append_new(show, json_string(c->show[i]));
	if (!rc)
		*out = json_make(
			"{s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:O, "
			"s:O}",
			"namespaces", c->namespaces, "seccomp", c->seccomp,
			"cgroups", c->cgroups, "memory", (json_int_t)c->memory,
			"max_processes", (json_int_t)c->max_processes,
			"max_files", (json_int_t)c->max_files, "log_size",
			(json_int_t)c->log_size, "hide", hide, "show", show);
	json_decref(hide);
	json_decref(show);
	return rc;
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

const char *order_release_command(const struct slug *slug)
{
	return json_str(slug->process_types, RELEASE_TYPE, NULL);
}

/* How it becomes current. */
static void describe_launch(const struct config *c, const struct release *r,
			    const struct slug *slug, json_t *order)
{
	const char *command = order_release_command(slug);
	bool tcp = !strcmp(c->check, "tcp");
	json_t *launch =
		json_make("{s:b, s:o, s:I, s:o, s:o}", "trial", false,
			  "release_command", json_str_or_null(command),
			  "release_timeout", (json_int_t)c->release_timeout,
			  "check", json_str_or_null(tcp ? NULL : c->check),
			  "events", describe_events(r));

	json_object_update(order, launch);
	json_decref(launch);
}

int order_make(const struct slugd *d, const struct app *app,
	       const struct release *r, const struct slug *slug, json_t **out)
{
	const struct config *c = d->config;
	json_t *processes = NULL, *fences = NULL;
	int rc = route_app(d, app);

	if (!rc)
		rc = order_processes(d, app, slug, &processes);
	if (!rc)
		rc = order_fences(d, &fences);
	if (rc)
		goto done;
	if (!slugs_has(d->slugs, slug->uuid)) {
		rc = err_set(ERR_FAILED, "the slug of v%" PRId64 " is gone",
			     r->version);
		goto done;
	}
	*out = json_make("{s:s, s:I, s:I, s:s, s:s, s:s, s:o, s:O, s:I,"
			 " s:[I, I], s:I, s:I}",
			 "app", app->name, "version", (json_int_t)r->version,
			 "created_at", (json_int_t)r->created_at, "commit",
			 slug->commit, "store", d->dir, "slug", slug->uuid,
			 "config", release_environment(r), "processes",
			 processes, "listen", (json_int_t)app->port, "ports",
			 (json_int_t)c->port_first, (json_int_t)c->port_last,
			 "timeout", (json_int_t)c->timeout, "grace",
			 (json_int_t)c->grace);
	describe_launch(c, r, slug, *out);
	json_object_update(*out, fences);
	json_object_set_new(*out, "route", route_order(d, app));
	rc = describe_uid(d, app, *out);
	if (rc) {
		json_decref(*out);
		*out = NULL;
	}
done:
	json_decref(processes);
	json_decref(fences);
	return rc;
}

int order_needs_trial(const struct slugd *d, const struct app *app,
		      const struct slug *slug, bool *needed)
{
	struct formation *v = NULL;
	size_t n = 0, i;
	int rc;

	*needed = false;
	if (!d->config->trial || !slugd_launches(d))
		return 0;
	rc = ledger_formation(d->ledger, app->id, slug->process_types, &v, &n);
	for (i = 0; i < n && !rc; i++)
		if (!strcmp(v[i].type, RELEASE_TYPE) ||
		    (!strcmp(v[i].type, "web") && v[i].quantity))
			*needed = true;
	formation_free(v, n);
	return rc;
}
