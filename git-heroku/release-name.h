/* SPDX-License-Identifier: ISC */
#ifndef RELEASE_NAME_H
#define RELEASE_NAME_H

#include "heroku.h"

/*
 * A release as it is typed, "v3", "V3", "3", or an id, as the API takes it:
 * in lower case, with the v. Into *out; caller frees.
 * Errors: ERR_INVALID where it is empty.
 */
int release_name(char **out, const char *typed);

/*
 * The release of that name, or the newest one, whatever became of it, where
 * name is "newest"; into *out (caller's reference).
 * Errors: those of heroku_get().
 */
int release_get(struct heroku *h, const char *name, json_t **out);

/* The same, with its config vars put into it as the member config_vars. */
int release_with_config(struct heroku *h, const char *name, json_t **out);

#endif
