/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "clone.h"
#include "command.h"
#include "err.h"
#include "mem.h"
#include "progress.h"
#include "stream.h"
#include "text.h"

/* A tag and a branch have that name: say which one is deployed. */
static void say_both(const char *rev)
{
	char *safe = text_escape(rev);

	fprintf(stderr,
		" !    %s is a tag and a branch: deploying the tag. The branch "
		"is refs/heads/%s.\n",
		safe, safe);
	free(safe);
}

/*
 * What to deploy, as the request has it: the commit that rev names in the
 * clone, or, where that does not know it, rev itself.
 */
static int request(json_t **out, const char *rev)
{
	char *commit = NULL;
	int rc;

	rc = rev ? clone_commit(&commit, rev) : 0;
	if (rc)
		return rc;
	if (commit && clone_has_both(rev))
		say_both(rev);
	*out = json_pack("{s:{s:s*}}", "source_blob", "version",
			 commit ? commit : rev);
	free(commit);
	return *out ? 0 : err_set(ERR_INVALID, "The revision is not UTF-8.");
}

/* Start the build, show what it says, and what became of it into *build. */
static int build(struct heroku *h, const json_t *body, json_t **out)
{
	char *path = heroku_path(h, "/builds"), *id = NULL;
	json_t *started = NULL;
	const char *url;
	int rc;

	progress_start();
	rc = client_call(h->client, "POST", path, body, &started);
	progress_stop();
	if (rc)
		goto done;
	if (json_bool(started, "tag", 0))
		say_both(h->args[0]);
	url = json_str(started, "output_stream_url", NULL);
	if (url)
		rc = stream_show(h, url, NULL);
	id = client_path_segment(json_str(started, "id", ""));
	if (!rc)
		rc = heroku_get(h, out, "/builds/%s", id);
	/* Of one that has ended there is a row, where it could be written. */
	if (rc == ERR_NOTFOUND)
		rc = err_set(ERR_FAILED,
			     "Nothing was deployed to %s, and slugd could not "
			     "write down why: its disk may be full.",
			     h->name);
	if (!rc && strcmp(json_str(*out, "status", ""), "succeeded") != 0)
		rc = err_set(ERR_FAILED, "Nothing was deployed to %s.",
			     h->name);
done:
	json_decref(started);
	free(id);
	free(path);
	return rc;
}

/* Nothing of the release runs; why is one or more lines. */
static void say_idle(const json_t *release, const char *why)
{
	char *copy = xstrdup(why), *rest = copy, *line;

	printf(" nothing to launch, v%" PRId64 " recorded\n",
	       json_int(release, "version", 0));
	fflush(stdout);
	while ((line = strsep(&rest, "\n"))) {
		char *safe = text_escape(line);

		fprintf(stderr, " !    %s\n", safe);
		free(safe);
	}
	free(copy);
}

/* The words of a push: where it is deployed to, and its address. */
static int say_deployed(struct heroku *h, const json_t *release)
{
	json_t *root = NULL, *app = NULL;
	char *platform, *url;
	const char *idle;
	int rc;

	rc = client_call(h->client, "GET", "/", NULL, &root);
	if (!rc)
		rc = heroku_get(h, &app, "%s", "");
	idle = json_str(app, "idle", NULL);
	if (idle) {
		say_idle(release, idle);
		goto done;
	}
	platform = text_escape(json_str(root, "platform", "slugd"));
	url = text_escape(json_str(app, "web_url", ""));
	printf(" done, v%" PRId64 " deployed to %s\n",
	       json_int(release, "version", 0), platform);
	if (*url)
		printf("       %s\n", url);
	free(platform);
	free(url);
done:
	json_decref(root);
	json_decref(app);
	return rc;
}

/* As a push shows it, if there is one: before the launch's own line. */
static int show_command(struct heroku *h, const char *id)
{
	json_t *release = NULL;
	const char *url;
	int rc = heroku_get(h, &release, "/releases/%s", id);

	url = json_str(release, "output_stream_url", NULL);
	if (!rc && url && change_has_command(h)) {
		puts("-----> Running release command...");
		rc = stream_show(h, url, NULL);
	}
	json_decref(release);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int launch(struct heroku *h, const json_t *built)
{
	const json_t *made = json_object_get(built, "release");
	char *id = client_path_segment(json_str(made, "id", ""));
	json_t *release = NULL;
	int rc = show_command(h, id);

	printf("-----> Launching...");
	fflush(stdout);
	if (!rc)
		rc = change_wait(h, id, &release);
	if (!rc)
		rc = say_deployed(h, release);
	else if (release)
		printf(" failed, v%" PRId64 "\n",
		       json_int(release, "version", 0));
	else
		printf(" unknown\n");
	json_decref(release);
	free(id);
	return rc;
}

static int run(struct heroku *h)
{
	json_t *body = NULL, *built = NULL;
	int rc;

	rc = heroku_connect(h);
	if (!rc)
		rc = request(&body, h->nr_args ? h->args[0] : NULL);
	if (!rc)
		rc = build(h, body, &built);
	if (!rc)
		rc = launch(h, built);
	json_decref(body);
	json_decref(built);
	return rc;
}

const struct command cmd_deploy = {
	.name = "deploy",
	.args = "[REV]",
	.help = "release a commit that the app's repository has",
	.example = "deploy v1.0",
	.words = "refs",
	.options = "ar",
	.max_args = 1,
	.run = run,
};
