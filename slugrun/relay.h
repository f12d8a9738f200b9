/* SPDX-License-Identifier: ISC */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The stable address of an app: what connects to 127.0.0.1:port is joined
 * to one of the current web processes, in turn. A relay of bytes, which
 * knows nothing of HTTP; a thread of its own. All calls are safe from any
 * thread.
 */
struct relay;

/*
 * Listen on port, with no web process behind it yet. Errors: ERR_UNAVAILABLE
 * with a message that names the port; ERR_SYSTEM.
 */
int relay_open(struct relay **out, uint16_t port);

/* The port it was opened on. */
uint16_t relay_port(const struct relay *r);

/*
 * From now on, join new connections to those ports; those that are joined
 * already stay. With none, new connections are closed.
 */
void relay_point(struct relay *r, const uint16_t *ports, size_t n);

/* Listen no more; connections stay until they end, or relay_close(). */
void relay_refuse(struct relay *r);

/* Is a connection joined to that port? */
bool relay_is_busy(struct relay *r, uint16_t port);

/* End all connections and free r; it may be NULL. */
void relay_close(struct relay *r);

#endif
