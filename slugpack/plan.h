/* SPDX-License-Identifier: ISC */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache.h"
#include "ignore.h"
#include "manifest.h"
#include "slug.h"

/*
 * Which segments a slug has: the tree of a commit is walked, every entry
 * checked and the sizes summed that the objects' headers tell, before any
 * blob is read.
 *
 * A folder that is not large (cut.h) with all that is in it is one item of
 * its parent's, and so are twins; any other has segments of its own. The
 * items between two such folders are a run, which cut.h cuts into segments.
 * So the name of a segment follows from tree objects, and a folder whose tree
 * object is that of the cache need not be read.
 */

/* A part of a segment: an entry, or a folder with all that is in it. */
struct item {
	char *name; /* in the segment's folder; "" is the folder itself */
	enum entry_kind kind;
	bool below; /* with all that is in it */
	unsigned char id[ENTRY_ID_SIZE];
	uint64_t size; /* bytes of a file or link */
};

struct planned {
	struct segment segment; /* its name; the rest where it is known */
	bool known;
	bool has_twins;
	bool is_end;  /* tar's end mark */
	char *folder; /* of its items; "" is the root */
	struct item *items;
	size_t nr_items;
};

struct plan {
	struct planned *v;
	size_t n;
	struct cache cache; /* of what was found, for the next plan */
	unsigned char key[DIGEST_SIZE];
};

struct plan_spec {
	const struct slug_spec *slug;
	struct tree *tree;
	const struct ignore *ignore;
	const unsigned char *rules; /* see ignore_read() */
	/*
	 * Does the store have the segment? If so fill in what it is. NULL:
	 * there is no store.
	 */
	bool (*has)(void *ctx, struct segment *s);
	/* The same of one that the cache knows: only whether it is there. */
	bool (*is_there)(void *ctx, const struct segment *s);
	void (*notice)(void *ctx, const char *path, const char *what);
	void (*progress)(void *ctx);
	void *ctx;
};

/*
 * Plan a slug, fill in types, entries, tree_size and what is left out of
 * *slug. plan_release() empties *out, whatever the result.
 * Errors: as slug_make()'s of what is not about writing.
 */
int plan_make(struct plan *out, const struct plan_spec *spec,
	      struct slug *slug);

void plan_release(struct plan *p);

#endif
