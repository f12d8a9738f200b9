/* SPDX-License-Identifier: ISC */
/*
 * Pushes: slugd's own resource, for the hooks. A hook knows its repository,
 * not the app's name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api.h"
#include "err.h"
#include "head.h"
#include "idle.h"
#include "launch.h"
#include "mem.h"
#include "names.h"
#include "pushes.h"
#include "repo-moved.h"
#include "repo.h"

/* The same folder may be mounted at another path: which app's is it? */
static int find_elsewhere(struct ledger *l, const char *path, struct app **out,
			  int rc)
{
	struct app **v = NULL;
	struct stat want, st;
	size_t n = 0, i;
	int read;

	if (stat(path, &want))
		return rc;
	read = ledger_apps(l, &v, &n);
	if (read)
		rc = read;
	for (i = 0; i < n && rc && !read; i++) {
		if (stat(v[i]->repo, &st) || st.st_dev != want.st_dev ||
		    st.st_ino != want.st_ino)
			continue;
		rc = ledger_app_by_id(l, v[i]->id, out);
	}
	apps_free(v, n);
	return rc;
}

static int find_app(struct ledger *l, const struct http_request *req,
		    struct app **out)
{
	const char *repo = json_str(req->body, "repository", NULL);
	char *real = repo ? realpath(repo, NULL) : NULL;
	int rc;

	if (!real)
		rc = err_set(ERR_INVALID, "repository: no such folder");
	else
		rc = ledger_app_by_repo(l, real, out);
	if (rc == ERR_NOTFOUND && real)
		rc = find_elsewhere(l, real, out, rc);
	free(real);
	return rc;
}

/* Only the service account runs hooks, and root may act as it. */
int api_push_may(void *ctx, const struct http_request *req)
{
	const struct slugd *d = ctx;

	if (req->peer->uid == d->uid || req->peer->uid == 0)
		return 0;
	return err_set(ERR_FORBIDDEN, "only a hook may speak of pushes");
}

static int check_ref(const struct config *c, const struct app *app,
		     const char *ref, const char *old, const char *new)
{
	if (!ref || !old || !new)
		return err_set(ERR_INVALID, "a ref needs name, old and new");
	if (name_check_ref(ref) || name_check_oid(old) || name_check_oid(new))
		return ERR_INVALID;
	if (config_is_deploy_ref(c, ref) && !strcmp(new, NAME_ZERO_OID))
		return head_check_delete(app->repo, c->deploy_branches, ref);
	return 0;
}

/*
 * The one ref of the push that is deployed into *deploy; NULL where there is
 * none.
 */
static int pick_ref(const struct config *c, const struct app *app,
		    const json_t *refs, const json_t **deploy)
{
	const json_t *ref;
	size_t i;

	*deploy = NULL;
	json_array_foreach((json_t *)(uintptr_t)refs, i, ref) {
		const char *name = json_str(ref, "name", NULL);
		const char *new = json_str(ref, "new", NULL);
		int rc = check_ref(c, app, name, json_str(ref, "old", NULL),
				   new);

		if (rc)
			return rc;
		if (!config_is_deploy_ref(c, name) ||
		    !strcmp(new, NAME_ZERO_OID))
			continue;
		if (*deploy)
			return err_set(ERR_INVALID,
				       "%s and %s would both be deployed; "
				       "push one of them",
				       json_str(*deploy, "name", "") + 11,
				       name + 11);
		*deploy = ref;
	}
	return 0;
}

/* The deploy branch that the push deletes, or NULL. */
static const char *deleted(const struct config *c, const json_t *refs)
{
	const json_t *ref;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)refs, i, ref) {
		const char *name = json_str(ref, "name", "");

		if (config_is_deploy_ref(c, name) &&
		    !strcmp(json_str(ref, "new", ""), NAME_ZERO_OID))
			return name + strlen("refs/heads/");
	}
	return NULL;
}

/* What is said of a push that deploys nothing. */
static json_t *skip_message(const struct config *c, const json_t *refs)
{
	const char *gone = deleted(c, refs);
	char *s = gone ? xasprintf("Deleted branch %s, skipping build.", gone)
		       : xasprintf("Pushed to non-%s branch, skipping build.",
				   c->deploy_branches[0]);
	json_t *v = json_make("{s:n, s:[s], s:n}", "id", "messages", s,
			      "output_stream_url");

	free(s);
	return v;
}

