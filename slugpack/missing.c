/* SPDX-License-Identifier: ISC */
#include "missing.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

/* Is it there, or can it be known that it is not? Takes the path. */
static int check_known(char *path)
{
	int rc = 0;

	if (access(path, F_OK) && errno != ENOENT && errno != ENOTDIR)
		rc = err_sys("cannot read %s", path);
	free(path);
	return rc;
}

int missing_check(const struct tree_source *s, const char *id)
{
	size_t i, n = s->nr_objects ? s->nr_objects : 1;
	int rc = 0;

	for (i = 0; i < n && !rc; i++) {
		char *dir = s->nr_objects ? xstrdup(s->objects[i])
					  : xasprintf("%s/objects", s->repo);

		rc = check_known(xasprintf("%s/%.2s/%s", dir, id, id + 2));
		if (!rc)
			rc = check_known(xasprintf("%s/pack", dir));
		free(dir);
	}
	return rc;
}

int missing_repository(const char *path)
{
	int rc = check_known(xasprintf("%s/HEAD", path));

	if (!rc)
		rc = check_known(xasprintf("%s/objects", path));
	if (!rc)
		rc = check_known(xasprintf("%s/refs", path));
	return rc ? rc
		  : err_set(ERR_NOTFOUND, "%s is not a git repository", path);
}
