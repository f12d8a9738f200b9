/* SPDX-License-Identifier: ISC */
#ifndef GLOB_H
#define GLOB_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The patterns of gitignore(5), matched in time proportional to the length of
 * the pattern times that of the name: after a mismatch only the last "*" (or
 * the last "**" of a path) takes more, which is enough, since what stands
 * before it has matched as early as it could.
 *
 * "*", "?" and "[...]" match bytes other than "/"; "\" takes the next byte
 * as it is. A pattern that is malformed matches nothing.
 */

/* Does the pattern match the name? Neither has a "/". */
bool glob_name(const char *pattern, const char *name);

/*
 * Does the pattern match the path? Parts are separated by "/", and a part
 * "**" stands for any number of them: at least one where it is the last.
 */
bool glob_path(const char *pattern, const char *path);

#endif
