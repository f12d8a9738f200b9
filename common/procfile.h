/* SPDX-License-Identifier: ISC */
#ifndef PROCFILE_H
#define PROCFILE_H

#include <stddef.h>

#include "json.h"

/*
 * The Procfile: lines of "TYPE: COMMAND"; blank lines and those that begin
 * with # are passed over, and so is a byte order mark. A line ends with LF,
 * CR LF or CR. The order is the file's.
 *
 * Source: https://devcenter.heroku.com/articles/procfile
 */

/*
 * The process types of len bytes of a Procfile, an object of
 * {"TYPE": "COMMAND"}, into *out (caller's reference).
 * Errors: ERR_INVALID; the message names the line, "Procfile line 3: ...".
 */
int procfile_parse(json_t **out, const char *text, size_t len);

/* "web, worker", or "(none)". Caller frees. */
char *procfile_names(const json_t *types);

#endif
