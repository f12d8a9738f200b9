/* SPDX-License-Identifier: ISC */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stddef.h>

/*
 * systemd's journal, by its native protocol
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/): the lines of an app's log
 * as entries with the fields
 *
 *	MESSAGE			the line
 *	SYSLOG_IDENTIFIER	the app
 *	DYNO			the process, such as web.1
 *	SLUGD_SOURCE		app or heroku
 *
 * Where the journal is behind, lines are lost: it is never waited for.
 */
struct journal;

/*
 * The journal, for an app, where standard error goes there, too
 * (JOURNAL_STREAM of systemd.exec(5)); else NULL. The path of a socket in
 * SLUGD_TEST_JOURNAL is a journal for tests.
 */
struct journal *journal_open(const char *app);

/* Add a line of len bytes, with no newline in it; j may be NULL. */
void journal_write(struct journal *j, const char *source, const char *name,
		   const char *line, size_t len);

/* Free j; it may be NULL. */
void journal_close(struct journal *j);

#endif
