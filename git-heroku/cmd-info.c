/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "err.h"
#include "mem.h"
#include "show.h"
#include "text.h"

/* How a field of the API's app object reads; NULL: it has none. */
typedef char *shown(const json_t *app, const char *key);

static char *plain(const json_t *app, const char *key)
{
	return xstrdup(json_str(app, key, NULL));
}

static char *name_of(const json_t *app, const char *key)
{
	return xstrdup(json_str(json_object_get(app, key), "name", NULL));
}

static char *email_of(const json_t *app, const char *key)
{
	return xstrdup(json_str(json_object_get(app, key), "email", NULL));
}

static char *size(const json_t *app, const char *key)
{
	int64_t bytes = json_int(app, key, -1);

	return bytes < 0 ? NULL : text_size((uint64_t)bytes);
}

static char *moment(const json_t *app, const char *key)
{
	return json_str(app, key, NULL) ? show_time(app, key) : NULL;
}

static char *on_or_off(const json_t *app, const char *key)
{
	return xstrdup(json_bool(app, key, 0) ? "on" : "off");
}

/* "web: 3, worker: 1", of a formation put into the app. */
static char *dynos(const json_t *app, const char *key)
{
	json_t *f;
	char *text = NULL;
	size_t i;

	json_array_foreach(json_object_get(app, key), i, f) {
		int64_t n = json_int(f, "quantity", 0);

		if (n)
			str_replace(&text,
				    xasprintf("%s%s%s: %" PRId64,
					      text ? text : "",
					      text ? ", " : "",
					      json_str(f, "type", ""), n));
	}
	return text;
}

static const struct {
	const char *label, *key;
	shown *show;
} lines[] = {
	{ "Created:", "created_at", moment },
	{ "Dynos:", "formation", dynos },
	{ "Git URL:", "git_url", plain },
	{ "Maintenance:", "maintenance", on_or_off },
	{ "Owner:", "owner", email_of },
	{ "Region:", "region", name_of },
	{ "Released:", "released_at", moment },
	{ "Repo Size:", "repo_size", size },
	{ "Slug Size:", "slug_size", size },
	{ "Stack:", "stack", name_of },
	{ "Web URL:", "web_url", plain },
};

static void show_app(const json_t *app)
{
	char *name = text_escape(json_str(app, "name", ""));
	size_t i;

	printf("=== %s\n", name);
	free(name);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *text = lines[i].show(app, lines[i].key);
		char *safe = text ? text_escape(text) : NULL;

		if (safe)
			printf("%-13s%s\n", lines[i].label, safe);
		free(text);
		free(safe);
	}
}

/* The app as text, with its formation. */
static int show(struct heroku *h, json_t *app)
{
	json_t *formation = NULL;
	int rc = heroku_get(h, &formation, "/formation");

	if (rc)
		return rc;
	json_object_set_new(app, "formation", formation);
	show_app(app);
	return 0;
}

static int run(struct heroku *h)
{
	json_t *app = NULL;
	int rc;

	rc = heroku_connect(h);
	if (!rc)
		rc = heroku_get(h, &app, "%s", "");
	if (rc)
		return rc;
	if (h->json)
		show_json(app);
	else
		rc = show(h, app);
	json_decref(app);
	return rc;
}

const struct command cmd_info = {
	.name = "info",
	.args = "",
	.help = "show the app and its address",
	.options = "arj",
	.run = run,
};
