/* SPDX-License-Identifier: ISC */
#include "ledger.h"

#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "err.h"
#include "ledger-internal.h"
#include "mem.h"
#include "text.h"

/* The folder that path lies in, without links. Caller frees. */
static char *folder_of(const char *path)
{
	char *copy = xstrdup(path), *dir = dirname(copy);
	char *real = realpath(dir, NULL);

	if (!real)
		real = xstrdup(dir);
	free(copy);
	return real;
}

int ledger_open(struct ledger **out, const char *path)
{
	struct ledger *l = xcalloc(1, sizeof(*l));
	int rc = backend_open_sqlite(&l->backend, path);

	if (rc) {
		free(l);
		return rc;
	}
	pthread_mutex_init(&l->lock, NULL);
	l->dir = folder_of(path);
	*out = l;
	return 0;
}

void ledger_close(struct ledger *l)
{
	if (!l)
		return;
	l->backend->ops->close(l->backend);
	pthread_mutex_destroy(&l->lock);
	free(l->dir);
	free(l);
}

void ledger_set_launch(struct ledger *l, bool launch)
{
	l->launch = launch;
}

int ledger_backup(struct ledger *l, const char *path)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->backup(l->backend, path);
	ledger_unlock(l);
	return rc;
}

void ledger_lock(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
}

void ledger_unlock(struct ledger *l)
{
	pthread_mutex_unlock(&l->lock);
}

int ledger_end(struct ledger *l, int rc)
{
	if (!rc)
		rc = l->backend->ops->commit(l->backend);
	if (rc)
		l->backend->ops->rollback(l->backend);
	return rc;
}

void ledger_gather(void *ctx, void *row)
{
	struct ledger_rows *rows = ctx;

	rows->v = xrealloc(rows->v, rows->n + 1, sizeof(*rows->v));
	rows->v[rows->n++] = row;
}

void app_free(struct app *a)
{
	if (!a)
		return;
	free(a->name);
	free(a->repo);
	free(a);
}

void release_free(struct release *r)
{
	if (!r)
		return;
	free(r->kind);
	free(r->description);
	free(r->user);
	free(r->slug);
	free(r->commit);
	json_decref(r->config);
	json_decref(r->addons);
	free(r->build);
	free(r->output);
	free(r);
}

void slug_free(struct slug *s)
{
	if (!s)
		return;
	free(s->commit);
	free(s->commit_description);
	json_decref(s->process_types);
	free(s->checksum);
	free(s);
}

void build_free(struct build *b)
{
	if (!b)
		return;
	free(b->commit);
	free(b->ref);
	free(b->user);
	free(b->status);
	free(b->slug);
	free(b);
}

void addon_free(struct addon *a)
{
	if (!a)
		return;
	free(a->service);
	free(a->plan);
	free(a->name);
	free(a->state);
	free(a->user);
	json_decref(a->config);
	free(a);
}

void intent_free(struct intent *i)
{
	if (!i)
		return;
	free(i->ref);
	free(i->old);
	free(i->new);
	free(i->user);
	free(i->slug);
	free(i->build);
	free(i->lease);
	free(i->reflog_last);
	free(i);
}

void apps_free(struct app **v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		app_free(v[i]);
	free(v);
}

void releases_free(struct release **v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		release_free(v[i]);
	free(v);
}

void addons_free(struct addon **v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		addon_free(v[i]);
	free(v);
}

const char *release_status_name(enum release_status s)
{
	static const char *const names[] = {
		[RELEASE_PENDING] = "pending",
		[RELEASE_SUCCEEDED] = "succeeded",
		[RELEASE_FAILED] = "failed",
		[RELEASE_EXPIRED] = "expired",
	};

	return names[s];
}

json_t *release_environment(const struct release *r)
{
	json_t *env = json_copy(r->config), *addon;
	size_t i;

	json_array_foreach(r->addons, i, addon)
		json_object_update(env, json_object_get(addon, "config"));
	return env;
}

json_t *release_addon_plans(const struct release *r)
{
	json_t *plans = json_array(), *addon;
	size_t i;

	json_array_foreach(r->addons, i, addon)
		json_array_append(plans, json_object_get(addon, "plan"));
	return plans;
}

int ledger_not_found(int rc, const char *what, const char *name)
{
	char *shown;

	if (rc != ERR_NOTFOUND)
		return rc;
	shown = text_cell(name, 60);
	err_set(rc, "Couldn't find that %s: %s", what, shown);
	free(shown);
	return rc;
}

bool ledger_port_is_taken(struct ledger *l, int64_t port)
{
	bool taken = true;

	ledger_lock(l);
	l->backend->ops->port_taken(l->backend, port, &taken);
	ledger_unlock(l);
	return taken;
}

int ledger_find_release(struct ledger *l, int64_t app, const char *name,
			struct release **out)
{
	const struct backend_ops *ops = l->backend->ops;
	const char *digits = name + (*name == 'v' || *name == 'V');
	int64_t version;
	int rc;

