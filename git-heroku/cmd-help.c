/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "mem.h"
#include "options.h"

#define WIDTH 32 /* of a command and its arguments */

/* What does not fit beside its text stands above it. */
static void list_one(const struct command *cmd)
{
	char *left = xasprintf("%s %s", cmd->name, cmd->args);
	bool above = strlen(left) >= WIDTH;

	printf("  %-*s%s", above ? 0 : WIDTH, left, above ? "\n  " : "");
	printf("%*s%s\n", above ? WIDTH : 0, "", cmd->help);
	free(left);
}

static void list(void)
{
	const struct command *const *p;

	puts("Usage: git heroku COMMAND [-a APP | -r REMOTE] [--json]\n");
	for (p = command_table; *p; p++) {
		if ((*p)->help)
			list_one(*p);
	}
	puts("\n\"git heroku help COMMAND\" shows a command's options.");
}

static void describe(const struct command *cmd)
{
	const struct option_def *o;
	char *usage = command_usage(cmd);

	printf("%s\n\n%s\n", usage, cmd->help);
	if (*cmd->options)
		putchar('\n');
	for (o = option_table; o->key; o++) {
		char *left = option_text(o);

		if (strchr(cmd->options, o->key))
			printf("  %-24s%s\n", left, o->help);
		free(left);
	}
	printf("\nExample: git heroku %s\n",
	       cmd->example ? cmd->example : cmd->name);
	free(usage);
}

static int run(struct heroku *h)
{
	const struct command *cmd;

	if (!h->nr_args) {
		list();
		return 0;
	}
	cmd = command_find(h->args[0]);
	if (!cmd || !cmd->help)
		return command_unknown(h->args[0]);
	describe(cmd);
	return 0;
}

const struct command cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.help = "list the commands, or describe one",
	.example = "help config:set",
	.words = "commands",
	.options = "",
	.max_args = 1,
	.run = run,
};
