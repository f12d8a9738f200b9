/* SPDX-License-Identifier: ISC */
/*
 * slugctl: the admin's tool. Runs with the rights of whoever calls it, who
 * has to be the service account or root.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "err.h"
#include "mem.h"

static const struct ctl_command commands[] = {
	{ "fsck", "", "check that the ledger and the slugs are sound", 0, 0,
	  ctl_fsck },
	{ "init", "APP [REPO]", "make an app, or one of a bare repository", 1,
	  2, ctl_init },
	{ "stop", "", "end slugd and the apps, and wait for that", 0, 0,
	  ctl_stop },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct option long_options[] = {
	{ "directory", required_argument, NULL, 'd' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static void print_usage(void)
{
	size_t i;

	puts("usage: slugctl [-d DIR] COMMAND\n");
	for (i = 0; i < NR_COMMANDS; i++)
		printf("  %-6s%-12s%s\n", commands[i].name, commands[i].args,
		       commands[i].help);
	puts("\n  -d, --directory=DIR  slugd's folder (or SLUGD_DIR)\n"
	     "  -h, --help           print this\n"
	     "      --version        print the version");
}

static int run_command(struct ctl *ctl, const char *name)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++) {
		const struct ctl_command *c = &commands[i];

		if (strcmp(c->name, name))
			continue;
		if (ctl->argc < c->min || ctl->argc > c->max)
			return err_set(ERR_INVALID,
				       "usage: slugctl [-d DIR] %s %s", c->name,
				       c->args);
		return c->run(ctl);
	}
	return err_set(ERR_INVALID,
		       "'%s' is not a slugctl command; see slugctl --help",
		       name);
}

static int run(struct ctl *ctl, const char *dir, const char *name)
{
	if (!name)
		return err_set(ERR_INVALID,
			       "say what to do; see slugctl --help");
	if (!dir || !*dir)
		return err_set(ERR_INVALID, "say where slugd keeps everything: "
					    "slugctl -d DIR, or SLUGD_DIR");
	ctl->dir = realpath(dir, NULL);
	if (!ctl->dir)
		return err_sys("%s", dir);
	ctl->socket = xasprintf("%s/slugd.sock", ctl->dir);
	return run_command(ctl, name);
}

int main(int argc, char **argv)
{
	const char *dir = getenv("SLUGD_DIR");
	struct ctl ctl = { 0 };
	bool done = false;
	int c, rc = 0;

	opterr = 0;
	while (!rc && (c = getopt_long(argc, argv, "+:d:h", long_options,
				       NULL)) != -1) {
		if (c == 'd') {
			dir = optarg;
		} else if (c == 'h') {
			print_usage();
			done = true;
		} else if (c == 'V') {
			puts("slugctl " PACKAGE_VERSION);
			done = true;
		} else {
			rc = err_set(ERR_INVALID,
				     "wrong option '%s'; see slugctl --help",
				     argv[optind - 1]);
		}
	}
	if (optind < argc) {
		ctl.argc = argc - optind - 1;
		ctl.argv = argv + optind + 1;
	}
	if (!rc && !done)
		rc = run(&ctl, dir, optind < argc ? argv[optind] : NULL);
	if (rc)
		fprintf(stderr, " !    %s\n", err_msg());
	free(ctl.dir);
	free(ctl.socket);
	return rc ? 1 : 0;
}