	if (!strcmp(name, "current"))
		rc = ops->release_current(l->backend, app, out);
	else if (strlen(name) == UUID_SIZE - 1)
		rc = ops->release_by_uuid(l->backend, app, name, out);
	else if (text_parse_int(&version, digits, 1, INT64_MAX))
		rc = ERR_NOTFOUND;
	else
		rc = ops->release_by_version(l->backend, app, version, out);
	return ledger_not_found(rc, "release", name);
}

int ledger_release(struct ledger *l, int64_t app, const char *name,
		   struct release **out)
{
	int rc;

	ledger_lock(l);
	rc = ledger_find_release(l, app, name, out);
	ledger_unlock(l);
	return rc;
}

int ledger_release_last(struct ledger *l, int64_t app, struct release **out)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->release_last(l->backend, app, out);
	ledger_unlock(l);
	return ledger_not_found(rc, "release", "the newest one");
}

int ledger_release_current(struct ledger *l, int64_t app, struct release **out)
{
	return ledger_release(l, app, "current", out);
}

int ledger_releases(struct ledger *l, int64_t app,
		    const struct release_range *range, struct release ***out,
		    size_t *n)
{
	struct ledger_rows rows = { NULL, 0 };
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->release_list(l->backend, app, range,
					   ledger_gather, &rows);
	ledger_unlock(l);
	*out = (struct release **)rows.v;
	*n = rows.n;
	return rc;
}

int ledger_releases_pending(struct ledger *l, struct release ***out, size_t *n)
{
	struct ledger_rows rows = { NULL, 0 };
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->release_pending(l->backend, ledger_gather, &rows);
	ledger_unlock(l);
	*out = (struct release **)rows.v;
	*n = rows.n;
	return rc;
}

int ledger_release_by_push(struct ledger *l, const char *push,
			   struct release **out)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->release_by_push(l->backend, push, out);
	ledger_unlock(l);
	return ledger_not_found(rc, "release of push", push);
}

int ledger_today(struct ledger *l, int64_t app, struct release **out)
{
	int rc;

	ledger_lock(l);
	rc = ledger_next(l, app, "", out);
	ledger_unlock(l);
	return rc;
}

int ledger_find_addon(struct ledger *l, int64_t app, const char *name,
		      struct addon **out)
{
	int rc = l->backend->ops->addon_by_name(l->backend, app, name, out);

	return ledger_not_found(rc, "add-on", name);
}

int ledger_addon(struct ledger *l, int64_t app, const char *name,
		 struct addon **out)
{
	int rc;

	ledger_lock(l);
	rc = ledger_find_addon(l, app, name, out);
	ledger_unlock(l);
	return rc;
}

int ledger_addons(struct ledger *l, int64_t app, struct addon ***out, size_t *n)
{
	struct ledger_rows rows = { NULL, 0 };
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->addon_list(l->backend, app, ledger_gather, &rows);
	ledger_unlock(l);
	*out = (struct addon **)rows.v;
	*n = rows.n;
	return rc;
}

int ledger_addons_unfinished(struct ledger *l, struct addon ***out, size_t *n)
{
	struct ledger_rows rows = { NULL, 0 };
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->addon_unfinished(l->backend, ledger_gather,
					       &rows);
	ledger_unlock(l);
	*out = (struct addon **)rows.v;
	*n = rows.n;
	return rc;
}

int ledger_intent(struct ledger *l, int64_t app, struct intent **out)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->intent_of(l->backend, app, out);
	ledger_unlock(l);
	return ledger_not_found(rc, "intent", "none is open");
}

int ledger_intents(struct ledger *l, struct intent ***out, size_t *n)
{
	struct ledger_rows rows = { NULL, 0 };
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->intent_list(l->backend, ledger_gather, &rows);
	ledger_unlock(l);
	*out = (struct intent **)rows.v;
	*n = rows.n;
	return rc;
}

int ledger_slug(struct ledger *l, const char *uuid, struct slug **out)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->slug_by_uuid(l->backend, uuid, out);
	ledger_unlock(l);
	return ledger_not_found(rc, "slug", uuid);
}

int ledger_slug_checksum(struct ledger *l, const char *uuid, const char *sum)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->slug_checksum(l->backend, uuid, sum);
	ledger_unlock(l);
	return rc;
}

int ledger_build(struct ledger *l, const char *uuid, struct build **out)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->build_by_uuid(l->backend, uuid, out);
	ledger_unlock(l);
	return ledger_not_found(rc, "build", uuid);
}

int ledger_builds(struct ledger *l, int64_t app, struct build ***out, size_t *n)
{
	struct ledger_rows rows = { NULL, 0 };
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->build_list(l->backend, app, ledger_gather, &rows);
	ledger_unlock(l);
	*out = (struct build **)rows.v;
	*n = rows.n;
	return rc;
}

struct check {
	FILE *f;
	unsigned n;
};

static void broken(void *ctx, const char *line)
{
	struct check *c = ctx;

	fprintf(c->f, "%s\n", line);
	c->n++;
}

int ledger_check(struct ledger *l, FILE *f, unsigned *n)
{
	struct check c = { f, 0 };
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->check(l->backend, broken, &c);
	ledger_unlock(l);
	*n = c.n;
	return rc;
}
