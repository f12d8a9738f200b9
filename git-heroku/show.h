/* SPDX-License-Identifier: ISC */
#ifndef SHOW_H
#define SHOW_H

#include <stdbool.h>
#include <stddef.h>

#include "json.h"

/*
 * How the API's objects read on standard output. What came from outside is
 * escaped on the way.
 */

/* How config vars are listed: "KEY => value", sorted and aligned. */
struct vars_form {
	const char *label;    /* before the first; NULL: none */
	int indent;           /* blanks before the others, and the label */
	bool shorten;         /* long values to their beginning and end */
	const json_t *owners; /* KEY: the add-on's name, to show; or NULL */
};

/* List vars, an object of strings, in that form. */
void show_vars(json_t *vars, const struct vars_form *form);

/* A value as JSON, for --json. */
void show_json(const json_t *v);

/*
 * A release's description, with its status behind it where that is not
 * "succeeded", cut to max characters (0: not cut). Caller frees.
 */
char *show_change(const json_t *release, size_t max);

/*
 * The time at key of v as text_when() says it; the text itself where it is
 * no time, "" where there is none. Caller frees.
 */
char *show_time(const json_t *v, const char *key);

/* The price of an add-on or a plan: "free", "$15/mo". Caller frees. */
char *show_price(const json_t *v);

/*
 * A table: a header of nr names with a rule below, then rows, an array of
 * arrays of strings; columns as wide as they must be, two blanks apart.
 */
void show_table(const char *const *header, size_t nr, const json_t *rows);

/* The string at key of the object at member of v, "" if none. Borrowed. */
const char *show_member(const json_t *v, const char *member, const char *key);

#endif
