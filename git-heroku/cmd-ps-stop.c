/* SPDX-License-Identifier: ISC */
#include "command.h"
#include "dyno.h"

static int run(struct heroku *h)
{
	int rc = heroku_connect(h);

	return rc ? rc
		  : dyno_change(h, h->args[0], "Stopping", "POST",
				"/actions/stop");
}

const struct command cmd_ps_stop = {
	.name = "ps:stop",
	.args = "TYPE | DYNO",
	.help = "stop processes until the next restart",
	.example = "ps:stop worker.2",
	.words = "dynos",
	.options = "ar",
	.min_args = 1,
	.max_args = 1,
	.missing = "Must specify a TYPE or DYNO to stop.",
	.run = run,
};
