/* SPDX-License-Identifier: ISC */
#include "lines.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "text.h"

#define MAX_LINE 300 /* characters of a line that are shown */
#define GAP      40  /* bytes that "(12 lines left out)" may take */
#define MAX_KEPT (LINES_FIRST + LINES_ERROR + LINES_LAST)

/* Each of the three tables may have it. */
struct line {
	unsigned refs;
	size_t number; /* from 0 */
	size_t count;  /* so often one after the other */
	char *text;
};

static struct line *use(struct line *line)
{
	line->refs++;
	return line;
}

static void drop(struct line *line)
{
	if (!line || --line->refs)
		return;
	free(line->text);
	free(line);
}

/* What programs write where something is wrong. */
static bool is_error(const char *text)
{
	static const char *const words[] = {
		"error",           "exception", "traceback", "fatal",
		"panic",           "cannot",    "can't",     "could not",
		"failed",          "refused",   "denied",    "not found",
		"no such",         "undefined", "unable to", "already in use",
		"no module named",
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(text, words[i]))
			return true;
	return false;
}

void lines_add(struct lines *l, char *text)
{
	struct line **slot = &l->last[l->nr % LINES_LAST], *line;

	line = l->nr ? l->last[(l->nr - 1) % LINES_LAST] : NULL;
	if (line && !strcmp(line->text, text)) {
		line->count++;
		free(text);
		return;
	}
	line = xcalloc(1, sizeof(*line));
	line->number = l->nr;
	line->count = 1;
	line->text = text;
	drop(*slot);
	*slot = use(line);
	if (l->nr < LINES_FIRST)
		l->first[l->nr] = use(line);
	if (l->nr_error < LINES_ERROR && (l->nr_error || is_error(text)))
		l->error[l->nr_error++] = use(line);
	l->nr++;
}

void lines_release(struct lines *l)
{
	size_t i;

	for (i = 0; i < LINES_FIRST; i++)
		drop(l->first[i]);
	for (i = 0; i < LINES_ERROR; i++)
		drop(l->error[i]);
	for (i = 0; i < LINES_LAST; i++)
		drop(l->last[i]);
	*l = (struct lines){ .nr = 0 };
}

/* The lines that are shown, in any order. */
struct chosen {
	const struct line *v[MAX_KEPT];
	char *text[MAX_KEPT];
	size_t n, room;
};

/* As it is shown. Caller frees. */
static char *shown(const struct line *line)
{
	char *safe = text_cell(line->text, MAX_LINE), *text;

	text = line->count == 1 ? xasprintf("%s\n", safe)
				: xasprintf("%s (repeated %zu times)\n", safe,
					    line->count);
	free(safe);
	return text;
}

/* Take the line, unless it is taken already. False where it does not fit. */
static bool choose(struct chosen *c, const struct line *line)
{
	char *text;
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->v[i] == line)
			return true;
	text = shown(line);
	if (strlen(text) > c->room) {
		free(text);
		return false;
	}
	c->room -= strlen(text);
	c->v[c->n] = line;
	c->text[c->n++] = text;
	return true;
}

/*
 * The last line first, then those of the tables in turns, each table up to
 * what does not fit: so there are three gaps at most.
 */
static void choose_all(struct chosen *c, const struct lines *l)
{
	bool first = true, error = true, last = true;
	size_t i;

	for (i = 0; i < LINES_LAST; i++) {
		last = last && i < l->nr &&
		       choose(c, l->last[(l->nr - 1 - i) % LINES_LAST]);
		error = error && i < l->nr_error && choose(c, l->error[i]);
		first = first && i < LINES_FIRST && i < l->nr &&
			choose(c, l->first[i]);
	}
}

/* The one with the lowest number from there on; n where there is none. */
static size_t next(const struct chosen *c, size_t from)
{
	size_t best = c->n, i;

	for (i = 0; i < c->n; i++)
		if (c->v[i]->number >= from &&
		    (best == c->n || c->v[i]->number < c->v[best]->number))
			best = i;
	return best;
}

char *lines_text(const struct lines *l, size_t max)
{
	struct chosen c = { .room = max > 3 * GAP ? max - 3 * GAP : 0 };
	size_t at = 0, len = 0, i, gap;
	char *out = NULL;
	FILE *f = open_memstream(&out, &len);

	if (!f)
		abort();
	choose_all(&c, l);
	while ((i = next(&c, at)) < c.n) {
		gap = c.v[i]->number - at;
		if (gap)
			fprintf(f, "(%zu line%s left out)\n", gap,
				gap == 1 ? "" : "s");
		fputs(c.text[i], f);
		at = c.v[i]->number + 1;
	}
	fclose(f);
	for (i = 0; i < c.n; i++)
		free(c.text[i]);
	return out;
}
