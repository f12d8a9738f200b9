/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "ledger-internal.h"
#include "mem.h"

/*
 * Releases of a slug that is there already: one that failed once more, or
 * any of the app's slugs. Source: Heroku's client, which retries by a
 * release of the same slug with the description "Retry of v12: ...".
 */

#define PREFIX          "Retry of v"
#define MAX_DESCRIPTION 500 /* bytes */

struct presence {
	const char *uuid;
	bool there;
};

static void look(void *ctx, void *row)
{
	struct presence *p = ctx;
	struct kept_slug *k = row;

	p->there = p->there || !strcmp(k->uuid, p->uuid);
	free(k);
}

/* The release's slug becomes that one. Errors: ERR_INVALID, ERR_NOTFOUND. */
static int take_slug(struct ledger *l, struct release *r, const char *uuid)
{
	const struct backend_ops *ops = l->backend->ops;
	struct presence p = { uuid, false };
	struct slug *slug = NULL;
	int rc = ops->slug_by_uuid(l->backend, uuid, &slug);

	if (rc == ERR_NOTFOUND || (!rc && slug->app != r->app))
		rc = err_set(ERR_NOTFOUND, "Couldn't find that slug: %.36s",
			     uuid);
	if (!rc)
		rc = ops->slug_sizes(l->backend, r->app, look, &p);
	if (!rc && !p.there)
		rc = err_set(ERR_INVALID,
			     "its slug was let go: push or deploy %.7s again",
			     slug->commit);
	if (!rc) {
		str_replace(&r->slug, xstrdup(slug->uuid));
		str_replace(&r->commit, xstrdup(slug->commit));
	}
	slug_free(slug);
	return rc;
}

/* The newest release before r that did not fail: what r started from. */
static int start_of(struct ledger *l, const struct release *r,
		    struct release **out)
{
	struct release_range range = { .last = r->version - 1,
				       .max = 1,
				       .descending = true };
	int rc = 0;

	*out = NULL;
	while (!rc && !*out && range.last > 0) {
		struct ledger_rows rows = { NULL, 0 };

		rc = l->backend->ops->release_list(l->backend, r->app, &range,
						   ledger_gather, &rows);
		if (!rc && rows.n &&
		    ((struct release *)rows.v[0])->status != RELEASE_FAILED) {
			*out = rows.v[0];
			rows.n = 0;
		}
		releases_free((struct release **)rows.v, rows.n);
		range.last--;
	}
	return rc || *out ? rc : err_set(ERR_FAILED, "ledger: no v1");
}

/* What failed changed of the config, changed in next's. */
static void take_config(struct release *next, const struct release *start,
			const struct release *failed)
{
	json_t *config = json_deep_copy(next->config), *value;
	const char *key;

	json_object_foreach(failed->config, key, value) {
		const json_t *old = json_object_get(start->config, key);

		/* What an add-on provides stays the add-on's. */
		if (!(old && json_equal((json_t *)(uintptr_t)old, value)) &&
		    !ledger_provider_of(next, key))
			json_object_set(config, key, value);
	}
	json_object_foreach(start->config, key, value)
		if (!json_object_get(failed->config, key))
			json_object_del(config, key);
	if (!json_equal(config, next->config))
		next->config_set = 0;
	json_decref(next->config);
	next->config = config;
}

static int check_failed(const struct release *r)
{
	if (r->status == RELEASE_FAILED && r->slug)
		return 0;
	return err_set(ERR_INVALID, "v%" PRId64 " %s", r->version,
		       r->status == RELEASE_PENDING ? "is being launched"
						    : "did not fail");
}

/* "Deploy de63889", also of a retry of it. */
static const char *words_of(const struct release *r)
{
	const char *s = r->description, *end = strstr(s, ": ");

	return !strncmp(s, PREFIX, strlen(PREFIX)) && end ? end + 2 : s;
}

/* What the failed release changed, once more: its code, its config. */
static int again(struct ledger *l, struct release *next,
		 const struct release *failed)
{
	struct release *start = NULL;
	int rc = check_failed(failed);

	if (!rc)
		rc = start_of(l, failed, &start);
	if (!rc && (!strcmp(failed->kind, "deploy") || !start->slug ||
		    strcmp(failed->slug, start->slug) != 0))
		rc = take_slug(l, next, failed->slug);
	if (!rc) {
		take_config(next, start, failed);
		next->build = xstrdup(failed->build);
		next->description =
			xasprintf(PREFIX "%" PRId64 ": %s", failed->version,
				  words_of(failed));
	}
	release_free(start);
	return rc;
}

struct wish {
	const char *name, *slug, *description;
};

static int retry_locked(struct ledger *l, struct release *next, void *ctx)
{
	const struct wish *w = ctx;
	struct release *failed = NULL;
	int rc = w->name ? ledger_find_release(l, next->app, w->name, &failed)
			 : l->backend->ops->release_last(l->backend, next->app,
							 &failed);

	if (!rc)
		rc = again(l, next, failed);
	release_free(failed);
	next->kind = xstrdup("deploy");
	return rc ? rc : ledger_append(l, next, NULL);
}

int ledger_retry(struct ledger *l, int64_t app, const char *name,
		 const char *user, struct release **out)
{
	struct wish w = { .name = name };

	return ledger_transact(l, app, user, retry_locked, &w, out);
}

/* The failed release that the description speaks of, or NULL. */
static struct release *retried(struct ledger *l, int64_t app,
			       const struct wish *w)
{
	const char *s = w->description;
	struct release *r = NULL;
	char name[24];

	if (!s || strncmp(s, PREFIX, strlen(PREFIX)) != 0)
		return NULL;
	s += strlen(PREFIX);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(s, ":"), s);
	if (ledger_find_release(l, app, name, &r))
		return NULL;
	if (r->status != RELEASE_FAILED || !r->slug ||
	    strcmp(r->slug, w->slug) != 0) {
		release_free(r);
		r = NULL;
	}
	return r;
}

static int slug_locked(struct ledger *l, struct release *next, void *ctx)
{
	const struct wish *w = ctx;
	struct release *failed = retried(l, next->app, w);
	int rc = failed ? again(l, next, failed) : take_slug(l, next, w->slug);

	release_free(failed);
	if (rc)
		return rc;
	next->kind = xstrdup("deploy");
	if (w->description)
		str_replace(&next->description, xstrdup(w->description));
	else if (!next->description)
		next->description = xasprintf("Deploy %.7s", next->commit);
	return ledger_append(l, next, NULL);
}

int ledger_release_slug(struct ledger *l, int64_t app, const char *slug,
			const char *description, const char *user,
			struct release **out)
{
	struct wish w = { NULL, slug, description };

	*out = NULL;
	if (description &&
	    (!*description || strlen(description) > MAX_DESCRIPTION))
		return err_set(ERR_INVALID, "a description has 1 to %d bytes",
			       MAX_DESCRIPTION);
	return ledger_transact(l, app, user, slug_locked, &w, out);
}
