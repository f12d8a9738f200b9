/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "err.h"
#include "mem.h"
#include "release-name.h"
#include "stream.h"

/* One of the two streams, if there is one; it may have been swept. */
static int show_part(struct heroku *h, const char *url, bool *any)
{
	int rc = url && *url ? stream_show(h, url, any) : 0;

	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int show_output(struct heroku *h, const json_t *release)
{
	const char *status = json_str(release, "status", "succeeded");
	bool any = false;
	int rc;

	rc = show_part(h,
		       json_str(json_object_get(release, "build"),
				"output_stream_url", NULL),
		       &any);
	if (!rc)
		rc = show_part(h, json_str(release, "output_stream_url", NULL),
			       &any);
	if (!rc && !any)
		printf("v%" PRId64 " has no output%s.\n",
		       json_int(release, "version", 0),
		       strcmp(status, "pending") != 0 ? "" : " yet");
	return rc;
}

static int run(struct heroku *h)
{
	json_t *release = NULL;
	char *name = NULL;
	int rc;

	rc = release_name(&name, h->nr_args ? h->args[0] : "newest");
	if (rc)
		goto done;
	rc = heroku_connect(h);
	if (!rc)
		rc = release_get(h, name, &release);
	if (!rc)
		rc = show_output(h, release);
done:
	json_decref(release);
	free(name);
	return rc;
}

const struct command cmd_releases_output = {
	.name = "releases:output",
	.args = "[vN]",
	.help = "show what a release's build and launch said",
	.example = "releases:output v40",
	.words = "releases",
	.options = "ar",
	.max_args = 1,
	.run = run,
};
