/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "err.h"
#include "progress.h"
#include "stream.h"

#define DEFAULT_NUM 100

/* What is wanted, as a log session; its URL is borrowed from *session. */
static int begin(struct heroku *h, json_t **session, const char **url)
{
	char *path = heroku_path(h, "/log-sessions");
	json_t *body =
		json_pack("{s:I, s:b, s:s*, s:s*}", "lines",
			  (json_int_t)(h->num ? h->num : DEFAULT_NUM), "tail",
			  h->tail, "source", h->source, "dyno", h->ps);
	int rc;

	progress_start();
	rc = body ? client_call(h->client, "POST", path, body, session)
		  : err_set(ERR_INVALID, "An argument is not UTF-8.");
	progress_stop();
	*url = json_str(*session, "logplex_url", NULL);
	if (!rc && !*url)
		rc = err_set(ERR_FAILED, "slugd did not say where the log is.");
	json_decref(body);
	free(path);
	return rc;
}

static int run(struct heroku *h)
{
	json_t *session = NULL;
	const char *url = NULL;
	int rc = heroku_connect(h);

	if (!rc)
		rc = begin(h, &session, &url);
	if (!rc)
		rc = stream_follow(h, url);
	json_decref(session);
	return rc;
}

const struct command cmd_logs = {
	.name = "logs",
	.args = "[-n NUM] [-p DYNO] [-s SOURCE] [-t]",
	.help = "show the app's log",
	.example = "logs -p web.1 --tail",
	.options = "arnpSt",
	.run = run,
};
