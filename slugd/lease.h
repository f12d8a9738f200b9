/* SPDX-License-Identifier: ISC */
#ifndef LEASE_H
#define LEASE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * A lease lasts as long as one process: the git-receive-pack of a push,
 * since only it can still move the push's ref, or the program of an add-on.
 * Known by pid, start time and boot, so that it can be written down, and
 * taken up again after a restart.
 */
struct lease {
	int fd; /* a pidfd; -1: the process is gone */
	pid_t pid;
	unsigned long long start; /* clock ticks since boot */
};

/*
 * Take a lease on the parent of process child (a hook that waits for us).
 * Errors: ERR_SYSTEM where it cannot be watched.
 */
int lease_take(struct lease *l, pid_t child);

/*
 * Take a lease on a child of ours, which was not waited for yet.
 * Errors: ERR_SYSTEM.
 */
int lease_child(struct lease *l, pid_t child);

/* "PID START BOOT-ID" of the lease. Caller frees. */
char *lease_text(const struct lease *l);

/* The lease of that text; one that is over where the process is gone. */
void lease_restore(struct lease *l, const char *text);

/* Has the process ended? */
bool lease_is_over(const struct lease *l);

/* The parent of that process; 0 where it is gone. */
pid_t lease_parent(pid_t pid);

/* Let go of the descriptor. */
void lease_release(struct lease *l);

#endif
