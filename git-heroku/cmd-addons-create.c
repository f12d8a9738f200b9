/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "change.h"
#include "command.h"
#include "err.h"
#include "show.h"

static int create(struct heroku *h, const char *plan)
{
	json_t *body = json_pack("{s:{s:s}}", "plan", "name", plan);
	char *path = heroku_path(h, "/addons"), *price;
	struct change c = { .method = "POST", .path = path, .body = body };
	int rc;

	if (!body) {
		rc = err_set(ERR_INVALID, "The add-on's name is not UTF-8.");
		goto done;
	}
	rc = change_make(h, &c, "Adding %s to %s", plan, h->name);
	if (rc)
		goto done;
	price = show_price(c.answer);
	printf(" done, %s (%s)\n", c.release ? c.release : "nothing changed",
	       price);
	free(price);
done:
	change_release(&c);
	json_decref(body);
	free(path);
	return rc;
}

static int run(struct heroku *h)
{
	int rc;

	rc = heroku_connect(h);
	if (!rc)
		rc = create(h, h->args[0]);
	return rc;
}

const struct command cmd_addons_create = {
	.name = "addons:create",
	.args = "SERVICE[:PLAN]",
	.help = "add an add-on to the app",
	.example = "addons:create memcachier:100",
	.words = "plans",
	.options = "ar",
	.min_args = 1,
	.max_args = 1,
	.missing = "Must specify a SERVICE to add.",
	.run = run,
};
