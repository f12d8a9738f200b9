/* SPDX-License-Identifier: ISC */
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "progress.h"
#include "standard.h"
#include "text.h"

struct showing {
	FILE *f;
	char *rest; /* the beginning of a character that is not whole yet */
	bool any;
	bool counted; /* how long it is waited */
};

/* How many bytes the character of UTF-8 has that begins with c. */
static size_t char_size(unsigned char c)
{
	return c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
}

/* How many of the last bytes of s begin a character that needs more. */
static size_t incomplete(const char *s, size_t len)
{
	size_t i;

	for (i = 1; i <= 3 && i <= len; i++) {
		unsigned char c = (unsigned char)s[len - i];

		if (c >= 0xc0)
			return char_size(c) > i ? i : 0;
		if (c < 0x80)
			break;
	}
	return 0;
}

/* Escaped, but for the ends of lines and tabs, and NULs left out. */
static void put(FILE *f, const char *s, size_t len)
{
	const char *end = s + len, *p;
	char *part, *safe;

	for (; s < end; s = p + 1) {
		for (p = s; p < end && *p && *p != '\n' && *p != '\t'; p++)
			;
		part = xstrndup(s, (size_t)(p - s));
		safe = text_escape(part);
		fputs(safe, f);
		if (p < end && *p)
			putc(*p, f);
		free(part);
		free(safe);
	}
}

static int take(void *ctx, const char *data, size_t len)
{
	struct showing *s = ctx;
	size_t old = s->rest ? strlen(s->rest) : 0, kept;
	char *all = xcalloc(old + len + 1, 1);
	int rc;

	if (s->counted)
		progress_stop();
	if (old)
		memcpy(all, s->rest, old);
	memcpy(all + old, data, len);
	kept = incomplete(all, old + len);
	put(s->f, all, old + len - kept);
	str_replace(&s->rest,
		    kept ? xstrndup(all + old + len - kept, kept) : NULL);
	free(all);
	s->any = s->any || len;
	rc = standard_flush();
	if (s->counted)
		progress_start();
	return rc;
}

static int show(struct heroku *h, const char *url, struct showing *s)
{
	int rc = client_stream(h->client, url, take, s);

	if (s->counted)
		progress_stop();
	if (s->rest)
		put(s->f, s->rest, strlen(s->rest));
	free(s->rest);
	return rc;
}

int stream_show_on(FILE *f, struct heroku *h, const char *url, bool *any)
{
	struct showing s = { .f = f, .counted = true };
	int rc;

	progress_start();
	rc = show(h, url, &s);
	if (any)
		*any = *any || s.any;
	return rc;
}

int stream_show(struct heroku *h, const char *url, bool *any)
{
	return stream_show_on(stdout, h, url, any);
}

int stream_follow(struct heroku *h, const char *url)
{
	struct showing s = { .f = stdout };

	return show(h, url, &s);
}
