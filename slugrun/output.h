/* SPDX-License-Identifier: ISC */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What an app's processes print, and what became of them: lines in the file
 * "log" of the app's folder, in the form of Heroku's Logplex,
 *
 *	2015-05-07T09:00:00.123456+00:00 app[web.1]: text
 *	2015-05-07T09:00:00.123456+00:00 heroku[web.1]: State changed ...
 *
 * A line's bytes are the app's own: who shows them escapes them. A log of
 * over APPLOG_MAX bytes becomes log.1, in place of the one before.
 */
#define APPLOG_MAX (1024 * 1024)

struct applog {
	char *path;
	int fd; /* -1: not open */
	int64_t size;
};

/* The log at path, which is opened when it is first written to. */
void applog_init(struct applog *log, const char *path);
void applog_release(struct applog *log);

/*
 * Write one line; source is "app" or "heroku", name a process's. The log is
 * the app's convenience: where it cannot be written the line is lost.
 */
void applog_write(struct applog *log, const char *source, const char *name,
		  const char *line);
void applog_printf(struct applog *log, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The output of one process: the pipe, the line begun, the last lines. */
#define OUTPUT_TAIL 20
#define OUTPUT_LINE 8192

struct output {
	int fd; /* our end of the pipe; -1: none */
	char line[OUTPUT_LINE + 1];
	size_t len;
	char *tail[OUTPUT_TAIL]; /* the oldest at next % OUTPUT_TAIL */
	unsigned next;
};

void output_init(struct output *o);
void output_release(struct output *o);

/* A fresh pipe: the end for the child into *child. Errors: ERR_SYSTEM. */
int output_open(struct output *o, int *child);

/* Take what is there, a bounded piece. False at the end. */
bool output_read(struct output *o, struct applog *log, const char *name);

/*
 * Take what is still there (what a reasonable process left), write the line
 * begun, and close the pipe.
 */
void output_finish(struct output *o, struct applog *log, const char *name);

/*
 * The last lines, each escaped and ended with a newline, as many of the
 * newest as fit into max bytes. Caller frees.
 */
char *output_tail(const struct output *o, size_t max);

#endif
