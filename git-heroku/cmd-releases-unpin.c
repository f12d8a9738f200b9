/* SPDX-License-Identifier: ISC */
#include "command.h"
#include "pin.h"

static int run(struct heroku *h)
{
	return pin_release(h, false);
}

const struct command cmd_releases_unpin = {
	.name = "releases:unpin",
	.args = "[vN]",
	.help = "keep the slug of a release no longer",
	.example = "releases:unpin v40",
	.words = "releases",
	.options = "ar",
	.max_args = 1,
	.run = run,
};
