/* SPDX-License-Identifier: ISC */
/*
 * How many processes of each type an app has:
 * https://devcenter.heroku.com/articles/platform-api-reference#formation
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "api.h"
#include "clock.h"
#include "err.h"
#include "launch.h"
#include "log.h"
#include "mem.h"
#include "text.h"

#define SPARE_S 10 /* more than slugrun may take for what it is at */

/* The formation, and the slug whose process types these are. */
struct view {
	struct app *app;
	struct slug *slug; /* NULL: nothing was deployed yet */
	struct formation *v;
	size_t n;
};

static void view_release(struct view *w)
{
	formation_free(w->v, w->n);
	slug_free(w->slug);
	app_free(w->app);
}

/* Read w of the app for the slug of that id, which may be NULL. */
static int view_read(struct slugd *d, struct view *w, int64_t app,
		     const char *slug)
{
	int rc;

	if (!slug)
		return 0;
	rc = ledger_slug(d->ledger, slug, &w->slug);
	if (!rc)
		rc = ledger_formation(d->ledger, app, w->slug->process_types,
				      &w->v, &w->n);
	return rc;
}

/* What the app's next release would have. */
static int view_today(struct slugd *d, struct view *w)
{
	struct release *today = NULL;
	int rc = ledger_today(d->ledger, w->app->id, &today);

	if (!rc)
		rc = view_read(d, w, w->app->id, today->slug);
	release_free(today);
	return rc;
}

static char *formation_id(const struct app *app, const char *type)
{
	char id[ID_SIZE], *name = xasprintf("%s %s", app->uuid, type);

	id_of_text(id, "formation", name);
	free(name);
	return xstrdup(id);
}

static json_t *formation_json(const struct view *w, const struct formation *f)
{
	int64_t deployed = w->slug->created_at, scaled = f->updated_at;
	char *id = formation_id(w->app, f->type), size[ID_SIZE];
	json_t *v;

	id_of_text(size, "dyno-size", API_DYNO_SIZE);
	v = json_make("{s:s, s:o, s:s, s:s, s:I, s:s, s:o, s:o, s:o}", "id", id,
		      "app", api_reference(w->app->uuid, w->app->name), "type",
		      f->type, "command",
		      json_str(w->slug->process_types, f->type, ""), "quantity",
		      (json_int_t)f->quantity, "size", API_DYNO_SIZE,
		      "dyno_size", api_reference(size, API_DYNO_SIZE),
		      "created_at", json_time(deployed), "updated_at",
		      json_time(scaled > deployed ? scaled : deployed));

	free(id);
	return v;
}

/* That of the type, by its name or the formation's id; or NULL. */
static const struct formation *find(const struct view *w, const char *name)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		char *id = formation_id(w->app, w->v[i].type);
		bool is = !strcmp(w->v[i].type, name) || !strcmp(id, name);

		free(id);
		if (is)
			return &w->v[i];
	}
	return NULL;
}

int api_formation_list(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct view w = { 0 };
	size_t i;
	int rc = api_app(d, req, &w.app);

	if (!rc)
		rc = view_today(d, &w);
	if (!rc)
		req->reply = json_array();
	for (i = 0; i < w.n && !rc; i++)
		json_array_append_new(req->reply, formation_json(&w, &w.v[i]));
	view_release(&w);
	return rc;
}

int api_formation_info(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct view w = { 0 };
	const struct formation *f = NULL;
	int rc = api_app(d, req, &w.app);

	if (!rc)
		rc = view_today(d, &w);
	if (!rc) {
		f = find(&w, req->param[1]);
		rc = f ? 0
		       : err_set(ERR_NOTFOUND,
				 "Couldn't find that process type.");
	}
	if (!rc)
		req->reply = formation_json(&w, f);
	view_release(&w);
	return rc;
}

