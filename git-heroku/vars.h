/* SPDX-License-Identifier: ISC */
#ifndef VARS_H
#define VARS_H

#include <stdio.h>

#include "json.h"

/*
 * Config vars as text that is read again, one a line, sorted; as they are,
 * not escaped for a screen.
 */

/*
 * As a POSIX shell reads them back: KEY=value, KEY='two words',
 * KEY='it'\''s'. A value may go over several lines.
 */
void vars_shell(FILE *f, json_t *vars);

/* As dotenv_parse() reads them back, each on one line. */
void vars_dotenv(FILE *f, json_t *vars);

/*
 * Which add-on provides which var of addons, as the API lists them:
 * {"KEY": "memcachier"}. Caller's reference.
 */
json_t *vars_owners(const json_t *addons);

/* The keys of v, sorted, ended by NULL; they stay v's. Caller frees. */
const char **vars_keys(json_t *v);

/*
 * dotenv_parse() of what can be read from f, into *out (caller's reference).
 * Errors: its own; ERR_TOOBIG above VARS_MAX_TEXT bytes; ERR_SYSTEM.
 */
#define VARS_MAX_TEXT (1UL << 20)
int vars_read(json_t **out, FILE *f);

#endif
