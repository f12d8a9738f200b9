/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "diff.h"
#include "err.h"
#include "mem.h"
#include "release-name.h"
#include "show.h"
#include "text.h"
#include "vars.h"

#define ABBREVIATED 7

static void show_commits(const json_t *list)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);
		char *subject = text_escape(json_str(c, "subject", ""));

		printf("%s %s\n", json_str(c, "short", ""), subject);
		free(subject);
	}
}

/* "+1.2K", "-512B": how much larger something became. Caller frees. */
static char *growth(int64_t bytes)
{
	uint64_t size = bytes < 0 ? (uint64_t)-bytes : (uint64_t)bytes;
	char *text = text_size(size);

	str_replace(&text, xasprintf("%c%s", bytes < 0 ? '-' : '+', text));
	return text;
}

static void show_folders(json_t *folders)
{
	static const char *const header[] = { "Folder", "Files", "Bytes" };
	const char **keys = vars_keys(folders), **p;
	json_t *rows = json_array();
	int64_t files = 0, bytes = 0;
	char *count, *size;

	for (p = keys; *p; p++) {
		const json_t *f = json_object_get(folders, *p);

		files += json_int(f, "files", 0);
		bytes += json_int(f, "bytes", 0);
		count = xasprintf("%" PRId64, json_int(f, "files", 0));
		size = growth(json_int(f, "bytes", 0));
		json_array_append_new(rows,
				      json_make("[s, s, s]", *p, count, size));
		free(count);
		free(size);
	}
	size = growth(bytes);
	printf("=== Files: %" PRId64 " changed%s%s\n", files, files ? ", " : "",
	       files ? size : "");
	if (files)
		show_table(header, 3, rows);
	json_decref(rows);
	free(keys);
	free(size);
}

/* Of a release that has a commit which the clone has not. */
static void show_missing(const struct heroku *h, const json_t *missing)
{
	char *remote = text_escape(h->git_remote ? h->git_remote : "REMOTE");
	size_t i;

	for (i = 0; i < json_array_size(missing); i++)
		printf("Commit %.*s is not in this repository.\n", ABBREVIATED,
		       json_string_value(json_array_get(missing, i)));
	printf("To have it: git fetch %s 'refs/releases/*:refs/releases/*'\n",
	       remote);
	free(remote);
}

static void show_code(const struct heroku *h, const json_t *diff)
{
	const json_t *code = json_object_get(diff, "code");
	const json_t *missing = json_object_get(code, "missing");
	const json_t *gone = json_object_get(code, "gone");
	const char *old = json_str(code, "from", NULL);
	const char *fresh = json_str(code, "to", NULL);

	printf("=== Commits: %.*s..%.*s\n", ABBREVIATED, old ? old : "none",
	       ABBREVIATED, fresh ? fresh : "none");
	if (json_array_size(missing))
		show_missing(h, missing);
	if (!json_is_object(json_object_get(code, "folders")))
		return;
	show_commits(json_object_get(code, "commits"));
	if (json_array_size(gone))
		printf("=== Commits that %s has not any more\n",
		       json_str(diff, "to", ""));
	show_commits(gone);
	show_folders(json_object_get(code, "folders"));
}

/* "  + KEY", and " => value" where there is one, for each of them. */
static void show_keys(const json_t *diff, const char *which, char mark)
{
	json_t *vars = json_object_get(json_object_get(diff, "config"), which);
	const char **keys = vars_keys(vars), **p;

	for (p = keys; *p; p++) {
		const char *value = json_str(vars, *p, NULL);
		char *key = text_escape(*p);
		char *safe = value ? text_escape(value) : NULL;

		printf("  %c %s%s%s\n", mark, key, safe ? " => " : "",
		       safe ? safe : "");
		free(key);
		free(safe);
	}
	free(keys);
}

static void show_plans(const json_t *diff, const char *which, char mark)
{
	const json_t *plans =
		json_object_get(json_object_get(diff, "addons"), which);
	size_t i;

	for (i = 0; i < json_array_size(plans); i++) {
		const char *plan = json_string_value(json_array_get(plans, i));
		char *safe = text_escape(plan ? plan : "");

		printf("  %c %s\n", mark, safe);
		free(safe);
	}
}

/* "=== Config: no change" or without the words, as there are some. */
static void heading(const json_t *diff, const char *member, const char *name)
{
	json_t *parts = json_object_get(diff, member), *part;
	const char *key;
	bool any = false;

	json_object_foreach(parts, key, part)
		any = any || json_object_size(part) || json_array_size(part);
	printf("=== %s%s\n", name, any ? "" : ": no change");
}

static void show_diff(const struct heroku *h, const json_t *diff)
{
	show_code(h, diff);
	heading(diff, "config", "Config");
	show_keys(diff, "added", '+');
	show_keys(diff, "removed", '-');
	show_keys(diff, "changed", '*');
	heading(diff, "addons", "Add-ons");
	show_plans(diff, "added", '+');
	show_plans(diff, "removed", '-');
}

static int diff_names(struct heroku *h, const char *from, const char *to)
{
	json_t *old = NULL, *fresh = NULL, *diff = NULL;
	int rc;

	rc = release_with_config(h, from, &old);
	if (!rc)
		rc = release_with_config(h, to, &fresh);
	if (!rc)
		rc = diff_releases(&diff, old, fresh, h->values);
	if (!rc && h->json)
		show_json(diff);
	else if (!rc)
		show_diff(h, diff);
	json_decref(old);
	json_decref(fresh);
	json_decref(diff);
	return rc;
}

static int run(struct heroku *h)
{
	char *from = NULL, *to = NULL;
	int rc;

	rc = release_name(&from, h->args[0]);
	if (!rc)
		rc = release_name(&to, h->nr_args > 1 ? h->args[1] : "current");
	if (!rc)
		rc = heroku_connect(h);
	if (!rc)
		rc = diff_names(h, from, to);
	free(from);
	free(to);
	return rc;
}

const struct command cmd_releases_diff = {
	.name = "releases:diff",
	.args = "vA [vB]",
	.help = "show what differs between two releases",
	.example = "releases:diff v40 v42 --values",
	.words = "releases",
	.options = "arvj",
	.min_args = 1,
	.max_args = 2,
	.missing = "Specify a release",
	.run = run,
};
