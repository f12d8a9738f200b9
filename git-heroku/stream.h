/* SPDX-License-Identifier: ISC */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stdio.h>

#include "heroku.h"

/*
 * What a build or a launch says, at an output_stream_url, as it comes, on
 * standard output: escaped but for its lines and tabs. *any (may be NULL)
 * becomes true where there was something. At a terminal the waiting is
 * counted.
 * Errors: those of client_stream().
 */
int stream_show(struct heroku *h, const char *url, bool *any);

/* The same to f, which is not buffered where it is not standard output. */
int stream_show_on(FILE *f, struct heroku *h, const char *url, bool *any);

/* The same of a log, for whose next line nobody waits. */
int stream_follow(struct heroku *h, const char *url);

#endif
