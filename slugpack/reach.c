/* SPDX-License-Identifier: ISC */
#include "reach.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "text.h"

#define MAX_DEPTH 5 /* of alternates, as git has it; and of includes */

/* Takes path; false where it was there before, and then there is no more. */
static bool add(struct reach *r, char *path)
{
	size_t i;

	for (i = 0; i < r->nr; i++)
		if (!strcmp(r->paths[i], path)) {
			free(path);
			return false;
		}
	if (r->nr + 1 >= r->room) {
		r->room = r->room ? 2 * r->room : 16;
		r->paths = xrealloc(r->paths, r->room, sizeof(*r->paths));
	}
	r->paths[r->nr++] = path;
	r->paths[r->nr] = NULL;
	return true;
}

static bool is_there(const char *path, mode_t type)
{
	struct stat st;

	return !stat(path, &st) && (st.st_mode & S_IFMT) == type;
}

/* What is no part of a folder that was added, but elsewhere. Takes path. */
static void add_link(struct reach *r, char *path)
{
	struct stat st;

	if (!lstat(path, &st) && S_ISLNK(st.st_mode))
		add(r, path);
	else
		free(path);
}

/* The path that text means in the folder dir. */
static char *join(const char *dir, const char *text)
{
	return *text == '/' ? xstrdup(text) : xasprintf("%s/%s", dir, text);
}

/*
 * The next line of f, without blanks around it, in *line; false at the end,
 * where *line is freed.
 */
static bool next_line(FILE *f, char **line, size_t *size, char **text)
{
	if (!f || getline(line, size, f) < 0) {
		free(*line);
		if (f)
			fclose(f);
		return false;
	}
	*text = text_strip(*line);
	return true;
}

/*
 * Let look find more behind the path from of r, and behind what it finds,
 * and so on: round by round, not for ever.
 */
static void follow(struct reach *r, size_t from,
		   void (*look)(struct reach *r, const char *path))
{
	size_t to;
	int depth;

	for (depth = 0; depth < MAX_DEPTH; depth++)
		for (to = r->nr; from < to; from++)
			look(r, r->paths[from]);
}

static void look_for_alternates(struct reach *r, const char *dir)
{
	char *path = xasprintf("%s/info/alternates", dir);
	char *line = NULL, *text;
	size_t size = 0;
	FILE *f = fopen(path, "re");

	add_link(r, xasprintf("%s/pack", dir));
	add_link(r, xasprintf("%s/info", dir));
	while (next_line(f, &line, &size, &text))
		if (*text && *text != '#')
			add(r, join(dir, text));
	free(path);
}

static void add_objects(struct reach *r, const char *dir)
{
	if (add(r, xstrdup(dir)))
		follow(r, r->nr - 1, look_for_alternates);
}

/* FILE of a line "path = FILE", whatever its section is; else NULL. */
static char *included(char *line)
{
	char *p = line, *end;

	if (*p == '[' && (end = strchr(p, ']')))
		p = text_strip(end + 1);
	if (strncasecmp(p, "path", 4) != 0)
		return NULL;
	p = text_strip(p + 4);
	if (*p != '=')
		return NULL;
	p = text_strip(p + 1);
	if (*p == '"') {
		p++;
		p[strcspn(p, "\"")] = '\0';
	}
	return p;
}

static char *include_path(const char *file, const char *text)
{
	const char *home = getenv("HOME"), *slash = strrchr(file, '/');
	char *dir, *path;

	if (text[0] == '~' && text[1] == '/')
		return xasprintf("%s/%s", home ? home : "", text + 2);
	dir = slash ? xstrndup(file, (size_t)(slash - file)) : xstrdup(".");
	path = join(dir, text);
	free(dir);
	return path;
}

static void look_for_includes(struct reach *r, const char *file)
{
	char *line = NULL, *text, *other;
	size_t size = 0;
	FILE *f = is_there(file, S_IFREG) ? fopen(file, "re") : NULL;

	while (next_line(f, &line, &size, &text)) {
		text = included(text);
		other = text && *text ? include_path(file, text) : NULL;
		if (other && is_there(other, S_IFREG))
			add(r, other);
		else
			free(other);
	}
}

