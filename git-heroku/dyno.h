/* SPDX-License-Identifier: ISC */
#ifndef DYNO_H
#define DYNO_H

#include <stdbool.h>

#include "heroku.h"

/*
 * Dynos, an app's processes: "web.1" is the first one of type "web", "run.1"
 * a one-off one.
 */

/*
 * Those that run, sorted by type and number, into *out (caller's reference):
 * all, or those of a type, or the one of that name.
 * Errors: those of heroku_get().
 */
int dyno_list(struct heroku *h, const char *name, json_t **out);

/* Is it a one-off one? */
bool dyno_is_run(const json_t *dyno);

/*
 * Change all (NULL), those of a type or the one of that name: a request of
 * the method to their path with suffix behind it, under "WORDS dynos...",
 * "WORDS web dynos..." or "WORDS web.1 dyno...".
 * Errors: those of client_call().
 */
int dyno_change(struct heroku *h, const char *name, const char *words,
		const char *method, const char *suffix);

#endif
