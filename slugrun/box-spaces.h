/* SPDX-License-Identifier: ISC */
#ifndef BOX_SPACES_H
#define BOX_SPACES_H

#include "box-settings.h"

/*
 * The namespaces of a process: user, mount, pid and ipc.
 */

/*
 * Run the command of s as its user in namespaces of its own, in the working
 * folder, which is the process's; tree is open on the release's. 0: the init
 * was started (and is noted in the report), and *status is what to exit with;
 * it comes back in the init, too, when that is over. With ourselves as the
 * parent we wait for it, and *status is the init's.
 *
 * Else nothing was started, and we are who we were. Errors: ERR_UNAVAILABLE
 * where the kernel refuses namespaces, to this app at any time; ERR_FAILED
 * where it could not have them now, for want of memory, say: an app that
 * sees to that must not get out of its box by it.
 */
int box_spaces_run(struct box_settings *s, int tree, long parent, int *status);

#endif
