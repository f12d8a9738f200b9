/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <ctype.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config-addon.h"
#include "err.h"
#include "mem.h"
#include "names.h"
#include "text.h"

/* Longest line and section that Debian's libinih does not cut. */
#define INIH_LINE    198
#define INIH_SECTION 48

#define GZIP_LEVEL 9 /* the highest that it has */

struct key;

/* Where reading is: for the messages, and for what inih does not tell. */
struct reading {
	struct config *config;
	const char *path;
	FILE *file;
	char line[INIH_LINE + 4]; /* as it stands in the file */
	int number;
	bool awaits_key;     /* the line is neither comment nor section */
	unsigned char *seen; /* a flag a key of the table */
	int section;         /* its line */
	int level;           /* the line of [slug] level */
	bool skip;           /* the section is one mistake */
	bool addon;          /* the section is the last add-on's */
	unsigned addon_seen; /* bits of addon keys */
	/* Mistakes: who is told of each, and the first one. */
	config_mistake_fn fn;
	void *ctx;
	int rc;
	char *message;
};

typedef int (*set_fn)(struct reading *r, const struct key *key,
		      const char *value);

/* One key of the table. */
struct key {
	const char *section, *name, *value;
	set_fn set;
	size_t offset;
	int64_t min, max;
	const char *choices; /* separated by blanks */
};

static int set_string(struct reading *, const struct key *, const char *);
static int set_choice(struct reading *, const struct key *, const char *);
static int set_words(struct reading *, const struct key *, const char *);
static int set_paths(struct reading *, const struct key *, const char *);
static int set_int(struct reading *, const struct key *, const char *);
static int set_level(struct reading *, const struct key *, const char *);
static int set_size(struct reading *, const struct key *, const char *);
static int set_ports(struct reading *, const struct key *, const char *);
static int set_uids(struct reading *, const struct key *, const char *);
static int set_switch(struct reading *, const struct key *, const char *);
static int set_check(struct reading *, const struct key *, const char *);
static int set_listen(struct reading *, const struct key *, const char *);

#define AT(field) offsetof(struct config, field)

/* clang-format off */
static const struct key keys[] = {
	{ "slugd", "platform", "Heroku", set_string, AT(platform), 0, 0, NULL },
	{ "slugd", "deploy_branches", "main master", set_words, AT(deploy_branches), 0, 0, NULL },
	{ "slugd", "max_config", "64K", set_size, AT(max_config), 0, 0, NULL },
	{ "slugd", "push_wait", "60", set_int, AT(push_wait), 0, 3600, NULL },
	{ "slug", "compression", "zstd", set_choice, AT(compression), 0, 0, "zstd gzip" },
	{ "slug", "level", "3", set_level, AT(level), 1, 19, NULL },
	{ "slug", "max_size", "500M", set_size, AT(max_size), 0, 0, NULL },
	{ "slug", "max_tree", "2000M", set_size, AT(max_tree), 0, 0, NULL },
	{ "slug", "max_blob", "1G", set_size, AT(max_blob), 0, 0, NULL },
	{ "slug", "max_entries", "1000000", set_int, AT(max_entries), 1, INT32_MAX, NULL },
	{ "slug", "max_depth", "256", set_int, AT(max_depth), 1, 2048, NULL },
	{ "slug", "max_time", "900", set_int, AT(max_time), 1, 86400, NULL },
	{ "slug", "threads", "0", set_int, AT(threads), 0, 256, NULL },
	{ "slug", "keep", "100", set_int, AT(keep), 0, INT32_MAX, NULL },
	{ "slug", "keep_bytes", "0", set_size, AT(keep_bytes), 0, 0, NULL },
	{ "launch", "driver", "slugrun", set_choice, AT(driver), 0, 0, "slugrun none" },
	{ "launch", "ports", "5100-5999", set_ports, AT(port_first), 0, 0, NULL },
	{ "launch", "timeout", "60", set_int, AT(timeout), 1, 3600, NULL },
	{ "launch", "grace", "30", set_int, AT(grace), 0, 3600, NULL },
	{ "launch", "trial", "on", set_switch, AT(trial), 0, 0, NULL },
	{ "launch", "check", "tcp", set_check, AT(check), 0, 0, NULL },
	{ "launch", "release_timeout", "3600", set_int, AT(release_timeout), 1, 86400, NULL },
	{ "launch", "own_uid", "on", set_switch, AT(own_uid), 0, 0, NULL },
	{ "launch", "uids", "70000-79999", set_uids, AT(uid_first), 0, 0, NULL },
	{ "launch", "namespaces", "on", set_switch, AT(namespaces), 0, 0, NULL },
	{ "launch", "seccomp", "on", set_switch, AT(seccomp), 0, 0, NULL },
	{ "launch", "cgroups", "on", set_switch, AT(cgroups), 0, 0, NULL },
	{ "launch", "memory", "1G", set_size, AT(memory), 0, 0, NULL },
	{ "launch", "processes", "512", set_int, AT(max_processes), 0, 1000000, NULL },
	{ "launch", "files", "10000", set_int, AT(max_files), 0, 1000000, NULL },
	{ "launch", "log_size", "10M", set_size, AT(log_size), 0, 0, NULL },
	{ "launch", "show", "none", set_paths, AT(show), 0, 0, NULL },
	{ "route", "driver", "auto", set_choice, AT(route), 0, 0, "auto haproxy direct" },
	{ "route", "listen", "none", set_listen, AT(listen), 0, 0, NULL },
	{ "route", "app_connections", "2000", set_int, AT(app_connections), 1, 1000000, NULL },
	{ "route", "source_connections", "500", set_int, AT(source_connections), 1, 1000000, NULL },
};
/* clang-format on */

