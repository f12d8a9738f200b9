/* SPDX-License-Identifier: ISC */
#include "command.h"
#include "pin.h"

static int run(struct heroku *h)
{
	return pin_release(h, true);
}

const struct command cmd_releases_pin = {
	.name = "releases:pin",
	.args = "[vN]",
	.help = "keep the slug of a release, however old",
	.example = "releases:pin v40",
	.words = "releases",
	.options = "ar",
	.max_args = 1,
	.run = run,
};
