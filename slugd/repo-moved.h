/* SPDX-License-Identifier: ISC */
#ifndef REPO_MOVED_H
#define REPO_MOVED_H

#include "ledger.h"

/*
 * Did a deploy branch move without slugd? By hand, say, or by a push whose
 * hooks were not run. Both return words for whom it concerns, or NULL, also
 * where that cannot be found out; the caller frees them.
 */

/* A push to ref finds it at old, which is all zeros where it is not there. */
char *repo_moved(struct ledger *l, const struct app *app, const char *ref,
		 const char *old);

/* The branch of the app's last push, as the repository has it now. */
char *repo_moved_tip(struct ledger *l, const struct app *app);

#endif
