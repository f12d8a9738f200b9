/* SPDX-License-Identifier: ISC */
#include "users.h"

#include <stdio.h>

bool users_are_there(void)
{
	FILE *f = fopen("/proc/self/uid_map", "re");
	unsigned long n, all = 0;

	while (f && fscanf(f, "%*u %*u %lu", &n) == 1)
		all += n;
	if (f)
		fclose(f);
	return !f || all > 1;
}
