/* SPDX-License-Identifier: ISC */
#ifndef HAPROXY_H
#define HAPROXY_H

#include <stdbool.h>

/*
 * HAProxy's runtime socket, as its management guide has it (section 9.3),
 * and the lock that holds slugd's reloads of HAProxy and the changes by
 * slugruns apart. The names that both use:
 *
 *	app-NAME	the back end of an app
 *	DIR/route/NAME	its servers, by its slugrun: a line "web.1-4711 5999"
 *			each, a name and a port on 127.0.0.1
 *	DIR/route/.lock	the lock
 */

#define HAPROXY_LOCK ".lock"

/* Most servers of an app, and longest name of one. */
#define HAPROXY_SERVERS 200
#define HAPROXY_NAME    80

/*
 * Send commands (one, or some with ';' between) to the HAProxy at this
 * socket, and take all that it answers into *out (caller frees). It takes ms
 * milliseconds at most, where HAProxy is stuck: HAPROXY_MS, where nothing
 * else waits for the caller.
 * Errors: ERR_UNAVAILABLE.
 */
#define HAPROXY_MS 2000
int haproxy_ask(char **out, const char *socket, const char *commands, int ms);

/*
 * Lock the folder, alone (slugd, for a reload) or with others (slugruns, a
 * back end each), within ms milliseconds; *fd is the lock until it is
 * closed. Errors: ERR_CONFLICT, ERR_SYSTEM.
 */
int haproxy_lock(int *fd, const char *folder, bool alone, int ms);

/* Is it a name for a server: letters, digits, '.', '-' and '_' alone? */
bool haproxy_is_name(const char *name);

#endif
