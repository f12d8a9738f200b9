/* SPDX-License-Identifier: ISC */
#ifndef HELPER_H
#define HELPER_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * A short-lived child that works on the app's folder while the supervisor
 * goes on: "slugunpack ...", "slugrun-box prune ...". One at a time.
 */
struct helper {
	pid_t pid; /* 0: none */
	int fd;    /* its standard error; -1: none */
	char text[1024];
	size_t len;
	void (*done)(void *ctx, int rc);
	void *ctx;
};

/*
 * Start the program argv[0] with the arguments argv, which ends with NULL;
 * done(ctx, rc) is called when it ended, with its last line as err_msg()
 * where rc is not 0. Its other lines go to the log. Errors: ERR_SYSTEM, and done is not called.
 */
int helper_start(struct helper *h, const char *const *argv,
		 void (*done)(void *ctx, int rc), void *ctx);

/* Take what it says. */
void helper_read(struct helper *h);

/* It ended, as info says, and is not reaped yet. Calls done. */
void helper_ended(struct helper *h, const siginfo_t *info);

/* End it at once and wait for it; done is not called. */
void helper_kill(struct helper *h);

#endif
