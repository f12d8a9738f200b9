/* SPDX-License-Identifier: ISC */
#ifndef IDLE_H
#define IDLE_H

#include <stdbool.h>

#include "ledger.h"

/*
 * An app whose current release starts no process: nobody may be told that it
 * runs, or be given its address.
 */
struct slugd;

/* What the processes of a slug are, as the app is scaled now. */
struct idle {
	char *why; /* nothing of it runs, in one or more lines; or NULL */
	bool web;  /* one or more web processes run */
};

/*
 * Of that slug. Where slugd launches nothing, or where the formation cannot
 * be read, why is NULL and web is true.
 */
void idle_look(struct idle *out, const struct slugd *d, const struct app *app,
	       const struct slug *slug);

/* As idle_look(), of a release's slug; current may be NULL. */
void idle_release(struct idle *out, const struct slugd *d,
		  const struct app *app, const struct release *current);

void idle_clear(struct idle *i);

#endif
