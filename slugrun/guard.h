/* SPDX-License-Identifier: ISC */
#ifndef GUARD_H
#define GUARD_H

#include <stddef.h>
#include <sys/types.h>

/*
 * A child that outlives the supervisor by a moment: it holds the reading
 * end of a pipe and the list of the app's process groups. Where the
 * supervisor is killed the pipe ends, and the guard kills them all: the
 * kernel alone would end the supervisor's own children, not theirs. What has
 * a pid namespace needs no guard, and while nothing does there is none.
 */
struct guard {
	pid_t pid; /* 0: none */
	int fd;    /* the writing end; -1: none */
	pid_t *told;
	size_t nr_told; /* what it knows */
};

/*
 * Tell it all groups there are, where that changed, and start it for the
 * app's folder dir where it is the first time; that it cannot be is logged.
 */
void guard_tell(struct guard *g, const char *dir, const pid_t *groups,
		size_t n);

/* It ended (it is not reaped yet), which it should not. */
void guard_ended(struct guard *g);

/* No more is needed of it; to be called when no group is left. */
void guard_release(struct guard *g);

/* Be the guard: "slugrun-box guard DIR", with the pipe as descriptor 3. */
int guard_run(const char *dir);

#endif
