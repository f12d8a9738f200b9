/* SPDX-License-Identifier: ISC */
#include "lines.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "text.h"

#define MAX_LINE  300 /* characters of a line that are shown */
#define MAX_BLOCK 5   /* lines that repeat as a block */
#define GAP       40  /* bytes that "(12 lines left out)" may take */
#define MAX_KEPT  (LINES_FIRST + LINES_ERROR + LINES_LAST)

/* Each of the three tables may have it. */
struct line {
	unsigned refs;
	size_t number; /* from 0 */
	size_t count;  /* so often one after the other */
	size_t block;  /* it ends so many lines that repeat; 0: none */
	size_t times;  /* so often these came */
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

/* The line of that number; NULL where it is not kept any more. */
static struct line *at(const struct lines *l, size_t number)
{
	struct line *line = l->last[number % LINES_LAST];

	return line && line->number == number ? line : NULL;
}

/* Are the last n lines the same as the n before them? */
static bool is_repeated(const struct lines *l, size_t n)
{
	const struct line *line, *before;
	size_t i;

	for (i = 0; i < n; i++) {
		if (l->nr < n + 1 + i)
			return false;
		line = at(l, l->nr - 1 - i);
		before = at(l, l->nr - 1 - i - n);
		if (!line || !before || strcmp(line->text, before->text) != 0)
			return false;
		if (line->count != 1 || before->count != 1 || line->block ||
		    (before->block && (i || before->block != n)))
			return false;
	}
	return true;
}

/* Forget the last n lines, which the n before them count. */
static void fold(struct lines *l, size_t n)
{
	struct line *before = at(l, l->nr - 1 - n), **slot;
	size_t i;

	if (!before)
		return;
	before->block = n;
	before->times = before->times ? before->times + 1 : 2;
	for (i = 0; i < n; i++) {
		l->nr--;
		if (l->nr_error && l->error_from + l->nr_error == l->nr + 1) {
			slot = &l->error[--l->nr_error];
			drop(*slot);
			*slot = NULL;
		}
		if (l->nr < LINES_FIRST) {
			drop(l->first[l->nr]);
			l->first[l->nr] = NULL;
		}
		slot = &l->last[l->nr % LINES_LAST];
		drop(*slot);
		*slot = NULL;
	}
}

static void fold_blocks(struct lines *l)
{
	size_t n;

	for (n = 2; n <= MAX_BLOCK; n++) {
		if (!is_repeated(l, n))
			continue;
		fold(l, n);
		return;
	}
}

void lines_add(struct lines *l, char *text)
{
	struct line **slot = &l->last[l->nr % LINES_LAST], *line;

	line = l->nr ? at(l, l->nr - 1) : NULL;
	if (line && !line->block && !strcmp(line->text, text)) {
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
	if (!l->nr_error)
		l->error_from = l->nr;
	if (l->nr_error < LINES_ERROR && (l->nr_error || is_error(text)))
		l->error[l->nr_error++] = use(line);
	l->nr++;
	fold_blocks(l);
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

	if (line->count > 1)
		text = xasprintf("%s (repeated %zu times)\n", safe,
				 line->count);
	else if (line->block)
		text = xasprintf("%s\n(these %zu lines repeated %zu times)\n",
				 safe, line->block, line->times);
	else
		text = xasprintf("%s\n", safe);
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
		last = last && i < l->nr && at(l, l->nr - 1 - i) &&
		       choose(c, at(l, l->nr - 1 - i));
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
