/* SPDX-License-Identifier: ISC */
#include "heroku.h"

#include <stdarg.h>
#include <stdlib.h>

#include "err.h"
#include "mem.h"
#include "progress.h"
#include "where.h"

static int connect_by(struct heroku *h,
		      int (*find)(struct where *out, const char *app,
				  const char *remote))
{
	struct where where = { 0 };
	int rc;

	rc = find(&where, h->app, h->remote);
	if (!rc)
		rc = client_open(&h->client, where.socket);
	if (!rc) {
		h->name = where.app;
		h->socket = where.socket;
		h->git_remote = where.remote;
		where.app = where.socket = where.remote = NULL;
	}
	where_release(&where);
	return rc;
}

int heroku_connect(struct heroku *h)
{
	return connect_by(h, where_find);
}

int heroku_connect_server(struct heroku *h)
{
	return connect_by(h, where_find_server);
}

void heroku_release(struct heroku *h)
{
	client_free(h->client);
	free(h->name);
	free(h->socket);
	free(h->git_remote);
	h->client = NULL;
	h->name = h->socket = h->git_remote = NULL;
}

static char *vpath(const struct heroku *h, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static char *vpath(const struct heroku *h, const char *fmt, va_list ap)
{
	char *app = client_path_segment(h->name);
	char *rest = xvasprintf(fmt, ap);
	char *path = xasprintf("/apps/%s%s", app, rest);

	free(app);
	free(rest);
	return path;
}

char *heroku_path(const struct heroku *h, const char *fmt, ...)
{
	va_list ap;
	char *path;

	va_start(ap, fmt);
	path = vpath(h, fmt, ap);
	va_end(ap);
	return path;
}

int heroku_get(struct heroku *h, json_t **out, const char *fmt, ...)
{
	va_list ap;
	char *path;
	int rc;

	va_start(ap, fmt);
	path = vpath(h, fmt, ap);
	va_end(ap);
	progress_start();
	rc = client_call(h->client, "GET", path, NULL, out);
	progress_stop();
	if (!rc && !*out)
		rc = err_set(ERR_FAILED, "slugd answered nothing to %s", path);
	free(path);
	return rc;
}
