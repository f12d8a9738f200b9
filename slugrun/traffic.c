/* SPDX-License-Identifier: ISC */
#include "traffic.h"

#include <stdlib.h>

#include "clock.h"
#include "err.h"
#include "mem.h"
#include "route.h"
#include "supervisor.h"

void route_refresh(struct supervisor *s)
{
	struct route_server *v = NULL;
	const struct process *p;
	size_t n = 0;

	if (!s->route || !s->running)
		return;
	for (p = TAILQ_FIRST(&s->running->processes); p;
	     p = TAILQ_NEXT(p, link)) {
		if (!p->web || p->leaving || p->state != PROCESS_UP)
			continue;
		v = xrealloc(v, n + 1, sizeof(*v));
		v[n].name = p->name;
		v[n].pid = p->pid;
		v[n++].port = p->port.port;
	}
	route_point(s->route, v, n);
	free(v);
}

/* The traffic's way to release r: *out, which may be the one there is. */
static int route_for(const struct supervisor *s, const struct release *r,
		     struct route **out)
{
	*out = NULL;
	if (!release_has_web(r))
		return 0;
	if (s->route && route_fits(s->route, r->route, r->listen)) {
		*out = s->route;
		return 0;
	}
	return route_open(out, r->route, r->listen);
}

static void leave(struct supervisor *s, struct release *r)
{
	struct process *p;

	TAILQ_INSERT_TAIL(&s->leaving, r, link);
	for (p = TAILQ_FIRST(&r->processes); p; p = TAILQ_NEXT(p, link)) {
		p->stays = false;
		if (!p->oneoff)
			process_leave(p);
	}
}

int traffic_move(struct supervisor *s, struct release *r)
{
	struct release *old = s->running;
	struct route *route;
	int rc = route_for(s, r, &route);

	if (rc)
		return rc;
	s->running = r;
	if (old && s->route && s->route != route) {
		route_refuse(s->route);
		old->old_route = s->route;
	}
	s->route = route;
	route_refresh(s);
	if (old)
		leave(s, old);
	return 0;
}

int traffic_open(struct supervisor *s, const struct release *wanted)
{
	const struct release *r = s->running;
	int rc;

	/* Without web processes it stays, and leads nowhere. */
	if (s->route || !release_has_web(wanted))
		return 0;
	rc = route_open(&s->route, r->route, r->listen);
	return rc ? err_prefix(ERR_FAILED, "no web process was started") : 0;
}

bool is_drained(const struct supervisor *s, const struct release *r,
		const struct process *p)
{
	struct route *route = r->old_route ? r->old_route : s->route;

	/* With no other one, the old one is still to be kept in line. */
	if (r->old_route && !s->route && !s->stopping)
		route_tick(r->old_route);
	return s->stopping || !p->web || !route ||
	       clock_mono_ms() - p->left_ms >=
		       route_drain_ms(route, r->grace) ||
	       !route_is_busy(route, p->port.port);
}
