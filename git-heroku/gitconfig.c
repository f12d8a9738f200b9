/* SPDX-License-Identifier: ISC */
#include "gitconfig.h"

#include <stdlib.h>
#include <string.h>

#include "proc.h"

/* git-config(1), -z: "key LF value NUL", or "key NUL". */
static void split(char *out, size_t len, gitconfig_each *each, void *ctx)
{
	char *p = out, *next, *value;

	for (; p < out + len; p = next) {
		next = p + strlen(p) + 1;
		value = strchr(p, '\n');
		if (value)
			*value++ = '\0';
		each(ctx, p, value ? value : "");
	}
}

int gitconfig_read(const char *file, gitconfig_each *each, void *ctx)
{
	const char *here[] = { "git", "config", "-z", "--list", NULL };
	const char *from[] = {
		"git", "config", "-z", "--list", "-f", file, NULL
	};
	struct proc_spec spec = { .argv = file ? from : here };
	char *out = NULL;
	size_t len = 0;
	int rc;

	rc = proc_capture(&out, &len, &spec);
	if (!rc)
		split(out, len, each, ctx);
	free(out);
	return rc;
}
