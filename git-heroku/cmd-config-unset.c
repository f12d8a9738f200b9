/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "change.h"
#include "command.h"
#include "err.h"
#include "mem.h"
#include "text.h"

/* Are all keys set? Else ERR_NOTFOUND with the first that is not. */
static int check_set(struct heroku *h)
{
	json_t *vars = NULL;
	char *key;
	int i, rc;

	rc = heroku_get(h, &vars, "/config-vars");
	for (i = 0; i < h->nr_args && !rc; i++) {
		if (json_object_get(vars, h->args[i]))
			continue;
		key = text_cell(h->args[i], 60);
		rc = err_set(ERR_NOTFOUND, "%s is not set on %s.", key,
			     h->name);
		free(key);
	}
	json_decref(vars);
	return rc;
}

static int unset(struct heroku *h)
{
	char *path = heroku_path(h, "/config-vars"), *names = NULL;
	json_t *vars = json_object();
	struct change c = { .method = "PATCH", .path = path, .body = vars };
	int i, rc;

	for (i = 0; i < h->nr_args; i++) {
		json_object_set_new(vars, h->args[i], json_null());
		str_replace(&names, xasprintf("%s%s%s", names ? names : "",
					      names ? ", " : "", h->args[i]));
	}
	rc = change_make(h, &c, "Unsetting %s and restarting app", names);
	if (!rc)
		printf(" done, %s\n",
		       c.release ? c.release : "nothing changed");
	change_release(&c);
	json_decref(vars);
	free(names);
	free(path);
	return rc;
}

static int run(struct heroku *h)
{
	int rc;

	rc = heroku_connect(h);
	if (!rc)
		rc = check_set(h);
	if (!rc)
		rc = unset(h);
	return rc;
}

const struct command cmd_config_unset = {
	.name = "config:unset",
	.args = "KEY...",
	.help = "remove config vars, in one release",
	.example = "config:unset MYVAR",
	.words = "vars",
	.options = "ar",
	.min_args = 1,
	.max_args = ANY_ARGS,
	.missing = "Must specify KEY to unset.",
	.run = run,
};
