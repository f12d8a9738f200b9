/* SPDX-License-Identifier: ISC */
#ifndef JSON_H
#define JSON_H

#include <jansson.h>
#include <stdint.h>

/*
 * JSON values are jansson's json_t; this header is the one place that
 * includes jansson.h. Who makes a value owns one reference to it and ends
 * it with json_decref().
 */

/*
 * The value in len bytes of text into *out (caller's reference).
 * Errors: ERR_BADREQUEST, saying where the text is wrong.
 */
int json_read(json_t **out, const char *text, size_t len);

/* v on one line, keys sorted. Caller frees. */
char *json_text(const json_t *v);

/* v as people read it: indented, keys in order of insertion. Caller frees. */
char *json_pretty(const json_t *v);

/*
 * The string (number, boolean) at key of object v; the fallback where v is
 * no object or has none there. The string is borrowed from v.
 */
const char *json_str(const json_t *v, const char *key, const char *fallback);
int64_t json_int(const json_t *v, const char *key, int64_t fallback);
int json_bool(const json_t *v, const char *key, int fallback);

/* json_pack(), but never NULL: aborts where the format is wrong. */
json_t *json_make(const char *fmt, ...);

/* A string, or null where s is NULL or not UTF-8. */
json_t *json_str_or_null(const char *s);

/* The time as the Platform API writes it, null where when is 0. */
json_t *json_time(int64_t when);

#endif
