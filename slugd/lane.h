/* SPDX-License-Identifier: ISC */
#ifndef LANE_H
#define LANE_H

#include <stdint.h>

/*
 * Release lanes, one an app. A push holds its app's from the trial of its
 * release until it is settled or dropped, and nothing else makes a release
 * of the app meanwhile: so the number that the processes of the trial were
 * told is the one that is recorded.
 *
 * A lane is taken, and looked at before a release is written, by jobs of
 * JOBS_LEDGER: nothing comes between the look and the release.
 */
struct lanes;

struct lanes *lanes_new(void);

/* Free l, for which nobody waits; it may be NULL. */
void lanes_free(struct lanes *l);

/* Nobody waits from now on: slugd is stopping. */
void lanes_stop(struct lanes *l);

/* The app's lane, which is free, becomes the push's, whose user that is. */
void lane_take(struct lanes *l, int64_t app, const char *push, int64_t version,
	       const char *user);

/* It is no longer that push's; nothing happens where it was not. */
void lane_let_go(struct lanes *l, int64_t app, const char *push);

/*
 * What it is held for, "v10 is being launched for a push by ann", or NULL
 * where it is free. Caller frees.
 */
char *lane_busy(struct lanes *l, int64_t app);

/*
 * Wait until it is free, or clock_mono_ms() is at until.
 * Errors: ERR_CONFLICT; ERR_UNAVAILABLE where slugd is stopping.
 */
int lane_wait(struct lanes *l, int64_t app, int64_t until);

#endif
