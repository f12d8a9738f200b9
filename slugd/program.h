/* SPDX-License-Identifier: ISC */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A program that is asked once: it reads an order, answers, and exits, all
 * in a limited time. It runs in a session of its own, and its pid is kept in
 * a file as long as it runs: so a slugd that starts again after a crash finds
 * and ends it, instead of having two of them at work on one thing.
 */
struct program {
	const char *path, *argument;
	const char *const *env; /* "A=b", ends with NULL */
	const char *dir;        /* its working folder */
	const char *record;     /* the file for its pid */
	const char *order;      /* its standard input */
	size_t max_answer;      /* bytes */
	int64_t timeout;        /* seconds */
};

struct program_said {
	bool told;    /* it may have got its order */
	char *answer; /* its standard output */
	size_t len;
	char *complaint; /* the end of its standard error, 4 KiB at most */
};

/*
 * Run it to its end. What it left running is not waited for, and where it
 * succeeded not ended. said is to be cleared in any case.
 * Errors: ERR_FAILED, ERR_SYSTEM, in words that begin with "it", or name it.
 */
int program_run(const struct program *p, struct program_said *said);

/* Free what it said, which may have been secret. */
void program_said_clear(struct program_said *said);

/*
 * End the program that record tells of, and wait for that. Errors: ERR_SYSTEM
 * where the system cannot say whether it still runs.
 */
int program_end(const char *record);

#endif
