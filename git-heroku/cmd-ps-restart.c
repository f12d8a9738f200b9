/* SPDX-License-Identifier: ISC */
#include "command.h"
#include "dyno.h"

static int run(struct heroku *h)
{
	const char *name = h->nr_args ? h->args[0] : NULL;
	int rc = heroku_connect(h);

	return rc ? rc : dyno_change(h, name, "Restarting", "DELETE", "");
}

const struct command cmd_ps_restart = {
	.name = "ps:restart",
	.args = "[TYPE | DYNO]",
	.help = "restart processes: all of them, or those named",
	.example = "ps:restart web.1",
	.words = "dynos",
	.options = "ar",
	.max_args = 1,
	.run = run,
};
