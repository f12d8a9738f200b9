/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "err.h"
#include "show.h"
#include "text.h"

/* Which add-on provides which var: {"KEY": "memcachier"}. Caller's. */
static json_t *owners_of(const json_t *addons)
{
	json_t *owners = json_object();
	size_t i, j;

	for (i = 0; i < json_array_size(addons); i++) {
		const json_t *addon = json_array_get(addons, i);
		const json_t *keys = json_object_get(addon, "config_vars");

		for (j = 0; j < json_array_size(keys); j++)
			json_object_set(
				owners,
				json_string_value(json_array_get(keys, j)),
				json_object_get(addon, "name"));
	}
	return owners;
}

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
	owners = owners_of(addons);
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
	else
		rc = show_config(h, vars);
	json_decref(vars);
	return rc;
}

const struct command cmd_config = {
	.name = "config",
	.args = "",
	.help = "list the config vars",
	.options = "arj",
	.run = run,
};