#define NR_KEYS (sizeof(keys) / sizeof(keys[0]))

static void *field(struct config *c, const struct key *key)
{
	return (char *)c + key->offset;
}

static int set_string(struct reading *r, const struct key *key,
		      const char *value)
{
	if (!*value)
		return err_set(ERR_INVALID, "has no value");
	str_replace((char **)field(r->config, key), xstrdup(value));
	return 0;
}

static int set_choice(struct reading *r, const struct key *key,
		      const char *value)
{
	char *copy = xstrdup(key->choices), *save = NULL, *word;
	int found = 0;

	for (word = strtok_r(copy, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		found |= !strcmp(word, value);
	free(copy);
	if (!found)
		return err_set(ERR_INVALID, "'%s' is none of: %s", value,
			       key->choices);
	return set_string(r, key, value);
}

static void free_words(char **words)
{
	size_t i;

	for (i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}

static int set_words(struct reading *r, const struct key *key,
		     const char *value)
{
	char ***words = field(r->config, key);
	char *copy = xstrdup(value), *save = NULL, *word;
	size_t n = 0;

	free_words(*words);
	*words = NULL;
	for (word = strtok_r(copy, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save)) {
		*words = xrealloc(*words, n + 2, sizeof(**words));
		(*words)[n++] = xstrdup(word);
		(*words)[n] = NULL;
	}
	free(copy);
	return n ? 0 : err_set(ERR_INVALID, "has no value");
}

/* "none", or absolute paths. */
static int set_paths(struct reading *r, const struct key *key,
		     const char *value)
{
	char ***paths = field(r->config, key);
	bool none = !strcmp(value, "none");
	int rc = set_words(r, key, value);
	size_t i;

	for (i = 0; !rc && !none && (*paths)[i]; i++)
		if ((*paths)[i][0] != '/')
			rc = err_set(ERR_INVALID,
				     "'%s' is no absolute path, and not none",
				     (*paths)[i]);
	if (!rc && none) {
		free_words(*paths);
		*paths = NULL;
	}
	return rc;
}

static int set_int(struct reading *r, const struct key *key, const char *value)
{
	return text_parse_int(field(r->config, key), value, key->min, key->max);
}

static int set_level(struct reading *r, const struct key *key,
		     const char *value)
{
	r->level = r->number;
	return set_int(r, key, value);
}

static int set_size(struct reading *r, const struct key *key, const char *value)
{
	return text_parse_size(field(r->config, key), value);
}

/* "FIRST-LAST", both from 1 to max. */
static int parse_range(int64_t *first, int64_t *last, const char *value,
		       int64_t max)
{
	char *copy = xstrdup(value), *dash = strchr(copy, '-');
	int rc = ERR_INVALID;

	if (dash) {
		*dash = '\0';
		rc = text_parse_int(first, copy, 1, max);
		if (!rc)
			rc = text_parse_int(last, dash + 1, 1, max);
	}
	free(copy);
	return rc || *first >= *last ? ERR_INVALID : 0;
}

static int set_ports(struct reading *r, const struct key *key,
		     const char *value)
{
	int64_t first = 0, last = 0;

	if (parse_range(&first, &last, value, 65535))
		return err_set(ERR_INVALID, "'%s' is not a range such as %s",
			       value, key->value);
	r->config->port_first = (uint16_t)first;
	r->config->port_last = (uint16_t)last;
	return 0;
}

static int set_uids(struct reading *r, const struct key *key, const char *value)
{
	int64_t first = 0, last = 0;

	/* The highest uid_t says "none". */
	if (parse_range(&first, &last, value, UINT32_MAX - 1))
		return err_set(ERR_INVALID, "'%s' is not a range such as %s",
			       value, key->value);
	r->config->uid_first = first;
	r->config->uid_last = last;
	return 0;
}

static int set_switch(struct reading *r, const struct key *key,
		      const char *value)
{
	bool *flag = field(r->config, key);

	*flag = !strcmp(value, "on");
	if (!*flag && strcmp(value, "off") != 0)
		return err_set(ERR_INVALID, "'%s' is none of: on off", value);
	return 0;
}

/* "tcp", or the path of a request: printable, and no blank in it. */
static int set_check(struct reading *r, const struct key *key,
		     const char *value)
{
	const char *p = value;

	while (*p > ' ' && *p < 127)
		p++;
	if (strcmp(value, "tcp") != 0 && (*value != '/' || *p))
		return err_set(ERR_INVALID,
			       "'%s' is neither tcp nor a path such as /health",
			       value);
	return set_string(r, key, value);
}

/* "none", or ADDRESS:PORT with an IPv4 address or "*". */
static int set_listen(struct reading *r, const struct key *key,
		      const char *value)
{
	const char *colon = strrchr(value, ':');
	size_t len = colon ? (size_t)(colon - value) : 0;
	int64_t port;

	if (strcmp(value, "none") != 0 &&
	    (!len || strspn(value, "0123456789.") + (*value == '*') < len ||
	     text_parse_int(&port, colon + 1, 1, 65535)))
		return err_set(ERR_INVALID,
			       "'%s' is neither none nor ADDRESS:PORT such as "
			       "0.0.0.0:80",
			       value);
	return set_string(r, key, value);
}

static const char *strip_left(const char *s)
{
	return s + strspn(s, " \t");
}

/*
 * The value as the line has it, where it is quoted: inih would end it at
 * " ;". NULL where it is not; *rc is set where the quotes are not closed.
 */
static char *quoted(struct reading *r, int *rc)
{
	const char *p = strpbrk(r->line, "=:");
	const char *end;

	if (!p)
		return NULL;
	p++;
	p += strspn(p, " \t");
	if (*p != '"')
		return NULL;
	end = strchr(p + 1, '"');
	if (!end || (end[1 + strspn(end + 1, " \t\r\n")] &&
		     end[1 + strspn(end + 1, " \t\r\n")] != ';')) {
		*rc = err_set(ERR_INVALID, "the quotes are not closed");
		return NULL;
	}
	return xstrndup(p + 1, (size_t)(end - p - 1));
}

static int set_key(struct reading *r, const char *section, const char *name,
		   const char *value)
{
	size_t i;

	if (r->addon)
		return config_addon_set(
			&r->config->addons[r->config->nr_addons - 1],
			&r->addon_seen, name, value);
	for (i = 0; i < NR_KEYS; i++) {
		if (strcmp(keys[i].section, section) ||
		    strcmp(keys[i].name, name))
			continue;
		if (r->seen[i]++)
			return err_set(ERR_INVALID, "%s stands there twice",
				       name);
		return err_prefix(keys[i].set(r, &keys[i], value), "%s", name);
	}
	if (!*section)
		return err_set(ERR_INVALID,
			       "'%s' stands before the first [section]", name);
	return err_set(ERR_INVALID, "unknown key '%s' in [%s]", name, section);
}

/* Tell of the mistake that is this thread's error, and read on. */
static void mistake(struct reading *r, int line, int rc)
{
	rc = err_prefix(rc, "%s:%d", r->path, line);
	if (r->fn)
		r->fn(r->ctx, err_msg());
	if (!r->rc) {
		r->rc = rc;
		r->message = xstrdup(err_msg());
	}
}

static int on_key(void *ctx, const char *section, const char *name,
		  const char *value)
{
	struct reading *r = ctx;
	int rc = 0;
	char *q;

	r->awaits_key = false;
	if (r->skip)
		return 1;
	q = quoted(r, &rc);
	if (!rc && !text_is_utf8(value))
		rc = err_set(ERR_INVALID, "%s: is not UTF-8", name);
	if (!rc)
		rc = set_key(r, section, name, q ? q : value);
	free(q);
	if (rc)
		mistake(r, r->number, rc);
	return 1;
}

/* A section ends: an add-on without plans cannot be had. */
static void end_section(struct reading *r)
{
	if (r->addon && !(r->addon_seen & 1U))
		mistake(r, r->section,
			err_set(ERR_INVALID, "[addon %s] has no plans",
				r->config->addons[r->config->nr_addons - 1]
					.name));
	r->addon = false;
	r->skip = false;
}

/* What is right in itself, and wrong beside another key. */
static void check_level(struct reading *r)
{
	const struct config *c = r->config;

	if (!strcmp(c->compression, "gzip") && c->level > GZIP_LEVEL)
		mistake(r, r->level,
			err_set(ERR_INVALID, "level: gzip has no level over %d",
				GZIP_LEVEL));
}

/* A section begins, at p: "[slug]" */
static void begin_section(struct reading *r, const char *p)
{
	char *name = xstrndup(p + 1, strcspn(p + 1, "]"));
	int rc = 0;
	size_t i;

	r->section = r->number;
	for (i = 0; i < NR_KEYS && strcmp(keys[i].section, name) != 0; i++)
		;
	if (!strncmp(name, "addon ", 6)) {
		rc = config_addon_begin(r->config, name + 6);
		r->addon = !rc;
		r->addon_seen = 0;
	} else if (i == NR_KEYS) {
		rc = err_set(ERR_INVALID, "unknown section [%s]", name);
	}
	if (rc) {
		mistake(r, r->number, rc);
		r->skip = true;
	}
	free(name);
}

/* Look at a line before inih does. Errors: ERR_INVALID, it must not see it. */
static int check_line(struct reading *r)
{
	const char *p = r->line;

	if (strlen(p) > INIH_LINE)
		return err_set(ERR_INVALID, "line is longer than %d bytes",
			       INIH_LINE);
	if (r->number == 1 && !strncmp(p, "\xef\xbb\xbf", 3))
		p += 3;
	if ((*p == ' ' || *p == '\t') && !strchr(";#\r\n", *strip_left(p)))
		return err_set(ERR_INVALID, "line begins with a blank");
	p = strip_left(p);
	if (*p != '[') {
		r->awaits_key = !strchr(";#\r\n", *p);
		return 0;
	}
	if (!strchr(p, ']')) {
		r->awaits_key = true; /* in vain */
		return 0;
	}
	end_section(r);
	if (strcspn(p, "]") > INIH_SECTION) {
		r->skip = true;
		return err_set(ERR_INVALID, "section is longer than %d bytes",
			       INIH_SECTION);
	}
	begin_section(r, p);
	return 0;
}

/*
 * inih's reader: hands it one line a call, counts them, and refuses what
 * inih would cut or join without a word.
 */
static char *next_line(char *buf, int size, void *ctx)
{
	struct reading *r = ctx;
	int rc, c;

	do {
		if (r->awaits_key)
			mistake(r, r->number,
				err_set(ERR_INVALID,
					"neither [section] nor 'key = value'"));
		r->awaits_key = false;
		if (!fgets(r->line, sizeof(r->line), r->file))
			return NULL;
		r->number++;
		rc = check_line(r);
		if (rc)
			mistake(r, r->number, rc);
		for (c = 0; c != EOF && c != '\n' && !strchr(r->line, '\n');)
			c = getc(r->file);
	} while (rc);
	snprintf(buf, (size_t)size, "%s", r->line);
	return buf;
}

static int set_defaults(struct reading *r)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < NR_KEYS && !rc; i++)
		rc = keys[i].set(r, &keys[i], keys[i].value);
	return rc;
}

int config_check(struct config **out, const char *path, config_mistake_fn fn,
		 void *ctx)
{
	struct reading r = { .path = path ? path : "(sample)",
			     .fn = fn,
			     .ctx = ctx };
	int rc;

	r.config = xcalloc(1, sizeof(*r.config));
	r.seen = xcalloc(NR_KEYS, 1);
	/* fmemopen() only reads a buffer opened with "r". */
	r.file = path ? fopen(path, "re")
		      : fmemopen((void *)(uintptr_t)config_sample(),
				 strlen(config_sample()), "r");
	if (!r.file) {
		rc = err_sys("%s", r.path);
		goto done;
	}
	rc = set_defaults(&r);
	if (rc)
		goto done;
	rc = ini_parse_stream(next_line, &r, on_key, &r);
	end_section(&r);
	check_level(&r);
	if (r.rc)
		rc = err_set(r.rc, "%s", r.message);
	else if (rc)
		rc = err_set(ERR_INVALID, "%s:%d: cannot be read", r.path, rc);
done:
	if (r.file)
		fclose(r.file);
	free(r.seen);
	free(r.message);
	if (rc)
		config_free(r.config);
	else
		*out = r.config;
	return rc;
}

int config_read(struct config **out, const char *path)
{
	return config_check(out, path, NULL, NULL);
}

void config_free(struct config *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; i < c->nr_addons; i++)
		config_addon_clear(&c->addons[i]);
	free(c->addons);
	free(c->platform);
	free_words(c->deploy_branches);
	free_words(c->show);
	free(c->compression);
	free(c->driver);
	free(c->check);
	free(c->route);
	free(c->listen);
	free(c);
}

bool config_is_deploy_ref(const struct config *c, const char *ref)
{
	size_t i;

	if (strncmp(ref, "refs/heads/", 11))
		return false;
	for (i = 0; c->deploy_branches[i]; i++)
		if (!strcmp(c->deploy_branches[i], ref + 11))
			return true;
	return false;
}

const char *config_key_section(size_t i)
{
	return i < NR_KEYS ? keys[i].section : NULL;
}

const char *config_key_name(size_t i)
{
	return i < NR_KEYS ? keys[i].name : NULL;
}
