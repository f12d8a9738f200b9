/* SPDX-License-Identifier: ISC */
#include "glob.h"

#include <ctype.h>
#include <string.h>

/* A part of a pattern or of a path. */
struct part {
	const char *p, *end;
};

static const struct class
{
	const char *name;
	int (*has)(int c);
} classes[] = {
	{ "alnum", isalnum }, { "alpha", isalpha }, { "blank", isblank },
	{ "cntrl", iscntrl }, { "digit", isdigit }, { "graph", isgraph },
	{ "lower", islower }, { "print", isprint }, { "punct", ispunct },
	{ "space", isspace }, { "upper", isupper }, { "xdigit", isxdigit },
};

#define NR_CLASSES (sizeof(classes) / sizeof(classes[0]))

/*
 * "[:digit:]" at p: does it have c? Returns what stands behind it, or NULL
 * where there is no such class.
 */
static const char *match_class(struct part p, unsigned char c, bool *has)
{
	size_t i, len;

	for (i = 0; i < NR_CLASSES; i++) {
		len = strlen(classes[i].name);
		if ((size_t)(p.end - p.p) >= len + 4 &&
		    !memcmp(p.p + 2, classes[i].name, len) &&
		    !memcmp(p.p + 2 + len, ":]", 2)) {
			*has |= classes[i].has(c) != 0;
			return p.p + len + 4;
		}
	}
	return NULL;
}

/* One byte of a set, which may be escaped; NULL at the end. */
static const char *set_byte(struct part p, unsigned char *out)
{
	if (p.p < p.end && *p.p == '\\')
		p.p++;
	if (p.p >= p.end)
		return NULL;
	*out = (unsigned char)*p.p;
	return p.p + 1;
}

/* A byte, or a range of them, at p. Returns as match_class(). */
static const char *match_range(struct part p, unsigned char c, bool *has)
{
	unsigned char first, last;

	p.p = set_byte(p, &first);
	if (!p.p)
		return NULL;
	last = first;
	if (p.end - p.p >= 2 && p.p[0] == '-' && p.p[1] != ']') {
		p.p++;
		p.p = set_byte(p, &last);
	}
	*has |= c >= first && c <= last;
	return p.p;
}

/* "[a-z]" at p, behind the bracket. Returns what follows it if it has c. */
static const char *match_set(struct part p, unsigned char c)
{
	bool inverted = p.p < p.end && (*p.p == '!' || *p.p == '^');
	bool has = false, first = true;

	if (inverted)
		p.p++;
	while (p.p && p.p < p.end && (first || *p.p != ']')) {
		first = false;
		if (p.end - p.p >= 2 && p.p[0] == '[' && p.p[1] == ':')
			p.p = match_class(p, c, &has);
		else
			p.p = match_range(p, c, &has);
	}
	if (!p.p || p.p >= p.end || has == inverted)
		return NULL;
	return p.p + 1;
}

/*
 * Does what stands at p, which is no "*", match c? Returns what follows it,
 * or NULL.
 */
static const char *match_one(struct part p, char c)
{
	if (p.p >= p.end)
		return NULL;
	switch (*p.p) {
	case '?':
		return p.p + 1;
	case '[':
		p.p++;
		return match_set(p, (unsigned char)c);
	case '\\':
		if (++p.p >= p.end)
			return NULL;
		break;
	default:
		break;
	}
	return *p.p == c ? p.p + 1 : NULL;
}

static bool match_part(struct part p, struct part s)
{
	const char *star = NULL, *retry = NULL, *next;

	while (s.p < s.end) {
		if (p.p < p.end && *p.p == '*') {
			star = ++p.p;
			retry = s.p;
			continue;
		}
		next = match_one(p, *s.p);
		if (next) {
			p.p = next;
			s.p++;
		} else if (star) {
			p.p = star;
			s.p = ++retry;
		} else {
			return false;
		}
	}
	while (p.p < p.end && *p.p == '*')
		p.p++;
	return p.p == p.end;
}

/* The part that begins at s. */
static struct part part_at(const char *s)
{
	return (struct part){ s, strchrnul(s, '/') };
}

static bool is_double_star(struct part p)
{
	return p.end - p.p == 2 && p.p[0] == '*' && p.p[1] == '*';
}

bool glob_name(const char *pattern, const char *name)
{
	return match_part(part_at(pattern), part_at(name));
}

bool glob_path(const char *pattern, const char *path)
{
	const char *after = NULL, *retry = NULL;

	for (;;) {
		struct part p = part_at(pattern), s = part_at(path);

		if (is_double_star(p)) {
			if (!*p.end)
				return true;
			after = pattern = p.end + 1;
			retry = path;
			continue;
		}
		if (match_part(p, s)) {
			if (!*p.end && !*s.end)
				return true;
			if (*p.end && *s.end) {
				pattern = p.end + 1;
				path = s.end + 1;
				continue;
			}
		}
		if (!after)
			return false;
		retry = strchrnul(retry, '/');
		if (!*retry)
			return false;
		path = ++retry;
		pattern = after;
	}
}
