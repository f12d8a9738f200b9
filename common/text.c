/* SPDX-License-Identifier: ISC */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "err.h"
#include "mem.h"

/* What a shell takes as it stands. */
#define SHELL_PLAIN                                                            \
 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"              \
 "_-./:@%+,"

void text_iso(char *buf, int64_t when)
{
	time_t t = (time_t)when;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(buf, TEXT_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

int text_parse_iso(int64_t *when, const char *s)
{
	struct tm tm = { 0 };
	const char *end = strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm);

	if (!end || *end)
		return err_set(ERR_INVALID, "not a time: %s", s);
	*when = timegm(&tm);
	return 0;
}

static void ago(char *buf, int64_t n, const char *unit)
{
	snprintf(buf, TEXT_TIME_SIZE, "%" PRId64 " %s%s ago", n, unit,
		 n == 1 ? "" : "s");
}

void text_when(char *buf, int64_t when, int64_t now)
{
	int64_t age = now > when ? now - when : 0;
	time_t t = (time_t)when;
	struct tm tm;

	if (age < 60) {
		ago(buf, age, "second");
	} else if (age < 60 * 60) {
		ago(buf, age / 60, "minute");
	} else if (age < 24 * 60 * 60) {
		ago(buf, age / (60 * 60), "hour");
	} else {
		localtime_r(&t, &tm);
		strftime(buf, TEXT_TIME_SIZE, "%Y-%m-%d %H:%M:%S %z", &tm);
	}
}

char *text_size(uint64_t bytes)
{
	if (bytes < 1024)
		return xasprintf("%" PRIu64 "B", bytes);
	if (bytes < 1024 * 1024)
		return xasprintf("%.1fK", (double)bytes / 1024);
	if (bytes < 1024 * 1024 * 1024)
		return xasprintf("%.1fMB", (double)bytes / (1024 * 1024));
	return xasprintf("%.1fGB", (double)bytes / (1024 * 1024 * 1024));
}

/*
 * One character of s: its length in bytes and its code point; 0 where the
 * bytes are no UTF-8 (RFC 3629).
 */
static size_t utf8_char(const unsigned char *s, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len, i;

	if (s[0] < 0x80) {
		*code = s[0];
		return 1;
	}
	if (s[0] >= 0xc2 && s[0] < 0xe0)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] < 0xf0)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] < 0xf5)
		len = 4;
	else
		return 0;
	*code = s[0] & (0xffU >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	if (*code < least[len] || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return len;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) ||
	       (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

char *text_strip(char *s)
{
	size_t len;

	while (isspace((unsigned char)*s))
		s++;
	len = strlen(s);
	while (len && isspace((unsigned char)s[len - 1]))
		s[--len] = '\0';
	return s;
}

size_t text_bom(const char *s, size_t len)
{
	return len >= 3 && !memcmp(s, "\xef\xbb\xbf", 3) ? 3 : 0;
}

char *text_cut_line(char *s)
{
	bool crlf;

	s += strcspn(s, "\r\n");
	if (!*s)
		return NULL;
	crlf = s[0] == '\r' && s[1] == '\n';
	*s = '\0';
	return s + (crlf ? 2 : 1);
}

bool text_is_utf8(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t code;

	while (*p) {
		size_t len = utf8_char(p, &code);

		if (!len)
			return false;
		p += len;
	}
	return true;
}

char *text_escape(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	char *out = xcalloc(strlen(s) * 4 + 1, 1), *q = out;

	while (*p) {
		uint32_t code = 0;
		size_t len = utf8_char(p, &code), i;

		if (len && !is_control(code)) {
			memcpy(q, p, len);
			q += len;
			p += len;
			continue;
		}
		for (i = 0; i < (len ? len : 1); i++)
			q += sprintf(q, "\\x%02x", *p++);
	}
	return out;
}

char *text_shell_word(const char *s)
{
	char *out = NULL;
	size_t len = 0;
	FILE *f;

	if (*s && !s[strspn(s, SHELL_PLAIN)])
		return xstrdup(s);
	f = open_memstream(&out, &len);
	if (!f)
		abort();
	putc('\'', f);
	for (; *s; s++)
		if (*s == '\'')
			fputs("'\\''", f);
		else
			putc(*s, f);
	putc('\'', f);
	fclose(f);
	return out;
}

const char *text_skip(const char *s, size_t n)
{
	while (*s && n--) {
		s++;
		while ((*s & 0xc0) == 0x80)
			s++;
	}
	return s;
}

size_t text_width(const char *s)
{
	size_t n = 0;

	for (; *s; s = text_skip(s, 1))
		n++;
	return n;
}

char *text_cell(const char *s, size_t max)
{
	char *safe = text_escape(s), *cut;

	if (text_width(safe) <= max)
		return safe;
	cut = xasprintf("%.*s..", (int)(text_skip(safe, max - 2) - safe), safe);
	free(safe);
	return cut;
}

void text_pad(FILE *f, const char *s, size_t width)
{
	size_t len = text_width(s);

	fputs(s, f);
	for (; len < width; len++)
		fputc(' ', f);
}

int text_parse_int(int64_t *out, const char *s, int64_t min, int64_t max)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(s, &end, 10);
	if (!isdigit((unsigned char)s[*s == '-']) || *end || errno || n < min ||
	    n > max)
		return err_set(ERR_INVALID,
			       "'%s' is not a number from %" PRId64
			       " to %" PRId64,
			       s, min, max);
	*out = n;
	return 0;
}

int text_parse_size(uint64_t *bytes, const char *s)
{
	static const char units[] = "KMG";
	unsigned long long n;
	const char *unit;
	char *end;
	int shift = 0;

	errno = 0;
	n = strtoull(s, &end, 10);
	if (!isdigit((unsigned char)*s) || errno)
		goto bad;
	if (*end) {
		unit = strchr(units, *end);
		if (!unit || end[1])
			goto bad;
		shift = 10 * (int)(unit - units + 1);
	}
	if (n > UINT64_MAX >> shift)
		goto bad;
	*bytes = (uint64_t)n << shift;
	return 0;
bad:
	return err_set(ERR_INVALID, "'%s' is not a size such as 64K or 500M",
		       s);
}
