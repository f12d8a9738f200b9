/* SPDX-License-Identifier: ISC */
#ifndef REPO_HOOKS_H
#define REPO_HOOKS_H

#include <stdbool.h>

/*
 * The hooks of an app's repository (githooks(5)). git runs nothing, without a
 * word, where a hook is missing or a link leads nowhere; so a hook is a file
 * of the repository's own, slugd.hooks/NAME: a short shell script that starts
 * the helper of that name, and refuses the push where that is gone.
 * core.hooksPath is relative, so that a repository can be moved.
 *
 * git starts reference-transaction twice for each ref that is pushed, which
 * would take longer than all the rest. So it lies beside its place, as
 * reference-transaction.idle: pre-receive puts it there when a deploy branch
 * is about to move, and it goes away when that has moved.
 *
 * A hook of the admin's own is kept as hooks/NAME.chained, which ours runs
 * first; see slugctl(1), --chain-hooks.
 */

/* What is found amiss, a line each; would adopting it again mend it? */
typedef void (*repo_finding_fn)(void *ctx, const char *line, bool mendable);

/*
 * May our hooks take their places? A core.hooksPath and hooks of the admin's
 * own are in the way, unless they are to be chained.
 * Errors: ERR_INVALID, which names them.
 */
int repo_hooks_are_free(const char *repo, bool chain);

/* Has the repository hooks as an older slugd made them, links? */
bool repo_hooks_are_old(const char *repo);

/* Put our hooks there; where chain, those in the way are kept. */
int repo_hooks_install(const char *repo, bool chain);

/* Tell fn of each hook that is not what repo_hooks_install() makes. */
void repo_hooks_check(const char *repo, repo_finding_fn fn, void *ctx);

/* Make link a symbolic link to target, in one step. Errors: ERR_SYSTEM. */
int repo_link(const char *target, const char *link);

/* Is link a symbolic link to target? */
bool repo_is_link(const char *link, const char *target);

#endif
