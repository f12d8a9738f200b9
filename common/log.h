/* SPDX-License-Identifier: ISC */
#ifndef LOG_H
#define LOG_H

/*
 * A program's log: one event is one line on standard error,
 *
 *	2026-11-23T07:00:00Z slugd: message
 *
 * with control characters escaped as text_escape() does. Never log a config
 * value.
 */

/* Set the name that lines begin with; borrowed for the program's life. */
void log_init(const char *name);

/* Write one line. Safe from any thread. */
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
