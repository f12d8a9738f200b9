/* SPDX-License-Identifier: ISC */
#ifndef HEAD_H
#define HEAD_H

#include <stdbool.h>

/*
 * HEAD of an app's repository, which a clone checks out. slugd points it at
 * the deploy branch that was pushed last.
 */

/*
 * The ref that HEAD names, "refs/heads/main", into *out, also where that is
 * not there; NULL where it names none. Caller frees.
 * Errors: ERR_SYSTEM, where HEAD cannot be read.
 */
int head_ref(const char *repo, char **out);

/*
 * Have HEAD name the ref, durably; nothing is done where it does already. It
 * takes git's own lock, HEAD.lock, and runs no hook.
 * Errors: ERR_SYSTEM, also where somebody else has the lock.
 */
int head_point(const char *repo, const char *ref);

/*
 * May the branch ref, one of the deploy branches (ends with NULL), be deleted?
 * Not the one that HEAD names, nor the last of them that is there.
 * Errors: ERR_INVALID, in words; what the calls above and git say.
 */
int head_check_delete(const char *repo, char *const *branches, const char *ref);

/*
 * The commit of the branch that is deployed, into *out (caller frees): that of
 * HEAD where it is one of the branches, else as repo_tip(). Errors: its.
 */
int head_tip(const char *repo, char *const *branches, char **out);

#endif
