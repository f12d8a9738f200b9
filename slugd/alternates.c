/* SPDX-License-Identifier: ISC */
#include "alternates.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "file.h"
#include "mem.h"
#include "safe-path.h"

static int add(struct alternates *a, char *path)
{
	int i;

	for (i = 0; i < a->n; i++) {
		if (strcmp(a->v[i], path) != 0)
			continue;
		free(path);
		return 0;
	}
	if (a->n == ALTERNATES_MAX) {
		free(path);
		return err_set(ERR_INVALID,
			       "it borrows objects from more than %d other "
			       "repositories",
			       ALTERNATES_MAX);
	}
	a->v[a->n++] = path;
	return 0;
}

/* The alternates that the folder of objects itself names. */
static int find_in(struct alternates *a, const char *objects)
{
	char *file = xasprintf("%s/info/alternates", objects);
	FILE *f = fopen(file, "re");
	char *line = NULL, *path, *real;
	size_t size = 0;
	int rc = f || errno == ENOENT ? 0 : err_sys("%s", file);

	while (f && !rc && getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (!*line || *line == '#')
			continue;
		path = *line == '/' ? xstrdup(line)
				    : xasprintf("%s/%s", objects, line);
		real = realpath(path, NULL);
		if (real)
			rc = safe_path_check(real, NULL, geteuid());
		if (real && !rc)
			rc = add(a, real);
		else if (real)
			free(real);
		else if (errno == ENOENT || errno == ENOTDIR)
			rc = err_set(ERR_INVALID,
				     "it borrows objects from %s, which is not "
				     "there",
				     path);
		else
			rc = err_sys("%s", path);
		free(path);
	}
	if (f && !rc && ferror(f))
		rc = err_sys("%s", file);
	if (f)
		fclose(f);
	free(line);
	free(file);
	return rc;
}

int alternates_find(struct alternates *a, const char *repo)
{
	char *objects = xasprintf("%s/objects", repo);
	int i, rc;

	memset(a, 0, sizeof(*a));
	rc = find_in(a, objects);
	for (i = 0; i < a->n && !rc; i++)
		rc = find_in(a, a->v[i]);
	free(objects);
	return err_prefix(rc, "%s", repo);
}

void alternates_recorded(struct alternates *a, const char *repo)
{
	char *file = xasprintf("%s/slugd.alternates", repo), *line = NULL;
	FILE *f = fopen(file, "re");
	size_t size = 0;

	memset(a, 0, sizeof(*a));
	while (f && a->n < ALTERNATES_MAX && getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		a->v[a->n++] = xstrdup(line);
	}
	if (f)
		fclose(f);
	free(line);
	free(file);
}

int alternates_record(const struct alternates *a, const char *repo)
{
	char *file = xasprintf("%s/slugd.alternates", repo), *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int i, rc;

	if (!f)
		abort();
	for (i = 0; i < a->n; i++)
		fprintf(f, "%s\n", a->v[i]);
	fclose(f);
	rc = a->n ? file_replace(file, text, len, 0644) : file_remove(file);
	free(text);
	free(file);
	return rc;
}

void alternates_clear(struct alternates *a)
{
	while (a->n)
		free(a->v[--a->n]);
}
