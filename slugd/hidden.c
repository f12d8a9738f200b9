/* SPDX-License-Identifier: ISC */
#include "hidden.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "aliases.h"
#include "configs.h"
#include "err.h"
#include "slugd.h"

#define NR(table) (sizeof(table) / sizeof((table)[0]))

/* Some accounts live there; without it no program would run. */
static bool is_systems(const char *path)
{
	static const char *const folders[] = {
		"/",     "/bin", "/boot", "/dev", "/etc",   "/lib", "/lib64",
		"/proc", "/run", "/sbin", "/sys", "/usr",   "/var", "/opt",
		"/app",  "/tmp", "/mnt",  "/srv", "/media",
	};
	size_t i;

	for (i = 0; i < NR(folders); i++)
		if (!strcmp(path, folders[i]))
			return true;
	return !strncmp(path, "/usr/", 5);
}

/* What is not there, or a folder of the system's, is left out. */
static int add(json_t *list, const char *path)
{
	char *real = path ? realpath(path, NULL) : NULL;

	if (path && !real && errno != ENOENT && errno != ENOTDIR &&
	    errno != EACCES)
		return err_sys("%s", path);
	if (real && !is_systems(real))
		json_array_append_new(list, json_string(real));
	free(real);
	return 0;
}

/* What it is by the environment, and by the list of users. */
static int add_homes(const struct slugd *d, json_t *list)
{
	struct passwd pw, *found = NULL;
	char text[4096];
	const char *home = getenv("HOME");
	int rc = home && *home == '/' ? add(list, home) : 0;

	if (rc)
		return rc;
	errno = getpwuid_r(d->uid, &pw, text, sizeof(text), &found);
	if (errno && errno != ENOENT && errno != ESRCH)
		return err_sys("the home folder of user %u", d->uid);
	return found ? add(list, pw.pw_dir) : 0;
}

/* In a file of /etc such secrets are for slugd's account alone to read. */
static int add_settings(const struct slugd *d, json_t *list)
{
	const struct config *c = d->config;
	char *ini = configs_path(d);
	int rc = add(list, ini);
	size_t i;

	for (i = 0; !rc && i < c->nr_addons; i++)
		rc = add(list, c->addons[i].file);
	free(ini);
	return rc;
}

static int add_repositories(const struct slugd *d, json_t *list)
{
	struct app **v = NULL;
	size_t n = 0, len = strlen(d->dir), i;
	int rc = ledger_apps(d->ledger, &v, &n);

	for (i = 0; !rc && i < n; i++)
		if (strncmp(v[i]->repo, d->dir, len) != 0 ||
		    v[i]->repo[len] != '/')
			rc = add(list, v[i]->repo);
	apps_free(v, n);
	return rc;
}

int hidden_paths(const struct slugd *d, json_t **out)
{
	json_t *list = json_array();
	int rc = add_homes(d, list);

	/* slugrun hides it in any case, but not where it is a second time. */
	if (!rc)
		rc = add(list, d->dir);
	if (!rc)
		rc = add_settings(d, list);
	if (!rc)
		rc = add_repositories(d, list);
	if (!rc)
		rc = aliases_add(list);
	if (rc)
		json_decref(list);
	else
		*out = list;
	return rc;
}
