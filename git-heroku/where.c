/* SPDX-License-Identifier: ISC */
#include "where.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "gitconfig.h"
#include "mem.h"
#include "proc.h"
#include "remote.h"

void where_release(struct where *w)
{
	free(w->app);
	free(w->socket);
	free(w->remote);
	*w = (struct where){ 0 };
}

/*
 * The folder from which git itself looks for a remote's relative path: the
 * work tree's top, or the bare repository. Caller frees.
 */
static int top_folder(char **out)
{
	static const char *const ask[2][4] = {
		{ "git", "rev-parse", "--show-toplevel", NULL },
		{ "git", "rev-parse", "--absolute-git-dir", NULL },
	};
	int i, rc = 0;

	for (i = 0; i < 2; i++) {
		struct proc_spec spec = { .argv = ask[i] };

		rc = proc_capture(out, NULL, &spec);
		if (rc)
			continue;
		(*out)[strcspn(*out, "\n")] = '\0';
		return 0;
	}
	return rc;
}

/*
 * The configuration of the repository at path, with the endings that git
 * tries too (gitrepository-layout(5)). Caller frees. Errors: ERR_INVALID where there is
 * none, ERR_SYSTEM where that cannot be seen.
 */
static int config_file(char **out, const char *path)
{
	static const char *const endings[] = { "/.git", "", ".git/.git",
					       ".git" };
	size_t i;
	int rc = 0;

	for (i = 0; i < sizeof(endings) / sizeof(endings[0]) && !rc; i++) {
		char *head = xasprintf("%s%s/HEAD", path, endings[i]);

		if (!access(head, F_OK))
			*out = xasprintf("%s%s/config", path, endings[i]);
		else if (errno != ENOENT && errno != ENOTDIR)
			rc = err_sys("%s", head);
		free(head);
		if (*out)
			return 0;
	}
	return rc ? rc
		  : err_set(ERR_INVALID, "there is no repository at %s", path);
}

static void take_slugd(void *ctx, const char *key, const char *value)
{
	struct where *w = ctx;

	if (!strcmp(key, "slugd.app"))
		str_replace(&w->app, xstrdup(value));
	else if (!strcmp(key, "slugd.socket"))
		str_replace(&w->socket, xstrdup(value));
}

/* A path from the folder of a repository's config, made one from here. */
static void from_folder_of(const char *config, char **path)
{
	size_t len = strlen(config) - strlen("/config");
	char *full = xasprintf("%.*s/%s", (int)len, config, *path);
	char *name = strrchr(full, '/'), *folder;

	*name++ = '\0';
	folder = realpath(full, NULL);
	str_replace(path, xasprintf("%s/%s", folder ? folder : full, name));
	free(folder);
	free(full);
}

/* The app whose repository lies at path; top is for a relative one. */
static int look_into(struct where *out, const char *path)
{
	char *top = NULL, *full = NULL, *file = NULL;
	int rc = 0;

	if (path[0] != '/')
		rc = top_folder(&top);
	if (rc)
		goto done;
	full = top ? xasprintf("%s/%s", top, path) : xstrdup(path);
	rc = config_file(&file, full);
	if (rc)
		goto done;
	rc = gitconfig_read(file, take_slugd, out);
	if (!rc && out->socket && *out->socket != '/')
		from_folder_of(file, &out->socket);
	if (!rc && (!out->app || !out->socket))
		rc = err_set(ERR_INVALID,
			     "the repository at %s is no app of slugd's; "
			     "make it one with: slugctl init APP %s",
			     full, full);
done:
	if (rc)
		where_release(out);
	free(file);
	free(full);
	free(top);
	return rc;
}

/* The app that a push to this remote goes to. */
static int ask_remote(struct where *out, const struct remotes *r,
		      const struct remote *remote)
{
	char *url = remote_push_url(r, remote);
	char *path = url ? remote_local_path(url) : NULL;
	int rc;

	if (path) {
		rc = look_into(out, path);
		if (!rc)
			out->remote = xstrdup(remote->name);
	} else if (url) {
		rc = err_set(ERR_INVALID, "%s is not a folder of this machine",
			     url);
	} else {
		rc = err_set(ERR_INVALID, "it has no URL");
	}
	free(path);
	free(url);
	return err_prefix(rc, "remote '%s'", remote->name);
}

