/* SPDX-License-Identifier: ISC */
#ifndef KEPT_H
#define KEPT_H

#include "ledger.h"

struct slugd;

/*
 * What git has to keep: each release's commit, by refs/releases/vNN. A job
 * of the app's own lane does it, after the release was recorded.
 */

/* The apps for which that failed: it is tried again, with growing pauses. */
struct kept;

struct kept *kept_new(void);

/* Free k, whose jobs have ended; it may be NULL. */
void kept_free(struct kept *k);

/* Keep the commit of a release that was just recorded. */
void kept_release(struct slugd *d, const struct app *app,
		  const struct release *r);

/*
 * After a start: keep those that lost their refs, or never got them. It
 * goes from the newest down, and no further than a hundred of which none
 * is missing.
 */
void kept_recover(struct slugd *d, const struct app *app);

#endif
