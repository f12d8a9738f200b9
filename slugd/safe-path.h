/* SPDX-License-Identifier: ISC */
#ifndef SAFE_PATH_H
#define SAFE_PATH_H

#include <sys/types.h>

/*
 * Who could replace what lies at a path? A repository's settings name
 * programs, and its hooks are some: git and slugd may only work in one that
 * nobody but root and slugd's own account can change or swap for another.
 * The rule is that of StrictModes in sshd_config(5).
 *
 * Once a path has passed, it may be used by its name: whoever could change
 * where it leads is trusted anyway.
 */

/*
 * Check the folder at path, which is absolute and without links, and each
 * folder above it, up to but without the folder within (NULL: up to and with
 * the root): it belongs to root or to account, and nobody else may write to
 * it. A folder above with the sticky bit, such as /tmp, may be written to by
 * all. Each is looked at by a descriptor that was opened from the one above.
 * Errors: ERR_INVALID, which names the folder and says how to mend that;
 * ERR_SYSTEM.
 */
int safe_path_check(const char *path, const char *within, uid_t account);

/* The same for the folder that path is to be made in. */
int safe_path_check_parent(const char *path, const char *within, uid_t account);

/*
 * Check what lies at the top of the repository at path, in its hooks and in
 * the folders that say where objects are: it belongs to root or to account,
 * nobody else may write to it, and its config and HEAD are plain files. Where
 * a link stands for one of its folders, that one is checked with all above.
 * Errors: as safe_path_check().
 */
int safe_repo_check(const char *path, uid_t account);

#endif
