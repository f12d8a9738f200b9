/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "err.h"
#include "ledger-internal.h"
#include "mem.h"
#include "names.h"

/*
 * What makes releases: a new app, a deploy, a change of config vars, an
 * add-on. Each is one transaction.
 */

int ledger_next(struct ledger *l, int64_t app, const char *user,
		struct release **out)
{
	const struct backend_ops *ops = l->backend->ops;
	struct release *last = NULL, *good = NULL, *r;
	int rc;

	rc = ops->release_last(l->backend, app, &last);
	if (!rc)
		rc = ops->release_last_good(l->backend, app, &good);
	if (rc) {
		if (rc == ERR_NOTFOUND)
			err_set(rc, "ledger: the app has no release");
		goto done;
	}
	r = xcalloc(1, sizeof(*r));
	r->app = app;
	id_random(r->uuid);
	r->version = last->version + 1;
	r->user = xstrdup(user);
	r->slug = xstrdup(good->slug);
	r->commit = xstrdup(good->commit);
	r->config = json_incref(good->config);
	r->config_set = good->config_set;
	r->addons = json_incref(last->addons);
	r->addon_set = last->addon_set;
	r->created_at = r->updated_at = clock_now();
	*out = r;
done:
	release_free(last);
	release_free(good);
	return rc;
}

int ledger_append(struct ledger *l, struct release *r, const char *push)
{
	const struct backend_ops *ops = l->backend->ops;
	char uuid[UUID_SIZE], *detail;
	int rc;

	r->status = RELEASE_SUCCEEDED;
	if (l->launch && r->slug) {
		r->status = RELEASE_PENDING;
		id_random(uuid);
		str_replace(&r->output, xstrdup(push ? push : uuid));
	}
	rc = ops->release_add(l->backend, r, push);
	if (rc)
		return rc;
	detail = xasprintf("v%" PRId64 " %s", r->version, r->description);
	rc = ops->audit_add(l->backend, r->app, r->user, r->kind, detail,
			    r->created_at);
	free(detail);
	return rc;
}

int ledger_transact(struct ledger *l, int64_t app, const char *user,
		    int (*fn)(struct ledger *l, struct release *r, void *ctx),
		    void *ctx, struct release **out)
{
	struct release *r = NULL;
	int rc;

	*out = NULL;
	ledger_lock(l);
	rc = l->backend->ops->begin(l->backend);
	if (rc)
		goto done;
	rc = ledger_next(l, app, user, &r);
	if (!rc)
		rc = fn(l, r, ctx);
	rc = ledger_end(l, rc);
	if (!rc && r && r->id) {
		*out = r;
		r = NULL;
	}
done:
	ledger_unlock(l);
	release_free(r);
	return rc;
}

/* The value that an add-on provides, or NULL. */
static const json_t *addon_value(const struct release *r, const char *key)
{
	const json_t *value = NULL;
	json_t *addon;
	size_t i;

	json_array_foreach(r->addons, i, addon) {
		value = json_object_get(json_object_get(addon, "config"), key);
		if (value)
			break;
	}
	return value;
}

const char *ledger_provider_of(const struct release *r, const char *key)
{
	json_t *addon;
	size_t i;

	json_array_foreach(r->addons, i, addon)
		if (json_object_get(json_object_get(addon, "config"), key))
			return json_str(addon, "name", "?");
	return NULL;
}

/* ", KEY" to the list of keys so far. */
static void list_key(char **list, const char *key)
{
	str_replace(list,
		    *list ? xasprintf("%s, %s", *list, key) : xstrdup(key));
}

static int check_pair(const struct release *r, const char *key,
		      const json_t *value)
{
	const char *addon = ledger_provider_of(r, key);
	const char *s = json_string_value(value);

	if (addon)
		return err_set(ERR_INVALID,
			       "%s is provided by the add-on %s and cannot "
			       "be changed",
			       key, addon);
	if (json_is_null(value))
		return 0;
	if (name_check_config_key(key))
		return ERR_INVALID;
	if (!s)
		return err_set(ERR_INVALID, "the value of %s is not a string",
			       key);
	if (strlen(s) != json_string_length(value))
		return err_set(ERR_INVALID, "the value of %s has a NUL byte",
			       key);
	return 0;
}

/*
 * The patch applied to a copy of r's config, and the release's description,
 * which stays NULL where nothing changes.
 */
