/* SPDX-License-Identifier: ISC */
#ifndef CTL_H
#define CTL_H

#include <stdio.h>

/*
 * slugctl: what an admin does with a slugd and its folder. One command is
 * one file and one row of the table in slugctl.c.
 */
struct ctl {
	char *dir;    /* absolute */
	char *socket; /* DIR/slugd.sock */
	int argc;     /* arguments behind the command's name */
	char **argv;
};

struct ctl_command {
	const char *name, *args, *help;
	int min, max; /* arguments */
	int (*run)(const struct ctl *ctl);
};

int ctl_init(const struct ctl *ctl);
int ctl_fsck(const struct ctl *ctl);
int ctl_stop(const struct ctl *ctl);

#endif
