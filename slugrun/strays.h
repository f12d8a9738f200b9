/* SPDX-License-Identifier: ISC */
#ifndef STRAYS_H
#define STRAYS_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Processes of an app that have no pid namespace (see box.h) and left their
 * process group, as daemons do: what still tells them is the HOME that
 * slugrun gave them, their folder in run/, and a mark.
 *
 * A mark is a limit that nearly nobody needs, of the bytes of POSIX message
 * queues: what a process starts has the same one, whatever it does to its
 * session, its parent and its environment. It could make it lower, and so be
 * overlooked, but for fence_app(). Each process that slugrun starts has a mark
 * of its own.
 */

/* A mark for the next process; 0: the limit is too low for that. */
int64_t strays_mark(void);

/* No process that slugrun started has it any more; 0 is none. */
void strays_unmark(int64_t mark);

/* Have that mark from now on. Errors: ERR_SYSTEM. */
int strays_wear(int64_t mark);

/*
 * What else than the marks of processes that live is to be left: arguments
 * for strays_kill_marked(), the newest mark and those. Caller frees the array
 * with all its strings; it ends with NULL.
 */
char **strays_marks(void);

/*
 * SIGKILL to all that descends from top, our parent, and has a mark that is
 * none of those. Returns how many there were.
 */
unsigned strays_kill_marked(pid_t top, char **list);

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
