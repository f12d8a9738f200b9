/* SPDX-License-Identifier: ISC */

/*
 * slugrun: runs one app's releases. See slugrun(8).
 *
 * It needs no rights but those of the account that owns the app's folder.
 * A slug is unpacked in a child of its own, and an app's command is run
 * after the child gave up what it does not need.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "err.h"
#include "exec.h"
#include "guard.h"
#include "log.h"
#include "proc.h"
#include "supervisor.h"
#include "tree.h"
#include "unpack.h"

static int run_supervisor(char **argv)
{
	proc_close_inherited();
	return supervise(argv[0]);
}

static int run_unpack(char **argv)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return unpack_slug(argv[0], argv[1]);
}

static int run_prune(char **argv)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return tree_prune(argv[0], argv + 1);
}

static int run_guard(char **argv)
{
	return guard_run(argv[0]);
}

static int run_exec(char **argv)
{
	return exec_command(strtol(argv[0], NULL, 10),
			    (int)strtol(argv[1], NULL, 10), argv[2], argv[3]);
}

/* What this program does, by its first argument. */
static const struct mode {
	const char *name; /* NULL: with no such argument */
	int min, max;     /* further arguments */
	int (*run)(char **argv);
} modes[] = {
	{ "exec", 4, 4, run_exec },       { "guard", 1, 1, run_guard },
	{ "prune", 1, 10000, run_prune }, { "unpack", 2, 2, run_unpack },
	{ NULL, 1, 1, run_supervisor },
};

int main(int argc, char **argv)
{
	const struct mode *m = modes;
	int skip;

	log_init("slugrun");
	while (m->name && (argc < 2 || strcmp(argv[1], m->name) != 0))
		m++;
	skip = m->name ? 2 : 1;
	if (argc - skip < m->min || argc - skip > m->max ||
	    argv[skip][0] == '-') {
		fprintf(stderr, "usage: slugrun APPDIR\n"
				"       slugrun unpack SLUG TARGET\n");
		return 2;
	}
	if (m->run(argv + skip)) {
		fprintf(stderr, "slugrun: %s\n", err_msg());
		return 1;
	}
	return 0;
}
