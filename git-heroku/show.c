/* SPDX-License-Identifier: ISC */
#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mem.h"
#include "text.h"

/* A value of at least this many characters is shortened. */
#define LONG_VALUE 36
/* What stays of it, at its beginning and at its end. */
#define KEPT 16

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of v, sorted, ended by NULL; they stay v's. Caller frees. */
static const char **sorted_keys(json_t *v)
{
	const char **keys = xcalloc(json_object_size(v) + 1, sizeof(*keys));
	size_t n = 0;
	void *i;

	for (i = json_object_iter(v); i; i = json_object_iter_next(v, i))
		keys[n++] = json_object_iter_key(i);
	qsort(keys, n, sizeof(*keys), by_name);
	return keys;
}

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
	const char **keys = sorted_keys(vars), **p;
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

char *show_price(const json_t *addon)
{
	const json_t *price = json_object_get(addon, "billed_price");
	int64_t cents;
	char *unit, *out;

	if (!json_is_object(price))
		price = json_object_get(json_object_get(addon, "plan"),
					"price");
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
