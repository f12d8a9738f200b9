/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "err.h"
#include "mem.h"
#include "oneoff.h"
#include "progress.h"
#include "text.h"

/* Where to see what it prints. */
static void show_hint(const struct heroku *h, const char *name)
{
	char *app = h->app ? text_escape(h->app) : NULL;

	printf("Use `git heroku logs -p %s%s%s` to view the output.\n", name,
	       app ? " -a " : "", app ? app : "");
	free(app);
}

static int start(struct heroku *h, const char *command, const json_t *body)
{
	char *path = heroku_path(h, "/dynos"), *name = NULL;
	json_t *dyno = NULL;
	int rc;

	oneoff_announce(stdout, command, "detached");
	progress_start();
	rc = client_call(h->client, "POST", path, body, &dyno);
	progress_stop();
	if (rc) {
		puts(" failed");
		fflush(stdout);
	} else {
		name = text_escape(json_str(dyno, "name", "run"));
		printf(" up, %s\n", name);
		show_hint(h, name);
	}
	free(name);
	json_decref(dyno);
	free(path);
	return rc;
}

static int run(struct heroku *h)
{
	char *command = oneoff_command(h);
	json_t *body = NULL;
	int rc = oneoff_body(h, command, false, &body);

	if (!rc)
		rc = heroku_connect(h);
	if (!rc)
		rc = start(h, command, body);
	json_decref(body);
	free(command);
	return rc;
}

const struct command cmd_run_detached = {
	.name = "run:detached",
	.args = "COMMAND...",
	.help = "run a command, whose output goes to the log",
	.example = "run:detached rake stats:collect",
	.options = "areYz",
	.takes_command = true,
	.min_args = 1,
	.max_args = ANY_ARGS,
	.missing = "Must specify a COMMAND to run.",
	.run = run,
};
