/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "change.h"
#include "command.h"
#include "err.h"
#include "mem.h"
#include "release-name.h"

/* As Heroku's client asks for it: the slug again, described as a retry. */
static int retry(struct heroku *h, const json_t *release)
{
	int64_t version = json_int(release, "version", 0);
	const char *slug =
		json_str(json_object_get(release, "slug"), "id", NULL);
	char *path = NULL, *words = NULL;
	json_t *body = NULL;
	struct change c = { .method = "POST" };
	int rc;

	if (!slug) {
		rc = err_set(ERR_INVALID, "v%" PRId64 " has no code to run.",
			     version);
		goto done;
	}
	words = xasprintf("Retry of v%" PRId64 ": %s", version,
			  json_str(release, "description", ""));
	body = json_make("{s:s, s:s}", "slug", slug, "description", words);
	path = heroku_path(h, "/releases");
	c.path = path;
	c.body = body;
	rc = change_make(h, &c, "Retrying v%" PRId64 " on %s", version,
			 h->name);
	if (!rc)
		printf(" done, %s\n", c.release ? c.release : "no release");
done:
	change_release(&c);
	json_decref(body);
	free(words);
	free(path);
	return rc;
}

static int run(struct heroku *h)
{
	json_t *release = NULL;
	char *name = NULL;
	int rc = release_name(&name, h->nr_args ? h->args[0] : "newest");

	if (!rc)
		rc = heroku_connect(h);
	if (!rc)
		rc = release_get(h, name, &release);
	if (!rc)
		rc = retry(h, release);
	json_decref(release);
	free(name);
	return rc;
}

const struct command cmd_releases_retry = {
	.name = "releases:retry",
	.args = "[vN]",
	.help = "launch a release that failed again; the newest unless named",
	.example = "releases:retry v40",
	.words = "releases",
	.options = "ar",
	.max_args = 1,
	.run = run,
};
