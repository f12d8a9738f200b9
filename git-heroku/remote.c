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

static void take_url(struct remotes *r, const char *name, size_t len,
		     const char *value)
{
	struct remote *remote = remote_named(r, name, len);

	if (!remote->url)
		remote->url = xstrdup(value);
}

static void take_pushurl(struct remotes *r, const char *name, size_t len,
			 const char *value)
{
	struct remote *remote = remote_named(r, name, len);

	if (!remote->pushurl)
		remote->pushurl = xstrdup(value);
}

static void add_rewrite(struct remotes *r, struct rewrite rule)
{
	r->rewrites =
		xrealloc(r->rewrites, r->nr_rewrites + 1, sizeof(*r->rewrites));
	r->rewrites[r->nr_rewrites++] = rule;
}

static void take_instead(struct remotes *r, const char *base, size_t len,
			 const char *value)
{
	add_rewrite(r, (struct rewrite){ xstrndup(base, len), xstrdup(value),
					 false });
}

static void take_push_instead(struct remotes *r, const char *base, size_t len,
			      const char *value)
{
	add_rewrite(r, (struct rewrite){ xstrndup(base, len), xstrdup(value),
					 true });
}

/* The variables that matter, as SECTION.MIDDLE.NAME, and who takes them. */
static const struct {
	const char *section, *name;
	void (*take)(struct remotes *r, const char *middle, size_t len,
		     const char *value);
} variables[] = {
	{ "remote", "url", take_url },
	{ "remote", "pushurl", take_pushurl },
	{ "url", "insteadof", take_instead },
	{ "url", "pushinsteadof", take_push_instead },
};

static void take(void *ctx, const char *key, const char *value)
{
	const char *middle = strchrnul(key, '.'), *last = strrchr(key, '.');
	size_t len = (size_t)(middle - key), i;
	struct remotes *r = ctx;

	if (!strcmp(key, "heroku.remote"))
		str_replace(&r->preferred, xstrdup(value));
	for (i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (last > middle && strlen(variables[i].section) == len &&
		    !strncmp(key, variables[i].section, len) &&
		    !strcmp(last + 1, variables[i].name))
			variables[i].take(r, middle + 1,
					  (size_t)(last - middle - 1), value);
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
static char *rewritten(const struct remotes *r, const char *url, bool push)
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
		other = rewritten(r, url, true);
	if (!other)
		other = rewritten(r, url, false);
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
