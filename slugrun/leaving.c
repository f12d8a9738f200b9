/* SPDX-License-Identifier: ISC */
#include "supervisor.h"

#include <inttypes.h>

#include "log.h"
#include "strays.h"
#include "traffic.h"

void release_tick(struct supervisor *s, struct release *r)
{
	struct process *p, *next;
	bool changed = false;

	for (p = TAILQ_FIRST(&r->processes); p; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->leaving && p->state < PROCESS_ENDING &&
		    is_drained(s, r, p))
			process_stop(p, &s->log);
		if (process_tick(p, &s->log))
			changed = true;
		if (p->state == PROCESS_GONE && !process_counts(p)) {
			TAILQ_REMOVE(&r->processes, p, link);
			process_free(p);
		}
	}
	if (changed && r == s->running)
		route_refresh(s);
}

void release_end_strays(const struct supervisor *s, const struct release *r)
{
	unsigned n = 0;

	if (!s->running || s->running->version != r->version)
		n = strays_kill(s->dir, r->version);
	if (n)
		log_line("v%" PRId64 " left %u processes: killed", r->version,
			 n);
}

void leaving_tick(struct supervisor *s)
{
	struct release *r, *next;

	for (r = TAILQ_FIRST(&s->leaving); r; r = next) {
		next = TAILQ_NEXT(r, link);
		release_tick(s, r);
		if (!TAILQ_EMPTY(&r->processes))
			continue;
		TAILQ_REMOVE(&s->leaving, r, link);
		release_end_strays(s, r);
		release_free(r);
		s->want_prune = true;
	}
}
