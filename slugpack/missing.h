/* SPDX-License-Identifier: ISC */
#ifndef MISSING_H
#define MISSING_H

#include "tree.h"

/*
 * libgit2 takes what it cannot look at, as on a disk that fails, for what is
 * not there. Asked once it has said so.
 */

/*
 * Can it be known that no folder of objects has the one with that id, 40
 * hexadecimal digits? Errors: ERR_SYSTEM, where one cannot be looked at.
 */
int missing_check(const struct tree_source *s, const char *id);

/* Says that path is no repository, or that this cannot be known. Never 0. */
int missing_repository(const char *path);

#endif
