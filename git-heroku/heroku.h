/* SPDX-License-Identifier: ISC */
#ifndef HEROKU_H
#define HEROKU_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"

/*
 * One call of git-heroku: what was typed, and, after heroku_connect(), the
 * app that it is about and the connection to its slugd.
 *
 *	rc = heroku_connect(h);
 *	rc = heroku_get(h, &addons, "/addons");
 *
 * main() makes it, the commands use it, main() releases it.
 */
struct heroku {
	const char *app;     /* -a; NULL: not given */
	const char *remote;  /* -r; NULL: not given */
	const char *confirm; /* --confirm; NULL: not given */
	int64_t num;         /* -n; 0: not given */
	bool json;           /* --json */
	bool shell;          /* -s */
	bool values;         /* --values */
	const char *only;    /* "config", "code": --config-only, --code-only */
	const char *ps;      /* -p; NULL: not given */
	const char *source;  /* -s of logs; NULL: not given */
	bool tail;           /* -t */
	const char *env;     /* -e; NULL: not given */
	const char *size;    /* --size; NULL: not given */
	const char *type;    /* --type; NULL: not given */
	bool no_tty;         /* --no-tty */
	bool help;           /* -h, --help */
	bool version;        /* --version */
	char **args;         /* what follows the command's name */
	int nr_args;

	int status; /* to exit with; 0: as the command's result is */

	/* Once connected: */
	char *name;       /* the app's name */
	char *socket;     /* of its slugd */
	char *git_remote; /* the remote that leads to it; NULL: none known */
	struct client *client;
};

/*
 * Find out which app is meant and where its slugd listens, and connect.
 * Errors: those of where_find() and client_open().
 */
int heroku_connect(struct heroku *h);

/*
 * The same, where no app is asked about: h->name stays NULL where no remote
 * says which. Errors: those of where_find_server() and client_open().
 */
int heroku_connect_server(struct heroku *h);

/* Close the connection, and free what heroku_connect() made. */
void heroku_release(struct heroku *h);

/*
 * The path of something of the app: "/apps/NAME" and then the formatted
 * rest, whose outside parts have been through client_path_segment().
 * Caller frees.
 */
char *heroku_path(const struct heroku *h, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * GET something of the app, given as for heroku_path(), into *out
 * (caller's reference). Errors: those of client_call(); ERR_FAILED where
 * the answer has no body.
 */
int heroku_get(struct heroku *h, json_t **out, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