static int ask_named(struct where *out, const struct remotes *r,
		     const char *name, const char *source)
{
	const struct remote *remote = remotes_find(r, name);

	if (!remote)
		return err_set(ERR_INVALID,
			       "There is no remote '%s' here (%s).", name,
			       source);
	return ask_remote(out, r, remote);
}

static int no_app(void)
{
	return err_set(ERR_NOTFOUND,
		       "No app specified.\n"
		       "Run this command from an app folder or specify which "
		       "app to use with --app APP.");
}

/*
 * The only app among all remotes, or the only slugd where the app is known;
 * two are an error that names them.
 */
static int ask_all(struct where *out, const struct remotes *r, bool known)
{
	char *names = xstrdup("");
	bool several = false;
	size_t i;
	int rc = 0;

	for (i = 0; i < r->nr; i++) {
		struct where w = { 0 };

		if (ask_remote(&w, r, &r->list[i]) || !w.app)
			continue;
		str_replace(&names,
			    xasprintf("%s%s%s (%s)", names, *names ? ", " : "",
				      r->list[i].name, w.app));
		if (!out->app) {
			*out = w;
			continue;
		}
		several = several || strcmp(out->socket, w.socket) ||
			  (!known && strcmp(out->app, w.app));
		where_release(&w);
	}
	if (!out->app)
		rc = no_app();
	else if (several)
		rc = err_set(ERR_INVALID,
			     "Multiple apps in folder and no %s specified.\n"
			     "Say which with --remote: %s.",
			     known ? "remote" : "app", names);
	if (rc)
		where_release(out);
	free(names);
	return rc;
}

static int from_remotes(struct where *out, const char *remote, bool known)
{
	struct remotes r = { 0 };
	int rc;

	rc = remotes_read(&r);
	if (rc)
		goto done;
	if (remote)
		rc = ask_named(out, &r, remote, "--remote");
	else if (r.preferred)
		rc = ask_named(out, &r, r.preferred,
			       "git config heroku.remote");
	else if (remotes_find(&r, "heroku"))
		rc = ask_named(out, &r, "heroku", "heroku");
	else
		rc = ask_all(out, &r, known);
done:
	remotes_release(&r);
	return rc;
}

/* Where no remote says which slugd is meant (rc), SLUGD_DIR may. */
static int or_by_folder(struct where *out, const char *remote, int rc)
{
	const char *dir = getenv("SLUGD_DIR");

	if (!rc || remote || !dir || !*dir)
		return rc;
	out->socket = xasprintf("%s/slugd.sock", dir);
	return 0;
}

int where_find(struct where *out, const char *app, const char *remote)
{
	int rc;

	if (app && !*app)
		return no_app();
	rc = from_remotes(out, remote, app != NULL);
	if (!app)
		return rc;
	rc = or_by_folder(out, remote, rc);
	if (rc == ERR_NOTFOUND)
		rc = err_set(rc,
			     "Cannot tell which slugd has the app %s.\n"
			     "Run this command from a folder that has a "
			     "remote of that slugd's, or set SLUGD_DIR to "
			     "slugd's folder.",
			     app);
	if (rc)
		return rc;
	if (out->app && strcmp(out->app, app))
		str_replace(&out->remote, NULL);
	str_replace(&out->app, xstrdup(app));
	return 0;
}

int where_find_server(struct where *out, const char *app, const char *remote)
{
	int rc;

	if (app)
		return where_find(out, app, remote);
	rc = or_by_folder(out, remote, from_remotes(out, remote, true));
	if (rc == ERR_NOTFOUND)
		rc = err_set(rc, "Cannot tell which slugd is meant.\n"
				 "Run this command from a folder that has a "
				 "remote of that slugd's, or set SLUGD_DIR to "
				 "slugd's folder.");
	return rc;
}
