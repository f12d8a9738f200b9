/* SPDX-License-Identifier: ISC */
#ifndef WATCHES_H
#define WATCHES_H

#include "ledger.h"

struct slugd;

/*
 * The slugruns that ought to run: of one that was killed, or that somebody
 * else started anew, the app's current release is launched again. One that
 * was told to end, or whose folder is gone, has no socket after that.
 * And the apps of which nothing runs, since that could not be launched: it
 * is launched again, later.
 */
struct watches;

/* With a thread of its own. Errors: ERR_SYSTEM, ERR_UNAVAILABLE. */
int watches_new(struct slugd *d, struct watches **out);

/*
 * End the watching, and free w; it may be NULL. No thread may be in
 * watches_add().
 */
void watches_free(struct watches *w);

/* Watch the slugrun of the app, which answers; again is no harm. */
void watches_add(struct watches *w, const struct app *app);

/*
 * The app's current release could not be launched: launch_again() after so
 * many milliseconds, or sooner by watches_hurry().
 */
void watches_retry(struct watches *w, const struct app *app, int ms);

/* What they could not be launched for may be over: launch them now. */
void watches_hurry(struct watches *w);

#endif
