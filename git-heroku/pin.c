/* SPDX-License-Identifier: ISC */
#include "pin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "change.h"
#include "release-name.h"

static int set_pin(struct heroku *h, int64_t version, bool pin)
{
	char *path =
		heroku_path(h, "/releases/%" PRId64 "/actions/pin", version);
	struct change c = { .method = pin ? "PUT" : "DELETE", .path = path };
	int rc = change_make(h, &c, "%s v%" PRId64 " of %s",
			     pin ? "Pinning" : "Unpinning", version, h->name);

	if (!rc)
		puts(" done");
	change_release(&c);
	free(path);
	return rc;
}

int pin_release(struct heroku *h, bool pin)
{
	json_t *release = NULL;
	char *name = NULL;
	int rc = release_name(&name, h->nr_args ? h->args[0] : "current");

	if (!rc)
		rc = heroku_connect(h);
	if (!rc)
		rc = release_get(h, name, &release);
	if (!rc)
		rc = set_pin(h, json_int(release, "version", 0), pin);
	json_decref(release);
	free(name);
	return rc;
}
