/* SPDX-License-Identifier: ISC */
#ifndef FSCK_H
#define FSCK_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "ledger.h"
#include "name-set.h"

/*
 * Are the slugs whole? Each that the ledger needs is read, root, pages and
 * segments; what is missing or damaged is named on standard output, and
 * packed anew where its commit is still there. slugd may run meanwhile; who
 * calls has the store's lock, shared, so that nothing is removed.
 */
struct fsck {
	const char *dir; /* the store */
	struct ledger *ledger;
	const struct config *config;
	bool dry_run;          /* change nothing */
	struct name_set whole; /* segments that are */
	struct name_set named; /* segments that were said not to be */
	size_t slugs, checked; /* that the ledger needs; of them so far */
	size_t mended, broken;
};

/*
 * Begin with all but the fields dir to dry_run zero; fills in the counts.
 * Errors: where the ledger cannot be read, not where a slug is broken.
 */
int fsck_slugs(struct fsck *f);

void fsck_release(struct fsck *f);

#endif
