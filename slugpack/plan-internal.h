/* SPDX-License-Identifier: ISC */
#ifndef PLAN_INTERNAL_H
#define PLAN_INTERNAL_H

#include "cut.h"
#include "plan.h"

/*
 * What plan.c, which walks the tree, and segments.c, which cuts its folders
 * into segments and names these, share.
 */

struct planner {
	const struct plan_spec *spec;
	struct slug *slug;
	struct plan *plan;
	struct cache old;
	const struct cut_scale *scale;
	uint64_t most; /* bytes of a tree of that scale, and one */
	unsigned char form[DIGEST_SIZE]; /* the part of all names */
};

/* Planned segments, in order. */
struct list {
	struct planned *v;
	size_t n, room;
};

/* An entry of a folder, planned. */
struct part {
	struct known known;
	char *name;
	uint64_t hash; /* of the name, for cut.h */
	uint64_t size;
	struct list list; /* of a node */
	size_t node;      /* its number in the plan's cache */
};

/* A folder on its way; and the same folder in the cache, where it is. */
struct folder {
	struct planner *p;
	const char *path;
	size_t depth; /* of its entries; 1 in the root */
	struct part *parts;
	size_t nr, room;
	const struct known *old;
	struct cache_at *below;
	size_t nr_old, at, nodes_before;
	size_t spare; /* entries that may be looked at beyond LOOK_AHEAD */
};

/* A new one, all zero, at the end of l; valid until the next call. */
struct planned *list_add(struct list *l);

void list_release(struct list *l);

void planned_release(struct planned *s);

/* Fill in p->form: what all segments' bytes depend on beside what is in it. */
void segments_form(struct planner *p);

/* Are a and b, side by side, twins (cut.h)? */
bool segments_are_twins(const struct planner *p, const struct part *a,
			const struct part *b);

/*
 * The folder has segments of its own: its runs, and those of the nodes
 * between them, go to the end of out; the parts' names and lists with them.
 * self is its own entry; the root has none.
 */
void segments_cut(struct folder *f, struct part *self, struct list *out);

/* Tar's end mark is the last segment. */
void segments_end(struct planner *p, struct list *l);

#endif
