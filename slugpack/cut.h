/* SPDX-License-Identifier: ISC */
#ifndef CUT_H
#define CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where a run of tar entries is cut into segments. The rule looks at an
 * entry and what lies within a window of bytes of it, and at nothing else
 * but how large the tree is, roughly: so it does not depend on what was
 * packed before, and a change cuts its neighbourhood anew and no more.
 *
 * A large entry stands alone, but for twins: the same object twice, side by
 * side, is one segment, of which the second half costs next to nothing.
 * Elsewhere a segment begins at an entry whose hash is the smallest within
 * the window to both sides, and at neither end of a run: segments have a
 * window's bytes at least, where there are as many, and seldom more than
 * four times as many.
 */

/*
 * Small segments cost a release less disk, large ones pack better: against
 * one zstd -3 stream of source text, segments of 120 KB of it are 8 to 11%
 * larger, of 500 KB 4%, while one changed file costs a third of that. In a
 * large tree a release costs little in any case.
 */
struct cut_scale {
	uint64_t window; /* bytes */
	uint64_t large;
};

/* For a tree whose files have so many bytes: CUT_LARGE_TREE is large. */
const struct cut_scale *cut_scale_for(uint64_t bytes);

#define CUT_LARGE_TREE (UINT64_C(128) << 20)

#define CUT_TWIN (3 << 20) /* larger twins are strangers */

struct cut_item {
	uint64_t weight;         /* bytes of tar */
	uint64_t hash;           /* of its name */
	const unsigned char *id; /* of its object, ENTRY_ID_SIZE bytes */
};

/* Where the segment that begins at item at ends: behind that item; <= n. */
size_t cut_end(const struct cut_scale *s, const struct cut_item *v, size_t n,
	       size_t at);

/* Are a and b, side by side, twins? */
bool cut_is_twin(const struct cut_scale *s, const struct cut_item *a,
		 const struct cut_item *b);

/* The hash of a name: FNV-1a, mixed (that of MurmurHash3 by A. Appleby). */
uint64_t cut_hash(const char *name);

#endif
