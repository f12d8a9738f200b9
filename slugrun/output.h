/* SPDX-License-Identifier: ISC */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lines.h"
#include "text.h"

struct capture;
struct journal;

/*
 * What an app's processes print, and what became of them: lines in the file
 * "log" of the app's folder, in the form of Heroku's Logplex,
 *
 *	2015-05-07T09:00:00.123456+00:00 app[web.1]: text
 *	2015-05-07T09:00:00.123456+00:00 heroku[web.1]: State changed ...
 *	2015-05-07T09:00:00.123456+00:00 heroku[api]: Release v3 created ...
 *
 * It is UTF-8: of a line with a NUL, or with bytes that are not UTF-8, all
 * that is not printable is shown as \xNN. In any other line control
 * characters are the app's own: who shows them escapes them.
 *
 * When the log is half as long as allowed it becomes log.1, in place of the
 * one before.
 */
#define APPLOG_MAX    (10 * 1024 * 1024) /* bytes, both of them */
#define APPLOG_BUFFER 16384

struct applog {
	char *path;
	struct journal *journal; /* has the lines, too; NULL: none */
	int fd;                  /* -1: not open */
	int64_t size, max;
	uid_t owner; /* whose the file is; 0: it stays ours */
	int64_t sec; /* that iso says */
	char iso[TEXT_TIME_SIZE];
	char buf[APPLOG_BUFFER]; /* what is not written yet */
	size_t len;
};

/* The log of an app at path, which is opened when it is first written to. */
void applog_init(struct applog *log, const char *app, const char *path);
void applog_release(struct applog *log);

/* It may take that many bytes; 0: APPLOG_MAX. */
void applog_limit(struct applog *log, int64_t max);

/*
 * Note one line of len bytes; source is "app" or "heroku", name a process's.
 * The log is the app's convenience: where it cannot be written the line is
 * lost. Lines are written by applog_flush(), and when there are many.
 */
void applog_write(struct applog *log, const char *source, const char *name,
		  const char *line, size_t len);
void applog_printf(struct applog *log, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void applog_flush(struct applog *log);

/*
 * The output of one process: the pipe, the line begun, the lines that
 * tell why it failed. A line over OUTPUT_LINE bytes is cut into several.
 */
#define OUTPUT_LINE 8192

struct output {
	int fd;               /* our end of the pipe; -1: none */
	struct capture *copy; /* takes all of it, too; NULL: none */
	char line[OUTPUT_LINE + 1];
	size_t len;
	struct lines lines; /* of the process that was started last */
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

#endif
