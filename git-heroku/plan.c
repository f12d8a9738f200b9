/* SPDX-License-Identifier: ISC */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "err.h"
#include "mem.h"
#include "show.h"

/* The name of the only add-on of that service into *out; caller frees. */
static int only_of(struct heroku *h, const char *service, char **out)
{
	json_t *addons = NULL;
	char *names = NULL;
	size_t i, found = 0;
	int rc;

	rc = heroku_get(h, &addons, "/addons");
	for (i = 0; i < json_array_size(addons); i++) {
		const json_t *addon = json_array_get(addons, i);
		const char *name = json_str(addon, "name", "");

		if (strcmp(show_member(addon, "addon_service", "name"),
			   service))
			continue;
		str_replace(out, xstrdup(name));
		str_replace(&names, xasprintf("%s%s%s", names ? names : "",
					      names ? ", " : "", name));
		found++;
	}
	if (!rc && !found)
		rc = err_set(ERR_NOTFOUND, "%s has no add-on of %s.", h->name,
			     service);
	else if (!rc && found > 1)
		rc = err_set(ERR_INVALID,
			     "%s has several add-ons of %s. Say which: %s.",
			     h->name, service, names);
	json_decref(addons);
	free(names);
	return rc;
}

static int change(struct heroku *h, const char *name, const char *plan)
{
	json_t *body = json_pack("{s:{s:s}}", "plan", "name", plan);
	char *segment = client_path_segment(name), *price;
	char *path = heroku_path(h, "/addons/%s", segment);
	struct change c = { .method = "PATCH", .path = path, .body = body };
	int rc;

	rc = body ? change_make(h, &c, "Changing %s on %s to %s", name, h->name,
				plan)
		  : err_set(ERR_INVALID, "The plan's name is not UTF-8.");
	if (!rc) {
		price = show_price(c.answer);
		printf(" done, %s (%s)\n",
		       c.release ? c.release : "nothing changed", price);
		free(price);
	}
	change_release(&c);
	json_decref(body);
	free(path);
	free(segment);
	return rc;
}

/* "memcachier:100" of "100", for the add-on of that name; caller frees. */
static int full_plan(struct heroku *h, const char *name, const char *plan,
		     char **out)
{
	char *segment = client_path_segment(name);
	json_t *addon = NULL;
	int rc = 0;

	if (strchr(plan, ':')) {
		*out = xstrdup(plan);
		goto done;
	}
	rc = heroku_get(h, &addon, "/addons/%s", segment);
	if (!rc)
		*out = xasprintf("%s:%s",
				 show_member(addon, "addon_service", "name"),
				 plan);
done:
	json_decref(addon);
	free(segment);
	return rc;
}

int plan_change(struct heroku *h)
{
	const char *plan = h->args[h->nr_args - 1], *colon = strchr(plan, ':');
	char *name = NULL, *service = NULL, *full = NULL;
	int rc;

	if (h->nr_args == 1 && !colon)
		return err_set(ERR_INVALID,
			       "Specify the new plan, as in %s:PLAN.", plan);
	rc = heroku_connect(h);
	if (rc)
		return rc;
	if (h->nr_args == 2) {
		name = xstrdup(h->args[0]);
	} else {
		service = xstrndup(plan, (size_t)(colon - plan));
		rc = only_of(h, service, &name);
	}
	if (!rc)
		rc = full_plan(h, name, plan, &full);
	if (!rc)
		rc = change(h, name, full);
	free(full);
	free(service);
	free(name);
	return rc;
}
