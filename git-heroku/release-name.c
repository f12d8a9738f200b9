/* SPDX-License-Identifier: ISC */
#include "release-name.h"

#include <ctype.h>
#include <string.h>

#include "err.h"
#include "mem.h"

int release_name(char **out, const char *typed)
{
	char *p;

	if (!*typed)
		return err_set(ERR_INVALID, "Specify a release");
	*out = xasprintf("%s%s", typed[strspn(typed, "0123456789")] ? "" : "v",
			 typed);
	for (p = *out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return 0;
}
