/* SPDX-License-Identifier: ISC */
#ifndef CUT_H
#define CUT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Where a run of tar entries is cut into segments. The rule looks at an
 * entry and what lies within CUT_WINDOW bytes of it, and at nothing else: so
 * it does not depend on what was packed before, and a change cuts its
 * neighbourhood anew and no more.
 *
 * An entry of CUT_LARGE bytes stands alone. Elsewhere a segment begins at an
 * entry whose hash is the smallest within CUT_WINDOW bytes to both sides, and
 * at neither end of a run: segments have CUT_WINDOW bytes at least, where
 * there are as many, and seldom more than four times as many.
 */

#define CUT_WINDOW (48 << 10)
#define CUT_LARGE  (128 << 10)

struct cut_item {
	uint64_t weight; /* bytes of tar */
	uint64_t hash;   /* of its name */
};

/* Where the segment that begins at item at ends: behind that item; <= n. */
size_t cut_end(const struct cut_item *v, size_t n, size_t at);

/* The hash of a name: FNV-1a, mixed (that of MurmurHash3 by A. Appleby). */
uint64_t cut_hash(const char *name);

#endif
