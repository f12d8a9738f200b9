/* SPDX-License-Identifier: ISC */
/* What a push leaves behind: builds and slugs. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "checksum.h"
#include "err.h"
#include "head.h"
#include "mem.h"
#include "names.h"
#include "pushes.h"
#include "repo.h"

static json_t *build_json(struct http_request *req, struct slugd *d,
			  const struct app *app, const struct build *b)
{
	struct release *r = NULL;
	json_t *release = json_null();
	char version[24];

	snprintf(version, sizeof(version), "%lld", (long long)b->release);
	if (b->release && !ledger_release(d->ledger, app->id, version, &r))
		release = json_make("{s:s}", "id", r->uuid);
	release_free(r);
	return json_make(
		"{s:s, s:o, s:[], s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o,"
		" s:o}",
		"id", b->uuid, "app", api_reference(app->uuid, app->name),
		"buildpacks", "stack", API_STACK, "generation", API_GENERATION,
		"status", b->status, "output_stream_url",
		api_stream_url(req, b->uuid), "release", release, "slug",
		b->slug ? json_make("{s:s}", "id", b->slug) : json_null(),
		"source_blob",
		json_make("{s:s, s:n, s:n, s:s}", "url", app->repo, "checksum",
			  "version_description", "version", b->commit),
		"user", api_user(b->user), "created_at",
		json_time(b->created_at), "updated_at",
		json_time(b->updated_at));
}

int api_build_list(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct build **v = NULL;
	struct app *app = NULL;
	size_t n = 0, i;
	int rc = api_app(d, req, &app);

	if (!rc)
		rc = ledger_builds(d->ledger, app->id, &v, &n);
	if (!rc)
		req->reply = json_array();
	for (i = 0; i < n; i++) {
		if (!rc)
			json_array_append_new(req->reply,
					      build_json(req, d, app, v[i]));
		build_free(v[i]);
	}
	free(v);
	app_free(app);
	return rc;
}

/* A build that has not ended yet is known to its push alone. */
static int running_build(struct http_request *req, struct slugd *d,
			 const struct app *app, const char *id, json_t **out)
{
	struct push_status status;
	int rc = pushes_status(d->pushes, id, &status);

	if (!rc && strcmp(status.state, "pending"))
		rc = ERR_NOTFOUND; /* it has just ended */
	if (rc)
		return err_set(ERR_NOTFOUND, "Couldn't find that build: %s",
			       id);
	*out = json_make("{s:s, s:o, s:s, s:o}", "id", status.build, "app",
			 api_reference(app->uuid, app->name), "status",
			 status.state, "output_stream_url",
			 api_stream_url(req, status.build));
	return 0;
}

int api_build_info(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct build *b = NULL;
	struct app *app = NULL;
	int rc = api_app(d, req, &app);

	if (!rc && running_build(req, d, app, req->param[1], &req->reply)) {
		rc = ledger_build(d->ledger, req->param[1], &b);
		if (!rc && b->app != app->id)
			rc = err_set(ERR_NOTFOUND,
				     "Couldn't find that build: %s", b->uuid);
		if (!rc)
			req->reply = build_json(req, d, app, b);
	}
	build_free(b);
	app_free(app);
	return rc;
}

/* Is there a tag and a branch of that name? git takes the tag. */
static int find_both(const char *repo, const char *rev, bool *both)
{
	static const char *const in[] = { "refs/tags/", "refs/heads/" };
	bool absent = false;
	size_t i;
	int rc = 0;

	for (i = 0; !rc && !absent && i < 2; i++) {
		char *ref = xasprintf("%s%s", in[i], rev);

		if (name_check_ref(ref))
			absent = true;
		else
			rc = repo_ref_is_at(repo, ref, NAME_ZERO_OID, &absent);
		free(ref);
	}
	*both = !absent;
	return rc;
}

/*
 * POST {"source_blob": {"version": REV}}: release a commit that the app's
 * repository has; without a version the one of its deploy branch.
 * "tag" of the answer: a branch has that name, too, and the tag was taken.
 */
int api_build_create(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	const char *rev = json_str(json_object_get(req->body, "source_blob"),
				   "version", NULL);
	struct push_status status;
	struct app *app = NULL;
	char *commit = NULL;
	bool both = false;
	int rc = api_app(d, req, &app);

	if (!rc)
		rc = rev ? repo_commit(app->repo, rev, &commit)
			 : head_tip(app->repo, d->config->deploy_branches,
				    &commit);
	if (!rc && rev)
		rc = find_both(app->repo, rev, &both);
	if (!rc)
		rc = pushes_deploy(d->pushes, app, commit, req->peer->user,
				   &status);
	if (!rc) {
		req->status = 201;
		req->reply = json_make(
			"{s:s, s:o, s:s, s:o, s:b}", "id", status.build, "app",
			api_reference(app->uuid, app->name), "status",
			"pending", "output_stream_url",
			api_stream_url(req, status.build), "tag", both);
	}
	free(commit);
	app_free(app);
	return rc;
}

int api_slug_info(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct slug *s = NULL;
	struct app *app = NULL;
	int rc = api_app(d, req, &app);

	if (!rc)
		rc = ledger_slug(d->ledger, req->param[1], &s);
	if (!rc && s->app != app->id)
		rc = err_set(ERR_NOTFOUND, "Couldn't find that slug: %s",
			     s->uuid);
	if (rc)
		goto done;
	checksum_need(d, s);
	req->reply = json_make(
		"{s:s, s:o, s:n, s:o, s:s, s:s, s:O, s:I, s:o, s:o, s:o}", "id",
		s->uuid, "blob",
		json_make("{s:s, s:n}", "method", "GET", "url"),
		"buildpack_provided_description", "checksum",
		json_str_or_null(s->checksum), "commit", s->commit,
		"commit_description", s->commit_description, "process_types",
		s->process_types, "size", (json_int_t)s->size, "stack",
		api_stack(), "created_at", json_time(s->created_at),
		"updated_at", json_time(s->created_at));
done:
	slug_free(s);
	app_free(app);
	return rc;
}
