/* SPDX-License-Identifier: ISC */
#ifndef ORDER_H
#define ORDER_H

#include "ledger.h"

/*
 * What slugrun is told to launch: the body of its POST /launch, see
 * slugrun(8).
 */
struct slugd;

/*
 * The order for release r of the app, which may not be written yet, with
 * that slug, into *out, caller's reference. It is no trial's.
 * Errors: ERR_FAILED where the slug is gone; ERR_INVALID.
 */
int order_make(const struct slugd *d, const struct app *app,
	       const struct release *r, const struct slug *slug, json_t **out);

/*
 * How many processes of which type, and their commands, as a part of that or
 * for slugrun's PATCH /formation; caller's reference.
 */
int order_processes(const struct slugd *d, const struct app *app,
		    const struct slug *slug, json_t **out);

/*
 * How processes are held, as a part of that, into *out, caller's reference.
 * Errors: ERR_SYSTEM, and the ledger's.
 */
int order_fences(const struct slugd *d, json_t **out);

/* What is run before a release with that slug becomes current; or NULL. */
const char *order_release_command(const struct slug *slug);

/*
 * Is there something to try before a push of that slug is accepted, and is
 * it to be tried? Into *needed. Errors: the ledger's.
 */
int order_needs_trial(const struct slugd *d, const struct app *app,
		      const struct slug *slug, bool *needed);

#endif
