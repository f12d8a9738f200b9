/* SPDX-License-Identifier: ISC */

/*
 * slugrun-box: what slugrun starts for each process of an app, and to remove
 * what is left of one, or of a release. A program of its own because it is
 * started often, and stays as the process's init: with all libraries of
 * slugrun that would cost five milliseconds and a megabyte each time. See
 * slugrun(8).
 *
 * It has the rights of slugrun, which with root's makes the process another
 * user's; the process that the app's command begins in has given up all.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "attach.h"
#include "box.h"
#include "err.h"
#include "exec.h"
#include "fences.h"
#include "guard.h"
#include "log.h"
#include "mem.h"
#include "tree.h"

/* exec PARENT NAME [stay] */
static int run_exec(char **argv)
{
	return exec_command(strtol(argv[0], NULL, 10), argv[2]);
}

/* clear PARENT RUN CGROUP MARK... */
static int run_clear(char **argv)
{
	return box_clear(strtol(argv[0], NULL, 10), argv[1], argv[2], argv + 3);
}

/* prune APPDIR KEEP...: of a helper of the supervisor's, which it ends with */
static int run_prune(char **argv)
{
	char *trees = xasprintf("%s/trees", argv[0]);
	int rc;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	rc = tree_prune(trees, argv + 1);
	free(trees);
	return rc;
}

static int run_guard(char **argv)
{
	return guard_run(argv[0]);
}

static int run_fences(char **argv)
{
	return fences_print(argv[0]);
}

/* attach GRACE exec PARENT NAME stay */
static int run_attach(char **argv)
{
	return attach_run(argv[0], argv + 1);
}

static const struct mode {
	const char *name;
	int min, max;            /* further arguments */
	int (*run)(char **argv); /* an error, or the exit status */
} modes[] = {
	{ "attach", 5, 5, run_attach }, { "clear", 4, 10000, run_clear },
	{ "exec", 2, 3, run_exec },     { "fences", 1, 1, run_fences },
	{ "guard", 1, 1, run_guard },   { "prune", 1, 10000, run_prune },
};

int main(int argc, char **argv)
{
	size_t i, n = sizeof(modes) / sizeof(modes[0]);
	int (*run)(char **argv) = NULL;
	int rc;

	log_init("slugrun");
	for (i = 0; i < n; i++)
		if (argc >= 2 && !strcmp(argv[1], modes[i].name) &&
		    argc - 2 >= modes[i].min && argc - 2 <= modes[i].max)
			run = modes[i].run;
	if (!run) {
		fprintf(stderr, "slugrun-box is for slugrun alone\n");
		return 2;
	}
	rc = run(argv + 2);
	if (rc < 0)
		fprintf(stderr, "slugrun: %s\n", err_msg());
	return rc < 0 ? 1 : rc;
}
