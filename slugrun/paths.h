/* SPDX-License-Identifier: ISC */
#ifndef PATHS_H
#define PATHS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A set of paths.
 *
 *	struct paths p = { 0 };
 *	paths_add(&p, "a/b");	(as often as needed)
 *	paths_sort(&p);		then they can be looked up
 *	paths_release(&p);
 */
struct paths {
	char **v; /* sorted by their bytes: a folder before what is in it */
	size_t nr, room;
};

/* One more, as a copy. */
void paths_add(struct paths *p, const char *path);

/* Once all are in it. */
void paths_sort(struct paths *p);

/* Is path one of them? */
bool paths_has(const struct paths *p, const char *path);

/* Free what it holds, and empty it. */
void paths_release(struct paths *p);

#endif
