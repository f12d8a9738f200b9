/* SPDX-License-Identifier: ISC */
#ifndef ALIAS_H
#define ALIAS_H

/*
 * What people of Heroku's tools type, beside the commands of command.h: other
 * names of a command, and commands that slugd does not have.
 * Source: the names and aliases of Heroku's CLI, version 10, and Dokku's.
 */
struct alias {
	const char *name;    /* "addons:add"; "pg:*" is pg and all of pg: */
	const char *command; /* the one that is meant, or NULL */
	const char *instead; /* where there is none, what to do: a sentence */
};

/* Names of commands, then what there is none for; ends with a NULL name. */
extern const struct alias alias_table[];

/* The alias of that name; NULL if there is none. */
const struct alias *alias_find(const char *name);

#endif
