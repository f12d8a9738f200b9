/* SPDX-License-Identifier: ISC */
#ifndef ADOPT_H
#define ADOPT_H

#include <stdbool.h>

#include "repo-hooks.h"

/*
 * A bare repository becomes an app's: hooks, settings, and the link
 * slugd.sock to slugd's socket. For slugctl.
 */

/*
 * Make a repository at path, or adopt the one that is there. *fresh says
 * whether it was made. The files belong to who calls. chain: hooks of the
 * admin's own are kept (see repo-hooks.h). Outside of dir, slugd's folder, the
 * repository and all above it must be safe from others (see safe-path.h).
 * When it returns, all of the repository is on the disk.
 * Errors: ERR_INVALID with the reason, and nothing changed.
 */
int repo_adopt(const char *path, const char *app, const char *dir,
	       const char *socket, bool chain, bool *fresh);

/*
 * Make the hooks and settings of an app's repository as they are to be, where
 * nothing of the admin's own is in the way. Errors: as repo_adopt().
 */
int repo_renew(const char *path, const char *app, const char *dir,
	       const char *socket);

/* Tell fn of all that is not as repo_adopt() leaves it. */
void repo_check(const char *path, const char *app, const char *dir,
		const char *socket, repo_finding_fn fn, void *ctx);

#endif
