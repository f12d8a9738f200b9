/* SPDX-License-Identifier: ISC */
#ifndef ROUTE_CONFIG_H
#define ROUTE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "digest.h"
#include "ledger.h"

/*
 * HAProxy's configuration, DIR/haproxy.cfg, and what it refers to in
 * DIR/route: pages, and the map of apps in maintenance. All paths in it are
 * relative to DIR, which is HAProxy's working folder.
 */

#define ROUTE_CONFIG "haproxy.cfg"
#define ROUTE_SOCKET "haproxy.sock"
#define ROUTE_PID    "haproxy.pid"
#define ROUTE_MAP    "route/maintenance.map"

struct route_config {
	const char *dir;
	struct app **apps;
	size_t nr_apps;
	const bool *bind;   /* is the app's port to be listened on? */
	const char *listen; /* ADDR:PORT for all apps by name; NULL: none */
	/* Connections at a time; fewer where HAProxy may not have so many. */
	unsigned long max_app, max_source;
};

/*
 * What tells this configuration from another one: of all in it but the
 * servers. It is its "description", which HAProxy tells at run time.
 */
void route_config_id(char id[DIGEST_HEX], const struct route_config *c);

/*
 * Write all of it, with the servers that the state files name now; to be
 * called under the lock. A state file that is not as it should be is left
 * out, and logged. Errors: ERR_SYSTEM.
 */
int route_config_write(const struct route_config *c);

/* Write the map: the apps in maintenance. Errors: ERR_SYSTEM. */
int route_config_map(const struct route_config *c);

#endif
