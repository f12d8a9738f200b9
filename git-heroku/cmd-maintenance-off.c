/* SPDX-License-Identifier: ISC */
#include "command.h"
#include "maintenance.h"

static int run(struct heroku *h)
{
	return maintenance_switch(h, false);
}

const struct command cmd_maintenance_off = {
	.name = "maintenance:off",
	.args = "",
	.help = "the same as maintenance off",
	.options = "ar",
	.run = run,
};
