/* SPDX-License-Identifier: ISC */
#include "command.h"
#include "maintenance.h"

static int run(struct heroku *h)
{
	return maintenance_switch(h, true);
}

const struct command cmd_maintenance_on = {
	.name = "maintenance:on",
	.args = "",
	.help = "the same as maintenance on",
	.options = "ar",
	.run = run,
};
