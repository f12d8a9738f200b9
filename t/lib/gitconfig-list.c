/* SPDX-License-Identifier: ISC */
/*
 * gitconfig-list [FILE]: what gitconfig_read() gives, in the form of
 * "git config -z --list"; a variable without a value has an empty one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "err.h"
#include "gitconfig.h"

static void show(void *ctx, const char *key, const char *value)
{
	(void)ctx;
	printf("%s\n%s%c", key, value, '\0');
}

int main(int argc, char **argv)
{
	if (!gitconfig_read(argc > 1 ? argv[1] : NULL, show, NULL))
		return EXIT_SUCCESS;
	fprintf(stderr, "%s\n", err_msg());
	return EXIT_FAILURE;
}
