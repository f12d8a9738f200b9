/* SPDX-License-Identifier: ISC */
#include "ignore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "glob.h"
#include "mem.h"
#include "text.h"

#define NAME     ".slugignore"
#define MAX_SIZE (64 << 10)
#define BLANKS   " \t\v\f\r"

/* "{a,b}{c,d}" has four. */
#define MAX_ALTERNATIVES 1000 /* of the whole file */

/* Patterns that ignore_unused() can tell of: a bit each. */
#define MAX_USED 64
/* And that it names. */
#define MAX_NAMED 3

/* A line with a pattern. */
struct line {
	char *text; /* as it stands there */
	size_t number;
};

struct rule {
	char *pattern;  /* for glob.h */
	bool anchored;  /* matches a path, not a name */
	bool is_folder; /* matches folders alone */
	size_t line;    /* of g->lines */
};

struct ignore {
	struct rule *rules;
	size_t nr_rules;
	struct line *lines;
	size_t nr_lines;
	size_t alternatives;
};

struct search {
	struct tree *tree;
	struct ignore *ignore;
	struct digest *digest;
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

/* The end of a pattern without the blanks behind it that are not escaped. */
static size_t without_blanks(const char *s, size_t len)
{
	while (len && strchr(BLANKS, s[len - 1]) &&
	       (len < 2 || s[len - 2] != '\\'))
		len--;
	return len;
}

/* One pattern, without alternatives. "/" alone means nothing. */
static void add_rule(struct ignore *g, const char *pattern)
{
	struct rule r = { .line = g->nr_lines - 1 };
	size_t len;

	if (!strncmp(pattern, "./", 2)) {
		r.anchored = true;
		while (!strncmp(pattern, "./", 2))
			pattern += 2;
	}
	len = strlen(pattern);
	if (len && pattern[len - 1] == '/') {
		r.is_folder = true;
		len--;
	}
	r.anchored |= memchr(pattern, '/', len) != NULL;
	if (len && *pattern == '/') {
		pattern++;
		len--;
	}
	if (!len)
		return;
	r.pattern = xstrndup(pattern, len);
	g->rules = xrealloc(g->rules, g->nr_rules + 1, sizeof(*g->rules));
	g->rules[g->nr_rules++] = r;
}

/* "{a,b}" in a pattern: where the brace is, its end, and its commas. */
struct braces {
	const char *open, *close;
	bool has_comma;
};

/* The next byte of a pattern, past the one that a backslash escapes. */
static const char *next_byte(const char *p)
{
	return p + (*p == '\\' && p[1] ? 2 : 1);
}

/* Find the end of the braces that open at b->open. */
static bool close_braces(struct braces *b)
{
	const char *p;
	size_t depth = 0;

	for (p = b->open; *p; p = next_byte(p)) {
		if (*p == '{')
			depth++;
		else if (*p == ',' && depth == 1)
			b->has_comma = true;
		else if (*p == '}' && !--depth)
			break;
	}
	b->close = p;
	return *p && b->has_comma;
}

static bool find_braces(struct braces *b, const char *pattern)
{
	const char *p;

	for (p = pattern; *p; p = next_byte(p)) {
		*b = (struct braces){ .open = p };
		if (*p == '{' && close_braces(b))
			return true;
	}
	return false;
}

/* Patterns that are to be looked at. */
struct pile {
	char *v[MAX_ALTERNATIVES];
	size_t n;
};

/* Each alternative of the braces, in the pattern's place, onto the pile. */
static int put_alternatives(struct ignore *g, struct pile *pile,
			    const char *pattern, const struct braces *b)
{
	const char *from = b->open + 1, *p = from;
	size_t depth = 0;

	for (;; p = next_byte(p)) {
		if (*p == '{')
			depth++;
		if (p != b->close && (depth || *p != ',')) {
			depth -= *p == '}';
			continue;
		}
		if (++g->alternatives > MAX_ALTERNATIVES)
			return ERR_INVALID;
		pile->v[pile->n++] =
			xasprintf("%.*s%.*s%s", (int)(b->open - pattern),
				  pattern, (int)(p - from), from, b->close + 1);
		if (p == b->close)
			return 0;
		from = p + 1;
	}
}

/* The pattern, or what its braces stand for. */
static int add_pattern(struct ignore *g, const char *pattern)
{
	struct pile pile = { .n = 0 };
	struct braces b;
	int rc = 0;

	pile.v[pile.n++] = xstrdup(pattern);
	while (pile.n) {
		char *one = pile.v[--pile.n];

		if (rc) {
			/* Only freed. */
		} else if (find_braces(&b, one)) {
			rc = put_alternatives(g, &pile, one, &b);
		} else {
			add_rule(g, one);
		}
		free(one);
	}
	return rc;
}

/* One line of the file, cut out of it, as gitignore(5) would have it. */
static int read_line(struct ignore *g, char *line, size_t number)
{
	line += strspn(line, BLANKS);
	if (*line == '!')
		return line_error(number, line,
				  "! is not supported, what a pattern leaves "
				  "out cannot be taken back in");
	line[without_comment(line)] = '\0';
	line[without_blanks(line, strlen(line))] = '\0';
	if (!*line)
		return 0;
	g->lines = xrealloc(g->lines, g->nr_lines + 1, sizeof(*g->lines));
	g->lines[g->nr_lines++] = (struct line){ xstrdup(line), number };
	if (strpbrk(line, "{") && strlen(line) > TREE_MAX_PATH)
		return line_error(number, line, "is longer than any path");
	if (add_pattern(g, line))
		return line_error(number, line,
				  "the braces have too many alternatives");
	return 0;
}

static int read_lines(struct ignore *g, const char *text, size_t len)
{
	size_t bom = text_bom(text, len), number = 0;
	char *copy = xstrndup(text + bom, len - bom), *line, *next;
	int rc = 0;

	for (line = copy; line && !rc; line = next) {
		next = text_cut_line(line);
		number++;
		/* The copy ends there. */
		if (!next && memchr(text, '\0', len))
			rc = line_error(number, line, "a NUL");
		else
			rc = read_line(g, line, number);
	}
	free(copy);
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
	if (rc)
		return rc;
	/* What the patterns leave out depends on glob.c, too: its version. */
	digest_add(s->digest, "glob 1\n", 7);
	digest_add(s->digest, text, len);
	return read_lines(s->ignore, text, len);
}

int ignore_read(struct ignore **out, struct tree *t,
		unsigned char rules[DIGEST_SIZE])
{
	struct search s = { t, xcalloc(1, sizeof(*s.ignore)), digest_new() };
	int rc;

	digest_add(s.digest, tree_version(t), strlen(tree_version(t)));
	rc = tree_walk(t, "", tree_root(t), find, &s);
	digest_end(s.digest, rules);
	digest_free(s.digest);
	if (rc)
		ignore_free(s.ignore);
	else
		*out = s.ignore;
	return rc;
}

void ignore_free(struct ignore *g)
{
	size_t i;

	if (!g)
		return;
	for (i = 0; i < g->nr_rules; i++)
		free(g->rules[i].pattern);
	for (i = 0; i < g->nr_lines; i++)
		free(g->lines[i].text);
	free(g->rules);
	free(g->lines);
	free(g);
}

bool ignore_matches(const struct ignore *g, const struct tree_entry *e,
		    uint64_t *used)
{
	bool folder = e->kind == ENTRY_FOLDER || e->kind == ENTRY_SUBMODULE;
	bool found = false;
	size_t i;

	for (i = 0; i < g->nr_rules && (!found || used); i++) {
		const struct rule *r = &g->rules[i];

		if (r->is_folder && !folder)
			continue;
		if (!(r->anchored ? glob_path(r->pattern, e->path)
				  : glob_name(r->pattern, e->name)))
			continue;
		found = true;
		if (used && r->line < MAX_USED)
			*used |= UINT64_C(1) << r->line;
	}
	return found;
}

char *ignore_unused(const struct ignore *g, uint64_t used)
{
	char *text = NULL;
	size_t len = 0, n = 0, i;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort();
	for (i = 0; i < g->nr_lines && i < MAX_USED; i++) {
		char *safe;

		if (used >> i & 1 || n++ >= MAX_NAMED)
			continue;
		safe = entry_shown_path(g->lines[i].text);
		fprintf(f, "%s'%s' (line %zu)",
			n == 1 ? "nothing matches " : ", ", safe,
			g->lines[i].number);
		free(safe);
	}
	if (n > MAX_NAMED)
		fprintf(f, " and %zu more", n - MAX_NAMED);
	fclose(f);
	if (!n) {
		free(text);
		text = NULL;
	}
	return text;
}
