/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "command.h"

static int run(struct heroku *h)
{
	(void)h;
	puts("git-heroku " PACKAGE_VERSION);
	return 0;
}

const struct command cmd_version = {
	.name = "version",
	.args = "",
	.help = "print the version",
	.options = "",
	.run = run,
};
