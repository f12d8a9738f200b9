/* SPDX-License-Identifier: ISC */
/*
 * git-heroku: ask slugd about an app, and change it. git(1) runs it as
 * "git heroku". It needs no rights but the caller's: to run git, to read the
 * configuration of the app's repository and to connect to slugd's socket.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "err.h"
#include "mem.h"
#include "options.h"
#include "standard.h"
#include "text.h"

/* The last error as Heroku's client shows it: each line behind a mark. */
static void complain(void)
{
	char *message = xstrdup(err_msg()), *rest = message, *line;

	while ((line = strsep(&rest, "\n"))) {
		char *safe = text_escape(line);

		if (*line || rest)
			fprintf(stderr, " !    %s\n", safe);
		free(safe);
	}
	free(message);
}

/* The command that the arguments ask for, and its own arguments into h. */
static int choose(const struct command **cmd, struct heroku *h,
		  const char *given)
{
	if (!h->nr_args) {
		*cmd = h->version ? &cmd_version : &cmd_help;
		return 0;
	}
	*cmd = command_find(h->args[0]);
	if (!*cmd)
		return command_unknown(h->args[0]);
	if (h->help) {
		*cmd = &cmd_help;
		h->nr_args = 1;
		return 0;
	}
	h->args++;
	h->nr_args--;
	return command_check(*cmd, h, given);
}

int main(int argc, char **argv)
{
	struct heroku h = { 0 };
	char given[OPTIONS_SIZE] = "";
	const struct command *cmd = NULL;
	int rc;

	/*
	 * A reader that goes away ends this program, without a word, also
	 * where the caller has it otherwise.
	 */
	signal(SIGPIPE, SIG_DFL);
	rc = standard_open();
	if (!rc)
		rc = options_parse(&h, given, argc, argv);
	if (!rc)
		rc = choose(&cmd, &h, given);
	if (!rc)
		rc = cmd->run(&h);
	if (rc)
		fflush(stdout);
	else
		rc = standard_flush();
	if (rc)
		complain();
	heroku_release(&h);
	if (h.status > 0)
		return h.status;
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