static int patch_config(struct release *r, const json_t *patch,
			uint64_t max_config)
{
	json_t *config = json_deep_copy(r->config), *value;
	char *added = NULL, *removed = NULL;
	uint64_t bytes = 0;
	const char *key;
	int rc = 0;

	json_object_foreach((json_t *)(uintptr_t)patch, key, value) {
		const json_t *old = json_object_get(config, key);

		/* What "config -s" shows can be set again. */
		if (json_equal(value, old) ||
		    json_equal(value, addon_value(r, key)))
			continue;
		rc = check_pair(r, key, value);
		if (rc)
			goto done;
		if (json_is_null(value) && old) {
			json_object_del(config, key);
			list_key(&removed, key);
		} else if (!json_is_null(value)) {
			json_object_set(config, key, value);
			list_key(&added, key);
		}
	}
	json_object_foreach(config, key, value)
		bytes += strlen(key) + json_string_length(value);
	if (added && bytes > max_config) {
		rc = err_set(ERR_INVALID,
			     "the config vars would have %" PRIu64
			     " bytes; at most %" PRIu64 " are allowed",
			     bytes, max_config);
		goto done;
	}
	if (added || removed)
		r->description = xasprintf(
			"%s%s%s%s%s", added ? "Config add " : "",
			added ? added : "", added && removed ? "; " : "",
			removed ? "Config remove " : "",
			removed ? removed : "");
	json_decref(r->config);
	r->config = json_incref(config);
	r->config_set = 0;
done:
	json_decref(config);
	free(added);
	free(removed);
	return rc;
}

struct patch {
	const json_t *patch;
	uint64_t max_config;
};

static int patch_locked(struct ledger *l, struct release *r, void *ctx)
{
	const struct patch *p = ctx;
	int rc = patch_config(r, p->patch, p->max_config);

	if (rc || !r->description)
		return rc;
	r->kind = xstrdup("config");
	return ledger_append(l, r, NULL);
}

int ledger_config_patch(struct ledger *l, int64_t app, const json_t *patch,
			uint64_t max_config, const char *user,
			struct release **out)
{
	struct patch p = { patch, max_config };

	return ledger_transact(l, app, user, patch_locked, &p, out);
}

int ledger_release_finish(struct ledger *l, int64_t id,
			  enum release_status status)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->release_status(l->backend, id, status,
					     clock_now());
	ledger_unlock(l);
	return rc;
}

int ledger_accept(struct ledger *l, const struct slug *slug,
		  const struct build *build, const struct intent *intent)
{
	const struct backend_ops *ops = l->backend->ops;
	int rc;

	ledger_lock(l);
	rc = ops->begin(l->backend);
	if (rc)
		goto done;
	rc = ops->slug_add(l->backend, slug);
	if (!rc)
		rc = ops->build_add(l->backend, build);
	if (!rc)
		rc = ops->intent_add(l->backend, intent);
	rc = ledger_end(l, rc);
done:
	ledger_unlock(l);
	return rc;
}

int ledger_build_failed(struct ledger *l, const struct build *build)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->build_add(l->backend, build);
	ledger_unlock(l);
	return rc;
}

/* What a deploy makes of the next release. */
static void take_slug(struct release *r, const char *slug, const char *commit,
		      const char *build)
{
	r->kind = xstrdup("deploy");
	r->description = xasprintf("Deploy %.7s", commit);
	str_replace(&r->slug, xstrdup(slug));
	str_replace(&r->commit, xstrdup(commit));
	r->build = xstrdup(build);
}

static int deploy_locked(struct ledger *l, struct release *r, void *ctx)
{
	const struct backend_ops *ops = l->backend->ops;
	const struct intent *intent = ctx;
	int rc;

	take_slug(r, intent->slug, intent->new, intent->build);
	rc = ledger_append(l, r, intent->push);
	if (!rc)
		rc = ops->build_released(l->backend, r->build, r->version,
					 r->created_at);
	if (!rc)
		rc = ops->intent_drop(l->backend, intent->push);
	return rc;
}

int ledger_deploy(struct ledger *l, struct intent *intent, struct release **out)
{
	return ledger_transact(l, intent->app, intent->user, deploy_locked,
			       intent, out);
}

struct built {
	const struct slug *slug;
	const struct build *build;
};

static int deploy_built_locked(struct ledger *l, struct release *r, void *ctx)
{
	const struct backend_ops *ops = l->backend->ops;
	const struct built *b = ctx;
	int rc;

	take_slug(r, b->slug->uuid, b->slug->commit, b->build->uuid);
	rc = ops->slug_add(l->backend, b->slug);
	if (!rc)
		rc = ops->build_add(l->backend, b->build);
	if (!rc)
		rc = ledger_append(l, r, NULL);
	if (!rc)
		rc = ops->build_released(l->backend, r->build, r->version,
					 r->created_at);
	return rc;
}

int ledger_deploy_built(struct ledger *l, const struct slug *slug,
			const struct build *build, struct release **out)
{
	struct built b = { slug, build };

	return ledger_transact(l, build->app, build->user, deploy_built_locked,
			       &b, out);
}

int ledger_drop(struct ledger *l, const struct intent *intent)
{
	const struct backend_ops *ops = l->backend->ops;
	int rc;

	ledger_lock(l);
	rc = ops->begin(l->backend);
	if (rc)
		goto done;
	rc = ops->intent_drop(l->backend, intent->push);
	if (!rc)
		rc = ops->slug_drop_unused(l->backend, intent->slug);
	rc = ledger_end(l, rc);
done:
	ledger_unlock(l);
	return rc;
}
