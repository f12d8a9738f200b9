/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "command.h"
#include "err.h"
#include "mem.h"
#include "show.h"
#include "text.h"
#include "vars.h"

/* "KEY=VALUE", cut at the first '=', into vars; the last of a key stays. */
static int take(json_t *vars, const char *arg)
{
	const char *equals = strchr(arg, '=');
	char *key = NULL, *shown = NULL;
	int rc = 0;

	if (!equals || equals == arg) {
		shown = text_cell(arg, 60);
		rc = err_set(ERR_INVALID,
			     "%s is invalid. Must be in the format "
			     "KEY=VALUE.",
			     shown);
		goto done;
	}
	key = xstrndup(arg, (size_t)(equals - arg));
	if (json_object_set_new(vars, key, json_string(equals + 1))) {
		shown = text_escape(key);
		rc = err_set(ERR_INVALID, "%s is not valid UTF-8.", shown);
	}
done:
	free(shown);
	free(key);
	return rc;
}

/* "-": what standard input has, in the form of .env files. */
static int take_input(json_t *vars)
{
	json_t *more = NULL;
	int rc = vars_read(&more, stdin);

	if (!rc && !json_object_size(more))
		rc = err_set(ERR_INVALID, "it has no config vars");
	if (!rc)
		json_object_update(vars, more);
	json_decref(more);
	return err_prefix(rc, "standard input");
}

static int set(struct heroku *h, json_t *vars)
{
	static const struct vars_form echo = { NULL, 2, true, NULL };
	char *path = heroku_path(h, "/config-vars");
	struct change c = { .method = "PATCH", .path = path, .body = vars };
	int rc;

	puts("Adding config vars:");
	show_vars(vars, &echo);
	rc = change_make(h, &c, "Updating vars and restarting app");
	if (!rc)
		printf(" done, %s\n",
		       c.release ? c.release : "nothing changed");
	change_release(&c);
	free(path);
	return rc;
}

static int run(struct heroku *h)
{
	json_t *vars = json_object();
	int i, rc = 0;

	for (i = 0; i < h->nr_args && !rc; i++)
		rc = strcmp(h->args[i], "-") != 0 ? take(vars, h->args[i])
						  : take_input(vars);
	if (!rc)
		rc = heroku_connect(h);
	if (!rc)
		rc = set(h, vars);
	json_decref(vars);
	return rc;
}

const struct command cmd_config_set = {
	.name = "config:set",
	.args = "KEY=VALUE... | -",
	.help = "set config vars, in one release",
	.example = "config:set MYVAR=42 GREETING='good day'",
	.words = "settings",
	.options = "ar",
	.min_args = 1,
	.max_args = ANY_ARGS,
	.missing = "Must specify KEY and VALUE to set.",
	.run = run,
};
