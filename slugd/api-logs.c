/* SPDX-License-Identifier: ISC */
/*
 * What apps print, and what became of them:
 * https://devcenter.heroku.com/articles/platform-api-reference#log-session
 */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "clock.h"
#include "err.h"
#include "logs.h"
#include "mem.h"

#define DEFAULT_LINES 100
#define MAX_LINES     1000000

#define LOWER      "abcdefghijklmnopqrstuvwxyz"
#define UPPER      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DYNO_CHARS LOWER UPPER "0123456789._-"

static int take_lines(const json_t *body, int64_t *out)
{
	const json_t *lines = json_object_get(body, "lines");

	*out = DEFAULT_LINES;
	if (!lines || json_is_null(lines))
		return 0;
	*out = json_is_integer(lines) ? json_integer_value(lines) : -1;
	return *out >= 0 && *out <= MAX_LINES
		       ? 0
		       : err_set(ERR_INVALID,
				 "lines: a number from 0 to %d is wanted",
				 MAX_LINES);
}

/* A string of one of these names, in the words of Heroku's clients. */
static int take_word(const json_t *body, const char *const *names,
		     const char **out)
{
	const json_t *v = NULL;

	for (; *names && (!v || json_is_null(v)); names++)
		v = json_object_get(body, *names);
	if (!v || json_is_null(v))
		return 0;
	*out = json_string_value(v);
	return *out && **out && !(*out)[strspn(*out, DYNO_CHARS)]
		       ? 0
		       : err_set(ERR_INVALID, "%s: a name like web.1 is wanted",
				 names[-1]);
}

static int take_wish(const json_t *body, struct log_wish *wish, bool *tail)
{
	static const char *const dyno[] = { "dyno", "dyno_name", "type", NULL };
	static const char *const source[] = { "source", NULL };
	const json_t *v = json_object_get(body, "tail");
	int rc = take_lines(body, &wish->lines);

	if (!rc)
		rc = take_word(body, dyno, &wish->dyno);
	if (!rc)
		rc = take_word(body, source, &wish->source);
	if (!rc && wish->source && strcmp(wish->source, "app") != 0 &&
	    strcmp(wish->source, "heroku") != 0)
		rc = err_set(ERR_INVALID, "source: it is app or heroku");
	*tail = json_is_true(v);
	if (!rc && v && !json_is_boolean(v) && !json_is_null(v))
		rc = err_set(ERR_INVALID, "tail: it is true or false");
	return rc;
}

int api_log_session_create(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct log_wish wish = { 0 };
	struct app *app = NULL;
	char id[ID_SIZE], *dir = NULL;
	bool tail = false;
	int rc = api_app(d, req, &app);

	if (!rc)
		rc = take_wish(req->body, &wish, &tail);
	if (rc)
		goto done;
	dir = xasprintf("%s/apps/%s", d->dir, app->name);
	logs_session(d->logs, dir, &wish, tail, id);
	req->status = 201;
	req->reply = json_make("{s:s, s:o, s:o, s:o}", "id", id, "logplex_url",
			       api_url(req, "logs", id), "created_at",
			       json_time(clock_now()), "updated_at",
			       json_time(clock_now()));
done:
	free(dir);
	app_free(app);
	return rc;
}

int api_log_stream(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;

	return logs_serve(d->logs, req->param[0], req);
}
