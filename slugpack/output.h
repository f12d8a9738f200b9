/* SPDX-License-Identifier: ISC */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stddef.h>
#include <stdint.h>

/*
 * The last step: a descriptor, and a count of what came. Once more than max
 * bytes came nothing more is written, but the count goes on, so that the
 * message can say how large the slug is.
 */
struct output {
	int fd;
	uint64_t max;  /* bytes; 0: no limit */
	uint64_t size; /* bytes that came */
};

/* Write len bytes to fd; ctx is a struct output. For struct sink. */
int output_write(void *ctx, const void *data, size_t len);

/*
 * Errors: ERR_TOOBIG if more than max bytes came, in Heroku's words:
 * "Compiled slug size: 305.6M is too large (max is 300M)."
 * Source: https://devcenter.heroku.com/articles/slug-compiler
 */
int output_check(const struct output *o);

/* Write all of len bytes to fd. Errors: ERR_SYSTEM; name says what failed. */
int write_all(int fd, const void *data, size_t len, const char *name);

#endif
