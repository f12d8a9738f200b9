/* SPDX-License-Identifier: ISC */
#ifndef CHANGE_H
#define CHANGE_H

#include "heroku.h"

/*
 * A request that changes the app, and the release that comes of it.
 *
 *	struct change change = { "POST", path, body, 0 };
 *
 *	rc = change_make(h, &change, "Adding %s to %s", addon, h->name);
 *	if (!rc)
 *		printf(" done, %s\n", change.release);
 *	change_release(&change);
 */
struct change {
	const char *method;
	const char *path;
	const json_t *body; /* NULL: none */

	json_t *answer; /* what the request answered; NULL: nothing */
	char *target;   /* a rollback's "v4"; NULL: it is none */
	char *before;   /* what was current before a rollback, "v5"; or NULL */
	char *release;  /* "v5", its launch having ended; NULL: no change */
};

/*
 * Send the request, and wait until the release that it made, if any, is
 * launched. What its release command says is shown meanwhile, on standard
 * error. c->release is also set where the launch failed.
 * Errors: those of client_call(); ERR_FAILED where the launch failed, with
 * what slugd said of it.
 */
int change_send(struct heroku *h, struct change *c);

/*
 * The same, with a line on standard output: "WORDS..." before it is sent,
 * and " failed" or " failed, v5" where it fails. The rest of the line is the
 * caller's.
 */
int change_make(struct heroku *h, struct change *c, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Follow a release (a path segment: its version or id) until its launch is
 * over; the release as it is then into *out (caller's reference, NULL if not
 * known). Errors: as change_send().
 */
int change_wait(struct heroku *h, const char *release, json_t **out);

/* Does the app's next release, or the newest, run a release command? */
bool change_has_command(struct heroku *h);

/* Free what c came to hold, not c. */
void change_release(struct change *c);

#endif
