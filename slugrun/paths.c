/* SPDX-License-Identifier: ISC */
#include "paths.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

void paths_add(struct paths *p, const char *path)
{
	if (p->nr == p->room) {
		p->room = 2 * p->room + 64;
		p->v = xrealloc(p->v, p->room, sizeof(*p->v));
	}
	p->v[p->nr++] = xstrdup(path);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void paths_sort(struct paths *p)
{
	if (p->nr)
		qsort(p->v, p->nr, sizeof(*p->v), compare);
}

bool paths_has(const struct paths *p, const char *path)
{
	return p->nr && bsearch(&path, p->v, p->nr, sizeof(*p->v), compare);
}

void paths_release(struct paths *p)
{
	size_t i;

	for (i = 0; i < p->nr; i++)
		free(p->v[i]);
	free(p->v);
	*p = (struct paths){ 0 };
}
