/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "err.h"
#include "maintenance.h"
#include "show.h"

static int show(struct heroku *h)
{
	json_t *app = NULL;
	int rc = heroku_connect(h);

	if (!rc)
		rc = heroku_get(h, &app, "%s", "");
	if (!rc)
		puts(json_bool(app, "maintenance", 0) ? "on" : "off");
	json_decref(app);
	return rc;
}

static int run(struct heroku *h)
{
	if (!h->nr_args)
		return show(h);
	if (!strcmp(h->args[0], "on"))
		return maintenance_switch(h, true);
	if (!strcmp(h->args[0], "off"))
		return maintenance_switch(h, false);
	return err_set(ERR_INVALID, "Maintenance is on or off.");
}

const struct command cmd_maintenance = {
	.name = "maintenance",
	.args = "[on | off]",
	.help = "show, or switch, the maintenance page",
	.example = "maintenance on",
	.words = "switches",
	.options = "ar",
	.max_args = 1,
	.run = run,
};
