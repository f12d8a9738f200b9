/* SPDX-License-Identifier: ISC */
#ifndef LAUNCH_H
#define LAUNCH_H

#include <stdbool.h>
#include <stdint.h>

#include "http.h"
#include "release.h"

/*
 * A release on its way up, and what an order to launch one means for it.
 *
 *	waiting -> unpacking -> (releasing ->) starting -> (up)
 *	for a trial:                           starting -> trial -> starting
 *	any of them -> failing -> cleaning -> (failed)
 *
 * A launch belongs to the supervisor until the release is up, and then
 * runs, or until nothing is left of it. While one is on its way down the
 * next one may wait for it.
 */
struct supervisor;
struct launch;

/*
 * The order to launch r: r becomes the supervisor's, and req is answered
 * when it is done. It begins a launch, takes the place of a trial of
 * another release, goes on with a trial of this one, or joins what is under
 * way already.
 * Errors: ERR_CONFLICT, ERR_UNAVAILABLE; r and req are the caller's.
 */
int launch_order(struct supervisor *s, struct release *r,
		 struct http_request *req);

/*
 * End the trial, if there is one. Returns HTTP_LATER where req is answered
 * when it is gone. Errors: ERR_CONFLICT.
 */
int launch_end_trial(struct supervisor *s, struct http_request *req);

/* Take the launch a step further, where it can be. */
void launch_tick(struct supervisor *s);

/* When launch_tick() is next of use, at the latest; clock_mono_ms(). */
int64_t launch_due(const struct supervisor *s);

/* The release on its way up (or down, where it failed), or NULL; borrowed. */
struct release *launch_release(const struct supervisor *s);

/* The release that is tried, and waits for the order to go on, or NULL. */
const struct release *launch_trial(const struct supervisor *s);

/* Is one under way, and no trial that waits? */
bool launch_is_busy(const struct supervisor *s);

/*
 * What the launch waits for, "web.1 to answer on port 5100"; NULL where there
 * is none, or it is on trial and up. Caller frees.
 */
char *launch_waiting(const struct supervisor *s);

/* End it at once, with these words: the supervisor stops. */
void launch_abort(struct supervisor *s, const char *why);

#endif
