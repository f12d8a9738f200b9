/* SPDX-License-Identifier: ISC */
#ifndef SERVERS_H
#define SERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"

struct route_server;

/*
 * The servers of the app's back end in slugd's HAProxy, which come and go at
 * run time: see route.h. What is wished is noted in the state file first,
 * then HAProxy is compared with it; where that fails it is tried again.
 */
struct servers;

/* spec: {"socket", "backend", "state"}. Errors: ERR_INVALID. */
int servers_open(struct servers **out, const json_t *spec);

/* Are they at the place that spec names? */
bool servers_fit(const struct servers *s, const json_t *spec);

/* What route.h says of these. */
void servers_point(struct servers *s, const struct route_server *v, size_t n);
bool servers_are_busy(struct servers *s, uint16_t port);
int servers_sync(struct servers *s);
int64_t servers_due(const struct servers *s);
void servers_tick(struct servers *s);

/* Take them away, and the state file; s may be NULL. */
void servers_close(struct servers *s);

/* Free s alone: the back end may be another's by now. s may be NULL. */
void servers_free(struct servers *s);

#endif
