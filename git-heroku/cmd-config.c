/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "err.h"
#include "show.h"
#include "text.h"
#include "vars.h"

static int show_config(struct heroku *h, json_t *vars)
{
	struct vars_form form = { 0 };
	json_t *addons = NULL, *owners;
	char *app;
	int rc;

	if (!json_object_size(vars)) {
		app = text_escape(h->name);
		printf("%s has no config vars.\n", app);
		free(app);
		return 0;
	}
	rc = heroku_get(h, &addons, "/addons");
	if (rc)
		return rc;
	owners = vars_owners(addons);
	form.owners = owners;
	show_vars(vars, &form);
	json_decref(owners);
	json_decref(addons);
	return 0;
}

static int run(struct heroku *h)
{
	json_t *vars = NULL;
	int rc;

	rc = heroku_connect(h);
	if (!rc)
		rc = heroku_get(h, &vars, "/config-vars");
	if (rc)
		return rc;
	if (h->json)
		show_json(vars);
	else if (h->shell)
		vars_shell(stdout, vars);
	else
		rc = show_config(h, vars);
	json_decref(vars);
	return rc;
}

const struct command cmd_config = {
	.name = "config",
	.args = "[-s]",
	.help = "list the config vars",
	.options = "arsj",
	.run = run,
};
