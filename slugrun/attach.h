/* SPDX-License-Identifier: ISC */
#ifndef ATTACH_H
#define ATTACH_H

/*
 * What a process of its own does for an attached one, so that the supervisor
 * relays no bytes: it has the client's connection as descriptor 0, speaks
 * common/frames.h on it, and runs a mode of this program with its descriptor
 * 3: argv, "exec" and then the parent, which it becomes itself. It ends with
 * the supervisor, whose pid stands there.
 *
 * Where the client goes away, or on SIGTERM, the process is told, and killed
 * after grace seconds.
 * Returns the exit status of the process. Errors: ERR_SYSTEM,
 * ERR_UNAVAILABLE where no client came.
 */
int attach_run(const char *grace, char **argv);

#endif
