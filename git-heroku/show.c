/* SPDX-License-Identifier: ISC */
#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mem.h"
#include "text.h"
#include "vars.h"

/* A value of at least this many characters is shortened. */
#define LONG_VALUE 36
/* What stays of it, at its beginning and at its end. */
#define KEPT 16

static char *shown_value(const char *value, bool shorten)
{
	size_t width = text_width(value);
	char *head, *tail, *out;

	if (!shorten || width < LONG_VALUE)
		return text_escape(value);
	head = xstrndup(value, (size_t)(text_skip(value, KEPT) - value));
	tail = xasprintf("%s...%s", head, text_skip(value, width - KEPT));
	out = text_escape(tail);
	free(head);
	free(tail);
	return out;
}

static void show_var(const json_t *vars, const char *key, size_t width,
		     const struct vars_form *form)
{
	const char *owner = json_str(form->owners, key, NULL);
	char *name = text_escape(key);
	char *value = shown_value(json_str(vars, key, ""), form->shorten);
	char *note = owner ? text_escape(owner) : NULL;

	text_pad(stdout, name, width);
	printf(" => %s", value);
	if (note)
		printf(" (%s)", note);
	putchar('\n');
	free(name);
	free(value);
	free(note);
}

void show_vars(json_t *vars, const struct vars_form *form)
{
	const char **keys = vars_keys(vars), **p;
	const char *label = form->label ? form->label : "";
	size_t width = 0;

	for (p = keys; *p; p++)
		if (text_width(*p) > width)
			width = text_width(*p);
	for (p = keys; *p; p++) {
		printf("%-*s", form->indent, p == keys ? label : "");
		show_var(vars, *p, width, form);
	}
	free(keys);
}

void show_json(const json_t *v)
{
	char *text = json_pretty(v);

	puts(text);
	free(text);
}

char *show_change(const json_t *release, size_t max)
{
	const char *status = json_str(release, "status", "succeeded");
	const char *text = json_str(release, "description", "");
	char *mark = strcmp(status, "succeeded") ? xasprintf(" (%s)", status)
						 : xstrdup("");
	char *safe_mark = text_escape(mark);
	size_t taken = text_width(safe_mark);
	char *change = max > taken + 2 ? text_cell(text, max - taken)
				       : text_escape(text);
	char *out = xasprintf("%s%s", change, safe_mark);

	free(mark);
	free(safe_mark);
	free(change);
	return out;
}

char *show_time(const json_t *v, const char *key)
{
	const char *text = json_str(v, key, "");
	char buf[TEXT_TIME_SIZE];
	int64_t when;

	if (text_parse_iso(&when, text))
		return text_escape(text);
	text_when(buf, when, clock_now());
	return xstrdup(buf);
}

char *show_price(const json_t *v)
{
	const json_t *price = json_object_get(v, "billed_price");
	int64_t cents;
	char *unit, *out;

	if (!json_is_object(price))
		price = json_object_get(v, "price");
	cents = json_int(price, "cents", 0);
	if (!cents)
		return xstrdup("free");
	unit = text_escape(json_str(price, "unit", "month"));
	if (!strcmp(unit, "month"))
		str_replace(&unit, xstrdup("mo"));
	if (cents % 100)
		out = xasprintf("$%" PRId64 ".%02" PRId64 "/%s", cents / 100,
				cents % 100, unit);
	else
		out = xasprintf("$%" PRId64 "/%s", cents / 100, unit);
	free(unit);
	return out;
}

const char *show_member(const json_t *v, const char *member, const char *key)
{
	return json_str(json_object_get(v, member), key, "");
}

static const char *cell_of(const json_t *row, size_t column)
{
	const char *s = json_string_value(json_array_get(row, column));

	return s ? s : "";
}

static size_t column_width(const char *header, const json_t *rows, size_t n)
{
	size_t width = text_width(header), i;

	for (i = 0; i < json_array_size(rows); i++) {
		char *safe = text_escape(cell_of(json_array_get(rows, i), n));

		if (text_width(safe) > width)
			width = text_width(safe);
		free(safe);
	}
	return width;
}

/* One line, with no blanks at its end. */
static void table_line(const json_t *row, const size_t *width, size_t nr)
{
	size_t i, blanks = 0;

	for (i = 0; i < nr; i++) {
		char *safe = text_escape(cell_of(row, i));

		if (*safe) {
			printf("%*s%s", (int)blanks, "", safe);
			blanks = 0;
		}
		blanks += width[i] - text_width(safe) + 2;
		free(safe);
	}
	putchar('\n');
}

void show_table(const char *const *header, size_t nr, const json_t *rows)
{
	json_t *top = json_array(), *rule = json_array();
	size_t *width = xcalloc(nr, sizeof(*width)), i;

	for (i = 0; i < nr; i++) {
		char *dashes;

		width[i] = column_width(header[i], rows, i);
		dashes = xcalloc(width[i] + 1, 1);
		memset(dashes, '-', width[i]);
		json_array_append_new(top, json_string(header[i]));
		json_array_append_new(rule, json_string(dashes));
		free(dashes);
	}
	table_line(top, width, nr);
	table_line(rule, width, nr);
	for (i = 0; i < json_array_size(rows); i++)
		table_line(json_array_get(rows, i), width, nr);
	json_decref(top);
	json_decref(rule);
	free(width);
}
