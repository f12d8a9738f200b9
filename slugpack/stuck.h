/* SPDX-License-Identifier: ISC */
#ifndef STUCK_H
#define STUCK_H

#include <stdbool.h>

/*
 * Is a read of an object stuck? libgit2 1.5 never comes back from a loose
 * object that is cut off (https://github.com/libgit2/libgit2/issues/7342).
 *
 * Each STUCK_SECONDS of processor time the process gets SIGVTALRM, and may
 * ask whether one read has gone on since the last time. A timer for each
 * read would cost more than most reads do.
 */
#define STUCK_SECONDS 5

struct reader;

/* One more reader at work; from the first one on there is the signal. */
struct reader *stuck_reader(void);

/* A read of r begins, or ends. */
void stuck_count(struct reader *r);

/* For the handler of SIGVTALRM, and once a signal. */
bool stuck_is(void);

#endif
