/* SPDX-License-Identifier: ISC */
/*
 * post-receive: shows the release that the push became, and how its launch
 * goes. Needs the repository and slugd's socket, nothing else.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain.h"
#include "err.h"
#include "hook.h"
#include "mem.h"
#include "waiting.h"

static int keep(void *ctx, const char *data, size_t len)
{
	fwrite(data, 1, len, ctx);
	return 0;
}

/*
 * Wait until release `version` of the app is no longer pending. Its launch's
 * output into *why, its state into *release.
 */
static int wait_launch(struct client *c, const json_t *settled,
		       json_t **release, char **why)
{
	const json_t *made = json_object_get(settled, "release");
	const char *url = json_str(made, "output_stream_url", NULL);
	char *app = client_path_segment(json_str(settled, "app", ""));
	char *path = xasprintf("/apps/%s/releases/%" PRId64, app,
			       json_int(made, "version", 0));
	char *wait;
	size_t len = 0;
	FILE *f = open_memstream(why, &len);
	int rc = 0;

	if (!f)
		abort();
	if (url && !strcmp(json_str(made, "status", ""), "pending")) {
		client_set_timeout(c, 0);
		wait = xasprintf("/apps/%s/waiting", app);
		waiting_start(wait);
		rc = client_stream(c, url, keep, f);
		waiting_stop();
		free(wait);
	}
	fclose(f);
	if (!rc)
		rc = client_call(c, "GET", path, NULL, release);
	free(path);
	free(app);
	return rc;
}

/* The release is launched: what runs, and where; or that nothing does. */
static void show_launched(const json_t *settled, const json_t *release)
{
	const char *web = json_str(settled, "web_url", NULL);
	const char *idle = json_str(settled, "idle", NULL);
	int64_t version = json_int(release, "version", 0);

	if (idle) {
		hook_say("nothing to launch, v%" PRId64 " recorded\n", version);
		hook_complain(idle);
		return;
	}
	hook_say("done, v%" PRId64 " deployed to %s\n", version,
		 json_str(settled, "platform", ""));
	if (web)
		hook_say("       %s\n", web);
}

static void show(struct client *c, const json_t *settled)
{
	json_t *release = NULL;
	char *why = NULL;

	hook_say("-----> Launching... ");
	if (wait_launch(c, settled, &release, &why)) {
		hook_say("unknown\n");
		hook_complain(err_msg());
	} else if (!strcmp(json_str(release, "status", ""), "pending")) {
		hook_say("not yet, v%" PRId64 "\n",
			 json_int(release, "version", 0));
		hook_complain("slugd is stopping; it launches the release "
			      "when it runs again.");
	} else if (strcmp(json_str(release, "status", ""), "failed") != 0) {
		show_launched(settled, release);
	} else {
		hook_say("failed, v%" PRId64 "\n",
			 json_int(release, "version", 0));
		hook_complain(why);
		hook_complain("The release before it goes on serving.");
	}
	free(why);
	json_decref(release);
}

int main(int argc, char **argv)
{
	json_t *refs = NULL, *branches = NULL, *settled = NULL;
	struct client *c = NULL;
	int rc;

	(void)argc;
	if (hook_chain("post-receive", argv))
		hook_complain(err_msg());
	signal(SIGPIPE, SIG_IGN);
	rc = hook_read_refs(&refs);
	if (rc)
		goto done;
	branches = hook_branches(refs);
	if (!json_array_size(branches))
		goto done;
	rc = hook_connect(&c);
	if (!rc)
		rc = hook_post(c, "/pushes/actions/settle", branches, NULL,
			       &settled);
	if (!rc && settled)
		show(c, settled);
done:
	if (rc)
		hook_complain(err_msg());
	client_free(c);
	json_decref(settled);
	json_decref(branches);
	json_decref(refs);
	return rc ? 1 : 0;
}
