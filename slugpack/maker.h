/* SPDX-License-Identifier: ISC */
#ifndef MAKER_H
#define MAKER_H

#include <stddef.h>
#include <stdint.h>

#include "plan.h"
#include "sink.h"
#include "tree.h"

/*
 * What makes segments, one after the other, in one thread: its own reader of
 * the repository, its own archive and compressor.
 */
struct maker;

/* A blob of more bytes comes in pieces. */
#define MAKER_LARGE (8 << 20)

/* What a segment in the making tells. */
struct maker_events {
	/* An entry of so many bytes was packed. */
	void (*packed)(void *ctx, uint64_t bytes);
	/* The file at path is what Git LFS leaves in place of one. */
	void (*pointer)(void *ctx, const char *path);
	/* A blob that must not be in memory as a whole. */
	int (*large)(void *ctx, const struct tree_entry *e, uint64_t size,
		     const struct sink *to);
	void *ctx;
};

/* A reader of what tree reads. Errors: of tree_again(), ignore_read(). */
int maker_open(struct maker **out, const struct tree *tree,
	       const struct slug_spec *spec, const struct maker_events *events);

/*
 * The bytes of the segment to the sink; *raw is how many of tar are in them.
 * No blob of it is in memory afterwards.
 * Errors: what the sink returned; ERR_FAILED, ERR_INVALID.
 */
int maker_run(struct maker *m, const struct planned *s, struct sink to,
	      uint64_t *raw);

/* Free m; it may be NULL. */
void maker_free(struct maker *m);

#endif
