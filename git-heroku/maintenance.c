/* SPDX-License-Identifier: ISC */
#include "maintenance.h"

#include <stdio.h>
#include <stdlib.h>

#include "change.h"

int maintenance_switch(struct heroku *h, bool on)
{
	json_t *body = json_make("{s:b}", "maintenance", on);
	struct change c = { .method = "PATCH", .body = body };
	char *path = NULL;
	int rc = heroku_connect(h);

	if (rc)
		goto done;
	path = heroku_path(h, "%s", "");
	c.path = path;
	rc = change_make(h, &c, "%s maintenance mode for %s",
			 on ? "Enabling" : "Disabling", h->name);
	if (!rc)
		puts(" done");
done:
	change_release(&c);
	json_decref(body);
	free(path);
	return rc;
}
