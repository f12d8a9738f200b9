/* SPDX-License-Identifier: ISC */
/*
 * Apps. The repository of one that lies in slugd's folder is written down by
 * its path from there, so that the folder can be moved, or restored elsewhere;
 * every path that leaves this file is absolute.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "err.h"
#include "ids.h"
#include "ledger-internal.h"
#include "mem.h"

/* As it is written down: from the folder of the ledger, if it lies below. */
static const char *stored_path(const struct ledger *l, const char *repo)
{
	size_t len = strlen(l->dir);

	return !strncmp(repo, l->dir, len) && repo[len] == '/' ? repo + len + 1
							       : repo;
}

static void make_absolute(const struct ledger *l, struct app *a)
{
	if (*a->repo != '/')
		str_replace(&a->repo, xasprintf("%s/%s", l->dir, a->repo));
}

/* An older slugd wrote down absolute paths alone. */
static int find_by_repo(struct ledger *l, const char *repo, struct app **out)
{
	const struct backend_ops *ops = l->backend->ops;
	const char *stored = stored_path(l, repo);
	int rc = ops->app_by_repo(l->backend, stored, out);

	if (rc == ERR_NOTFOUND && stored != repo)
		rc = ops->app_by_repo(l->backend, repo, out);
	return rc;
}

static int create_locked(struct ledger *l, struct app *a, const char *repo,
			 const char *user)
{
	const struct backend_ops *ops = l->backend->ops;
	struct release r = { .app = 0 };
	struct app *taken = NULL;
	int rc;

	if (!ops->app_by_name(l->backend, a->name, &taken))
		rc = err_set(ERR_CONFLICT, "Name %s is already taken", a->name);
	else if (!find_by_repo(l, repo, &taken))
		rc = err_set(ERR_CONFLICT, "%s is the repository of app %s",
			     repo, taken->name);
	else
		rc = ops->app_add(l->backend, a);
	app_free(taken);
	if (rc)
		return rc;
	r.app = a->id;
	id_random(r.uuid);
	r.version = 1;
	r.kind = xstrdup("initial");
	r.description = xstrdup("Initial release");
	r.user = xstrdup(user);
	r.config = json_object();
	r.addons = json_array();
	r.created_at = r.updated_at = a->created_at;
	rc = ledger_append(l, &r, NULL);
	free(r.kind);
	free(r.description);
	free(r.user);
	json_decref(r.config);
	json_decref(r.addons);
	return rc;
}

int ledger_app_create(struct ledger *l, const char *name, const char *repo,
		      int64_t port, const char *user, struct app **out)
{
	struct app *a = xcalloc(1, sizeof(*a));
	int rc;

	id_random(a->uuid);
	a->name = xstrdup(name);
	a->repo = xstrdup(stored_path(l, repo));
	a->port = port;
	a->created_at = clock_now();
	ledger_lock(l);
	rc = l->backend->ops->begin(l->backend);
	if (!rc)
		rc = ledger_end(l, create_locked(l, a, repo, user));
	ledger_unlock(l);
	make_absolute(l, a);
	if (rc)
		app_free(a);
	else
		*out = a;
	return rc;
}

int ledger_app(struct ledger *l, const char *name, struct app **out)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->app_by_name(l->backend, name, out);
	ledger_unlock(l);
	if (!rc)
		make_absolute(l, *out);
	return ledger_not_found(rc, "app", name);
}

int ledger_app_by_id(struct ledger *l, int64_t id, struct app **out)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->app_by_id(l->backend, id, out);
	ledger_unlock(l);
	if (!rc)
		make_absolute(l, *out);
	return ledger_not_found(rc, "app", "its row is gone");
}

int ledger_app_by_repo(struct ledger *l, const char *repo, struct app **out)
{
	int rc;

	ledger_lock(l);
	rc = find_by_repo(l, repo, out);
	ledger_unlock(l);
	if (rc == ERR_NOTFOUND)
		err_set(rc,
			"slugd has no app for %s. Make one with: slugctl "
			"init APP %s",
			repo, repo);
	else if (!rc)
		make_absolute(l, *out);
	return rc;
}

int ledger_apps(struct ledger *l, struct app ***out, size_t *n)
{
	struct ledger_rows rows = { NULL, 0 };
	size_t i;
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->app_list(l->backend, ledger_gather, &rows);
	ledger_unlock(l);
	*out = (struct app **)rows.v;
	*n = rows.n;
	for (i = 0; i < rows.n; i++)
		make_absolute(l, (*out)[i]);
	return rc;
}

static int move_locked(struct ledger *l, const struct app *a, const char *repo,
		       const char *user)
{
	const struct backend_ops *ops = l->backend->ops;
	struct app *taken = NULL;
	int rc = 0;

	if (!find_by_repo(l, repo, &taken) && taken->id != a->id)
		rc = err_set(ERR_CONFLICT, "%s is the repository of app %s",
			     repo, taken->name);
	app_free(taken);
	if (!rc)
		rc = ops->app_move(l->backend, a->id, stored_path(l, repo));
	if (!rc)
		rc = ops->audit_add(l->backend, a->id, user, "move", repo,
				    clock_now());
	return rc;
}

int ledger_app_move(struct ledger *l, struct app *a, const char *repo,
		    const char *user)
{
	int rc;

	ledger_lock(l);
	rc = l->backend->ops->begin(l->backend);
	if (!rc)
		rc = ledger_end(l, move_locked(l, a, repo, user));
	ledger_unlock(l);
	if (!rc)
		str_replace(&a->repo, xstrdup(repo));
	return rc;
}

int ledger_last_pushed(struct ledger *l, int64_t app, char **ref, char **commit)
{
	int rc;

	*ref = *commit = NULL;
	ledger_lock(l);
	rc = l->backend->ops->last_pushed(l->backend, app, ref, commit);
	ledger_unlock(l);
	return rc;
}
