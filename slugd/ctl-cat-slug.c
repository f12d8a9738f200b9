/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "err.h"
#include "manifest.h"
#include "mem.h"
#include "names.h"

#define PIECE (64 << 10)

/* The slug of "APP:v12", or of what APP runs. Caller frees *uuid. */
static int find_slug(const struct ctl *ctl, char **uuid)
{
	const char *arg = ctl->argv[0];
	size_t len = strcspn(arg, ":");
	char *name = xstrndup(arg, len);
	struct release *r = NULL;
	struct ledger *l = NULL;
	struct app *app = NULL;
	int rc = ctl_open_ledger(ctl, &l);

	if (!rc)
		rc = ledger_app(l, name, &app);
	if (!rc)
		rc = ledger_release(l, app->id,
				    arg[len] ? arg + len + 1 : "current", &r);
	if (!rc && !r->slug)
		rc = err_set(ERR_NOTFOUND, "v%lld of %s has no slug",
			     (long long)r->version, name);
	if (!rc && r->status == RELEASE_EXPIRED)
		rc = err_set(ERR_NOTFOUND,
			     "v%lld of %s is expired, its slug is gone",
			     (long long)r->version, name);
	if (!rc)
		*uuid = xstrdup(r->slug);
	release_free(r);
	app_free(app);
	ledger_close(l);
	free(name);
	return rc;
}

static int write_all(const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys("cannot write to standard output");
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Not a byte of it before its digest is seen to be right. */
static int write_segment(const char *store, const struct segment *s, char *buf)
{
	ssize_t n = 1;
	int fd, rc = segment_open(&fd, store, s);

	if (rc)
		return rc;
	while (!rc && (n = read(fd, buf, PIECE)) > 0)
		rc = write_all(buf, (size_t)n);
	if (!rc && n < 0)
		rc = err_sys("cannot read a segment");
	close(fd);
	return rc;
}

int ctl_cat_slug(const struct ctl *ctl)
{
	struct manifest m = { 0 };
	char *uuid = NULL, *buf = NULL;
	size_t i;
	int rc = 0;

	/* A reader that went away is an error in words. */
	signal(SIGPIPE, SIG_IGN);
	if (isatty(STDOUT_FILENO))
		return err_set(ERR_INVALID,
			       "a slug is not for a terminal: send it to a "
			       "file, or to tar --zstd -t");
	if (!name_check_uuid(ctl->argv[0]))
		uuid = xstrdup(ctl->argv[0]);
	else
		rc = find_slug(ctl, &uuid);
	if (!rc)
		rc = manifest_read(&m, ctl->dir, uuid);
	buf = xcalloc(PIECE, 1);
	for (i = 0; i < m.nr_segments && !rc; i++)
		rc = write_segment(ctl->dir, &m.segments[i], buf);
	manifest_release(&m);
	free(buf);
	free(uuid);
	return rc;
}
