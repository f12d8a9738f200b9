/* SPDX-License-Identifier: ISC */
#include "dotenv.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "mem.h"
#include "text.h"

/* Where reading is. */
struct reading {
	const char *p;
	int line;
	json_t *vars;
};

static int at_line(const struct reading *r, const char *what)
{
	return err_set(ERR_INVALID, "line %d: %s", r->line, what);
}

/* Past the end of the line, which is LF, CR LF or CR. */
static void skip_line(struct reading *r)
{
	r->p += strcspn(r->p, "\r\n");
	if (!*r->p)
		return;
	r->p += r->p[0] == '\r' && r->p[1] == '\n' ? 2 : 1;
	r->line++;
}

/* Only blanks or a comment may stand behind a quoted value. */
static int end_of_line(struct reading *r)
{
	r->p += strspn(r->p, " \t");
	if (*r->p && !strchr("\r\n#", *r->p))
		return at_line(r, "something stands behind the closing quote");
	skip_line(r);
	return 0;
}

static char unescape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

/* What stands in quotes, which may go over several lines. */
static int read_quotes(struct reading *r, FILE *f)
{
	char quote = *r->p++;
	int first = r->line;

	for (; *r->p && *r->p != quote; r->p++) {
		if (*r->p == '\n')
			r->line++;
		if (quote == '"' && *r->p == '\\' && r->p[1] &&
		    strchr("nrt\"\\$", r->p[1]))
			fputc(unescape(*++r->p), f);
		else
			fputc(*r->p, f);
	}
	if (!*r->p) {
		r->line = first;
		return at_line(r, "the quotes are not closed");
	}
	r->p++;
	return 0;
}

/* As a shell has it, 'it'\''s' is "it's": parts that stand side by side. */
static int read_quoted(struct reading *r, char **out)
{
	char *value = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&value, &len);
	int rc = 0;

	if (!f)
		abort();
	while (!rc && *r->p && strchr("'\"\\", *r->p)) {
		if (*r->p != '\\') {
			rc = read_quotes(r, f);
		} else if (r->p[1] && !strchr("\r\n", r->p[1])) {
			fputc(r->p[1], f);
			r->p += 2;
		} else {
			break;
		}
	}
	fclose(f);
	if (!rc)
		rc = end_of_line(r);
	if (rc)
		free(value);
	else
		*out = value;
	return rc;
}

static char *read_plain(struct reading *r)
{
	size_t len = strcspn(r->p, "\r\n"), i;
	char *value;

	for (i = 1; i < len; i++)
		if (r->p[i] == '#' && isblank((unsigned char)r->p[i - 1]))
			break;
	if (i < len)
		len = i;
	while (len && isspace((unsigned char)r->p[len - 1]))
		len--;
	value = xstrndup(r->p, len);
	skip_line(r);
	return value;
}

/* One "KEY=value", which begins at r->p. */
static int read_pair(struct reading *r)
{
	size_t len = strcspn(r->p, "=\r\n");
	char *key, *value = NULL;
	json_t *v;
	int line = r->line, rc = 0;

	if (r->p[len] != '=')
		return at_line(r, "expected KEY=VALUE");
	key = xstrndup(r->p, len);
	while (len && isblank((unsigned char)key[len - 1]))
		key[--len] = '\0';
	r->p += strcspn(r->p, "=") + 1;
	r->p += strspn(r->p, " \t");
	if (!*key)
		rc = at_line(r, "expected KEY=VALUE");
	else if (*r->p == '"' || *r->p == '\'')
		rc = read_quoted(r, &value);
	else
		value = read_plain(r);
	if (!rc) {
		v = json_string(value);
		if (v)
			json_object_set_new(r->vars, key, v);
		else
			rc = err_set(ERR_INVALID, "line %d: is not UTF-8",
				     line);
	}
	if (value)
		explicit_bzero(value, strlen(value));
	free(value);
	free(key);
	return rc;
}

/* "export " is no part of the key. */
static void skip_export(struct reading *r)
{
	static const char word[] = "export";
	const char *p = r->p + strlen(word);

	if (!strncmp(r->p, word, strlen(word)) && (*p == ' ' || *p == '\t'))
		r->p = p + strspn(p, " \t");
}

int dotenv_parse(json_t **out, const char *text, size_t len)
{
	size_t bom = text_bom(text, len);
	char *copy = xstrndup(text + bom, len - bom);
	struct reading r = { copy, 1, json_object() };
	int rc = 0;

	if (memchr(text, '\0', len))
		rc = err_set(ERR_INVALID, "it has a NUL byte");
	while (!rc && *r.p) {
		r.p += strspn(r.p, " \t");
		skip_export(&r);
		if (!*r.p)
			break;
		if (strchr("\r\n#", *r.p))
			skip_line(&r);
		else
			rc = read_pair(&r);
	}
	explicit_bzero(copy, strlen(copy));
	free(copy);
	if (rc)
		json_decref(r.vars);
	else
		*out = r.vars;
	return rc;
}
