/* SPDX-License-Identifier: ISC */
#include "adopt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alternates.h"
#include "err.h"
#include "mem.h"
#include "proc.h"
#include "repo-mend.h"
#include "repo.h"
#include "safe-path.h"

/*
 * What an app's repository is set to. The messages of fsck that are ignored
 * are of real old histories; all about names, modes and duplicates is not.
 */
static const struct {
	const char *key, *value;
	bool free; /* the admin may choose another value */
} settings[] = {
	{ "core.fsync", "all", false },
	{ "core.logAllRefUpdates", "always", false },
	{ "gc.auto", "0", false },
	{ "receive.autogc", "false", false },
	{ "receive.fsckObjects", "true", false },
	{ "receive.fsck.badDate", "ignore", false },
	{ "receive.fsck.badEmail", "ignore", false },
	{ "receive.fsck.badTimezone", "ignore", false },
	{ "receive.fsck.missingEmail", "ignore", false },
	{ "receive.fsck.missingSpaceBeforeDate", "ignore", false },
	{ "receive.fsck.missingSpaceBeforeEmail", "ignore", false },
	{ "receive.fsck.multipleAuthors", "ignore", false },
	{ "receive.fsck.zeroPaddedFilemode", "ignore", false },
	{ "receive.hideRefs", "refs/releases", false },
	{ "receive.maxInputSize", "2g", true },
	{ "receive.shallowUpdate", "true", false },
};

#define NR_SETTINGS (sizeof(settings) / sizeof(settings[0]))

/* Extensions of git's formats that slugpack's libgit2 can read. */
static const char *const extensions[] = {
	"extensions.noop true",
	"extensions.objectformat sha1",
};

