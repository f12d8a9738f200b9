/* SPDX-License-Identifier: ISC */
/* What a push, or a launch, waits for: for the hooks, which tell a developer. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "json.h"
#include "launch.h"
#include "mem.h"
#include "pushes.h"
#include "runner.h"

#define RELEASE_COMMAND "the release command to end" /* slugrun's words */

/* What the app's slugrun waits for; NULL: nothing. Caller frees. */
static char *launch_waits(const struct slugd *d, const struct app *app)
{
	json_t *state = NULL;
	char *what;

	if (runner_state(d, app, &state))
		return xstrdup("slugrun to start");
	what = xstrdup(json_str(state, "until", NULL));
	json_decref(state);
	return what;
}

/* launching: it is the line of the launch that waits. Takes what. */
static json_t *answer(char *what, bool launching)
{
	json_t *v = json_make("{s:o, s:b}", "waiting", json_str_or_null(what),
			      "launching", launching);

	free(what);
	return v;
}

/* GET /pushes/:push/waiting */
int api_push_waiting(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct app *app = NULL;
	char *what = NULL;
	bool launching = false;
	enum push_wait wait;
	int64_t id;

	wait = pushes_waiting(d->pushes, req->param[0], &id);
	if (wait == PUSH_WAIT_TURN) {
		what = xstrdup("another push");
	} else if (wait == PUSH_WAIT_PACK) {
		what = xstrdup("its files to be packed");
	} else if (wait == PUSH_WAIT_LAUNCH &&
		   !ledger_app_by_id(d->ledger, id, &app)) {
		what = launch_waits(d, app);
		/* That has a line of its own, which comes before. */
		launching = !what || strcmp(what, RELEASE_COMMAND) != 0;
	}
	app_free(app);
	req->reply = answer(what, launching);
	return 0;
}

/* GET /apps/:app/waiting: of its launch. */
int api_launch_waiting(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct app *app = NULL;
	int rc = api_app(d, req, &app);

	if (!rc)
		req->reply = answer(launch_waits(d, app), true);
	app_free(app);
	return rc;
}
