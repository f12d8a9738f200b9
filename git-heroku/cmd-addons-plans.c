/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "mem.h"
#include "show.h"
#include "text.h"

static void show_plans(const char *service, const json_t *plans)
{
	static const char *const header[] = { "", "Slug", "Name", "Price" };
	json_t *rows = json_array();
	char *safe = text_escape(service);
	size_t i;

	for (i = 0; i < json_array_size(plans); i++) {
		const json_t *p = json_array_get(plans, i);
		char *price = show_price(p);

		json_array_append_new(
			rows,
			json_make("[s, s, s, s]",
				  json_bool(p, "default", 0) ? "default" : "",
				  json_str(p, "name", ""),
				  json_str(p, "human_name", ""), price));
		free(price);
	}
	printf("=== %s Plans\n", safe);
	show_table(header, 4, rows);
	json_decref(rows);
	free(safe);
}

static int run(struct heroku *h)
{
	char *segment = client_path_segment(h->args[0]);
	char *path = xasprintf("/addon-services/%s/plans", segment);
	json_t *plans = NULL;
	int rc = heroku_connect_server(h);

	if (!rc)
		rc = client_call(h->client, "GET", path, NULL, &plans);
	if (rc)
		goto done;
	if (h->json)
		show_json(plans);
	else
		show_plans(h->args[0], plans);
done:
	json_decref(plans);
	free(path);
	free(segment);
	return rc;
}

const struct command cmd_addons_plans = {
	.name = "addons:plans",
	.args = "SERVICE",
	.help = "list the plans of a service, with their prices",
	.example = "addons:plans memcachier",
	.words = "services",
	.options = "arj",
	.min_args = 1,
	.max_args = 1,
	.missing = "Must specify a SERVICE.",
	.run = run,
};
