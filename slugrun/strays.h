/* SPDX-License-Identifier: ISC */
#ifndef STRAYS_H
#define STRAYS_H

#include <stdint.h>

/*
 * Processes of an app that left their process group, as daemons do: what
 * still tells them is the HOME that slugrun gave them, the folder of their
 * release. (One that leaves its group and drops its environment, too, is
 * not found.)
 */

/*
 * SIGKILL to every process of this user that belongs to a release in the
 * app's folder dir, an absolute path: to the given version, or to any where
 * version is 0. Returns how many there were.
 */
unsigned strays_kill(const char *dir, int64_t version);

#endif
