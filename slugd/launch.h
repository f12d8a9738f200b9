/* SPDX-License-Identifier: ISC */
#ifndef LAUNCH_H
#define LAUNCH_H

#include "ledger.h"

struct slugd;

/*
 * Launching: one slugrun an app, which slugd starts and speaks to over its
 * socket. Releases of an app are launched one after the other.
 */

/*
 * A release was made: launch it, if it is pending, as a job, and keep its
 * commit by refs/releases/vN. Takes copies.
 */
void launch_release(struct slugd *d, const struct app *app,
		    const struct release *r);

/*
 * After a start: launch what was left pending, and see that every app runs
 * its current release.
 */
int launch_recover(struct slugd *d);

/*
 * Launch the current release of the app with that id again, as a job: its
 * slugrun was killed, or, with a pause, that was tried so many milliseconds
 * ago. Where it fails it is tried on, after twice the pause, 60 seconds at
 * most. Nothing is done for an app that is gone.
 */
void launch_again(struct slugd *d, int64_t id, int pause);

/*
 * Call the app's slugrun: see client_call(). It waits; neither the server's
 * thread nor the ledger's lane may.
 * Errors: ERR_UNAVAILABLE where there is none, and nothing runs; else those
 * of client_call(), with ERR_FAILED where it did not answer.
 */
int launch_call(const struct slugd *d, const struct app *app,
		const char *method, const char *path, const json_t *body,
		json_t **out);

/*
 * What runs of the app goes on with as many processes as the ledger has for
 * it. It waits, as that does. Errors: ERR_CONFLICT where a release is being
 * launched; those of launch_call(), but none where nothing runs.
 */
int launch_scale(const struct slugd *d, const struct app *app);

/* End all apps, and wait for that. */
void launch_stop_all(struct slugd *d);

/* "http://127.0.0.1:5100/", or NULL where nothing will answer. */
char *launch_web_url(const struct slugd *d, const struct app *app);

#endif
