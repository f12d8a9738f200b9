/* SPDX-License-Identifier: ISC */
#ifndef LINES_H
#define LINES_H

#include <stddef.h>

/*
 * The lines of a process that tell why it failed: its first ones, its last
 * ones, and the first that looks like an error with those behind it. A line
 * that is the same as the one before it is counted only, and so are up to five
 * that are the same as those before them.
 */
#define LINES_FIRST 5
#define LINES_ERROR 8
#define LINES_LAST  20

struct line;

struct lines {
	struct line *first[LINES_FIRST];
	struct line *error[LINES_ERROR]; /* the oldest at 0 */
	struct line *last[LINES_LAST];   /* number n at n % LINES_LAST */
	size_t nr, nr_error;
	size_t error_from; /* the number of the first of these */
};

/* Another line. The text, which is UTF-8, is taken. */
void lines_add(struct lines *l, char *text);

/* Free what is kept; l is empty then, as one of zeros is. */
void lines_release(struct lines *l);

/*
 * What is kept, as much as fits into max bytes: each line escaped, cut, and
 * ended with a newline; "(repeated 40 times)" behind one that came so often,
 * "(these 2 lines repeated 40 times)" behind two,
 * and "(12 lines left out)" where some are. Caller frees.
 */
char *lines_text(const struct lines *l, size_t max);

#endif
