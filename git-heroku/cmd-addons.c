/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "err.h"
#include "mem.h"
#include "show.h"
#include "text.h"

/*
 * The plan, "memcachier:free"; an add-on that is not called as its service
 * is shows its name as well, as addons:destroy wants it.
 */
static void show_addon(const json_t *addon)
{
	const char *name = json_str(addon, "name", "");
	char *plan = text_escape(show_member(addon, "plan", "name"));
	char *safe = text_escape(name);

	if (strcmp(name, show_member(addon, "addon_service", "name")))
		printf("%s => %s\n", plan, safe);
	else
		puts(plan);
	free(plan);
	free(safe);
}

static void show_addons(const struct heroku *h, const json_t *addons)
{
	char *app = text_escape(h->name);
	size_t i;

	if (!json_array_size(addons))
		printf("%s has no add-ons.\n", app);
	for (i = 0; i < json_array_size(addons); i++)
		show_addon(json_array_get(addons, i));
	free(app);
}

static int run(struct heroku *h)
{
	json_t *addons = NULL;
	int rc;

	rc = heroku_connect(h);
	if (!rc)
		rc = heroku_get(h, &addons, "/addons");
	if (rc)
		return rc;
	if (h->json)
		show_json(addons);
	else
		show_addons(h, addons);
	json_decref(addons);
	return 0;
}

const struct command cmd_addons = {
	.name = "addons",
	.args = "",
	.help = "list the add-ons",
	.options = "arj",
	.run = run,
};