/* A file of configuration, with what it may include. Takes file. */
static void add_config(struct reach *r, char *file)
{
	if (add(r, file))
		follow(r, r->nr - 1, look_for_includes);
}

/* Of the user and of the system, as libgit2 looks for it. */
static void add_settings(struct reach *r)
{
	const char *home = getenv("HOME"), *xdg = getenv("XDG_CONFIG_HOME");
	char *dir = NULL;

	add_config(r, xstrdup("/etc/gitconfig"));
	if (home && *home)
		add_config(r, xasprintf("%s/.gitconfig", home));
	if (xdg && *xdg)
		dir = xasprintf("%s/git", xdg);
	else if (home && *home)
		dir = xasprintf("%s/.config/git", home);
	if (!dir)
		return;
	add_config(r, xasprintf("%s/config", dir));
	add(r, xasprintf("%s/ignore", dir));
	add(r, xasprintf("%s/attributes", dir));
	free(dir);
}

/* The one line of a small file, behind its prefix; NULL: not so. */
static char *pointer(const char *path, const char *prefix)
{
	char *line = NULL, *text, *found = NULL;
	size_t size = 0;
	FILE *f = is_there(path, S_IFREG) ? fopen(path, "re") : NULL;

	if (f && getline(&line, &size, f) >= 0 &&
	    !strncmp(line, prefix, strlen(prefix))) {
		text = text_strip(line + strlen(prefix));
		found = *text ? xstrdup(text) : NULL;
	}
	if (f)
		fclose(f);
	free(line);
	return found;
}

/* A folder that git would call GIT_DIR or GIT_COMMON_DIR. */
static void add_git_dir(struct reach *r, const char *dir)
{
	static const char *const links[] = { "HEAD", "config", "packed-refs",
					     "refs", NULL };
	char *objects = xasprintf("%s/objects", dir);
	size_t i;

	add(r, xstrdup(dir));
	for (i = 0; links[i]; i++)
		add_link(r, xasprintf("%s/%s", dir, links[i]));
	add_objects(r, objects);
	add_config(r, xasprintf("%s/config", dir));
	add_config(r, xasprintf("%s/config.worktree", dir));
	free(objects);
}

static void add_repository(struct reach *r, const char *repo)
{
	char *dot = xasprintf("%s/.git", repo), *dir, *common, *text, *file;

	text = pointer(dot, "gitdir:");
	if (text)
		add(r, xstrdup(dot));
	if (text)
		dir = join(repo, text);
	else
		dir = xstrdup(is_there(dot, S_IFDIR) ? dot : repo);
	free(text);
	add_git_dir(r, dir);
	file = xasprintf("%s/commondir", dir);
	text = pointer(file, "");
	if (text) {
		common = join(dir, text);
		add_git_dir(r, common);
		free(common);
	}
	free(text);
	free(file);
	free(dir);
	free(dot);
}

void reach_source(struct reach *r, const struct tree_source *source)
{
	size_t i;

	add_repository(r, source->repo);
	for (i = 0; i < source->nr_objects; i++)
		add_objects(r, source->objects[i]);
	if (!source->nr_objects)
		add_settings(r);
}

char *reach_program(const char *name)
{
	const char *path = getenv("PATH"), *p;
	char *file;
	size_t len;

	for (p = path ? path : "/usr/bin:/bin"; *p;
	     p += len + (p[len] == ':')) {
		len = strcspn(p, ":");
		file = xasprintf("%.*s%s%s", (int)len, p, len ? "/" : "./",
				 name);
		if (is_there(file, S_IFREG) && !access(file, X_OK))
			return file;
		free(file);
	}
	return NULL;
}

void reach_release(struct reach *r)
{
	size_t i;

	for (i = 0; i < r->nr; i++)
		free(r->paths[i]);
	free(r->paths);
	*r = (struct reach){ 0 };
}
