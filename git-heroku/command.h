/* SPDX-License-Identifier: ISC */
#ifndef COMMAND_H
#define COMMAND_H

#include <stddef.h>

#include "heroku.h"

/*
 * A command of git-heroku: one file, one entry in command_table.
 */
struct command {
	const char *name;       /* "releases:info" */
	const char *args;       /* as its usage shows them; "" for none */
	const char *help;       /* one line; NULL: not listed */
	const char *example;    /* a line as it is typed; NULL: the name */
	const char *words;      /* what complete offers as arguments */
	const char *options;    /* the keys of those it takes, see options.h */
	bool takes_command;     /* its first argument ends its options */
	int min_args, max_args; /* max_args -1: any number */
	const char *missing;    /* what to say where there are too few */
	int (*run)(struct heroku *h);
};

#define ANY_ARGS (-1)

/* All commands, in the order of the help; ends with NULL. */
extern const struct command *const command_table[];

/* The command of that name, or of that alias; NULL if there is none. */
const struct command *command_find(const char *name);

/*
 * Refuse a name that is no command's: with what to do instead of a command
 * of Heroku's that slugd does not have, or with the command that was meant,
 * if one is near. Returns ERR_INVALID.
 */
int command_unknown(const char *name);

/*
 * Are these options (by their keys) and arguments the command's?
 * Errors: ERR_INVALID, with the command's usage.
 */
int command_check(const struct command *cmd, const struct heroku *h,
		  const char *given);

/* "Usage: git heroku releases [-n NUM]". Caller frees. */
char *command_usage(const struct command *cmd);

/* The commands, one a file: cmd-NAME.c. */
extern const struct command cmd_addons;
extern const struct command cmd_addons_create;
extern const struct command cmd_addons_destroy;
extern const struct command cmd_addons_downgrade;
extern const struct command cmd_addons_info;
extern const struct command cmd_addons_plans;
extern const struct command cmd_addons_rotate;
extern const struct command cmd_addons_services;
extern const struct command cmd_addons_upgrade;
extern const struct command cmd_apps;
extern const struct command cmd_complete;
extern const struct command cmd_config;
extern const struct command cmd_config_edit;
extern const struct command cmd_config_get;
extern const struct command cmd_config_set;
extern const struct command cmd_config_unset;
extern const struct command cmd_deploy;
extern const struct command cmd_help;
extern const struct command cmd_info;
extern const struct command cmd_logs;
extern const struct command cmd_maintenance;
extern const struct command cmd_maintenance_off;
extern const struct command cmd_maintenance_on;
extern const struct command cmd_open;
extern const struct command cmd_ps;
extern const struct command cmd_ps_restart;
extern const struct command cmd_ps_scale;
extern const struct command cmd_ps_stop;
extern const struct command cmd_releases;
extern const struct command cmd_releases_diff;
extern const struct command cmd_releases_info;
extern const struct command cmd_releases_output;
extern const struct command cmd_releases_pin;
extern const struct command cmd_releases_retry;
extern const struct command cmd_releases_unpin;
extern const struct command cmd_rollback;
extern const struct command cmd_run;
extern const struct command cmd_run_detached;
extern const struct command cmd_version;

#endif
