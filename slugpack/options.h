/* SPDX-License-Identifier: ISC */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

#include "slug.h"

/* The command line of slugpack; the options are rows of one table. */
struct options {
	struct slug_spec spec;
	const char **objects; /* what spec.source.objects points to */
	int report_fd;        /* -1: none */
	uint64_t max_time;    /* seconds; 0: no limit */
	bool help, version;   /* nothing but this is asked for */
};

/*
 * Read the command line into *o, which options_release() empties, whatever
 * the result: what stood before an error is set. Strings are argv's.
 * Errors: ERR_INVALID.
 */
int options_read(struct options *o, int argc, char **argv);

/* The text of --help. Caller frees. */
char *options_help(void);

/* Free what *o holds. */
void options_release(struct options *o);

#endif
