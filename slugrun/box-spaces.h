/* SPDX-License-Identifier: ISC */
#ifndef BOX_SPACES_H
#define BOX_SPACES_H

#include <stdbool.h>

#include "box-settings.h"

/*
 * The namespaces of a process: user, mount, pid and ipc.
 */

/*
 * Run the command of s as its user in namespaces of its own, in the working
 * folder, which is the process's; tree is open on the release's. False where
 * they cannot be had, for a reason that err_msg() has: nothing was started,
 * and we are who we were. Else the init was (and is noted in the report), and
 * *status is what to exit with; it comes back in the init, too, when that is
 * over. With ourselves as the parent we wait for it, and *status is the
 * init's.
 */
bool box_spaces_run(struct box_settings *s, int tree, long parent, int *status);

#endif
