/* SPDX-License-Identifier: ISC */
#include "diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clone.h"
#include "mem.h"

/* The vars of `have` that `than` has not, or has otherwise (changed). */
static json_t *vars_beside(json_t *have, json_t *than, bool changed,
			   bool values)
{
	json_t *out = json_object(), *value, *other;
	const char *key;

	json_object_foreach(have, key, value) {
		other = json_object_get(than, key);
		if (changed ? other && !json_equal(value, other) : !other)
			json_object_set(out, key, values ? value : json_null());
	}
	return out;
}

static json_t *config(const json_t *from, const json_t *to, bool values)
{
	json_t *old = json_object_get(from, "config_vars");
	json_t *fresh = json_object_get(to, "config_vars");

	return json_make("{s:o, s:o, s:o}", "added",
			 vars_beside(fresh, old, false, values), "removed",
			 vars_beside(old, fresh, false, values), "changed",
			 vars_beside(fresh, old, true, values));
}

/* The strings of list `have` that list `than` has not. */
static json_t *names_beside(const json_t *have, const json_t *than)
{
	json_t *out = json_array();
	size_t i, j;

	for (i = 0; i < json_array_size(have); i++) {
		json_t *name = json_array_get(have, i);

		for (j = 0; j < json_array_size(than); j++)
			if (json_equal(name, json_array_get(than, j)))
				break;
		if (j == json_array_size(than))
			json_array_append(out, name);
	}
	return out;
}

static json_t *addons(const json_t *from, const json_t *to)
{
	const json_t *old = json_object_get(from, "addon_plan_names");
	const json_t *fresh = json_object_get(to, "addon_plan_names");

	return json_make("{s:o, s:o}", "added", names_beside(fresh, old),
			 "removed", names_beside(old, fresh));
}

/* The commits in between, both ways, and the folders; NULL: not known. */
static int look(json_t *code, const char *old, const char *fresh)
{
	json_t *commits = NULL, *gone = NULL, *folders = NULL;
	int rc;

	rc = clone_log(&commits, old, fresh);
	if (!rc)
		rc = clone_log(&gone, fresh, old);
	if (!rc)
		rc = clone_folders(&folders, old, fresh);
	if (!rc) {
		json_object_set(code, "commits", commits);
		json_object_set(code, "gone", gone);
		json_object_set(code, "folders", folders);
	}
	json_decref(commits);
	json_decref(gone);
	json_decref(folders);
	return rc;
}

static int code(json_t **out, const json_t *from, const json_t *to)
{
	const char *old = json_str(from, "commit", NULL);
	const char *fresh = json_str(to, "commit", NULL);
	json_t *missing = json_array();
	int rc = 0;

	if (old && !clone_has(old))
		json_array_append_new(missing, json_string(old));
	if (fresh && (!old || strcmp(old, fresh) != 0) && !clone_has(fresh))
		json_array_append_new(missing, json_string(fresh));
	*out = json_make("{s:o, s:o, s:o, s:n, s:n, s:n}", "from",
			 json_str_or_null(old), "to", json_str_or_null(fresh),
			 "missing", missing, "commits", "gone", "folders");
	if (old && fresh && !json_array_size(missing))
		rc = look(*out, old, fresh);
	return rc;
}

static json_t *name_of(const json_t *release)
{
	char *name = xasprintf("v%" PRId64, json_int(release, "version", 0));
	json_t *v = json_string(name);

	free(name);
	return v;
}

int diff_releases(json_t **out, const json_t *from, const json_t *to,
		  bool values)
{
	json_t *c = NULL;
	int rc;

	rc = code(&c, from, to);
	if (rc)
		json_decref(c);
	else
		*out = json_make("{s:o, s:o, s:o, s:o, s:o}", "from",
				 name_of(from), "to", name_of(to), "code", c,
				 "config", config(from, to, values), "addons",
				 addons(from, to));
	return rc;
}
