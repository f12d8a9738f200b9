/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "err.h"
#include "ledger-internal.h"
#include "mem.h"

/*
 * Slugs that are let go, and releases that keep theirs. No row of a release
 * changes: whose slug is gone is expired.
 */

#define BATCH 1000 /* slugs let go in one transaction */

struct kept {
	struct kept_slug *v;
	size_t n;
};

static void gather(void *ctx, void *row)
{
	struct kept *k = ctx;

	k->v = xrealloc(k->v, k->n + 1, sizeof(*k->v));
	memcpy(&k->v[k->n++], row, sizeof(*k->v));
	free(row);
}

static void need(struct kept *k, const struct release *r)
{
	size_t i;

	for (i = 0; i < k->n && r->slug; i++)
		if (!strcmp(k->v[i].uuid, r->slug))
			k->v[i].needed = true;
}

/* What a rollback would take, were base the newest that did not fail. */
static int need_targets(struct ledger *l, struct kept *k,
			const struct release *base, json_t *addons)
{
	static const enum rollback_part parts[] = { ROLLBACK_ALL,
						    ROLLBACK_CONFIG,
						    ROLLBACK_CODE };
	struct release now = *base, *target;
	size_t i;
	int rc = 0;

	now.version++;
	now.addons = addons;
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]) && !rc; i++) {
		target = NULL;
		rc = ledger_default_target(l, &now, parts[i], &target);
		if (!rc)
			need(k, target);
		else if (rc == ERR_INVALID)
			rc = 0;
		release_free(target);
	}
	return rc;
}

/*
 * The current release, and those being launched: each of them may be where
 * the next rollback starts.
 */
static int need_way_back(struct ledger *l, int64_t app, struct kept *k)
{
	const struct backend_ops *ops = l->backend->ops;
	struct ledger_rows pending = { NULL, 0 };
	struct release *last = NULL, *current = NULL, **v;
	size_t i;
	int rc = ops->release_last(l->backend, app, &last);

	if (!rc)
		rc = ops->release_current(l->backend, app, &current);
	if (!rc)
		rc = ops->release_pending(l->backend, ledger_gather, &pending);
	v = (struct release **)pending.v;
	if (!rc) {
		need(k, current);
		rc = need_targets(l, k, current, last->addons);
	}
	for (i = 0; i < pending.n && !rc; i++)
		if (v[i]->app == app)
			rc = need_targets(l, k, v[i], last->addons);
	releases_free(v, pending.n);
	release_free(current);
	release_free(last);
	return rc;
}

static int list_locked(struct ledger *l, int64_t app, struct kept *k)
{
	int rc = l->backend->ops->slug_list(l->backend, app, gather, k);

	return rc ? rc : need_way_back(l, app, k);
}

int ledger_slugs(struct ledger *l, int64_t app, struct kept_slug **v, size_t *n)
{
	struct kept k = { NULL, 0 };
	int rc;

	ledger_lock(l);
	rc = list_locked(l, app, &k);
	ledger_unlock(l);
	*v = k.v;
	*n = k.n;
	return rc;
}

int ledger_slug_sizes(struct ledger *l, int64_t app, struct kept_slug **v,
		      size_t *n)
{
	struct kept k = { NULL, 0 };
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->slug_sizes(l->backend, app, gather, &k);
	ledger_unlock(l);
	*v = k.v;
	*n = k.n;
	return rc;
}

int ledger_slug_count(struct ledger *l, int64_t app, int64_t *n)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->slug_count(l->backend, app, n);
	ledger_unlock(l);
	return rc;
}

/* Of these, with what is needed by now marked. */
static int expire_these(struct ledger *l, int64_t app, const struct kept *k,
			int64_t *releases)
{
	const struct backend_ops *ops = l->backend->ops;
	int64_t now = clock_now(), more = 0;
	bool may = false;
	size_t i;
	int rc = 0;

	for (i = 0; i < k->n && !rc; i++) {
		if (k->v[i].needed)
			continue;
		rc = ops->slug_may_go(l->backend, app, k->v[i].uuid, &may);
		if (rc || !may)
			continue;
		rc = ops->slug_releases(l->backend, k->v[i].uuid, &more);
		if (!rc)
			rc = ops->slug_expire(l->backend, k->v[i].uuid, now);
		*releases += more;
	}
	return rc;
}

/* What is needed may have changed since these were chosen. */
static int expire_locked(struct ledger *l, int64_t app, struct kept *k,
			 int64_t *releases)
{
	int rc = l->backend->ops->begin(l->backend);

	if (rc)
		return rc;
	rc = need_way_back(l, app, k);
	if (!rc)
		rc = expire_these(l, app, k, releases);
	return ledger_end(l, rc);
}

int ledger_expire(struct ledger *l, int64_t app, const struct kept_slug *v,
		  size_t n, size_t *at, int64_t *releases)
{
	struct kept k = { xcalloc(BATCH, sizeof(*v)), 0 };
	int64_t more = 0;
	int rc = 0;

	for (; *at < n && k.n < BATCH; ++*at)
		if (v[*at].goes)
			memcpy(k.v[k.n++].uuid, v[*at].uuid, UUID_SIZE);
	ledger_lock(l);
	if (k.n)
		rc = expire_locked(l, app, &k, &more);
	ledger_unlock(l);
	free(k.v);
	if (!rc)
		*releases += more;
	return rc;
}

static void add_uuid(void *ctx, const char *uuid)
{
	ledger_gather(ctx, xstrdup(uuid));
}

int ledger_slugs_there(struct ledger *l, char ***out, size_t *n)
{
	struct ledger_rows rows = { NULL, 0 };
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->slugs_needed(l->backend, add_uuid, &rows);
	ledger_unlock(l);
	*out = (char **)rows.v;
	*n = rows.n;
	return rc;
}

/* Only what can be gone back to is worth to be kept. */
static int check_pin(const struct release *r)
{
	if (!r->slug)
		return err_set(ERR_INVALID,
			       "Cannot pin v%" PRId64
			       ": nothing was deployed yet then",
			       r->version);
	if (r->status == RELEASE_FAILED)
		return err_set(ERR_INVALID,
			       "Cannot pin v%" PRId64 ": it failed",
			       r->version);
	if (r->status == RELEASE_EXPIRED)
		return err_set(ERR_INVALID,
			       "Cannot pin v%" PRId64
			       ": it is expired, its slug is gone",
			       r->version);
	return 0;
}

static int pin_locked(struct ledger *l, struct release *r, bool pin,
		      const char *user)
{
	const struct backend_ops *ops = l->backend->ops;
	int64_t now = clock_now();
	char *detail;
	int rc = pin ? check_pin(r) : 0;

	if (rc || r->pinned == pin)
		return rc;
	rc = pin ? ops->pin_add(l->backend, r, user, now)
		 : ops->pin_remove(l->backend, r);
	detail = xasprintf("v%" PRId64, r->version);
	if (!rc)
		rc = ops->audit_add(l->backend, r->app, user,
				    pin ? "pin" : "unpin", detail, now);
	free(detail);
	r->pinned = pin;
	return rc;
}

int ledger_pin(struct ledger *l, int64_t app, const char *name, bool pin,
	       const char *user, struct release **out)
{
	struct release *r = NULL;
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->begin(l->backend);
	if (rc)
		goto done;
	rc = ledger_find_release(l, app, name, &r);
	if (!rc)
		rc = pin_locked(l, r, pin, user);
	rc = ledger_end(l, rc);
done:
	ledger_unlock(l);
	if (rc)
		release_free(r);
	else
		*out = r;
	return rc;
}
