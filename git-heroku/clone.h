/* SPDX-License-Identifier: ISC */
#ifndef CLONE_H
#define CLONE_H

#include <stdbool.h>
#include <stddef.h>

#include "json.h"

/*
 * The repository that the working folder belongs to, asked by git's own
 * programs. A commit is named by its 40 hexadecimal digits.
 */

/*
 * The commit that a revision names there, into *out (caller frees); NULL
 * where git knows none, or there is no repository. Errors: ERR_SYSTEM.
 */
int clone_commit(char **out, const char *rev);

/* Is the commit there? */
bool clone_has(const char *commit);

/* Is there a tag and a branch of that name? */
bool clone_has_both(const char *name);

/*
 * The commits that `to` has and `from` has not, the newest first, as git log
 * has them: [{"commit", "short", "subject"}] into *out (caller's reference).
 * Errors: those of proc_capture().
 */
int clone_log(json_t **out, const char *from, const char *to);

/*
 * What differs between the trees, by folder (the first part of the paths):
 * {"site/": {"files": 2, "bytes": 1234}}, where bytes is how much larger it
 * became; files at the top are those of "./". Into *out.
 * Errors: those of proc_capture().
 */
int clone_folders(json_t **out, const char *from, const char *to);

#endif
