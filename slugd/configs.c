/* SPDX-License-Identifier: ISC */
#include "configs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "log.h"
#include "mem.h"
#include "privilege.h"
#include "slugd.h"
#include "uids.h"
#include "users.h"

struct configs {
	char *file;          /* that slugd -c named, or NULL */
	struct config **all; /* that were read; the last one holds */
	size_t n;
	atomic_int_fast64_t reads; /* n, for any thread */
};

static void log_mistake(void *ctx, const char *line)
{
	(void)ctx;
	log_line("%s", line);
}

char *configs_path(const struct slugd *d)
{
	const struct configs *s = d->configs;
	char *path =
		s->file ? xstrdup(s->file) : xasprintf("%s/slugd.ini", d->dir);

	if (!s->file && access(path, F_OK) && errno == ENOENT)
		str_replace(&path, NULL);
	return path;
}

int64_t configs_reads(const struct slugd *d)
{
	return atomic_load(&d->configs->reads);
}

/* Read the file as it is now, into a new last one. */
static int read_file(struct slugd *d, config_mistake_fn fn)
{
	struct configs *s = d->configs;
	char *path = configs_path(d);
	int rc;

	s->all = xrealloc(s->all, s->n + 1, sizeof(struct config *));
	rc = config_check(&s->all[s->n], path, fn, NULL);
	if (!rc)
		s->n++;
	free(path);
	return rc;
}

int configs_open(struct slugd *d, const char *file)
{
	int rc;

	d->configs = xcalloc(1, sizeof(*d->configs));
	d->configs->file = xstrdup(file);
	rc = read_file(d, NULL);
	if (!rc)
		d->config = d->configs->all[0];
	atomic_store(&d->configs->reads, 1);
	return rc;
}

/* What slugd started with goes on to hold. */
static void keep(char **fresh, const char *old, const char *key)
{
	if (!strcmp(*fresh, old))
		return;
	log_line("%s stays '%s' until slugd is started again", key, old);
	str_replace(fresh, xstrdup(old));
}

int configs_reserve_uids(const struct slugd *d, const struct config *c)
{
	const struct uids u = { .dir = d->dir,
				.uids = { c->uid_first, c->uid_last },
				.ports = { c->port_first, c->port_last } };

	if (!d->roots_apps || !c->own_uid || !strcmp(c->driver, "none") ||
	    !users_are_there())
		return 0;
	return d->parent ? privilege_reserve(d->parent, c) : uids_take(&u);
}

void configs_reload(struct slugd *d)
{
	const struct config *old = d->config;
	struct config *fresh;
	int rc = read_file(d, log_mistake);

	if (rc) {
		if (rc != ERR_INVALID)
			log_line("%s", err_msg());
		log_line("the configuration stays what it was");
		return;
	}
	fresh = d->configs->all[d->configs->n - 1];
	if (configs_reserve_uids(d, fresh)) {
		log_line("%s; uids stay %" PRId64 "-%" PRId64, err_msg(),
			 old->uid_first, old->uid_last);
		fresh->uid_first = old->uid_first;
		fresh->uid_last = old->uid_last;
	}
	keep(&fresh->driver, old->driver, "driver");
	keep(&fresh->route, old->route, "[route] driver");
	d->config = fresh;
	atomic_fetch_add(&d->configs->reads, 1);
	log_line("the configuration was read again");
}

void configs_close(struct slugd *d)
{
	struct configs *s = d->configs;
	size_t i;

	for (i = 0; s && i < s->n; i++)
		config_free(s->all[i]);
	if (s) {
		free(s->all);
		free(s->file);
	}
	free(s);
}
