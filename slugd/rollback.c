/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "ledger-internal.h"
#include "mem.h"

/*
 * The way back. Source: Heroku's article on releases: "You cannot roll back
 * to a release which would change the state of add-ons".
 */

static bool has(const json_t *array, const json_t *value)
{
	const json_t *v;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)array, i, v)
		if (json_equal((json_t *)(uintptr_t)v,
			       (json_t *)(uintptr_t)value))
			return true;
	return false;
}

/* "memcachier:free would be removed", for each that only one side has. */
static void list_missing(FILE *f, const char **sep, const json_t *from,
			 const json_t *in, const char *verb)
{
	const json_t *plan;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)from, i, plan) {
		if (has(in, plan))
			continue;
		fprintf(f, "%s%s would be %s", *sep, json_string_value(plan),
			verb);
		*sep = ", ";
	}
}

/* Errors: ERR_INVALID where a and b do not have the same plans. */
static int same_addons(const struct release *target,
		       const struct release *today)
{
	json_t *old = release_addon_plans(target);
	json_t *now = release_addon_plans(today);
	const char *sep = "";
	char *list = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&list, &len);
	int rc = 0;

	if (!f)
		abort();
	list_missing(f, &sep, now, old, "removed");
	list_missing(f, &sep, old, now, "added");
	fclose(f);
	if (len)
		rc = err_set(ERR_INVALID,
			     "Cannot roll back to v%" PRId64
			     ": it would change add-ons (%s)",
			     target->version, list);
	free(list);
	json_decref(old);
	json_decref(now);
	return rc;
}

static const char *const status_words[] = {
	[RELEASE_PENDING] = "is being launched",
	[RELEASE_SUCCEEDED] = "is good",
	[RELEASE_FAILED] = "failed",
	[RELEASE_EXPIRED] = "is expired",
};

int ledger_rollback_check(const struct release *r, const struct release *today)
{
	if (!r->slug)
		return err_set(ERR_INVALID,
			       "Cannot roll back to v%" PRId64
			       ": nothing was deployed yet then",
			       r->version);
	if (r->status != RELEASE_SUCCEEDED)
		return err_set(ERR_INVALID,
			       "Cannot roll back to v%" PRId64 ": it %s",
			       r->version, status_words[r->status]);
	return same_addons(r, today);
}

/*
 * Are a and b the same in the part that a rollback would take? A commit that
 * was deployed twice has two slugs.
 */
static bool same_state(const struct release *a, const struct release *b,
		       enum rollback_part part)
{
	bool code =
		!strcmp(a->commit ? a->commit : "", b->commit ? b->commit : "");
	bool config = json_equal(a->config, b->config);

	return (code || part == ROLLBACK_CONFIG) &&
	       (config || part == ROLLBACK_CODE);
}

/*
 * Walk the line of history that led to now: the release before a rollback
 * is its target, before any other the one numbered before it. What cannot be
 * the target is left to the back end to pass over, all at once.
 */
int ledger_default_target(struct ledger *l, const struct release *now,
			  enum rollback_part part, struct release **out)
{
	const struct backend_ops *ops = l->backend->ops;
	struct release_wish wish = { now->version - 1, part != ROLLBACK_CONFIG,
				     part != ROLLBACK_CODE, 0 };
	struct release *r = NULL;
	int rc;

	while (!(rc = ops->release_other(l->backend, now, &wish, &r))) {
		if (!same_state(r, now, part) &&
		    !ledger_rollback_check(r, now)) {
			*out = r;
			return 0;
		}
		/* It is the add-ons then, with any release that has them. */
		if (!same_state(r, now, part) && r->slug &&
		    r->status == RELEASE_SUCCEEDED)
			wish.not_addon_set = r->addon_set;
		wish.last = r->target && r->status != RELEASE_FAILED
				    ? r->target
				    : r->version - 1;
		release_free(r);
		r = NULL;
	}
	if (rc != ERR_NOTFOUND)
		return rc;
	return err_set(ERR_INVALID,
		       "There is no older release to roll back to");
}

static int chosen_target(struct ledger *l, const struct release *next,
			 const char *name, struct release **out)
{
	struct release *r = NULL, *good = NULL;
	int rc = ledger_find_release(l, next->app, name, &r);

	if (!rc)
		rc = l->backend->ops->release_last_good(l->backend, next->app,
							&good);
	if (!rc && r->version == good->version)
		rc = err_set(ERR_INVALID, "v%" PRId64 " is the current release",
			     r->version);
	if (!rc)
		rc = ledger_rollback_check(r, next);
	release_free(good);
	if (rc)
		release_free(r);
	else
		*out = r;
	return rc;
}

static void take_state(struct release *r, const struct release *target,
		       enum rollback_part part)
{
	static const char *const what[] = {
		[ROLLBACK_ALL] = "Rollback to",
		[ROLLBACK_CONFIG] = "Rollback config to",
		[ROLLBACK_CODE] = "Rollback code to",
	};

	r->kind = xstrdup("rollback");
	r->description = xasprintf("%s v%" PRId64, what[part], target->version);
	r->target = target->version;
	if (part != ROLLBACK_CONFIG) {
		str_replace(&r->slug, xstrdup(target->slug));
		str_replace(&r->commit, xstrdup(target->commit));
	}
	if (part != ROLLBACK_CODE) {
		json_decref(r->config);
		r->config = json_incref(target->config);
		r->config_set = target->config_set;
	}
}

struct wish {
	const char *name; /* NULL: the default */
	enum rollback_part part;
};

static int rollback_locked(struct ledger *l, struct release *next, void *ctx)
{
	const struct wish *w = ctx;
	struct release *target = NULL;
	int rc = w->name ? chosen_target(l, next, w->name, &target)
			 : ledger_default_target(l, next, w->part, &target);

	if (!rc && target) {
		take_state(next, target, w->part);
		rc = ledger_append(l, next, NULL);
	}
	release_free(target);
	return rc;
}

int ledger_rollback(struct ledger *l, int64_t app, const char *name,
		    enum rollback_part part, const char *user,
		    struct release **out)
{
	struct wish w = { name, part };

	return ledger_transact(l, app, user, rollback_locked, &w, out);
}
