/* SPDX-License-Identifier: ISC */
#ifndef RUNNER_H
#define RUNNER_H

#include <stdatomic.h>

#include "client.h"
#include "ledger.h"

/*
 * The slugrun of an app, over apps/APP/slugrun.sock. Each call waits for
 * it: none is for the server's thread, or the ledger's lane.
 */
struct slugd;

/* Connect to it. Errors: ERR_UNAVAILABLE where there is none. */
int runner_connect(const struct slugd *d, const struct app *app,
		   struct client **out);

/* The same, starting it where there is none. Errors: ERR_FAILED. */
int runner_need(const struct slugd *d, const struct app *app,
		struct client **out);

/* What it says of itself, GET /, into *out. Errors: ERR_UNAVAILABLE. */
int runner_state(const struct slugd *d, const struct app *app, json_t **out);

/*
 * Who hears what a release command says, on a thread of its own: say() as
 * in client_stream(), then end(), once.
 */
struct runner_output {
	int (*say)(void *ctx, const char *data, size_t len);
	void (*end)(void *ctx);
	void *ctx;
	const atomic_bool *unwanted; /* true: not to be begun; or NULL */
};

/*
 * Give it an order_make()'s order, and wait until that is done. output is
 * called where it has a release command. Once slugd is stopping it is waited
 * for no more, but goes on.
 * Errors: ERR_FAILED and others, with what the launch said last.
 */
int runner_launch(const struct slugd *d, const struct app *app,
		  const json_t *order, const struct runner_output *output);

/*
 * Does it know trials? One that an older slugd started does not, and would
 * launch at once.
 */
bool runner_can_try(const struct slugd *d, const struct app *app);

/* End the trial that it has, if any. */
int runner_end_trial(const struct slugd *d, const struct app *app);

#endif
