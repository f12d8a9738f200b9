/* SPDX-License-Identifier: ISC */
#ifndef ROUTE_PROCESS_H
#define ROUTE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "digest.h"

/*
 * HAProxy as a process: which there is, and how it is started and ended. It
 * is nobody's child, in a session of its own, and known by its socket.
 */

/* What a running one says of itself. */
struct running {
	pid_t pid;
	char id[DIGEST_HEX]; /* of its configuration: route_config_id() */
	char *frontends;     /* lines that begin with a name and a comma */
};

/*
 * Where the program is: as SLUGD_HAPROXY says, in PATH, or beside it. NULL
 * where there is none; caller frees.
 */
char *route_find_program(void);

/*
 * Its version, as "2.6.12", into *out (caller frees). Errors: ERR_FAILED, it
 * is too old, or none of HAProxy's.
 */
int route_read_version(const char *program, char **out);

/*
 * Which HAProxy answers at socket; now->frontends is the caller's, also on
 * errors. Errors: ERR_UNAVAILABLE, none does.
 */
int route_look(const char *socket, struct running *now);

/* Does it listen for this front end? */
bool route_has_frontend(const struct running *now, const char *name);

/*
 * Start it in dir, in place of the process old (0: none), from what was
 * written there, and wait until it listens. Errors: ERR_FAILED, in its words.
 */
int route_start_program(const char *program, const char *dir, pid_t old);

/* End the HAProxy that answers at socket, if one does, and wait for that. */
void route_end_program(const char *socket);

#endif
