/* SPDX-License-Identifier: ISC */
#ifndef MEM_H
#define MEM_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Memory that is always there: each call aborts the program when there is
 * none, so that no caller carries an untested branch. Results are freed
 * with free().
 */

/* len zeroed bytes. */
void *xcalloc(size_t n, size_t size);

/* n items of size bytes, old contents kept; p may be NULL. */
void *xrealloc(void *p, size_t n, size_t size);

/* A copy of s; NULL gives NULL. */
char *xstrdup(const char *s);

/* A copy of the first len bytes of s, ended with a NUL. */
char *xstrndup(const char *s, size_t len);

/* A formatted string. */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same, from a va_list. */
char *xvasprintf(const char *fmt, va_list ap)
	__attribute__((format(printf, 1, 0)));

/*
 * Free *p and take fresh, which becomes the holder's: for the one string
 * that a structure keeps of a changing thing.
 */
void str_replace(char **p, char *fresh);

#endif
