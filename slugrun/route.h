/* SPDX-License-Identifier: ISC */
#ifndef ROUTE_H
#define ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "json.h"

/*
 * The app's traffic: what comes to its stable address goes to its current
 * web processes. It is led there by slugd's HAProxy, whose back end of this
 * app is kept in line here, or by a relay of our own (relay.h). All calls
 * are the main thread's. Where HAProxy is stuck one waits for half a second,
 * and those after it for a twentieth; one that is gone loses nothing: the
 * servers are in a file from which slugd starts the next one, and are asked
 * for again.
 */
struct route;

/* A web process: its name, its pid and its port. */
struct route_server {
	char *name;
	pid_t pid;
	uint16_t port;
};

/*
 * Begin, with no web process. spec is the order's "route"; NULL is a relay;
 * port is the stable address. Errors: ERR_INVALID, a bad spec;
 * ERR_UNAVAILABLE, the port is somebody else's; ERR_SYSTEM.
 */
int route_open(struct route **out, const json_t *spec, uint16_t port);

/* Is r what spec and port ask for? */
bool route_fits(const struct route *r, const json_t *spec, uint16_t port);

/* The stable address. */
uint16_t route_port(const struct route *r);

/*
 * From now on requests go to those, and to no others; what is on its way
 * stays there. With none, they are answered by a page that says so (or, by
 * the relay, not at all).
 */
void route_point(struct route *r, const struct route_server *v, size_t n);

/* The app stops: nothing new. */
void route_refuse(struct route *r);

/* Is a request or connection on its way to that port? */
bool route_is_busy(struct route *r, uint16_t port);

/*
 * For how many milliseconds a web process that gets nothing new may finish
 * what it has before it is told to end; grace is the release's, in seconds.
 */
int64_t route_drain_ms(const struct route *r, int64_t grace);

/*
 * Bring HAProxy in line again, now; or, where spec asks for another way than
 * this, go on by that. Errors: as route_open(), and all stays as it is.
 */
int route_change(struct route *r, const json_t *spec);

/*
 * When route_tick() has something to do: in clock_mono_ms(), INT64_MAX for
 * never.
 */
int64_t route_due(const struct route *r);
void route_tick(struct route *r);

/* End it; r may be NULL. */
void route_close(struct route *r);

/*
 * The same after route_refuse(), and where HAProxy's back end may be another
 * route's by now: it is left alone. r may be NULL.
 */
void route_free(struct route *r);

#endif
