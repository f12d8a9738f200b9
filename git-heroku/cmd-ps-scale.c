/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "command.h"
#include "err.h"
#include "mem.h"
#include "show.h"
#include "text.h"

#define DIGITS "0123456789"
#define TYPE_CHARS                                                             \
 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "_-"

static int bad_scale(const char *arg)
{
	char *shown = text_cell(arg, 60);

	err_set(ERR_INVALID,
		"%s is invalid. Must be in the format TYPE=NUM, TYPE+NUM or "
		"TYPE-NUM.",
		shown);
	free(shown);
	return ERR_INVALID;
}

/* "web=3", "web+1", "web-1", each perhaps with ":1X", as the API has it. */
static int take_scale(json_t *updates, const char *arg)
{
	const char *size = strchr(arg, ':');
	char *text = size ? xstrndup(arg, (size_t)(size - arg)) : xstrdup(arg);
	size_t len = strlen(text), digits = 0;
	json_t *v = NULL;
	char *sign;

	while (digits < len && strchr(DIGITS, text[len - digits - 1]))
		digits++;
	/* The type is all before the sign, and may have a '-' in it. */
	sign = text + len - digits - 1;
	if (digits && digits < len - 1 && strchr("=+-", *sign) &&
	    text + strspn(text, TYPE_CHARS) >= sign) {
		v = json_pack("{s:s%, s:s}", "type", text,
			      (size_t)(sign - text), "quantity",
			      *sign == '=' ? sign + 1 : sign);
		if (v && size)
			json_object_set_new(v, "size", json_string(size + 1));
	}
	free(text);
	if (!v)
		return bad_scale(arg);
	return json_array_append_new(updates, v) ? bad_scale(arg) : 0;
}

/* "web=3:1X worker=1:1X", or with " at " for '=', and ", " between them. */
static void show_formation(const json_t *formation, const char *is,
			   const char *between)
{
	const json_t *f;
	size_t i;

	for (i = 0; i < json_array_size(formation); i++) {
		char *type, *size;

		f = json_array_get(formation, i);
		type = text_escape(json_str(f, "type", ""));
		size = text_escape(json_str(f, "size", ""));
		printf("%s%s%s%" PRId64 ":%s", i ? between : "", type, is,
		       json_int(f, "quantity", 0), size);
		free(type);
		free(size);
	}
}

static int scale(struct heroku *h)
{
	json_t *updates = json_array();
	json_t *body = json_make("{s:o}", "updates", updates);
	char *path = NULL;
	struct change c = { .method = "PATCH", .body = body };
	int i, rc = 0;

	for (i = 0; i < h->nr_args && !rc; i++)
		rc = take_scale(updates, h->args[i]);
	if (!rc)
		rc = heroku_connect(h);
	if (rc)
		goto done;
	path = heroku_path(h, "/formation");
	c.path = path;
	rc = change_make(h, &c, "Scaling dynos");
	if (rc)
		goto done;
	printf(" done, now running ");
	show_formation(c.answer, " at ", ", ");
	puts(".");
done:
	change_release(&c);
	json_decref(body);
	free(path);
	return rc;
}

static int show(struct heroku *h)
{
	json_t *formation = NULL;
	int rc = heroku_connect(h);

	if (!rc)
		rc = heroku_get(h, &formation, "/formation");
	if (rc)
		return rc;
	if (h->json) {
		show_json(formation);
	} else if (json_array_size(formation)) {
		show_formation(formation, "=", " ");
		putchar('\n');
	} else {
		printf("No process types on %s.\n", h->name);
	}
	json_decref(formation);
	return 0;
}

static int run(struct heroku *h)
{
	return h->nr_args ? scale(h) : show(h);
}

const struct command cmd_ps_scale = {
	.name = "ps:scale",
	.args = "[TYPE=NUM...]",
	.help = "set, or show, how many processes there are",
	.example = "ps:scale web=3 worker+1",
	.words = "scales",
	.options = "arj",
	.max_args = ANY_ARGS,
	.run = run,
};
