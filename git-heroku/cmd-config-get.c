/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "command.h"
#include "err.h"
#include "show.h"

static int run(struct heroku *h)
{
	json_t *vars = NULL, *value;
	int rc;

	rc = heroku_connect(h);
	if (!rc)
		rc = heroku_get(h, &vars, "/config-vars");
	if (rc)
		return rc;
	value = json_object_get(vars, h->args[0]);
	if (h->json)
		show_json(value ? value : json_null());
	else
		puts(json_str(vars, h->args[0], ""));
	json_decref(vars);
	return 0;
}

const struct command cmd_config_get = {
	.name = "config:get",
	.args = "KEY",
	.help = "print the value of a config var",
	.example = "config:get MYVAR",
	.words = "vars",
	.options = "arj",
	.min_args = 1,
	.max_args = 1,
	.missing = "Must specify KEY.",
	.run = run,
};
