/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "err.h"
#include "ledger-internal.h"
#include "mem.h"

/*
 * Releases that add-ons make. A release has the state of all add-ons in it,
 * so a change of one is a new list of them.
 */

/* One change of one add-on. */
struct change {
	const struct addon *addon;
	const char *what; /* in the release's description */
	int (*fn)(struct ledger *l, const struct addon *a, struct release *r);
};

static int change_next(struct ledger *l, struct release *r, void *ctx)
{
	const struct change *c = ctx;
	int rc;

	r->kind = xstrdup("addon");
	r->description = xasprintf("Add-on %s %s:%s", c->what,
				   c->addon->service, c->addon->plan);
	rc = c->fn(l, c->addon, r);
	return rc ? rc : ledger_append(l, r, NULL);
}

/* Run fn(l, a, next release) as one transaction; the release into *out. */
static int transact(struct ledger *l, const struct addon *a, const char *user,
		    int (*fn)(struct ledger *l, const struct addon *a,
			      struct release *r),
		    const char *what, struct release **out)
{
	struct change c = { a, what, fn };

	return ledger_transact(l, a->app, user, change_next, &c, out);
}

/* r's list of add-ons without that one, and with `fresh` (may be NULL). */
static void replace_addon(struct release *r, const char *uuid, json_t *fresh)
{
	json_t *list = json_array(), *addon;
	size_t i;

	json_array_foreach(r->addons, i, addon)
		if (strcmp(json_str(addon, "id", ""), uuid))
			json_array_append(list, addon);
	if (fresh)
		json_array_append_new(list, fresh);
	json_decref(r->addons);
	r->addons = list;
	r->addon_set = 0;
}

/* The add-on as releases keep it. */
static json_t *snapshot(const struct addon *a)
{
	char *plan = xasprintf("%s:%s", a->service, a->plan);
	json_t *v = json_make("{s:s, s:s, s:s, s:O}", "id", a->uuid, "name",
			      a->name, "plan", plan, "config", a->config);

	free(plan);
	return v;
}

/* Nothing of the user's, and of no other add-on, may bear its keys. */
static int check_keys_free(const struct release *r, const struct addon *a)
{
	const char *key, *other;
	json_t *value;

	json_object_foreach(a->config, key, value) {
		other = ledger_provider_of(r, key);
		if (other && strcmp(other, a->name))
			return err_set(ERR_CONFLICT,
				       "%s is provided by the add-on %s", key,
				       other);
		if (json_object_get(r->config, key))
			return err_set(ERR_CONFLICT,
				       "%s is set already; unset it first: "
				       "git heroku config:unset %s",
				       key, key);
	}
	return 0;
}

/* Under the lock, what was found before may be gone by now. */
static int check_there(struct ledger *l, const struct addon *a)
{
	struct addon *there = NULL;
	int rc = l->backend->ops->addon_by_name(l->backend, a->app, a->uuid,
						&there);

	addon_free(there);
	if (rc == ERR_NOTFOUND)
		err_set(rc, "Couldn't find that add-on: %s", a->name);
	return rc;
}

static int reserve_locked(struct ledger *l, const struct addon *a)
{
	const struct backend_ops *ops = l->backend->ops;
	struct addon *there = NULL;
	struct release *next = NULL;
	int rc;

	if (!ops->addon_by_name(l->backend, a->app, a->name, &there)) {
		rc = err_set(ERR_CONFLICT, "%s is already added (%s:%s)",
			     there->name, there->service, there->plan);
		addon_free(there);
		return rc;
	}
	rc = ledger_next(l, a->app, "", &next);
	if (!rc)
		rc = check_keys_free(next, a);
	release_free(next);
	return rc ? rc : ops->addon_add(l->backend, a);
}

int ledger_addon_reserve(struct ledger *l, int64_t app, struct addon *a,
			 const char *user)
{
	int rc;

	id_random(a->uuid);
	a->app = app;
	str_replace(&a->state, xstrdup("provisioning"));
	str_replace(&a->user, xstrdup(user));
	a->created_at = a->updated_at = clock_now();
	ledger_lock(l);
	rc = l->backend->ops->begin(l->backend);
	if (!rc)
		rc = ledger_end(l, reserve_locked(l, a));
	ledger_unlock(l);
	return rc;
}

static int add_locked(struct ledger *l, const struct addon *a,
		      struct release *r)
{
	const struct backend_ops *ops = l->backend->ops;
	int rc = check_there(l, a);

	if (!rc)
		rc = check_keys_free(r, a);
	if (!rc)
		rc = ops->addon_update(l->backend, a);
	if (!rc)
		rc = ops->addon_state(l->backend, a->uuid, "provisioned",
				      r->user, r->created_at);
	replace_addon(r, a->uuid, snapshot(a));
	return rc;
}

int ledger_addon_add(struct ledger *l, const struct addon *a, const char *user,
		     struct release **out)
{
	return transact(l, a, user, add_locked, "add", out);
}

int ledger_addon_forget(struct ledger *l, const char *uuid)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->addon_remove(l->backend, uuid);
	ledger_unlock(l);
	return rc;
}

static int change_locked(struct ledger *l, const struct addon *a,
			 struct release *r)
{
	int rc = check_there(l, a);

	if (!rc)
		rc = check_keys_free(r, a);
	if (!rc)
		rc = l->backend->ops->addon_update(l->backend, a);
	replace_addon(r, a->uuid, snapshot(a));
	return rc;
}

int ledger_addon_change(struct ledger *l, const struct addon *a,
			const char *what, const char *user,
			struct release **out)
{
	return transact(l, a, user, change_locked, what, out);
}

static int set_state(struct ledger *l, const char *uuid, const char *state,
		     const char *user)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->addon_state(l->backend, uuid, state, user,
					  clock_now());
	ledger_unlock(l);
	return rc;
}

int ledger_addon_condemn(struct ledger *l, const char *uuid, const char *user)
{
	return set_state(l, uuid, "deprovisioning", user);
}

int ledger_addon_spare(struct ledger *l, const char *uuid, const char *user)
{
	return set_state(l, uuid, "provisioned", user);
}

int ledger_addon_gone(struct ledger *l, const char *uuid)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->addon_gone(l->backend, uuid);
	ledger_unlock(l);
	return rc;
}

static int destroy_locked(struct ledger *l, const struct addon *a,
			  struct release *r)
{
	int rc = check_there(l, a);

	replace_addon(r, a->uuid, NULL);
	return rc ? rc
		  : l->backend->ops->addon_end(l->backend, a->uuid,
					       r->created_at);
}

int ledger_addon_destroy(struct ledger *l, const struct addon *a,
			 const char *user, struct release **out)
{
	return transact(l, a, user, destroy_locked, "remove", out);
}
