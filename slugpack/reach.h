/* SPDX-License-Identifier: ISC */
#ifndef REACH_H
#define REACH_H

#include <stddef.h>

#include "tree.h"

/*
 * The files and folders that a commit is read from, for the fence: found
 * before it is there, from what the owner of the repository wrote, while
 * none of the objects has been opened.
 */
struct reach {
	char **paths; /* each allocated; ends with NULL; or NULL */
	size_t nr, room;
};

/*
 * What belongs to the source: the repository, or what its .git and commondir
 * point to; its objects or those it names, with their alternates (relative
 * ones, too, five deep); and, where no objects are named, the configuration
 * of its owner and of the system, with what that includes. What is not there
 * is left out or does no harm: whoever opens it says so.
 */
void reach_source(struct reach *r, const struct tree_source *source);

/*
 * The program of that name in PATH, as execvp(3) finds it. Caller frees;
 * NULL: there is none.
 */
char *reach_program(const char *name);

/* Free what *r holds. */
void reach_release(struct reach *r);

#endif
