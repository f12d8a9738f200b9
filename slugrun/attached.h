/* SPDX-License-Identifier: ISC */
#ifndef ATTACHED_H
#define ATTACHED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * A process with a client in place of a terminal: on a terminal of its own,
 * or, where the client has none, on three pipes. Our ends do not block.
 */
struct attached {
	pid_t pid;        /* and its session's and group's; 0: reaped */
	bool terminal;    /* in and out are both ends of one */
	int in, out, err; /* -1: ended */
};

/*
 * Start argv (a mode of this program, whose descriptor 3 is what ours is) on
 * a terminal of that size; where columns is 0, on pipes.
 * Errors: ERR_SYSTEM.
 */
int attached_start(struct attached *a, char **argv, unsigned columns,
		   unsigned rows);

/* Its terminal, if it has one, is of another size now. */
void attached_resize(const struct attached *a, unsigned columns, unsigned rows);

/* Write its input; how much it took, -1 where it reads no more. */
ssize_t attached_write(struct attached *a, const void *data, size_t len);

/* No more input comes. */
void attached_end_input(struct attached *a);

/*
 * The client is gone: hang up. What it prints to pipes may still be read, so
 * that it does not end by that.
 */
void attached_hang_up(struct attached *a);

/* It has ended, and its output is all read: close our ends. */
void attached_close(struct attached *a);

/* A signal to its process group. */
void attached_signal(const struct attached *a, int sig);

/*
 * If it has ended, end what is left of its group. Returns the exit status,
 * 128+N for signal N; -1 while it runs.
 */
int attached_reap(struct attached *a);

#endif
