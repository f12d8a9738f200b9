/* SPDX-License-Identifier: ISC */

/*
 * slugrun: runs one app's releases. See slugrun(8).
 *
 * It needs no rights but those of the account that owns the app's folder.
 * A slug is unpacked in a child of its own, and an app's command is run
 * after the child gave up what it does not need.
 */
#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "attach.h"
#include "box.h"
#include "err.h"
#include "exec.h"
#include "fence.h"
#include "guard.h"
#include "log.h"
#include "mem.h"
#include "proc.h"
#include "supervisor.h"
#include "text.h"
#include "tree.h"
#include "unpack.h"

static int run_supervisor(char **argv)
{
	proc_close_inherited();
	return supervise(argv[0]);
}

/*
 * The sandbox of unpacking: see slugrun(8). Of the store only what slugs are
 * made of, and limits that end what has gone out of hand.
 */
static int enter_fence(const char *store, const char *target)
{
	char *segments = xasprintf("%s/segments", store);
	char *slugs = xasprintf("%s/slugs", store), *copy = xstrdup(target);
	const char *read[] = { segments, slugs, NULL };
	const char *write[] = { dirname(copy), NULL };
	const struct fence f = {
		.read = read,
		.write = write,
		.cpu = 3600,
		.file_size = (uint64_t)64 << 30,
		.memory = (uint64_t)4 << 30,
		.files = 1024,
	};
	int rc;

	/* Over a limit is an error in words. */
	signal(SIGXFSZ, SIG_IGN);
	rc = fence_enter(&f);
	free(copy);
	free(slugs);
	free(segments);
	return rc;
}

/* unpack STORE UUID TARGET TIME [THREADS] */
static int run_unpack(char **argv)
{
	int64_t when, threads = 0;
	int rc = text_parse_int(&when, argv[3], 0, INT64_MAX);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!rc && argv[4])
		rc = text_parse_int(&threads, argv[4], 1, 64);
	if (!rc)
		rc = enter_fence(argv[0], argv[2]);
	return rc ? rc
		  : unpack_slug(argv[0], argv[1], argv[2], when,
				(unsigned)threads);
}

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

/* exec PARENT NAME [stay] */
static int run_exec(char **argv)
{
	return exec_command(strtol(argv[0], NULL, 10), argv[2]);
}

/* clear RUN [CGROUP] */
static int run_clear(char **argv)
{
	return box_clear(argv[0], argv[1]);
}

/* attach GRACE exec PARENT ... */
static int run_attach(char **argv)
{
	return attach_run(argv[0], argv + 1);
}

/* What this program does, by its first argument. */
static const struct mode {
	const char *name;        /* NULL: with no such argument */
	int min, max;            /* further arguments */
	int (*run)(char **argv); /* an error, or the exit status */
} modes[] = {
	{ "attach", 3, 40, run_attach },  { "clear", 1, 2, run_clear },
	{ "exec", 2, 3, run_exec },       { "guard", 1, 1, run_guard },
	{ "prune", 1, 10000, run_prune }, { "unpack", 4, 5, run_unpack },
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
				"       slugrun unpack STORE UUID TARGET "
				"TIME [THREADS]\n");
		return 2;
	}
	rc = m->run(argv + skip);
	if (rc < 0)
		fprintf(stderr, "slugrun: %s\n", err_msg());
	return rc < 0 ? 1 : rc;
}
