/* SPDX-License-Identifier: ISC */
#ifndef RUNNABLE_H
#define RUNNABLE_H

/*
 * Is there a chance that a command can be run? A release command should not
 * change a database for a release whose processes are sure not to start. No
 * shell is run for that: only a command that begins with the path of a file
 * in the app is looked at, such as "bin/web -p $PORT".
 */

/*
 * name ("web.1") is for the message. Errors: ERR_INVALID where the command's
 * program is not in the tree, or cannot be executed.
 */
int runnable_check(const char *tree, const char *name, const char *command);

#endif
