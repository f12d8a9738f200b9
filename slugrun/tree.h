/* SPDX-License-Identifier: ISC */
#ifndef TREE_H
#define TREE_H

/*
 * Folders of releases on disk: v1, v2, v2-UUID, ... and, while one is
 * unpacked, v3.tmp. What lies in them was written by an app: nothing here
 * follows a symbolic link.
 */

/*
 * Remove the folder name (or whatever has that name) in the folder that dir
 * is open on (AT_FDCWD: the working one), with all that is in it, of any
 * depth. That there is none is no error. Where something is mounted in it,
 * that stays, and the folder, too. Errors: ERR_SYSTEM.
 */
int tree_remove(int dir, const char *name);

/*
 * In each user's folder (900) of the one at path, which need not be there:
 * remove every folder of a release but those whose names (900/v1) are in
 * keep, which ends with NULL; and the user's folder, where it is empty then.
 * Those that lie at path itself, as they once did, are removed, too.
 * Errors: ERR_SYSTEM.
 */
int tree_prune(const char *path, char *const *keep);

#endif
