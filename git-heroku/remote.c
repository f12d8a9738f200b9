/* SPDX-License-Identifier: ISC */
#include "remote.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gitconfig.h"
#include "mem.h"

static struct remote *remote_named(struct remotes *r, const char *name,
				   size_t len)
{
	size_t i;

	for (i = 0; i < r->nr; i++)
		if (!strncmp(r->list[i].name, name, len) &&
		    !r->list[i].name[len])
			return &r->list[i];
	r->list = xrealloc(r->list, r->nr + 1, sizeof(*r->list));
	r->list[r->nr] = (struct remote){ .name = xstrndup(name, len) };
	return &r->list[r->nr++];
}

static void add_rewrite(struct remotes *r, const char *base, size_t len,
			const char *prefix, int push)
{
	r->rewrites =
		xrealloc(r->rewrites, r->nr_rewrites + 1, sizeof(*r->rewrites));
	r->rewrites[r->nr_rewrites++] =
		(struct rewrite){ xstrndup(base, len), xstrdup(prefix), push };
}

static void take(void *ctx, const char *key, const char *value)
{
	struct remotes *r = ctx;
	const char *middle = strchr(key, '.'), *last = strrchr(key, '.');
	size_t len;

	if (!strcmp(key, "heroku.remote"))
		str_replace(&r->preferred, xstrdup(value));
	if (middle == last)
		return;
	len = (size_t)(last - ++middle);
	if (!strncmp(key, "remote.", 7) && !strcmp(last, ".url")) {
		struct remote *remote = remote_named(r, middle, len);

		if (!remote->url)
			remote->url = xstrdup(value);
	} else if (!strncmp(key, "remote.", 7) && !strcmp(last, ".pushurl")) {
		struct remote *remote = remote_named(r, middle, len);

		if (!remote->pushurl)
			remote->pushurl = xstrdup(value);
	} else if (!strncmp(key, "url.", 4) && !strcmp(last, ".insteadof")) {
		add_rewrite(r, middle, len, value, 0);
	} else if (!strncmp(key, "url.", 4) &&
		   !strcmp(last, ".pushinsteadof")) {
		add_rewrite(r, middle, len, value, 1);
	}
}

int remotes_read(struct remotes *r)
{
	return gitconfig_read(NULL, take, r);
}

void remotes_release(struct remotes *r)
{
	size_t i;

	for (i = 0; i < r->nr; i++) {
		free(r->list[i].name);
		free(r->list[i].url);
		free(r->list[i].pushurl);
	}
	for (i = 0; i < r->nr_rewrites; i++) {
		free(r->rewrites[i].base);
		free(r->rewrites[i].prefix);
	}
	free(r->list);
	free(r->rewrites);
	free(r->preferred);
	*r = (struct remotes){ 0 };
}

const struct remote *remotes_find(const struct remotes *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->nr; i++)
		if (!strcmp(r->list[i].name, name))
			return &r->list[i];
	return NULL;
}

/* url by the longest rule that matches; NULL where none does. */
static char *rewritten(const struct remotes *r, const char *url, int push)
{
	const struct rewrite *best = NULL;
	size_t i, len = 0;

	for (i = 0; i < r->nr_rewrites; i++) {
		const struct rewrite *rule = &r->rewrites[i];
		size_t n = strlen(rule->prefix);

		if (rule->push == push && n > len &&
		    !strncmp(url, rule->prefix, n)) {
			best = rule;
			len = n;
		}
	}
	return best ? xasprintf("%s%s", best->base, url + len) : NULL;
}

char *remote_push_url(const struct remotes *r, const struct remote *remote)
{
	const char *url = remote->pushurl ? remote->pushurl : remote->url;
	char *other = NULL;

	if (!url)
		return NULL;
	if (!remote->pushurl)
		other = rewritten(r, url, 1);
	if (!other)
		other = rewritten(r, url, 0);
	return other ? other : xstrdup(url);
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* A copy of a URL's path with its %XX decoded (RFC 3986, 2.1). */
static char *decoded(const char *s)
{
	char *out = xcalloc(strlen(s) + 1, 1), *q = out;
	int high, low;

	while (*s) {
		high = *s == '%' ? hex_digit(s[1]) : -1;
		low = high >= 0 ? hex_digit(s[2]) : -1;
		if (low >= 0) {
			*q++ = (char)(high * 16 + low);
			s += 3;
		} else {
			*q++ = *s++;
		}
	}
	return out;
}

char *remote_local_path(const char *url)
{
	const char *colon = strchr(url, ':'), *slash = strchr(url, '/');
	bool local = !colon || (slash && slash < colon);

	if (!strncasecmp(url, "file:///", 8))
		return decoded(url + 7);
	return local && *url ? xstrdup(url) : NULL;
}