/* What is to be changed; and it has been written down, what is to be done. */
struct scaling {
	struct slugd *slugd;
	struct http_request *req;
	struct view view;
	struct formation_change *v;
	size_t n;
	int64_t until; /* so long it is tried, by clock_mono_ms() */
	bool said;     /* in the log */
};

static void scaling_free(struct scaling *s)
{
	view_release(&s->view);
	free(s->v);
	free(s);
}

static int bad_quantity(const char *type, const char *quantity)
{
	char *shown_type = text_cell(type, 60);
	char *shown = text_cell(quantity, 30);

	err_set(ERR_INVALID,
		"Couldn't scale %s to '%s': a number from 0 to %d is wanted, "
		"or +N, or -N",
		shown_type, shown, FORMATION_MAX);
	free(shown_type);
	free(shown);
	return ERR_INVALID;
}

/* 3, "3", "+1" or "-1", as Heroku's client has it. */
static int take_quantity(struct formation_change *c, const json_t *v)
{
	const char *s = json_string_value(v), *digits;
	char *text;
	int rc = 0;

	if (json_is_integer(v)) {
		c->quantity = json_integer_value(v);
		return 0;
	}
	text = s ? xstrdup(s) : json_text(v);
	c->relative = *text == '+' || *text == '-';
	digits = text + c->relative;
	if (!s || text_parse_int(&c->quantity, digits, 0, INT32_MAX) ||
	    digits[strspn(digits, "0123456789")])
		rc = bad_quantity(c->type, text);
	if (*text == '-')
		c->quantity = -c->quantity;
	free(text);
	return rc;
}

/* NULL where none is wished for. */
static json_t *size_of(const json_t *wish)
{
	json_t *size = json_object_get(wish, "size");

	if (!size || json_is_null(size))
		size = json_object_get(wish, "dyno_size");
	return json_is_null(size) ? NULL : size;
}

int api_check_size(const json_t *wish)
{
	json_t *size = size_of(wish);
	const char *name;

	if (!size)
		return 0;
	name = json_is_string(size) ? json_string_value(size)
				    : json_str(size, "name", "");
	if (!strcasecmp(name, API_DYNO_SIZE))
		return 0;
	return err_set(ERR_INVALID, "There is one size of dynos here: %s",
		       API_DYNO_SIZE);
}

/*
 * {"type": "web", "quantity": "+1"}; type may stand in the path instead. A
 * size alone is a change by none.
 */
static int take_update(struct scaling *s, const json_t *update,
		       const char *type)
{
	const json_t *quantity = json_object_get(update, "quantity");
	const struct formation *f;
	int rc;

	type = type ? type : json_str(update, "type", NULL);
	if (!type)
		return err_set(ERR_INVALID, "type is missing");
	rc = api_check_size(update);
	if (rc)
		return rc;
	if (!quantity && !size_of(update))
		return err_set(ERR_INVALID, "quantity is missing");
	f = find(&s->view, type);
	s->v[s->n].type = f ? f->type : type;
	s->v[s->n].relative = !quantity;
	s->n++;
	return quantity ? take_quantity(&s->v[s->n - 1], quantity) : 0;
}

static int take_updates(struct scaling *s, const json_t *updates)
{
	size_t i;
	int rc = 0;

	if (!json_is_array(updates))
		return err_set(ERR_INVALID, "updates is missing");
	s->v = xcalloc(json_array_size(updates) + 1, sizeof(*s->v));
	for (i = 0; i < json_array_size(updates) && !rc; i++)
		rc = take_update(s, json_array_get(updates, i), NULL);
	return rc;
}

/* "web@3:1X worker@1:1X", of one or an array of them. Caller frees. */
static char *words_of(json_t *reply)
{
	json_t *list = json_is_array(reply) ? json_incref(reply)
					    : json_make("[O]", reply);
	char *words = xstrdup("");
	json_t *f;
	size_t i;

	json_array_foreach(list, i, f)
		str_replace(&words,
			    xasprintf("%s%s%s@%" PRId64 ":%s", words,
				      i ? " " : "", json_str(f, "type", ""),
				      json_int(f, "quantity", 0),
				      json_str(f, "size", "")));
	json_decref(list);
	return words;
}

