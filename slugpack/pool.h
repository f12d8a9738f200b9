/* SPDX-License-Identifier: ISC */
#ifndef POOL_H
#define POOL_H

#include <stddef.h>
#include <stdint.h>

#include "output.h"
#include "plan.h"
#include "store.h"
#include "tree.h"

/*
 * The threads that make the segments of a plan: each takes the next that is
 * not known. Into a store they go in any order; to a descriptor in that of
 * the plan, where a thread whose turn is not yet holds back a few MB.
 */
struct pool_spec {
	const struct slug_spec *slug;
	struct tree *tree; /* of the calling thread */
	struct plan *plan;
	struct store *store;   /* or NULL: */
	struct output *output; /* where all goes then */
	/* So much more is packed; one call at a time. */
	void (*progress)(void *ctx, uint64_t entries, uint64_t bytes);
	void *ctx;
};

/*
 * Make what is not known of the plan, and fill in what each segment is.
 * Errors: of maker_run() and of what is written; ERR_INVALID where the tree
 * has pointers of Git LFS.
 */
int pool_run(const struct pool_spec *spec);

#endif
