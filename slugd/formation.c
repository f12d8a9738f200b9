/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "err.h"
#include "ledger-internal.h"
#include "mem.h"
#include "procfile.h"
#include "text.h"

/*
 * What an app is to be beside its releases: how many processes of each
 * type, and whether it is in maintenance. No release is made of either.
 */

/* It runs once for each release, before that. */
#define RELEASE_TYPE "release"

void formation_free(struct formation *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(v[i].type);
	free(v);
}

/* What was set for the type, else web 1 and others 0; not out->type. */
static int formation_of(struct ledger *l, int64_t app, const char *type,
			struct formation *out)
{
	int rc = l->backend->ops->formation(l->backend, app, type, out);

	if (rc == ERR_NOTFOUND) {
		out->quantity = !strcmp(type, "web");
		out->updated_at = 0;
		rc = 0;
	}
	return rc;
}

int ledger_formation(struct ledger *l, int64_t app, const json_t *types,
		     struct formation **out, size_t *n)
{
	struct formation *v = NULL;
	size_t count = 0;
	const char *type;
	json_t *command;
	int rc = 0;

	ledger_lock(l);
	/* jansson's loop macro wants no const. */
	json_object_foreach((json_t *)(uintptr_t)types, type, command) {
		v = xrealloc(v, count + 1, sizeof(*v));
		v[count].type = xstrdup(type);
		rc = formation_of(l, app, type, &v[count++]);
		if (rc)
			break;
	}
	ledger_unlock(l);
	*out = v;
	*n = count;
	return rc;
}

/* The process types that the next release would have. */
static int types_of(struct ledger *l, int64_t app, struct slug **out)
{
	struct release *next = NULL;
	int rc = ledger_next(l, app, "", &next);

	if (!rc && !next->slug)
		rc = err_set(ERR_INVALID,
			     "Couldn't scale: nothing was deployed yet");
	if (!rc)
		rc = l->backend->ops->slug_by_uuid(l->backend, next->slug, out);
	release_free(next);
	return rc;
}

static int check_type(const json_t *types, const char *type)
{
	char *names, *shown;

	if (!json_object_get(types, type)) {
		names = procfile_names(types);
		shown = text_cell(type, 60);
		err_set(ERR_NOTFOUND,
			"Couldn't find that process type: %s (the Procfile "
			"has: %s)",
			shown, names);
		free(names);
		free(shown);
		return ERR_NOTFOUND;
	}
	if (!strcmp(type, RELEASE_TYPE))
		return err_set(ERR_INVALID,
			       "Couldn't scale release: it runs once for each "
			       "release");
	return 0;
}

/* How many there will be of the type, which has now so many. */
static int quantity_after(const struct formation_change *change, int64_t now,
			  int64_t *out)
{
	int64_t by = change->quantity;

	now = change->relative ? now : 0;
	/* The first two, so that no sum overflows. */
	if (by < -FORMATION_MAX || by > FORMATION_MAX || now + by < 0 ||
	    now + by > FORMATION_MAX)
		return err_set(ERR_INVALID,
			       "Couldn't scale %s %s %" PRId64
			       ": there can be 0 to %d",
			       change->type, change->relative ? "by" : "to", by,
			       FORMATION_MAX);
	*out = now + by;
	return 0;
}

/* One change, noted in *detail, too. */
static int set_one(struct ledger *l, int64_t app,
		   const struct formation_change *change, char **detail)
{
	struct formation f = { .quantity = 0 };
	int rc = formation_of(l, app, change->type, &f);
	int64_t before = f.quantity;

	if (!rc)
		rc = quantity_after(change, before, &f.quantity);
	if (rc)
		return rc;
	f.type = xstrdup(change->type);
	if (f.quantity != before) {
		f.updated_at = clock_now();
		rc = l->backend->ops->formation_set(l->backend, app, &f);
	}
	str_replace(detail, xasprintf("%s%s%s=%" PRId64, *detail,
				      **detail ? " " : "", f.type, f.quantity));
	free(f.type);
	return rc;
}

static bool is_repeated(const struct formation_change *v, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (!strcmp(v[j].type, v[i].type))
			return true;
	return false;
}

/* Are there not too many in all? */
static int check_sum(struct ledger *l, int64_t app, const json_t *types)
{
	struct formation f = { .quantity = 0 };
	int64_t sum = 0;
	const char *type;
	json_t *command;
	int rc = 0;

	json_object_foreach((json_t *)(uintptr_t)types, type, command) {
		rc = formation_of(l, app, type, &f);
		if (rc)
			return rc;
		sum += f.quantity;
	}
	if (sum > FORMATION_SUM)
		rc = err_set(ERR_INVALID,
			     "Couldn't scale: %" PRId64
			     " processes are more than an app may have, %d",
			     sum, FORMATION_SUM);
	return rc;
}

static int set_locked(struct ledger *l, int64_t app,
		      const struct formation_change *v, size_t n,
		      const char *user)
{
	char *detail = xstrdup("");
	struct slug *slug = NULL;
	size_t i;
	int rc = types_of(l, app, &slug);

	for (i = 0; i < n && !rc; i++) {
		rc = check_type(slug->process_types, v[i].type);
		if (!rc && is_repeated(v, i))
			rc = err_set(ERR_INVALID,
				     "Couldn't scale %s: it is named twice",
				     v[i].type);
		if (!rc)
			rc = set_one(l, app, &v[i], &detail);
	}
	if (!rc)
		rc = check_sum(l, app, slug->process_types);
	if (!rc && n)
		rc = l->backend->ops->audit_add(l->backend, app, user, "scale",
						detail, clock_now());
	free(detail);
	slug_free(slug);
	return rc;
}

int ledger_formation_set(struct ledger *l, int64_t app,
			 const struct formation_change *v, size_t n,
			 const char *user)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->begin(l->backend);
	if (!rc) {
		rc = set_locked(l, app, v, n, user);
		rc = ledger_end(l, rc);
	}
	ledger_unlock(l);
	return rc;
}

int ledger_maintenance_set(struct ledger *l, int64_t app, bool on,
			   const char *user)
{
	const struct backend_ops *ops = l->backend->ops;
	int rc;

	ledger_lock(l);
	rc = ops->begin(l->backend);
	if (!rc) {
		rc = ops->app_maintenance(l->backend, app, on);
		if (!rc)
			rc = ops->audit_add(l->backend, app, user,
					    "maintenance", on ? "on" : "off",
					    clock_now());
		rc = ledger_end(l, rc);
	}
	ledger_unlock(l);
	return rc;
}
