/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "change.h"
#include "command.h"

static int rotate(struct heroku *h, const char *name)
{
	char *segment = client_path_segment(name);
	char *path = heroku_path(h, "/addons/%s/actions/rotate", segment);
	struct change c = { .method = "POST", .path = path };
	int rc;

	rc = change_make(h, &c, "Rotating %s on %s", name, h->name);
	if (!rc)
		printf(" done, %s\n",
		       c.release ? c.release : "nothing changed");
	change_release(&c);
	free(path);
	free(segment);
	return rc;
}

static int run(struct heroku *h)
{
	int rc = heroku_connect(h);

	if (!rc)
		rc = rotate(h, h->args[0]);
	return rc;
}

const struct command cmd_addons_rotate = {
	.name = "addons:rotate",
	.args = "NAME",
	.help = "have an add-on give itself new credentials",
	.example = "addons:rotate postgresql",
	.words = "addons",
	.options = "ar",
	.min_args = 1,
	.max_args = 1,
	.missing = "Must specify an add-on's NAME.",
	.run = run,
};
