/* SPDX-License-Identifier: ISC */
#ifndef LOG_FILE_H
#define LOG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An app's log as its slugrun writes it: lines of
 *
 *	2015-05-07T09:00:00.123456+00:00 app[web.1]: text
 *
 * in the file "log" of the app's folder, which becomes "log.1" when it is
 * large. A reader begins at the last lines, and goes on over that; what
 * was thrown away before it came to it, it does not see.
 */
struct log_file;

/* Which lines. */
struct log_wish {
	int64_t lines;      /* so many of those that are there */
	const char *source; /* "app", "heroku"; NULL: both */
	const char *dyno;   /* "web", "web.1"; NULL: all */
};

/* Read the log in the folder dir, where there need be none yet. */
struct log_file *log_file_open(const char *dir, const struct log_wish *wish);

/* Close f; it may be NULL. */
void log_file_close(struct log_file *f);

/*
 * The next line that is wanted, without its end, and its length; borrowed
 * until the next call. NULL where there is none, yet.
 */
const char *log_file_next(struct log_file *f, size_t *len);

/* Was anything written since log_file_next() gave NULL? */
bool log_file_has_more(const struct log_file *f);

#endif
