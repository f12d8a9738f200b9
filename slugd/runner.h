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
struct stream;

/* Connect to it. Errors: ERR_UNAVAILABLE where there is none. */
int runner_connect(const struct slugd *d, const struct app *app,
		   struct client **out);

/* The same, starting it where there is none. Errors: ERR_FAILED. */
int runner_need(const struct slugd *d, const struct app *app,
		struct client **out);

/* What it says of itself, GET /, into *out. Errors: ERR_UNAVAILABLE. */
int runner_state(const struct slugd *d, const struct app *app, json_t **out);

/*
 * A release's version that it says there, or 0: the one that runs ("version"),
 * is being launched ("launching"), or on trial ("trial").
 */
int64_t runner_version(const struct slugd *d, const struct app *app,
		       const char *what);

/*
 * Give it an order_make()'s order, and wait until that is done. What its
 * release command says goes to output (NULL: nowhere), and its last line is
 * ended there. It is not begun any more once *unwanted is true (NULL: it is
 * wanted).
 * Once slugd is stopping it is waited for no more, but goes on.
 * Errors: ERR_FAILED and others, with what the launch said last.
 */
int runner_launch(const struct slugd *d, const struct app *app,
		  const json_t *order, struct stream *output,
		  const atomic_bool *unwanted);

/*
 * Does it know trials? One that an older slugd started does not, and would
 * launch at once.
 */
bool runner_can_try(const struct slugd *d, const struct app *app);

/* End the trial that it has, if any. */
int runner_end_trial(const struct slugd *d, const struct app *app);

#endif
