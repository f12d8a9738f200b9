/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "command.h"
#include "dyno.h"
#include "err.h"
#include "mem.h"
#include "show.h"
#include "text.h"

#define DAY 86400

/* " 2015/05/07 09:00:00 (~ 5m ago)", the last part within a day. */
static void show_since(const char *iso)
{
	char date[32] = "";
	struct tm tm;
	int64_t when, ago;
	time_t t;

	if (text_parse_iso(&when, iso))
		return;
	t = (time_t)when;
	if (!localtime_r(&t, &tm) ||
	    !strftime(date, sizeof(date), "%Y/%m/%d %H:%M:%S", &tm))
		return;
	ago = clock_now() - when;
	printf(" %s", date);
	if (ago < 60)
		printf(" (~ %" PRId64 "s ago)", ago > 0 ? ago : 0);
	else if (ago < 3600)
		printf(" (~ %" PRId64 "m ago)", ago / 60);
	else if (ago < DAY)
		printf(" (~ %" PRId64 "h ago)", ago / 3600);
}

/* "=== web (1X): `./web`" */
static void show_type(const json_t *dyno)
{
	char *type = text_escape(json_str(dyno, "type", ""));
	char *size = text_escape(json_str(dyno, "size", ""));
	char *command = text_escape(json_str(dyno, "command", ""));

	if (dyno_is_run(dyno))
		printf("=== run: one-off processes\n");
	else
		printf("=== %s (%s): `%s`\n", type, size, command);
	free(type);
	free(size);
	free(command);
}

/* "web.1: up 2015/05/07 09:00:00 (~ 5m ago)" */
static void show_dyno(const json_t *dyno)
{
	char *name = text_escape(json_str(dyno, "name", ""));
	char *size = text_escape(json_str(dyno, "size", ""));
	char *state = text_escape(json_str(dyno, "state", ""));
	char *command = text_escape(json_str(dyno, "command", ""));

	if (dyno_is_run(dyno))
		printf("%s (%s): %s", name, size, state);
	else
		printf("%s: %s", name, state);
	show_since(json_str(dyno, "updated_at", ""));
	if (dyno_is_run(dyno))
		printf(": `%s`", command);
	putchar('\n');
	free(name);
	free(size);
	free(state);
	free(command);
}

static void show_all(const json_t *dynos)
{
	const char *last = NULL, *type;
	const json_t *dyno;
	size_t i;

	for (i = 0; i < json_array_size(dynos); i++) {
		dyno = json_array_get(dynos, i);
		type = json_str(dyno, "type", "");
		if (!last || strcmp(type, last) != 0) {
			if (last)
				putchar('\n');
			show_type(dyno);
		}
		show_dyno(dyno);
		last = type;
	}
}

static int run(struct heroku *h)
{
	const char *name = h->nr_args ? h->args[0] : NULL;
	json_t *dynos = NULL;
	char *safe;
	int rc;

	rc = heroku_connect(h);
	if (!rc)
		rc = dyno_list(h, name, &dynos);
	if (rc)
		return rc;
	if (h->json) {
		show_json(dynos);
	} else if (json_array_size(dynos)) {
		show_all(dynos);
	} else {
		safe = text_escape(name ? name : "");
		printf("No %s%sdynos on %s.\n", safe, *safe ? " " : "",
		       h->name);
		free(safe);
	}
	json_decref(dynos);
	return 0;
}

const struct command cmd_ps = {
	.name = "ps",
	.args = "[TYPE | DYNO]",
	.help = "list what runs, and in which state",
	.example = "ps web",
	.words = "dynos",
	.options = "arj",
	.max_args = 1,
	.run = run,
};
