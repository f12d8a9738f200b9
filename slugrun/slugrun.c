/* SPDX-License-Identifier: ISC */

/*
 * slugrun: runs one app's releases. See slugrun(8).
 *
 * It needs no rights but those of the account that owns the app's folder.
 * A slug is unpacked by slugunpack(8), and an app's command is run after the
 * child gave up what it does not need.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "log.h"
#include "proc.h"
#include "supervisor.h"

static int run_supervisor(char **argv)
{
	proc_close_inherited();
	return supervise(argv[0]);
}

/* What slugrun-box does; the mode is the argument before these. */
static int run_box(char **argv)
{
	char *path = proc_helper("slugrun-box");

	argv[-2] = path;
	execv(path, argv - 2);
	return err_sys("%s", path);
}

/* What this program does, by its first argument. */
static const struct mode {
	const char *name;        /* NULL: with no such argument */
	int min, max;            /* further arguments */
	int (*run)(char **argv); /* an error, or the exit status */
} modes[] = {
	{ "exec", 2, 3, run_box },
	{ "fences", 1, 1, run_box },
	{ NULL, 1, 1, run_supervisor },
};

int main(int argc, char **argv)
{
	const struct mode *m = modes;
	int skip, rc;

	log_init("slugrun");
	while (m->name && (argc < 2 || strcmp(argv[1], m->name) != 0))
		m++;
	skip = m->name ? 2 : 1;
	if (argc - skip < m->min || argc - skip > m->max ||
	    argv[skip][0] == '-') {
		fprintf(stderr, "usage: slugrun APPDIR\n"
				"       slugrun fences DIR\n");
		return 2;
	}
	rc = m->run(argv + skip);
	if (rc < 0)
		fprintf(stderr, "slugrun: %s\n", err_msg());
	return rc < 0 ? 1 : rc;
}
