/* SPDX-License-Identifier: ISC */
#include "users.h"

#include <stdio.h>
#include <stdlib.h>

/* See user_namespaces(7): each line's third number is how many. */
bool users_are_there(void)
{
	FILE *f = fopen("/proc/self/uid_map", "re");
	unsigned long all = 0;
	char line[128], *rest;
	int i;

	while (f && fgets(line, sizeof(line), f)) {
		rest = line;
		for (i = 0; i < 2; i++)
			strtoul(rest, &rest, 10);
		all += strtoul(rest, NULL, 10);
	}
	if (f)
		fclose(f);
	return !f || all > 1;
}
