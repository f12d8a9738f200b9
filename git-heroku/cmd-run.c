/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "attach.h"
#include "command.h"
#include "err.h"
#include "frames.h"
#include "mem.h"
#include "oneoff.h"
#include "progress.h"
#include "terminal.h"

static int start(struct heroku *h, json_t *body, struct client_upgraded *p)
{
	char *path = heroku_path(h, "/dynos");
	const char *name;
	int rc;

	progress_start();
	rc = client_upgrade(h->client, path, body, FRAMES_PROTOCOL, p);
	progress_stop();
	name = client_header(h->client, "Slugd-Dyno");
	if (rc)
		fputs(" failed\n", stderr);
	else
		fprintf(stderr, " up, %s\n", name ? name : "run");
	free(path);
	return rc;
}

/* The terminal's kind is the process's, unless -e says another one. */
static void set_terminal(json_t *body)
{
	json_t *env = json_object_get(body, "env");
	const char *term = getenv("TERM");

	if (term && !json_object_get(env, "TERM"))
		json_object_set_new(env, "TERM", json_str_or_null(term));
}

static int run(struct heroku *h)
{
	bool terminal = !h->no_tty && terminal_is_there();
	struct client_upgraded p = { -1, NULL, 0 };
	char *command = oneoff_command(h);
	json_t *body = NULL;
	int rc = oneoff_body(h, command, true, &body);

	if (!rc && terminal)
		set_terminal(body);
	if (!rc)
		rc = heroku_connect(h);
	if (rc)
		goto done;
	oneoff_announce(stderr, command,
			terminal ? "attached to terminal" : "attached");
	rc = start(h, body, &p);
	if (!rc)
		rc = attach(p.fd, p.early, p.len, terminal, &h->status);
done:
	if (p.fd >= 0)
		close(p.fd);
	free(p.early);
	json_decref(body);
	free(command);
	return rc;
}

const struct command cmd_run = {
	.name = "run",
	.args = "COMMAND...",
	.help = "run a command, attached to it",
	.example = "run -e DEBUG=1 rake db:migrate --trace",
	.options = "areYTxz",
	.takes_command = true,
	.min_args = 1,
	.max_args = ANY_ARGS,
	.missing = "Must specify a COMMAND to run.",
	.run = run,
};
