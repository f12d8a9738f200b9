/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "show.h"
#include "text.h"

static void show_apps(const json_t *apps)
{
	json_t *app;
	size_t i;

	if (!json_array_size(apps)) {
		puts("There are no apps.");
		return;
	}
	puts("=== My Apps");
	json_array_foreach(apps, i, app) {
		char *name = text_escape(json_str(app, "name", ""));

		puts(name);
		free(name);
	}
}

static int run(struct heroku *h)
{
	json_t *apps = NULL;
	int rc;

	rc = heroku_connect_server(h);
	if (!rc)
		rc = client_call(h->client, "GET", "/apps", NULL, &apps);
	if (rc)
		return rc;
	if (h->json)
		show_json(apps);
	else
		show_apps(apps);
	json_decref(apps);
	return 0;
}

const struct command cmd_apps = {
	.name = "apps",
	.args = "",
	.help = "list the apps of the server",
	.options = "arj",
	.run = run,
};
