/* SPDX-License-Identifier: ISC */
#include "aliases.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "err.h"
#include "mem.h"

/* A mount, as /proc/self/mountinfo has it; see proc(5). */
struct mount {
	char *device; /* "8:1" */
	char *root;   /* the folder of the file system that is mounted; */
	char *point;  /* and where; the root is "" in both */
};

struct mounts {
	struct mount *v;
	size_t n;
};

/* "\040" is a blank; "/" becomes "". */
static char *unescape(const char *s)
{
	char *copy = xcalloc(strlen(s) + 1, 1), *out = copy;

	while (*s) {
		if (s[0] == '\\' && strspn(s + 1, "01234567") >= 3) {
			*out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 +
					s[3] - '0');
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	if (!strcmp(copy, "/"))
		*copy = '\0';
	return copy;
}

static void take_line(struct mounts *m, char *line)
{
	enum { DEVICE = 2, ROOT = 3, POINT = 4, FIELDS };
	char *field[FIELDS], *save = NULL;
	struct mount *fresh;
	size_t i;

	for (i = 0; i < FIELDS; i++) {
		field[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!field[i])
			return;
	}
	m->v = xrealloc(m->v, m->n + 1, sizeof(*m->v));
	fresh = &m->v[m->n++];
	fresh->device = xstrdup(field[DEVICE]);
	fresh->root = unescape(field[ROOT]);
	fresh->point = unescape(field[POINT]);
}

static int read_mounts(struct mounts *m)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	int rc = 0;

	*m = (struct mounts){ NULL, 0 };
	if (!f)
		return err_sys("/proc/self/mountinfo");
	while (getline(&line, &size, f) > 0)
		take_line(m, line);
	if (ferror(f))
		rc = err_sys("/proc/self/mountinfo");
	free(line);
	fclose(f);
	return rc;
}

static void release(struct mounts *m)
{
	size_t i;

	for (i = 0; i < m->n; i++) {
		free(m->v[i].device);
		free(m->v[i].root);
		free(m->v[i].point);
	}
	free(m->v);
}

/* What of name comes after top ("" or "/..."); NULL where it is not below. */
static const char *below(const char *name, const char *top)
{
	size_t len = strlen(top);

	return !strncmp(name, top, len) &&
			       (name[len] == '/' || name[len] == '\0')
		       ? name + len
		       : NULL;
}

/* The mount that path is on: the last one of those with the longest name. */
static const struct mount *find(const struct mounts *m, const char *path)
{
	const struct mount *found = NULL;
	size_t i;

	for (i = 0; i < m->n; i++)
		if (below(path, m->v[i].point) &&
		    (!found || strlen(m->v[i].point) >= strlen(found->point)))
			found = &m->v[i];
	return found;
}

static bool is_systems(const char *path)
{
	static const char *const folders[] = { "/dev", "/etc", "/proc",
					       "/run", "/sys", "/usr" };
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (below(path, folders[i]))
			return true;
	return !*path;
}

/* Another mount may hide what would be there. */
static bool are_same(const char *a, const char *b)
{
	struct stat sa, sb;

	return !stat(a, &sa) && !stat(b, &sb) && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

/* Where path, which is "inner" on its file system, is on that mount. */
static void add_of(json_t *paths, const char *path, const char *inner,
		   const struct mount *m)
{
	const char *rest = below(inner, m->root);
	char *alias, *there;

	if (rest) {
		alias = xasprintf("%s%s", m->point, rest);
		there = xstrdup(path);
	} else {
		rest = below(m->root, inner);
		alias = xstrdup(rest && !is_systems(m->point) ? m->point : "");
		there = xasprintf("%s%s", path, rest ? rest : "");
	}
	if (*alias && !below(alias, path) && are_same(alias, there))
		json_array_append_new(paths, json_string(alias));
	free(alias);
	free(there);
}

static void add(json_t *paths, const char *path, const struct mounts *m)
{
	const struct mount *on = find(m, path);
	char *inner;
	size_t i;

	if (!on)
		return;
	inner = xasprintf("%s%s", on->root, below(path, on->point));
	for (i = 0; i < m->n; i++)
		if (&m->v[i] != on && !strcmp(m->v[i].device, on->device))
			add_of(paths, path, inner, &m->v[i]);
	free(inner);
}

int aliases_add(json_t *paths)
{
	size_t n = json_array_size(paths), i;
	struct mounts m;
	int rc = read_mounts(&m);
	char *path;

	for (i = 0; !rc && i < n; i++) {
		path = xstrdup(json_string_value(json_array_get(paths, i)));
		add(paths, path, &m);
		free(path);
	}
	release(&m);
	return rc;
}
