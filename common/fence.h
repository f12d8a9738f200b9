/* SPDX-License-Identifier: ISC */
#ifndef FENCE_H
#define FENCE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A fence around a short-lived program that reads what strangers sent: it
 * says what it needs, as data, and gives up everything else for itself and
 * all that it starts. To be called before the first thread, and before the
 * first byte of theirs is read.
 *
 * Files are fenced by Landlock, the network and what else the kernel offers
 * by seccomp. Where the kernel has one of these not, the rest holds all the
 * same: fence_live() tells.
 */
struct fence {
	/*
	 * Paths; each list ends with NULL, or is NULL for none. A folder is
	 * meant with all that is below it, and a symbolic link by what it
	 * leads to now. What the system's own libraries need is added.
	 */
	const char *const *read;  /* what is not there is passed over */
	const char *const *write; /* may be read, too */
	const char *const *exec;  /* programs; none: nothing may be run */

	/* Names of variables that stay; PATH and LC_ALL get fixed values
	   unless they are named. */
	const char *const *env;

	/* Descriptors from 3 that stay open, in any order. */
	const int *fds;
	size_t nr_fds;

	/* Limits; 0 is what the caller has, and none of these is raised. */
	uint64_t cpu;       /* seconds */
	uint64_t file_size; /* bytes of a file that is written */
	uint64_t memory;    /* bytes of address space */
	uint64_t files;     /* that are open at a time */
};

/*
 * Go behind the fence. There is no way back.
 * Errors: ERR_SYSTEM, for a path to write to that is not there and for what
 * the kernel has but refuses; the program should end then.
 */
int fence_enter(const struct fence *f);

/*
 * For a process of an app, which is no such program: refuse it the system
 * calls that are the machine's matter (mounts, namespaces, modules, ...) by
 * EPERM, and abstract Unix sockets and signals that go further than it and
 * what it starts. no_new_privs is to be set before. Nothing is done where the kernel
 * filters no system calls. Errors: ERR_SYSTEM.
 */
int fence_app(void);

/*
 * What holds on this machine: "landlock 7, seccomp", or
 * "landlock none (not in this kernel), seccomp". Caller frees.
 */
char *fence_live(void);

#endif