/* What the developer is to know of the branch, before it is packed. */
static json_t *warnings(struct slugd *d, const struct app *app,
			const struct push_request *push)
{
	json_t *list = json_array();
	char *words = repo_moved(d->ledger, app, push->ref, push->old), *line;
	char *tip = NULL;

	/* Who pushes may have seen an older one; git refuses that push. */
	if (words && !repo_ref_tip(app->repo, push->ref, &tip) &&
	    !strcmp(tip, push->old)) {
		line = xasprintf(" !     %s", words);
		json_array_append_new(list, json_string(line));
		free(line);
	}
	free(tip);
	free(words);
	return list;
}

/*
 * The path at key of the request, which is in the repository as the hook sees
 * it, as slugd knows it. NULL where there is none. Caller frees.
 */
static char *in_repo(const struct http_request *req, const struct app *app,
		     const char *key)
{
	const char *path = json_str(req->body, key, NULL);
	const char *repo = json_str(req->body, "repository", "");
	size_t len = strlen(repo);

	if (!path)
		return NULL;
	if (len && !strncmp(path, repo, len) && path[len] == '/')
		return xasprintf("%s%s", app->repo, path + len);
	return xstrdup(path);
}

/*
 * POST /pushes {"repository", "quarantine", "objects", "refs": [{"name",
 * "old", "new"}]}, from pre-receive.
 */
int api_push_create(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct push_request push = { .user = req->peer->user,
				     .hook = req->peer->pid };
	struct push_status status;
	const json_t *deploy = NULL;
	char *quarantine = NULL, *objects = NULL;
	struct app *app = NULL;
	int rc = find_app(d->ledger, req, &app);

	if (!rc)
		rc = pick_ref(d->config, app,
			      json_object_get(req->body, "refs"), &deploy);
	if (rc)
		goto done;
	req->status = 201;
	if (!deploy) {
		req->reply = skip_message(d->config,
					  json_object_get(req->body, "refs"));
		goto done;
	}
	push.app = app;
	push.ref = json_str(deploy, "name", "");
	push.old = json_str(deploy, "old", "");
	push.new = json_str(deploy, "new", "");
	push.refs = json_object_get(req->body, "refs");
	quarantine = in_repo(req, app, "quarantine");
	objects = in_repo(req, app, "objects");
	push.quarantine = quarantine;
	push.objects = objects ? objects : "";
	rc = pushes_begin(d->pushes, &push, &status);
	if (!rc)
		req->reply = json_make(
			"{s:s, s:s, s:o, s:o, s:o}", "id", status.id, "ref",
			push.ref, "messages", warnings(d, app, &push),
			"output_stream_url", api_stream_url(req, status.build),
			"release_output_stream_url",
			api_stream_url(req, status.id));
done:
	free(quarantine);
	free(objects);
	app_free(app);
	return rc;
}

int api_push_info(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct push_status status;
	int rc = pushes_status(d->pushes, req->param[0], &status);

	if (!rc)
		req->reply =
			json_make("{s:s, s:s, s:o}", "id", status.id, "status",
				  status.state, "output_stream_url",
				  api_stream_url(req, status.build));
	return rc;
}

/* The release that the push of that ref made, if any, into the answer. */
static int settle_ref(struct slugd *d, struct http_request *req,
		      const struct app *app, const json_t *ref)
{
	struct release *r = NULL, *today = NULL;
	int rc;

	rc = pushes_settle(d->pushes, app->id, json_str(ref, "name", ""),
			   json_str(ref, "new", ""), &r);
	if (!rc && r)
		rc = ledger_today(d->writer, app->id, &today);
	if (!rc && r) {
		char *url = NULL;
		struct idle idle;

		idle_release(&idle, d, app, r);
		if (idle.web)
			url = launch_web_url(d, app);
		req->reply = json_make(
			"{s:o, s:s, s:o, s:s, s:o}", "release",
			api_release_json(req, app, r, today), "platform",
			d->config->platform, "web_url", json_str_or_null(url),
			"app", app->name, "idle", json_str_or_null(idle.why));
		idle_clear(&idle);
		free(url);
	}
	release_free(today);
	release_free(r);
	return rc;
}

/*
 * POST /pushes/actions/settle {"repository", "refs"}, from the hooks that
 * run after a ref moved. The answer is empty where no push was known.
 */
int api_push_settle(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct app *app = NULL;
	json_t *ref;
	size_t i;
	int rc = find_app(d->writer, req, &app);

	json_array_foreach(json_object_get(req->body, "refs"), i, ref) {
		if (rc || req->reply)
			break;
		if (config_is_deploy_ref(d->config, json_str(ref, "name", "")))
			rc = settle_ref(d, req, app, ref);
	}
	app_free(app);
	return rc;
}
