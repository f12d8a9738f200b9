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

enum log_found {
	LOG_LINE,
	LOG_NONE,  /* none yet: log_file_has_more() says when */
	LOG_LATER, /* what was looked at is enough for now: ask again */
};

/*
 * The next line that is wanted, without its end, and its length; borrowed
 * until the next call. However long the log, a call takes a moment.
 */
enum log_found log_file_next(struct log_file *f, const char **line,
			     size_t *len);

/* Was anything written since log_file_next() found none? */
bool log_file_has_more(const struct log_file *f);

#endif
