/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "change.h"
#include "command.h"
#include "err.h"
#include "mem.h"
#include "release-name.h"

/* name: NULL for the newest one, which slugd knows. */
static int retry(struct heroku *h, const char *name)
{
	json_t *body = json_pack("{s:s?}", "retry", name);
	char *path = heroku_path(h, "/releases");
	struct change c = { .method = "POST", .path = path, .body = body };
	int rc;

	if (body)
		rc = change_make(h, &c, "Retrying %s of %s",
				 name ? name : "the newest release", h->name);
	else
		rc = err_set(ERR_INVALID, "The release's name is not UTF-8.");
	if (!rc)
		printf(" done, %s\n", c.release);
	change_release(&c);
	json_decref(body);
	free(path);
	return rc;
}

static int run(struct heroku *h)
{
	char *name = NULL;
	int rc = h->nr_args ? release_name(&name, h->args[0]) : 0;

	if (!rc)
		rc = heroku_connect(h);
	if (!rc)
		rc = retry(h, name);
	free(name);
	return rc;
}

const struct command cmd_releases_retry = {
	.name = "releases:retry",
	.args = "[vN]",
	.help = "make a failed release again",
	.example = "releases:retry v40",
	.words = "releases",
	.options = "ar",
	.max_args = 1,
	.run = run,
};
