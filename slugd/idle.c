/* SPDX-License-Identifier: ISC */
#include "idle.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "err.h"
#include "launch.h"
#include "mem.h"
#include "procfile.h"
#include "slugd.h"

#define NO_TYPE                                                                \
 "Nothing of it runs: it has no Procfile, or one without a process type. "     \
 "Add one with a line such as\n"                                               \
 "web: COMMAND"

/* A type that is web but for its case, or NULL. */
static const char *near_web(const json_t *types)
{
	const char *type;
	json_t *command;

	json_object_foreach((json_t *)(uintptr_t)types, type, command)
		if (strcmp(type, "web") != 0 && !strcasecmp(type, "web"))
			return type;
	return NULL;
}

/* One of the types that can be scaled up; NULL: there is none. */
static const char *scalable(const json_t *types)
{
	const char *type;
	json_t *command;

	if (json_object_get(types, "web"))
		return "web";
	json_object_foreach((json_t *)(uintptr_t)types, type, command)
		if (strcmp(type, "release") != 0)
			return type;
	return NULL;
}

/* No process of these types runs: why, and what to do. Caller frees. */
static char *explain(const json_t *types)
{
	const char *near = near_web(types), *other = scalable(types);
	char *names, *why;

	if (!json_object_size(types))
		return xstrdup(NO_TYPE);
	names = procfile_names(types);
	if (json_object_get(types, "web"))
		why = xasprintf("Nothing of it runs: every process type is "
				"scaled to 0 (Procfile declares types -> %s). "
				"Start one with: git heroku ps:scale web=1",
				names);
	else if (near)
		why = xasprintf("Nothing of it runs: Procfile declares types "
				"-> %s, and no web. Did you mean web instead "
				"of %s?",
				names, near);
	else if (other)
		why = xasprintf("Nothing of it runs: Procfile declares types "
				"-> %s, and no web. Start one with: git heroku "
				"ps:scale %s=1",
				names, other);
	else
		why = xasprintf("Nothing of it runs: Procfile declares types "
				"-> %s, and no web.",
				names);
	free(names);
	return why;
}

void idle_look(struct idle *out, const struct slugd *d, const struct app *app,
	       const struct slug *slug)
{
	struct formation *v = NULL;
	size_t n = 0, i;
	bool runs = false;

	*out = (struct idle){ .web = true };
	if (!slugd_launches(d))
		return;
	if (ledger_formation(d->ledger, app->id, slug->process_types, &v, &n))
		goto done;
	out->web = false;
	for (i = 0; i < n; i++) {
		if (!v[i].quantity || !strcmp(v[i].type, "release"))
			continue;
		runs = true;
		out->web = out->web || !strcmp(v[i].type, "web");
	}
	if (!runs)
		out->why = explain(slug->process_types);
done:
	formation_free(v, n);
}

void idle_release(struct idle *out, const struct slugd *d,
		  const struct app *app, const struct release *current)
{
	struct slug *slug = NULL;

	*out = (struct idle){ .web = true };
	if (current && current->slug &&
	    !ledger_slug(d->ledger, current->slug, &slug))
		idle_look(out, d, app, slug);
	slug_free(slug);
}

void idle_clear(struct idle *i)
{
	free(i->why);
	*i = (struct idle){ .web = false };
}
