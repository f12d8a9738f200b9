/* SPDX-License-Identifier: ISC */
#ifndef PROC_H
#define PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Children, by posix_spawn(3). Nothing goes through a shell. A child gets
 * standard input, output and error from the spec (a field left 0 is
 * /dev/null; use PROC_INHERIT to pass on the caller's) and at most one
 * further descriptor, as its number 3; every other descriptor is
 * close-on-exec already.
 */

#define PROC_INHERIT (-1)

/* How a child of proc_capture() ended, for who must know more than 0 or not. */
struct proc_end {
	int code;   /* its exit status; -1: a signal ended it, or no start */
	char *said; /* its standard error; the caller's, may be NULL */
};

struct proc_spec {
	const char *const *argv; /* argv[0] is looked up in PATH if it has
				    no slash; ends with NULL */
	const char *const *env;  /* "A=b", ends with NULL; NULL: environ */
	const char *dir;         /* working folder; NULL: the caller's */
	int in, out, err, extra; /* descriptors of the caller; 0: none */
	struct proc_end *end;    /* for proc_capture(); NULL: not needed */
	bool session;            /* in a session of its own */
	bool group;              /* in a process group of its own */
};

/*
 * What the caller of this program left open becomes close-on-exec, so that
 * no child has it. For a daemon's main().
 */
void proc_close_inherited(void);

/* Start a child; its pid into *pid. Errors: ERR_SYSTEM. */
int proc_spawn(pid_t *pid, const struct proc_spec *spec);

/*
 * Wait for pid. 0 where it exited with 0, else ERR_FAILED and a message
 * that says with what status or signal name ended ("NAME exited with 3").
 */
int proc_wait(pid_t pid, const char *name);

/*
 * Run a child to its end and take its standard output into *out (ended with
 * a NUL; len may be NULL; caller frees) where spec->out is 0; its standard
 * error goes into the message if it fails. Errors: as proc_wait().
 */
int proc_capture(char **out, size_t *len, const struct proc_spec *spec);

/*
 * The path of one of slugd's own helpers ("slugpack", "pre-receive"): in
 * SLUGD_EXEC_PATH where that is set, else as installed. Caller frees.
 */
char *proc_helper(const char *name);

#endif
