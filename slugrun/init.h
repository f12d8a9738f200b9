/* SPDX-License-Identifier: ISC */
#ifndef INIT_H
#define INIT_H

#include <signal.h>

/*
 * The first process of a process's own pid namespace: it starts the command,
 * buries what lost its parent, and ends with the command. The kernel then
 * ends whatever is left, so nothing of the app outlives it.
 *
 * Signals to it (the supervisor's, to the process group) go on to the
 * command's process group. After a SIGTERM it waits until that is gone, as
 * a shell may end before what it runs.
 */

/* The signals that it takes; to be blocked before there is one to take. */
void init_signals(sigset_t *set);

/*
 * Run /bin/sh -c command with env to its end. How it ended goes to the file
 * report (box-settings.h), which the command does not get. Returns the
 * status to exit with; negative, and err_set(), where nothing was started.
 */
int init_run(const char *command, char **env, int report);

/*
 * Become /bin/sh -c command with env, in a session of its own where leader
 * is set; a terminal that is standard input becomes its own. Every further
 * descriptor is closed. Returns only on failure. Errors: ERR_SYSTEM.
 */
int init_exec(const char *command, char **env, int leader);

#endif
