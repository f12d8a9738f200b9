/* SPDX-License-Identifier: ISC */
#ifndef RETENTION_H
#define RETENTION_H

#include "ledger.h"

/*
 * Which slugs of an app are let go: not those that are needed; of the
 * others those that are not among the newest keep of all, and of these, the
 * oldest first, those that do not fit into keep_bytes together with what is
 * needed. What slugs share counts once.
 */
struct retention {
	int64_t keep;        /* 0: all */
	uint64_t keep_bytes; /* 0: no limit */
	/* How many more bytes are taken with that slug beside those before. */
	uint64_t (*bytes)(void *ctx, const char *uuid);
	void *ctx;
};

/* Say of each of n slugs, the newest first, whether it goes; how many do. */
size_t retention_choose(struct kept_slug *v, size_t n,
			const struct retention *rule);

#endif
