/* SPDX-License-Identifier: ISC */
/* Releases, and going back. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "err.h"
#include "launch.h"
#include "mem.h"
#include "text.h"

#define DEFAULT_MAX 200
#define LIMIT_MAX   1000

json_t *api_release_json(struct http_request *req, const struct app *app,
			 const struct release *r, const struct release *today)
{
	json_t *slug =
		r->slug ? json_make("{s:s}", "id", r->slug) : json_null();
	json_t *build = r->build ? json_make("{s:s, s:o}", "id", r->build,
					     "output_stream_url",
					     api_stream_url(req, r->build))
				 : json_null();

	return json_make(
		"{s:s, s:I, s:o, s:s, s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o,"
		" s:[], s:o, s:o, s:o, s:o}",
		"id", r->uuid, "version", (json_int_t)r->version, "description",
		json_str_or_null(r->description), "status",
		release_status_name(r->status), "current", r->current, "pinned",
		r->pinned, "eligible_for_rollback",
		!ledger_rollback_check(r, today), "slug", slug, "build", build,
		"user", api_user(r->user), "app",
		api_reference(app->uuid, app->name), "addon_plan_names",
		release_addon_plans(r), "artifacts", "output_stream_url",
		api_stream_url(req, r->output), "commit",
		json_str_or_null(r->commit), "created_at",
		json_time(r->created_at), "updated_at",
		json_time(r->updated_at));
}

static int bad_range(const char *range)
{
	char *shown = text_cell(range, 60);

	err_set(ERR_RANGE, "Range '%s' is not 'version A..B; max=N, order=O'",
		shown);
	free(shown);
	return ERR_RANGE;
}

/* "v12" or "12" at *p, moved past it; 0 where there is no number. */
static int64_t range_end(const char **p)
{
	char *end;
	int64_t n;

	*p += strspn(*p, " ");
	if (**p == 'v')
		(*p)++;
	n = isdigit((unsigned char)**p) ? strtoll(*p, &end, 10) : 0;
	if (n)
		*p = end;
	/* So that there is always one behind it. */
	return n < INT64_MAX ? n : INT64_MAX - 1;
}

/* "max=15, order=desc", in any order. */
static int parse_params(struct release_range *r, const char *range,
			const char *p)
{
	char *copy = xstrdup(p), *save = NULL, *word;
	int rc = 0;

	for (word = strtok_r(copy, " ,;", &save); word && !rc;
	     word = strtok_r(NULL, " ,;", &save)) {
		if (!strcmp(word, "order=desc"))
			r->descending = true;
		else if (!strncmp(word, "max=", 4))
			rc = text_parse_int(&r->max, word + 4, 1, LIMIT_MAX)
				     ? err_set(ERR_RANGE,
					       "Range: max must be from 1 to "
					       "%d",
					       LIMIT_MAX)
				     : 0;
		else if (strcmp(word, "order=asc") != 0)
			rc = bad_range(range);
	}
	free(copy);
	return rc;
}

/* The start, and with ] what comes behind it, as the lower or upper end. */
static void set_start(struct release_range *r, int64_t start, bool after)
{
	if (!r->descending) {
		r->first = start + after;
	} else if (start) {
		r->first = r->last;
		r->last = start - after;
		/* 0 would be no end; there is nothing below v1. */
		if (!r->last)
			r->first = r->last = INT64_MAX;
	}
}

/*
 * "version 3..7; max=15, order=desc" or "version ]3..", where ] leaves the
 * start itself out, as the Platform API has it.
 */
static int parse_range(struct release_range *r, const char *range)
{
	const char *p = range;
	int64_t start;
	bool after;
	int rc;

	*r = (struct release_range){ .max = DEFAULT_MAX };
	if (!range)
		return 0;
	if (!strncmp(p, "version ", 8))
		p += 8;
	else if (!strncmp(p, "id ", 3))
		p += 3;
	else
		return bad_range(range);
	p += strspn(p, " ");
	after = *p == ']';
	p += after;
	start = range_end(&p);
	if (strncmp(p, "..", 2))
		return bad_range(range);
	p += 2;
	r->last = range_end(&p);
	p += strspn(p, " ");
	if (*p && *p != ';')
		return bad_range(range);
	rc = parse_params(r, range, p);
	if (!rc)
		set_start(r, start, after);
	return rc;
}

/* Say what came, and where the rest begins. */
static void range_headers(struct http_request *req,
			  const struct release_range *range, struct release **v,
			  size_t n, bool more)
{
	const char *order = range->descending ? "desc" : "asc";
	char *s;

	http_add_header(req, "Accept-Ranges", "version");
	if (!n)
		return;
	s = xasprintf("version %" PRId64 "..%" PRId64, v[0]->version,
		      v[n - 1]->version);
	http_add_header(req, "Content-Range", s);
	free(s);
	if (!more)
		return;
	s = xasprintf("version ]%" PRId64 "..; max=%" PRId64 ", order=%s",
		      v[n - 1]->version, range->max, order);
	http_add_header(req, "Next-Range", s);
	free(s);
	req->status = 206;
}

