/* SPDX-License-Identifier: ISC */
#ifndef EXEC_H
#define EXEC_H

/*
 * "slugrun-box exec": become a process of an app, in its box. What to run is in
 * descriptor 3; see box-settings.h.
 *
 * With namespaces there are three, one after the other: this one makes the
 * next, as a sibling, in namespaces of its own; notes its pid in the report,
 * and ends. That one becomes the app's user, builds the box, gives up its
 * rights, and is the init (init.h) of the command. Where the kernel refuses
 * any of that, this one becomes the app's user and runs the command itself,
 * in a copy of the release's folder.
 *
 * The kernel ends it with the supervisor, whose pid is parent. With stay,
 * which may be NULL, it waits for the init, and returns its status.
 * Returns the status to exit with, or only on failure. Errors: ERR_SYSTEM,
 * ERR_UNAVAILABLE where the supervisor is gone already.
 */
int exec_command(long parent, const char *stay);

#endif
