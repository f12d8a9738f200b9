/* SPDX-License-Identifier: ISC */
#ifndef STRAYS_H
#define STRAYS_H

#include <stdint.h>

/*
 * Processes of an app that have no pid namespace (see box.h) and left their
 * process group, as daemons do: what still tells them is the HOME that
 * slugrun gave them, their folder in run/. (One that leaves its group and
 * drops its environment, too, is not found.)
 */

/*
 * SIGKILL to every such process of a release in the app's folder dir, an
 * absolute path: of the given version, or of any where that is 0. Returns
 * how many there were.
 */
unsigned strays_kill(const char *dir, int64_t version);

/* The same for those of one process, by its folder. */
unsigned strays_kill_run(const char *run);

/*
 * When no process of ours shall be left: SIGKILL to every child but those
 * that clear up (slugrun-box), which are waited for, some seconds at most.
 * The others are processes that came to us when they lost their parent.
 */
void strays_end(void);

#endif
