/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "err.h"
#include "mem.h"
#include "show.h"
#include "text.h"

#define DEFAULT_NUM 15
#define MAX_PAGE    1000 /* what the API gives at once */

/* The widths of the article's columns. */
enum { WIDTH_REL = 4, WIDTH_CHANGE = 30, WIDTH_BY = 20 };

static void show_row(const json_t *release)
{
	char *change = show_change(release, WIDTH_CHANGE);
	char *by = text_cell(show_member(release, "user", "email"), WIDTH_BY);
	char *when = show_time(release, "created_at");
	char *rel = xasprintf("v%" PRId64, json_int(release, "version", 0));

	text_pad(stdout, rel, WIDTH_REL + 2);
	text_pad(stdout, change, WIDTH_CHANGE + 2);
	text_pad(stdout, by, WIDTH_BY + 2);
	puts(when);
	free(change);
	free(by);
	free(when);
	free(rel);
}

static void show_releases(const json_t *releases)
{
	size_t i;

	puts("Rel   Change                          "
	     "By                    When");
	puts("----  ----------------------          "
	     "----------            ----------");
	for (i = 0; i < json_array_size(releases); i++)
		show_row(json_array_get(releases, i));
}

/* The newest num, page by page, into *out. */
static int fetch(struct heroku *h, json_t **out, int64_t num)
{
	json_t *all = json_array(), *page = NULL;
	int64_t first = num < MAX_PAGE ? num : MAX_PAGE;
	char *range =
		xasprintf("version ..; max=%" PRId64 ", order=desc", first);
	const char *next;
	int rc;

	do {
		client_set_header(h->client, "Range", range);
		rc = heroku_get(h, &page, "/releases");
		if (rc)
			break;
		next = client_header(h->client, "Next-Range");
		str_replace(&range,
			    json_array_size(page) ? xstrdup(next) : NULL);
		json_array_extend(all, page);
		json_decref(page);
	} while (range && (int64_t)json_array_size(all) < num);
	while (!rc && (int64_t)json_array_size(all) > num)
		json_array_remove(all, json_array_size(all) - 1);
	if (rc)
		json_decref(all);
	else
		*out = all;
	free(range);
	return rc;
}

static int run(struct heroku *h)
{
	json_t *releases = NULL;
	int rc;

	rc = heroku_connect(h);
	if (!rc)
		rc = fetch(h, &releases, h->num ? h->num : DEFAULT_NUM);
	if (rc)
		return rc;
	if (h->json)
		show_json(releases);
	else
		show_releases(releases);
	json_decref(releases);
	return 0;
}

const struct command cmd_releases = {
	.name = "releases",
	.args = "[-n NUM]",
	.help = "list the releases, the newest first",
	.example = "releases -n 50",
	.options = "arnj",
	.run = run,
};
