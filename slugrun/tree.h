/* SPDX-License-Identifier: ISC */
#ifndef TREE_H
#define TREE_H

/*
 * Folders of releases on disk: v1, v2, v2-900, ... and, while one is
 * unpacked, v3.tmp. What lies in them was written by an app: nothing here follows a
 * symbolic link.
 */

/*
 * Remove the folder name (or whatever has that name) in the folder that dir
 * is open on (AT_FDCWD: the working one), with all that is in it, of any
 * depth. That there is none is no error. Where something is mounted in it,
 * that stays, and the folder, too. Errors: ERR_SYSTEM.
 */
int tree_remove(int dir, const char *name);

/*
 * Remove every folder of a release in the folder at path, which need not be
 * there, but those whose names are in keep, which ends with NULL.
 * Errors: ERR_SYSTEM.
 */
int tree_prune(const char *path, char *const *keep);

#endif