int api_release_list(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct release_range range, ask;
	struct release **v = NULL, *today = NULL;
	struct app *app = NULL;
	size_t n = 0, i, shown;
	int rc = api_app(d, req, &app);

	if (!rc)
		rc = parse_range(&range, http_get_header(req, "Range"));
	if (!rc)
		rc = ledger_today(d->ledger, app->id, &today);
	if (rc)
		goto done;
	ask = range;
	ask.max++; /* to know whether there are more */
	rc = ledger_releases(d->ledger, app->id, &ask, &v, &n);
	if (rc)
		goto done;
	shown = n > (size_t)range.max ? (size_t)range.max : n;
	req->reply = json_array();
	for (i = 0; i < shown; i++)
		json_array_append_new(req->reply,
				      api_release_json(req, app, v[i], today));
	range_headers(req, &range, v, shown, n > shown);
done:
	releases_free(v, n);
	release_free(today);
	app_free(app);
	return rc;
}

static int find(struct slugd *d, struct http_request *req, struct app **app,
		struct release **r)
{
	int rc = api_app(d, req, app);

	return rc ? rc
		  : ledger_release(d->ledger, (*app)->id, req->param[1], r);
}

/* What is asked for is r. */
static int answer(struct ledger *l, struct http_request *req,
		  const struct app *app, const struct release *r)
{
	struct release *today = NULL;
	int rc = ledger_today(l, app->id, &today);

	if (!rc)
		req->reply = api_release_json(req, app, r, today);
	release_free(today);
	return rc;
}

int api_release_info(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct release *r = NULL;
	struct app *app = NULL;
	int rc = find(d, req, &app, &r);

	if (!rc)
		rc = answer(d->ledger, req, app, r);
	release_free(r);
	app_free(app);
	return rc;
}

int api_release_config(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct release *r = NULL;
	struct app *app = NULL;
	int rc = find(d, req, &app, &r);

	if (!rc)
		req->reply = release_environment(r);
	release_free(r);
	app_free(app);
	return rc;
}

/* "only": "config" or "code" of the request. */
static int rollback_part(const struct http_request *req,
			 enum rollback_part *out)
{
	const char *only = json_str(req->body, "only", NULL);

	*out = ROLLBACK_ALL;
	if (only && !strcmp(only, "config"))
		*out = ROLLBACK_CONFIG;
	else if (only && !strcmp(only, "code"))
		*out = ROLLBACK_CODE;
	else if (only)
		return err_set(ERR_INVALID, "only: it is config or code");
	return 0;
}

/* The release that a rollback leaves, and that undoes it, into a header. */
static void name_before(struct http_request *req, const struct release *before)
{
	char name[24];

	if (!before || !before->slug)
		return;
	snprintf(name, sizeof(name), "v%" PRId64, before->version);
	http_add_header(req, "Slugd-Before", name);
}

static int roll_back(struct slugd *d, struct http_request *req,
		     const struct app *app, struct release **out)
{
	const char *target = json_str(req->body, "release", "");
	struct release *before = NULL;
	enum rollback_part part;
	char name[24];
	int rc = rollback_part(req, &part);

	if (!strcmp(target, "previous"))
		target = NULL;
	/* A failed look is a missing header, and no failed rollback. */
	if (!rc && ledger_release_current(d->writer, app->id, &before))
		before = NULL;
	if (!rc)
		rc = ledger_rollback(d->writer, app->id, target, part,
				     req->peer->user, out);
	if (!rc) {
		snprintf(name, sizeof(name), "v%" PRId64, (*out)->target);
		http_add_header(req, "Slugd-Target", name);
		name_before(req, before);
	}
	release_free(before);
	return rc;
}

/* One of the three that api_release_create() knows. */
static int make(struct slugd *d, struct http_request *req,
		const struct app *app, struct release **out)
{
	const json_t *retry = json_object_get(req->body, "retry");
	const char *slug = json_str(req->body, "slug", NULL);

	if (json_is_string(json_object_get(req->body, "release")))
		return roll_back(d, req, app, out);
	if (retry && (json_is_string(retry) || json_is_null(retry)))
		return ledger_retry(d->writer, app->id,
				    json_string_value(retry), req->peer->user,
				    out);
	if (slug)
		return ledger_release_slug(
			d->writer, app->id, slug,
			json_str(req->body, "description", NULL),
			req->peer->user, out);
	return err_set(ERR_INVALID, "say which release to roll back to: "
				    "{\"release\": \"v12\"}");
}

/*
 * POST {"release": "v12" or its id}: go back to it; beyond Heroku's,
 * "previous" is what ledger_default_target() says, and "only"
 * takes a part. Or {"slug": id, "description"}: release it again; or, beyond
 * Heroku's, {"retry": "v12" or null}: what failed, or the newest that did.
 */
int api_release_create(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct release *r = NULL;
	struct app *app = NULL;
	int rc = api_app(d, req, &app);

	if (!rc)
		rc = make(d, req, app, &r);
	if (rc)
		goto done;
	api_released(d, req, app, r);
	req->status = 201;
	rc = answer(d->writer, req, app, r);
	if (rc)
		rc = api_unread(rc, r);
done:
	release_free(r);
	app_free(app);
	return rc;
}

/* Beyond Heroku's: keep the release's slug, however old it gets. */
static int set_pin(struct slugd *d, struct http_request *req, bool pin)
{
	struct release *r = NULL;
	struct app *app = NULL;
	int rc = api_app(d, req, &app);

	if (!rc)
		rc = ledger_pin(d->writer, app->id, req->param[1], pin,
				req->peer->user, &r);
	if (!rc)
		rc = answer(d->writer, req, app, r);
	release_free(r);
	app_free(app);
	return rc;
}

int api_release_pin(void *ctx, struct http_request *req)
{
	return set_pin(ctx, req, true);
}

int api_release_unpin(void *ctx, struct http_request *req)
{
	return set_pin(ctx, req, false);
}
