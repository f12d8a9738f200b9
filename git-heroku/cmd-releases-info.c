/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "err.h"
#include "mem.h"
#include "release-name.h"
#include "show.h"
#include "text.h"

/* The width of "Change:      ". */
#define WIDTH_LABEL 13

static void show_line(const char *label, const char *text)
{
	char *safe = text_escape(text);

	printf("%-*s%s\n", WIDTH_LABEL, label, safe);
	free(safe);
}

/* "deployhooks:email, releases:advanced", or "none". Caller frees. */
static char *addon_plans(const json_t *release)
{
	const json_t *plans = json_object_get(release, "addon_plan_names");
	char *text = NULL;
	size_t i;

	for (i = 0; i < json_array_size(plans); i++) {
		const char *plan = json_string_value(json_array_get(plans, i));

		str_replace(&text,
			    xasprintf("%s%s%s", text ? text : "",
				      text ? ", " : "", plan ? plan : ""));
	}
	return text ? text : xstrdup("none");
}

static void show_release(const json_t *release)
{
	static const struct vars_form config = { "Config:", WIDTH_LABEL, false,
						 NULL };
	char *change = show_change(release, 0);
	char *when = show_time(release, "created_at");
	char *plans = addon_plans(release);

	printf("=== Release v%" PRId64 "\n", json_int(release, "version", 0));
	printf("%-*s%s\n", WIDTH_LABEL, "Change:", change);
	show_line("By:", show_member(release, "user", "email"));
	show_line("When:", when);
	show_line("Addons:", plans);
	if (json_is_true(json_object_get(release, "pinned")))
		show_line("Pinned:", "yes");
	show_vars(json_object_get(release, "config_vars"), &config);
	free(change);
	free(when);
	free(plans);
}

static int run(struct heroku *h)
{
	json_t *release = NULL;
	char *name = NULL;
	int rc;

	rc = release_name(&name, h->nr_args ? h->args[0] : "current");
	if (rc)
		goto done;
	rc = heroku_connect(h);
	if (!rc)
		rc = release_with_config(h, name, &release);
	if (rc)
		goto done;
	if (h->json)
		show_json(release);
	else
		show_release(release);
done:
	json_decref(release);
	free(name);
	return rc;
}

const struct command cmd_releases_info = {
	.name = "releases:info",
	.args = "[vN]",
	.help = "show a release; the current one unless named",
	.example = "releases:info v40",
	.words = "releases",
	.options = "arj",
	.max_args = 1,
	.run = run,
};
