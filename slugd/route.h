/* SPDX-License-Identifier: ISC */
#ifndef ROUTE_H
#define ROUTE_H

#include <stdbool.h>

#include "json.h"
#include "ledger.h"

struct slugd;

/*
 * The way of requests to apps. One HAProxy for all of them, which slugd
 * starts, starts again where it ended, and finds again by its socket after a
 * start of its own: it outlives slugd. Its configuration has a front end for
 * each app's port, and is written, and HAProxy reloaded, where an app or the
 * configuration is new; servers come and go by slugruns (see haproxy.h).
 * Where there is no HAProxy, each slugrun has a relay of its own instead.
 *
 * All calls are safe from any thread.
 */
struct route;

/*
 * Choose between the two, and find or start HAProxy. Errors: ERR_FAILED,
 * slugd.ini asks for HAProxy, and there is none.
 */
int route_start(struct slugd *d);

/* slugd ends: HAProxy does so too with stop, else it goes on. */
void route_end(struct slugd *d, bool stop);

/*
 * See that requests for this app find their way; it may be a new one.
 * Errors: ERR_CONFLICT, its port is another program's; ERR_FAILED, HAProxy
 * does not start; others.
 */
int route_app(const struct slugd *d, const struct app *app);

/* The same for all, some time: an app or the configuration is new. */
void route_refresh(struct slugd *d);

/* The "route" of an order to slugrun. */
json_t *route_order(const struct slugd *d, const struct app *app);

/*
 * From now on, answer for this app by the page of maintenance, or no longer.
 * What the ledger says of it is looked up at the next start of HAProxy.
 * Errors: ERR_UNAVAILABLE where there is no HAProxy; ERR_SYSTEM.
 */
int route_maintenance(struct slugd *d, const struct app *app, bool on);

/*
 * {"driver": "haproxy", "version", "pid" (null: it is being started),
 * "problems": [in words, ...]}, or {"driver": "direct", "reason"}.
 */
json_t *route_json(struct slugd *d);

#endif
