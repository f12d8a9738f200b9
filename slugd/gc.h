/* SPDX-License-Identifier: ISC */
#ifndef GC_H
#define GC_H

#include <stdint.h>

struct slugd;

/*
 * Slugs that are not to be kept (retention.h) are let go: first in the
 * ledger, then in the store, with whatever else no slug needs there. A kill
 * in between loses nothing, and the next pass goes on from there.
 *
 * A pass runs as a job of JOBS_SLUGS, under the store's lock, so not while
 * a slug is packed. A slug on trial stays.
 */

struct gc_result {
	uint64_t bytes;   /* that were freed */
	int64_t releases; /* that expired */
};

/*
 * A release of app was made: a pass some time, unless there is nothing to do
 * or the store is busy, as then the next release brings one.
 */
void gc_release(struct slugd *d, int64_t app);

/* slugd starts: a pass over all. */
void gc_recover(struct slugd *d);

/*
 * A pass over all apps now, from a job of JOBS_SLUGS; waits for builds to
 * end. Errors: ERR_CONFLICT where they do not, for long; as slugs_gc().
 */
int gc_run(struct slugd *d, struct gc_result *out);

#endif