static int check_extension(const char *path, const char *line)
{
	size_t i;

	for (i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		if (!strcasecmp(extensions[i], line))
			return 0;
	if (!strcmp(line, "extensions.objectformat sha256"))
		return err_set(ERR_INVALID,
			       "%s names its objects by SHA-256; slugd can "
			       "read repositories of SHA-1 only",
			       path);
	return err_set(ERR_INVALID,
		       "%s has an extension of git's format that slugd cannot "
		       "read: %s",
		       path, line);
}

/* Asked of the file: git itself may refuse the repository because of them. */
static int check_extensions(const char *path)
{
	char *file = xasprintf("%s/config", path), *out = NULL;
	char *save = NULL, *line;
	bool has = false;
	int rc = REPO_ASK(path, &has, &out, "config", "--file", file,
			  "--get-regexp", "^extensions\\.");

	if (!rc && has)
		for (line = strtok_r(out, "\n", &save); line && !rc;
		     line = strtok_r(NULL, "\n", &save))
			rc = check_extension(path, line);
	free(out);
	free(file);
	return rc;
}

/*
 * Is it ours, and can nobody else change it, or put another in its place?
 * Asked before git looks into it.
 */
static int check_owner(const char *path, const char *dir)
{
	struct stat st;
	int rc;

	if (lstat(path, &st))
		return err_sys("%s", path);
	if (st.st_uid != geteuid())
		return err_set(ERR_INVALID,
			       "%s belongs to user %u, and slugd runs as user "
			       "%u; give it to that one with chown -R first",
			       path, st.st_uid, geteuid());
	rc = safe_path_check(path, dir, geteuid());
	return rc ? rc : safe_repo_check(path, geteuid());
}

/* Is it a bare repository? git dies with 128 of one that it cannot read. */
static int check_kind(const char *path)
{
	static const char *const args[] = { "rev-parse", "--is-bare-repository",
					    NULL };
	struct proc_end end = { .code = -1 };
	const struct repo_git g = { .path = path, .args = args, .end = &end };
	char *out = NULL, *why;
	int rc = repo_git_run(&g, &out, NULL);

	if (rc && end.code == 128) {
		why = xstrdup(err_msg());
		rc = err_set(ERR_INVALID, "%s is not a git repository (%s)",
			     path, why);
		free(why);
	} else if (!rc && strcmp(out, "true\n") != 0) {
		rc = err_set(ERR_INVALID,
			     "%s is not a bare repository; make one of it "
			     "with: git clone --mirror",
			     path);
	}
	free(end.said);
	free(out);
	return rc;
}

/* Can slugd work with the repository at path? */
static int check_repo(const char *path, const char *dir, bool chain)
{
	struct alternates a = { .n = 0 };
	int rc = check_owner(path, dir);

	if (!rc)
		rc = check_extensions(path);
	if (!rc)
		rc = check_kind(path);
	if (!rc)
		rc = alternates_find(&a, path);
	if (!rc)
		rc = repo_hooks_are_free(path, chain);
	alternates_clear(&a);
	return rc;
}

/*
 * The socket as the repository knows it: where both lie in dir, slugd's
 * folder, from there, so that the folder can be moved. Caller frees.
 */
static char *repo_socket(const char *path, const char *dir, const char *socket)
{
	size_t len = strlen(dir);
	const char *p;
	char *up = NULL;

	if (strncmp(path, dir, len) != 0 || path[len] != '/' ||
	    strncmp(socket, dir, len) != 0 || socket[len] != '/')
		return xstrdup(socket);
	for (p = path + len; *p; p++)
		if (*p == '/')
			str_replace(&up, xasprintf("../%s", up ? up : ""));
	str_replace(&up, xasprintf("%s%s", up, socket + len + 1));
	return up;
}

static int set(const char *path, size_t i)
{
	const char *key = settings[i].key, *value = settings[i].value;

	bool has = false;
	int rc = 0;

	if (settings[i].free)
		rc = REPO_ASK(path, &has, NULL, "config", "--get", key);
	if (rc || has)
		return rc;
	return REPO_GIT(path, NULL, "config", "--replace-all", key, value);
}

/*
 * git syncs nothing of what init writes, and who cloned it did not either. An
 * app that is recorded must not lose its repository to a power cut.
 */
static int make_durable(const char *path)
{
	char *objects = xasprintf("%s/objects", path);
	struct stat top, below;
	int rc = repo_sync(path, NULL, NULL);

	if (!rc && (stat(path, &top) || stat(objects, &below)))
		rc = err_sys("%s", objects);
	if (!rc && top.st_dev != below.st_dev)
		rc = repo_sync(objects, NULL, NULL);
	free(objects);
	return rc;
}

static int set_up(const char *path, const char *app, const char *dir,
		  const char *socket, bool chain)
{
	char *sock = xasprintf("%s/slugd.sock", path);
	char *to = repo_socket(path, dir, socket);
	struct alternates a = { .n = 0 };
	size_t i;
	int rc;

	rc = alternates_find(&a, path);
	if (!rc)
		rc = alternates_record(&a, path);
	if (!rc)
		rc = repo_hooks_install(path, chain);
	if (!rc)
		rc = repo_link(to, sock);
	for (i = 0; i < NR_SETTINGS && !rc; i++)
		rc = set(path, i);
	if (!rc)
		rc = REPO_GIT(path, NULL, "config", "slugd.app", app);
	if (!rc)
		rc = REPO_GIT(path, NULL, "config", "slugd.socket", to);
	if (!rc)
		rc = make_durable(path);
	alternates_clear(&a);
	free(to);
	free(sock);
	return rc;
}

int repo_adopt(const char *path, const char *app, const char *dir,
	       const char *socket, bool chain, bool *fresh)
{
	int rc = safe_path_check_parent(path, dir, geteuid());

	/* Of two that would make it, one does. */
	*fresh = false;
	if (rc)
		return rc;
	if (!mkdir(path, 0755)) {
		*fresh = true;
		rc = REPO_GIT(path, NULL, "init", "-q", "--bare",
			      "--template=", "--initial-branch=master");
	} else if (errno == EEXIST) {
		rc = check_repo(path, dir, chain);
	} else {
		rc = err_sys("%s", path);
	}
	if (!rc)
		rc = set_up(path, app, dir, socket, chain);
	if (rc && *fresh)
		repo_remove(path);
	return rc;
}

int repo_renew(const char *path, const char *app, const char *dir,
	       const char *socket)
{
	int rc = check_owner(path, dir);

	if (!rc)
		rc = repo_hooks_are_free(path, false);
	return rc ? rc : set_up(path, app, dir, socket, false);
}

/* The last value of key in the output of git config --list --null. */
static const char *find_setting(const char *list, size_t len, const char *key)
{
	const char *p, *found = NULL;
	size_t n = strlen(key);

	for (p = list; p < list + len; p += strlen(p) + 1)
		if (!strncasecmp(p, key, n) && p[n] == '\n')
			found = p + n + 1;
	return found;
}

struct settings_check {
	char *list;
	size_t len;
	repo_finding_fn fn;
	void *ctx;
};

/* wanted: NULL where any value is good. */
static void check_setting(const struct settings_check *c, const char *key,
			  const char *wanted)
{
	const char *value = find_setting(c->list, c->len, key);
	char *line;

	if (value && (!wanted || !strcmp(value, wanted)))
		return;
	line = value ? xasprintf("its setting %s is %s, not %s", key, value,
				 wanted)
		     : xasprintf("its setting %s is missing", key);
	c->fn(c->ctx, line, true);
	free(line);
}

static void check_settings(const char *path, const char *app,
			   const char *socket, repo_finding_fn fn, void *ctx)
{
	struct settings_check c = { .fn = fn, .ctx = ctx };
	size_t i;

	if (repo_git_bytes(path, &c.list, &c.len,
			   (const char *const[]){ "config", "--list", "--null",
						  NULL })) {
		fn(ctx, err_msg(), false);
	} else {
		for (i = 0; i < NR_SETTINGS; i++)
			check_setting(&c, settings[i].key,
				      settings[i].free ? NULL
						       : settings[i].value);
		check_setting(&c, "core.hooksPath", "slugd.hooks");
		check_setting(&c, "slugd.app", app);
		check_setting(&c, "slugd.socket", socket);
	}
	free(c.list);
}

static void check_alternates(const char *path, repo_finding_fn fn, void *ctx)
{
	struct alternates now, then;
	bool same;
	int i;

	alternates_recorded(&then, path);
	if (alternates_find(&now, path)) {
		fn(ctx, err_msg(), false);
	} else {
		same = now.n == then.n;
		for (i = 0; i < now.n && same; i++)
			same = !strcmp(now.v[i], then.v[i]);
		if (!same)
			fn(ctx, "objects/info/alternates has changed", true);
	}
	alternates_clear(&now);
	alternates_clear(&then);
}

/* Is HEAD or config torn? Then there is no more to be asked. */
static bool check_torn(const char *path, repo_finding_fn fn, void *ctx)
{
	struct repo_torn torn;
	char *line;

	if (repo_find_torn(path, &torn)) {
		fn(ctx, err_msg(), false);
		return true;
	}
	if (!torn.head && !torn.config)
		return false;
	line = repo_torn_words(&torn);
	fn(ctx, line, true);
	free(line);
	return true;
}

/* Does git take it for a repository, and slugd for one that it can read? */
static bool check_readable(const char *path, repo_finding_fn fn, void *ctx)
{
	if (check_torn(path, fn, ctx))
		return false;
	if (!check_extensions(path) && !check_kind(path))
		return true;
	fn(ctx, err_msg(), false);
	return false;
}

void repo_check(const char *path, const char *app, const char *dir,
		const char *socket, repo_finding_fn fn, void *ctx)
{
	char *sock = xasprintf("%s/slugd.sock", path);
	char *to = repo_socket(path, dir, socket);

	if (access(path, F_OK)) {
		char *line = xasprintf("its repository %s is gone", path);

		fn(ctx, line, true);
		free(line);
	} else if (check_owner(path, dir)) {
		fn(ctx, err_msg(), false);
	} else if (check_readable(path, fn, ctx)) {
		repo_hooks_check(path, fn, ctx);
		if (!repo_is_link(sock, to))
			fn(ctx, "its link slugd.sock does not lead to slugd",
			   true);
		check_settings(path, app, to, fn, ctx);
		check_alternates(path, fn, ctx);
	}
	free(to);
	free(sock);
}
