/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "err.h"
#include "show.h"

static void show_services(const json_t *services)
{
	static const char *const header[] = { "Slug", "Name", "State" };
	json_t *rows = json_array();
	size_t i;

	if (!json_array_size(services))
		puts("There are no add-on services.");
	for (i = 0; i < json_array_size(services); i++) {
		const json_t *s = json_array_get(services, i);

		json_array_append_new(
			rows, json_make("[s, s, s]", json_str(s, "name", ""),
					json_str(s, "human_name", ""),
					json_str(s, "state", "")));
	}
	if (i)
		show_table(header, 3, rows);
	json_decref(rows);
}

static int run(struct heroku *h)
{
	json_t *services = NULL;
	int rc;

	rc = heroku_connect_server(h);
	if (!rc)
		rc = client_call(h->client, "GET", "/addon-services", NULL,
				 &services);
	if (rc)
		return rc;
	if (h->json)
		show_json(services);
	else
		show_services(services);
	json_decref(services);
	return 0;
}

const struct command cmd_addons_services = {
	.name = "addons:services",
	.args = "",
	.help = "list the services of which there are add-ons",
	.options = "arj",
	.run = run,
};
