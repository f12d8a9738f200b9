/* SPDX-License-Identifier: ISC */
#include "command.h"

#include <stdlib.h>
#include <string.h>

#include "alias.h"
#include "err.h"
#include "mem.h"
#include "options.h"
#include "text.h"

const struct command *const command_table[] = {
	&cmd_addons,
	&cmd_addons_create,
	&cmd_addons_destroy,
	&cmd_addons_downgrade,
	&cmd_addons_info,
	&cmd_addons_plans,
	&cmd_addons_rotate,
	&cmd_addons_services,
	&cmd_addons_upgrade,
	&cmd_apps,
	&cmd_complete,
	&cmd_config,
	&cmd_config_edit,
	&cmd_config_get,
	&cmd_config_set,
	&cmd_config_unset,
	&cmd_deploy,
	&cmd_help,
	&cmd_info,
	&cmd_logs,
	&cmd_maintenance,
	&cmd_maintenance_off,
	&cmd_maintenance_on,
	&cmd_open,
	&cmd_ps,
	&cmd_ps_restart,
	&cmd_ps_scale,
	&cmd_ps_stop,
	&cmd_releases,
	&cmd_releases_diff,
	&cmd_releases_info,
	&cmd_releases_output,
	&cmd_releases_pin,
	&cmd_releases_retry,
	&cmd_releases_unpin,
	&cmd_rollback,
	&cmd_run,
	&cmd_run_detached,
	&cmd_version,
	NULL,
};

/* A name that is further than this from what was typed was not meant. */
#define NEAR 3

const struct command *command_find(const char *name)
{
	const struct alias *alias = alias_find(name);
	const struct command *const *p;

	if (alias && alias->command)
		name = alias->command;
	for (p = command_table; *p; p++)
		if (!strcmp((*p)->name, name))
			return *p;
	return NULL;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t min = a < b ? a : b;

	return min < c ? min : c;
}

/*
 * How many characters lie between a and b (Levenshtein): put in, left out
 * or replaced. row[j] is the distance of what was seen of a to b's first j.
 */
static size_t distance(const char *a, const char *b)
{
	size_t len = strlen(b), j, diagonal, above;
	size_t *row = xcalloc(len + 1, sizeof(*row));

	for (j = 0; j <= len; j++)
		row[j] = j;
	for (; *a; a++) {
		diagonal = row[0]++;
		for (j = 1; j <= len; j++) {
			above = row[j];
			row[j] = least(above + 1, row[j - 1] + 1,
				       diagonal + (*a != b[j - 1]));
			diagonal = above;
		}
	}
	j = row[len];
	free(row);
	return j;
}

int command_unknown(const char *name)
{
	const struct alias *alias = alias_find(name);
	const struct command *const *p;
	const char *nearest = NULL;
	size_t best = NEAR + 1;
	char *shown = text_cell(name, 60);
	int rc;

	for (p = command_table; *p; p++) {
		size_t n = distance(shown, (*p)->name);

		if ((*p)->help && n < best && n < strlen((*p)->name)) {
			nearest = (*p)->name;
			best = n;
		}
	}
	if (alias)
		rc = err_set(ERR_INVALID, "slugd has no `%s`.\n%s", shown,
			     alias->instead);
	else if (nearest)
		rc = err_set(ERR_INVALID,
			     "`%s` is not a heroku command.\n"
			     "Perhaps you meant `%s`.",
			     shown, nearest);
	else
		rc = err_set(ERR_INVALID,
			     "`%s` is not a heroku command.\n"
			     "See `git heroku help` for a list of available "
			     "commands.",
			     shown);
	free(shown);
	return rc;
}

char *command_usage(const struct command *cmd)
{
	return xasprintf("Usage: git heroku %s%s%s", cmd->name,
			 *cmd->args ? " " : "", cmd->args);
}

int command_check(const struct command *cmd, const struct heroku *h,
		  const char *given)
{
	char *usage = command_usage(cmd), *option;
	int i, rc = 0;

	for (; *given && !rc; given++) {
		if (strchr(cmd->options, *given) || *given == 'h')
			continue;
		option = option_text(option_by_key(*given));
		rc = err_set(ERR_INVALID, "%s takes no option %s.\n%s",
			     cmd->name, option, usage);
		free(option);
	}
	if (!rc && h->nr_args < cmd->min_args)
		rc = err_set(ERR_INVALID, "%s\n%s", usage, cmd->missing);
	if (!rc && cmd->max_args != ANY_ARGS && h->nr_args > cmd->max_args)
		rc = err_set(ERR_INVALID, "Invalid argument: \"%s\"\n%s",
			     h->args[cmd->max_args], usage);
	/* A variable of a script that is not set, mostly. */
	for (i = 0; i < h->nr_args && !rc && cmd->help && !cmd->takes_command;
	     i++)
		if (!*h->args[i])
			rc = err_set(ERR_INVALID, "Invalid argument: \"\"\n%s",
				     usage);
	free(usage);
	return rc;
}
