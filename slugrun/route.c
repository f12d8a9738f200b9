/* SPDX-License-Identifier: ISC */
#include "route.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "mem.h"
#include "relay.h"
#include "servers.h"

/* How long the relay's connections may go on to old web processes. */
#define RELAY_DRAIN_MS 2000

/* One of the two. */
struct route {
	uint16_t port;
	struct relay *relay;
	struct servers *servers;
	struct relay *before; /* with connections that go on */
	struct route_server *v;
	size_t n; /* where it points */
};

static bool is_haproxy(const json_t *spec)
{
	return !strcmp(json_str(spec, "driver", "direct"), "haproxy");
}

int route_open(struct route **out, const json_t *spec, uint16_t port)
{
	struct route *r = xcalloc(1, sizeof(*r));
	int rc;

	r->port = port;
	rc = is_haproxy(spec) ? servers_open(&r->servers, spec)
			      : relay_open(&r->relay, port);
	if (rc)
		free(r);
	else
		*out = r;
	return rc;
}

bool route_fits(const struct route *r, const json_t *spec, uint16_t port)
{
	if (r->port != port || !r->servers != !is_haproxy(spec))
		return false;
	return r->relay || servers_fit(r->servers, spec);
}

uint16_t route_port(const struct route *r)
{
	return r->port;
}

static void point_relay(struct relay *relay, const struct route_server *v,
			size_t n)
{
	uint16_t *ports = xcalloc(n + 1, sizeof(*ports));
	size_t i;

	for (i = 0; i < n; i++)
		ports[i] = v[i].port;
	relay_point(relay, ports, n);
	free(ports);
}

/* Where requests go is kept: it is asked for once more by route_change(). */
static void keep(struct route *r, const struct route_server *v, size_t n)
{
	struct route_server *copy = xcalloc(n + 1, sizeof(*copy));
	size_t i;

	for (i = 0; i < n; i++) {
		copy[i] = v[i];
		copy[i].name = xstrdup(v[i].name);
	}
	for (i = 0; i < r->n; i++)
		free(r->v[i].name);
	free(r->v);
	r->v = copy;
	r->n = n;
}

static void point(struct route *r, const struct route_server *v, size_t n)
{
	if (r->relay)
		point_relay(r->relay, v, n);
	else
		servers_point(r->servers, v, n);
}

void route_point(struct route *r, const struct route_server *v, size_t n)
{
	keep(r, v, n);
	point(r, v, n);
}

void route_refuse(struct route *r)
{
	if (r->relay)
		relay_refuse(r->relay);
	else
		servers_point(r->servers, NULL, 0);
}

bool route_is_busy(struct route *r, uint16_t port)
{
	return r->relay ? relay_is_busy(r->relay, port)
			: servers_are_busy(r->servers, port);
}

int64_t route_drain_ms(const struct route *r, int64_t grace)
{
	/* One that is kept alive without a request never ends by itself. */
	return r->relay ? RELAY_DRAIN_MS : grace * 1000;
}

int route_change(struct route *r, const json_t *spec)
{
	struct route *fresh = NULL;
	int rc;

	if (route_fits(r, spec, r->port))
		return r->relay ? 0 : servers_sync(r->servers);
	rc = route_open(&fresh, spec, r->port);
	if (rc)
		return rc;
	point(fresh, r->v, r->n);
	if (r->relay) {
		relay_refuse(r->relay);
		relay_close(r->before);
		r->before = r->relay;
	}
	servers_close(r->servers);
	/* Both may have had the same state file. */
	if (fresh->servers)
		servers_sync(fresh->servers);
	r->relay = fresh->relay;
	r->servers = fresh->servers;
	free(fresh);
	return 0;
}

int64_t route_due(const struct route *r)
{
	return r->relay ? INT64_MAX : servers_due(r->servers);
}

void route_tick(struct route *r)
{
	if (r->servers)
		servers_tick(r->servers);
}

void route_free(struct route *r)
{
	if (!r)
		return;
	keep(r, NULL, 0);
	free(r->v);
	relay_close(r->relay);
	relay_close(r->before);
	servers_free(r->servers);
	free(r);
}

void route_close(struct route *r)
{
	if (!r)
		return;
	servers_close(r->servers);
	r->servers = NULL;
	route_free(r);
}