static json_t *changed(const struct scaling *s, const struct view *now)
{
	json_t *list = json_array();
	const struct formation *f;
	size_t i;

	for (i = 0; i < s->n; i++) {
		f = find(now, s->v[i].type);
		if (f)
			json_array_append_new(list, formation_json(now, f));
	}
	return list;
}

static void say(struct scaling *s)
{
	const struct app *app = s->view.app;
	const char *user = s->req->peer->user;
	char *words = words_of(s->req->reply);

	log_line("app=%s user=%s scaled to %s", app->name, user, words);
	api_event(s->slugd, app, "Scaled to %s by user %s", words, user);
	s->said = true;
	free(words);
}

static void submit(struct scaling *s);

/*
 * A job of the app's launches. While slugrun is busy, it goes behind those
 * that wait already: what a trial was made for may be among them.
 */
static void scale_job(void *arg)
{
	const struct timespec pause = { 0, 50000000 };
	struct scaling *s = arg;
	int rc;

	if (!s->said)
		say(s);
	rc = launch_scale(s->slugd, s->view.app);
	if (rc == ERR_CONFLICT && clock_mono_ms() < s->until &&
	    !s->slugd->stopping) {
		nanosleep(&pause, NULL);
		submit(s);
		return;
	}
	err_prefix(rc, "It is written down, but not done");
	/* A release is up when all of its processes are. */
	if (rc == ERR_INVALID)
		err_set(rc,
			"%s\nUntil it starts or is scaled back, the next "
			"release fails for it, too.",
			err_msg());
	http_finish(s->req, rc);
	scaling_free(s);
}

static void submit(struct scaling *s)
{
	char *key = xasprintf("launch %s", s->view.app->name);

	jobs_submit(s->slugd->jobs, key, scale_job, s);
	free(key);
}

static int scaling_begin(struct slugd *d, struct http_request *req,
			 struct scaling **out)
{
	struct scaling *s = *out = xcalloc(1, sizeof(*s));
	int rc;

	s->slugd = d;
	s->req = req;
	s->until = clock_mono_ms() + (d->config->timeout + SPARE_S) * 1000;
	rc = api_app(d, req, &s->view.app);
	return rc ? rc : view_today(d, &s->view);
}

/* Write it down, and read what it is now, into the reply. */
static int set(struct scaling *s)
{
	struct view now = { .app = s->view.app };
	int rc = ledger_formation_set(s->slugd->writer, now.app->id, s->v, s->n,
				      s->req->peer->user);

	if (!rc)
		rc = view_today(s->slugd, &now);
	if (!rc)
		s->req->reply = changed(s, &now);
	now.app = NULL;
	view_release(&now);
	return rc;
}

/* Have it done, if all is right so far; takes s. */
static int scaling_end(struct scaling *s, int rc)
{
	if (!rc && s->n) {
		submit(s);
		return HTTP_LATER;
	}
	scaling_free(s);
	return rc;
}

int api_formation_batch(void *ctx, struct http_request *req)
{
	struct scaling *s;
	int rc = scaling_begin(ctx, req, &s);

	if (!rc)
		rc = take_updates(s, json_object_get(req->body, "updates"));
	if (!rc)
		rc = set(s);
	return scaling_end(s, rc);
}

int api_formation_update(void *ctx, struct http_request *req)
{
	struct scaling *s;
	json_t *all;
	int rc = scaling_begin(ctx, req, &s);

	s->v = xcalloc(1, sizeof(*s->v));
	if (!rc)
		rc = take_update(s, req->body, req->param[1]);
	if (!rc)
		rc = set(s);
	if (!rc) {
		all = req->reply;
		req->reply = json_incref(json_array_get(all, 0));
		json_decref(all);
	}
	return scaling_end(s, rc);
}
