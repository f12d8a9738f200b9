/* SPDX-License-Identifier: ISC */
#include "clone.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "proc.h"
#include "text.h"

int clone_commit(char **out, const char *rev)
{
	char *commit = xasprintf("%s^{commit}", rev);
	const char *argv[] = { "git",     "rev-parse",        "--verify",
			       "--quiet", "--end-of-options", commit,
			       NULL };
	struct proc_spec spec = { .argv = argv };
	int rc;

	*out = NULL;
	rc = proc_capture(out, NULL, &spec);
	if (!rc)
		(*out)[strcspn(*out, "\n")] = '\0';
	free(commit);
	return rc == ERR_FAILED ? 0 : rc;
}

bool clone_has_both(const char *name)
{
	char *tag = xasprintf("refs/tags/%s", name);
	char *branch = xasprintf("refs/heads/%s", name);
	bool both = clone_has(tag) && clone_has(branch);

	free(tag);
	free(branch);
	return both;
}

bool clone_has(const char *commit)
{
	char *found = NULL;
	bool has = !clone_commit(&found, commit) && found;

	free(found);
	return has;
}

/* A string of what may not be UTF-8: escaped then. */
static json_t *outside(const char *s)
{
	json_t *v = json_string(s);
	char *safe;

	if (v)
		return v;
	safe = text_escape(s);
	v = json_string(safe);
	free(safe);
	return v;
}

int clone_log(json_t **out, const char *from, const char *to)
{
	char *range = xasprintf("%s..%s", from, to), *text = NULL, *p, *next;
	const char *argv[] = { "git",
			       "log",
			       "-z",
			       "--no-color",
			       "--no-show-signature",
			       "--encoding=UTF-8",
			       "--format=%H%x09%h%x09%s",
			       range,
			       "--",
			       NULL };
	struct proc_spec spec = { .argv = argv };
	json_t *list = json_array();
	size_t len = 0;
	int rc;

	rc = proc_capture(&text, &len, &spec);
	for (p = text; !rc && p < text + len; p = next) {
		char *commit, *abbreviated;

		next = p + strlen(p) + 1;
		commit = strsep(&p, "\t");
		abbreviated = strsep(&p, "\t");
		if (p)
			json_array_append_new(
				list, json_make("{s:s, s:s, s:o}", "commit",
						commit, "short", abbreviated,
						"subject", outside(p)));
	}
	free(text);
	free(range);
	if (rc)
		json_decref(list);
	else
		*out = list;
	return rc;
}

/* Two blobs, of which either may be none, and where they lie. */
struct change {
	const char *old, *fresh, *path; /* ids of 40 digits */
};

struct changes {
	char *text; /* what git said; the items point into it */
	struct change *list;
	size_t nr;
};

#define ID_SIZE 40

/*
 * git-diff-tree(1), --raw -z: ":100644 100644 OLD NEW M NUL path NUL".
 */
static void split(struct changes *c, size_t len)
{
	char *p = c->text, *end = c->text + len, *path;

	while (p < end && *p == ':' && strlen(p) >= 15 + 2 * ID_SIZE + 3) {
		path = p + strlen(p) + 1;
		if (path >= end)
			break;
		c->list = xrealloc(c->list, c->nr + 1, sizeof(*c->list));
		c->list[c->nr].old = p + 15;
		c->list[c->nr].fresh = p + 15 + ID_SIZE + 1;
		c->list[c->nr++].path = path;
		p[15 + ID_SIZE] = p[15 + 2 * ID_SIZE + 1] = '\0';
		p = path + strlen(path) + 1;
	}
}

static int read_changes(struct changes *c, const char *from, const char *to)
{
	const char *argv[] = { "git",         "diff-tree",
			       "-r",          "-z",
			       "--raw",       "--no-renames",
			       "--no-abbrev", "--end-of-options",
			       from,          to,
			       NULL };
	struct proc_spec spec = { .argv = argv };
	size_t len = 0;
	int rc;

	rc = proc_capture(&c->text, &len, &spec);
	if (!rc)
		split(c, len);
	return rc;
}

/*
 * The sizes of all their blobs, old and new in turn, one a line, by one
 * process; "ID missing" is one of no size (none at all, or a submodule's).
 */
static int read_sizes(char **out, const struct changes *c)
{
	static const char *const argv[] = { "git", "cat-file",
					    "--batch-check=%(objectsize)",
					    NULL };
	struct proc_spec spec = { .argv = argv };
	FILE *ids = tmpfile();
	size_t i;
	int rc;

	if (!ids)
		return err_sys("cannot make a temporary file");
	for (i = 0; i < c->nr; i++)
		fprintf(ids, "%s\n%s\n", c->list[i].old, c->list[i].fresh);
	rc = fflush(ids) ? err_sys("cannot write a temporary file") : 0;
	rewind(ids);
	spec.in = fileno(ids);
	if (!rc)
		rc = proc_capture(out, NULL, &spec);
	fclose(ids);
	return rc;
}

/* The number on the line at *p, 0 where there is none; *p to the next. */
static int64_t next_size(char **p)
{
	char *line = strsep(p, "\n"), *end = line;
	int64_t n = line ? strtoll(line, &end, 10) : 0;

	return line && !*end ? n : 0;
}

static void add(json_t *folders, const char *path, int64_t bytes)
{
	const char *slash = strchr(path, '/');
	char *name = slash ? xstrndup(path, (size_t)(slash - path) + 1)
			   : xstrdup("./");
	json_t *text = outside(name), *v;
	const char *key = json_string_value(text);

	v = json_object_get(folders, key);
	if (!v) {
		v = json_make("{s:i, s:i}", "files", 0, "bytes", 0);
		json_object_set_new(folders, key, v);
	}
	json_object_set_new(v, "files",
			    json_integer(json_int(v, "files", 0) + 1));
	json_object_set_new(v, "bytes",
			    json_integer(json_int(v, "bytes", 0) + bytes));
	json_decref(text);
	free(name);
}

int clone_folders(json_t **out, const char *from, const char *to)
{
	struct changes c = { 0 };
	char *sizes = NULL, *p;
	int64_t old, fresh;
	size_t i;
	int rc;

	rc = read_changes(&c, from, to);
	if (!rc)
		rc = read_sizes(&sizes, &c);
	if (rc)
		goto done;
	*out = json_object();
	p = sizes;
	for (i = 0; i < c.nr; i++) {
		old = next_size(&p);
		fresh = next_size(&p);
		add(*out, c.list[i].path, fresh - old);
	}
done:
	free(sizes);
	free(c.list);
	free(c.text);
	return rc;
}
