/* SPDX-License-Identifier: ISC */
#include "command.h"
#include "plan.h"

const struct command cmd_addons_upgrade = {
	.name = "addons:upgrade",
	.args = "[NAME] PLAN",
	.help = "change an add-on to a larger plan",
	.example = "addons:upgrade memcachier:100",
	.words = "addons plans",
	.options = "ar",
	.min_args = 1,
	.max_args = 2,
	.missing = "Must specify SERVICE:PLAN, or NAME and PLAN.",
	.run = plan_change,
};
