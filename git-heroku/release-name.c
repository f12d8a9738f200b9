/* SPDX-License-Identifier: ISC */
#include "release-name.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "mem.h"

int release_name(char **out, const char *typed)
{
	char *p;

	if (!*typed)
		return err_set(ERR_INVALID, "Specify a release");
	*out = xasprintf("%s%s", typed[strspn(typed, "0123456789")] ? "" : "v",
			 typed);
	for (p = *out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return 0;
}

static int newest(struct heroku *h, json_t **out)
{
	json_t *list = NULL;
	int rc;

	client_set_header(h->client, "Range", "version ..; max=1, order=desc");
	rc = heroku_get(h, &list, "/releases");
	if (!rc && !json_array_size(list))
		rc = err_set(ERR_NOTFOUND, "%s has no releases.", h->name);
	if (!rc)
		*out = json_incref(json_array_get(list, 0));
	json_decref(list);
	return rc;
}

int release_get(struct heroku *h, const char *name, json_t **out)
{
	char *segment;
	int rc;

	if (!strcmp(name, "newest"))
		return newest(h, out);
	segment = client_path_segment(name);
	rc = heroku_get(h, out, "/releases/%s", segment);
	free(segment);
	return rc;
}

int release_with_config(struct heroku *h, const char *name, json_t **out)
{
	json_t *release = NULL, *vars = NULL;
	int rc;

	rc = release_get(h, name, &release);
	if (rc)
		goto done;
	rc = heroku_get(h, &vars, "/releases/%" PRId64 "/config-vars",
			json_int(release, "version", 0));
	if (rc)
		goto done;
	json_object_set(release, "config_vars", vars);
	*out = release;
	release = NULL;
done:
	json_decref(release);
	json_decref(vars);
	return rc;
}
