/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "mem.h"
#include "show.h"
#include "text.h"

static void show_line(const char *label, const char *text)
{
	char *safe = text_escape(text);

	printf("%-13s%s\n", label, *safe ? safe : "none");
	free(safe);
}

/* The keys of the config vars that it provides. Caller frees. */
static char *provided(const json_t *addon)
{
	const json_t *keys = json_object_get(addon, "config_vars");
	char *text = xstrdup("");
	size_t i;

	for (i = 0; i < json_array_size(keys); i++) {
		const char *key = json_string_value(json_array_get(keys, i));

		str_replace(&text, xasprintf("%s%s%s", text, i ? ", " : "",
					     key ? key : ""));
	}
	return text;
}

static void show_addon(const json_t *addon)
{
	char *name = text_escape(json_str(addon, "name", ""));
	char *keys = provided(addon), *when = show_time(addon, "created_at");
	char *price = show_price(addon);

	printf("=== %s\n", name);
	show_line("Config Vars:", keys);
	show_line("Created:", when);
	show_line("Owning App:", show_member(addon, "app", "name"));
	show_line("Plan:", show_member(addon, "plan", "name"));
	show_line("Price:", price);
	show_line("State:", json_str(addon, "state", ""));
	free(name);
	free(keys);
	free(when);
	free(price);
}

static int run(struct heroku *h)
{
	char *segment = client_path_segment(h->args[0]);
	json_t *addon = NULL;
	int rc = heroku_connect(h);

	if (!rc)
		rc = heroku_get(h, &addon, "/addons/%s", segment);
	if (!rc && h->json)
		show_json(addon);
	else if (!rc)
		show_addon(addon);
	json_decref(addon);
	free(segment);
	return rc;
}

const struct command cmd_addons_info = {
	.name = "addons:info",
	.args = "NAME",
	.help = "show an add-on",
	.example = "addons:info memcachier",
	.words = "addons",
	.options = "arj",
	.min_args = 1,
	.max_args = 1,
	.missing = "Must specify an add-on's NAME.",
	.run = run,
};
