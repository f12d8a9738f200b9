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
	int fd; /* a pidfd; -1: the process is gone, or not found yet */
	pid_t pid;
	unsigned long long start; /* clock ticks since boot */
	char boot[40];            /* the boot's id, of a restored lease */
	bool unknown; /* the system could not say whether it is there */
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

/* "PID START BOOT-ID" of the lease. Caller frees. Errors: ERR_SYSTEM. */
int lease_text(const struct lease *l, char **out);

/*
 * The lease of that text. It is over where the process is gone. Where the
 * system cannot say (there are no descriptors left, say) it is not over, and
 * lease_is_over() asks again.
 */
void lease_restore(struct lease *l, const char *text);

/*
 * Has the process ended? False where that is not known. Not to be called by
 * two threads at once.
 */
bool lease_is_over(struct lease *l);

/* The parent of that process; 0 where it is gone or cannot be read. */
pid_t lease_parent(pid_t pid);

/* Let go of the descriptor. */
void lease_release(struct lease *l);

#endif
