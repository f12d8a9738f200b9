/* SPDX-License-Identifier: ISC */
#include "ignore.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "mem.h"

#define NAME     ".slugignore"
#define MAX_SIZE (64 << 10)
#define BLANKS   " \t\v\f\r"

/* libgit2 tries all ways to match these: each is a power of the depth. */
#define MAX_STARS 3

struct search {
	struct tree *tree;
	char *rules; /* NULL: no such file */
};

static int line_error(size_t number, const char *line, const char *what)
{
	char *safe = entry_shown_path(line);

	err_set(ERR_INVALID, NAME " line %zu: '%s': %s", number, safe, what);
	free(safe);
	return ERR_INVALID;
}

/* Where a comment begins, or the end of the line. */
static size_t without_comment(const char *line)
{
	size_t i;

	for (i = 0; line[i]; i++)
		if (line[i] == '#' && (!i || strchr(BLANKS, line[i - 1])))
			break;
	return i;
}

static size_t double_stars(const char *line)
{
	size_t n = 0;

	for (line = strstr(line, "**"); line; line = strstr(line, "**")) {
		line += strspn(line, "*");
		n++;
	}
	return n;
}

/* One line of the file, cut out of it, as gitignore(5) would have it. */
static int read_line(FILE *rules, char *line, size_t len, size_t number)
{
	if (strlen(line) < len)
		return line_error(number, line, "a NUL");
	line += strspn(line, BLANKS);
	if (*line == '!')
		return line_error(number, line,
				  "! is not supported, what a pattern leaves "
				  "out cannot be taken back in");
	line[without_comment(line)] = '\0';
	if (double_stars(line) > MAX_STARS)
		return line_error(number, line, "more than three **");
	len = strlen(line);
	if (len && line[len - 1] == '\r')
		line[--len] = '\0';
	fprintf(rules, "%s\n", line);
	return 0;
}

static int read_lines(char **out, const char *text, size_t len)
{
	const char *end = text + len, *p = text, *eol;
	size_t number = 0, size;
	FILE *f = open_memstream(out, &size);
	int rc = 0;

	if (!f)
		abort();
	if (len >= 3 && !memcmp(p, "\357\273\277", 3)) /* of UTF-8 */
		p += 3;
	for (; p < end && !rc; p = eol + 1) {
		char *line;

		eol = memchr(p, '\n', (size_t)(end - p));
		if (!eol)
			eol = end;
		line = xstrndup(p, (size_t)(eol - p));
		rc = read_line(f, line, (size_t)(eol - p), ++number);
		free(line);
	}
	fclose(f);
	return rc;
}

/* Visits the root alone. */
static int find(void *ctx, const struct tree_entry *e)
{
	struct search *s = ctx;
	const char *text;
	uint64_t size;
	size_t len;
	int rc;

	if (strcmp(e->path, NAME))
		return TREE_SKIP;
	if (e->kind != ENTRY_FILE && e->kind != ENTRY_EXECUTABLE)
		return err_set(ERR_INVALID, NAME " is no plain file");
	rc = tree_blob_size(s->tree, e, &size);
	if (!rc && size > MAX_SIZE)
		rc = err_set(ERR_TOOBIG, NAME " has more than %d bytes",
			     MAX_SIZE);
	if (!rc)
		rc = tree_blob_read(s->tree, e, &text, &len);
	return rc ? rc : read_lines(&s->rules, text, len);
}

/* What they leave out depends on who reads them, too. */
static void digest_rules(unsigned char out[DIGEST_SIZE], const struct tree *t,
			 const char *rules)
{
	struct digest *d = digest_new();

	digest_add(d, tree_version(t), strlen(tree_version(t)));
	if (rules)
		digest_add(d, rules, strlen(rules));
	digest_end(d, out);
	digest_free(d);
}

int ignore_read(struct tree *t, unsigned char rules[DIGEST_SIZE])
{
	struct search s = { t, NULL };
	int rc = tree_walk(t, "", tree_root(t), find, &s);

	if (!rc && s.rules)
		rc = tree_ignore(t, s.rules);
	digest_rules(rules, t, s.rules);
	free(s.rules);
	return rc;
}
