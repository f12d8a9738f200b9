/* SPDX-License-Identifier: ISC */
#include "formation.h"

#include <stdbool.h>
#include <string.h>

#include "err.h"

struct process *formation_find(const struct release *r, const char *name,
			       const struct process *but)
{
	struct process *p;

	for (p = TAILQ_FIRST(&r->processes); p; p = TAILQ_NEXT(p, link))
		if (p != but && process_counts(p) && !strcmp(p->name, name))
			return p;
	return NULL;
}

static bool mentions(const json_t *types, const char *type)
{
	size_t i;

	for (i = 0; types && i < json_array_size(types); i++)
		if (!strcmp(json_str(json_array_get(types, i), "type", ""),
			    type))
			return true;
	return !types;
}

/* Is p, of r, one too many by the formation of from? */
static bool is_surplus(const struct process *p, const struct release *from,
		       const json_t *types)
{
	return process_counts(p) && mentions(types, p->type) &&
	       !formation_find(from, p->name, NULL);
}

void formation_adopt(struct release *r, struct release *from,
		     const json_t *types)
{
	struct process *p, *next, *there;

	for (p = TAILQ_FIRST(&r->processes); p; p = TAILQ_NEXT(p, link)) {
		if (!is_surplus(p, from, types))
			continue;
		p->stays = false;
		process_leave(p);
	}
	for (p = TAILQ_FIRST(&from->processes); p; p = next) {
		next = TAILQ_NEXT(p, link);
		there = formation_find(r, p->name, NULL);
		if (there && !there->stays)
			continue;
		if (there)
			there->stays = false; /* it was stopped: a new one */
		TAILQ_REMOVE(&from->processes, p, link);
		TAILQ_INSERT_TAIL(&r->processes, p, link);
		p->release = r;
	}
}

int formation_check(const struct release *r, const struct release *from,
		    const json_t *types)
{
	const struct process *p;
	size_t n = 0;

	for (p = TAILQ_FIRST(&r->processes); p; p = TAILQ_NEXT(p, link))
		if (p->oneoff ||
		    (process_counts(p) && !is_surplus(p, from, types)))
			n++;
	for (p = TAILQ_FIRST(&from->processes); p; p = TAILQ_NEXT(p, link))
		if (!formation_find(r, p->name, NULL))
			n++;
	if (n > MAX_PROCESSES)
		return err_set(ERR_INVALID, "more than %d processes",
			       MAX_PROCESSES);
	return 0;
}
