/* SPDX-License-Identifier: ISC */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A counter on a terminal, in a line that is gone at the end. It begins
 * after a second, and never where standard error is no terminal.
 */
struct progress {
	bool on;
	int64_t next; /* when it is shown again, of clock_mono_ms() */
	int width;    /* of what stands there */
};

/* Begin, if wanted, on standard error. */
void progress_begin(struct progress *p, bool wanted);

/* Is it time to show something? Cheap, to be asked at every step. */
bool progress_due(struct progress *p);

/* Show that, in place of what was there. */
void progress_show(struct progress *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Take it away, and show nothing more. */
void progress_end(struct progress *p);

#endif
