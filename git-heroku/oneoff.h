/* SPDX-License-Identifier: ISC */
#ifndef ONEOFF_H
#define ONEOFF_H

#include <stdio.h>

#include "heroku.h"

/*
 * A one-off process as run and run:detached ask for it: the body of
 * POST /apps/APP/dynos.
 */

/*
 * The command that the arguments are, as Heroku's client joins them: one
 * argument as it is; of several, such with a blank or a double quote in
 * double quotes. Caller frees.
 */
char *oneoff_command(const struct heroku *h);

/*
 * The body for that command, with what -e, --size and --type say, into *out
 * (caller's reference). Errors: ERR_INVALID.
 */
int oneoff_body(const struct heroku *h, const char *command, bool attach,
		json_t **out);

/* "Running `X` WORDS..." to f, the beginning of a line. */
void oneoff_announce(FILE *f, const char *command, const char *words);

#endif
