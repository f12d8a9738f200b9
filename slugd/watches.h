/* SPDX-License-Identifier: ISC */
#ifndef WATCHES_H
#define WATCHES_H

#include "ledger.h"

struct slugd;

/*
 * The slugruns that ought to run: of one that was killed, or that somebody
 * else started anew, the app's current release is launched again. One that
 * was told to end, or whose folder is gone, has no socket after that.
 */
struct watches;

struct watches *watches_new(struct slugd *d);

/*
 * End the watching, and free w; it may be NULL. No thread may be in
 * watches_add().
 */
void watches_free(struct watches *w);

/* Watch the slugrun of the app, which answers; again is no harm. */
void watches_add(struct watches *w, const struct app *app);

#endif
