/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adopt.h"
#include "client.h"
#include "ctl.h"
#include "err.h"
#include "mem.h"
#include "names.h"
#include "repo.h"

/* Where the app's repository is, or will be, as an absolute path. */
static int repo_path(const struct ctl *ctl, char **out)
{
	char *cwd;

	if (ctl->argc < 2) {
		*out = xasprintf("%s/repos/%s.git", ctl->dir, ctl->argv[0]);
		return 0;
	}
	*out = realpath(ctl->argv[1], NULL);
	if (*out)
		return 0;
	if (errno != ENOENT)
		return err_sys("%s", ctl->argv[1]);
	if (*ctl->argv[1] == '/') {
		*out = xstrdup(ctl->argv[1]);
		return 0;
	}
	cwd = getcwd(NULL, 0);
	if (!cwd)
		return err_sys("working folder");
	*out = xasprintf("%s/%s", cwd, ctl->argv[1]);
	free(cwd);
	return 0;
}

/* Is the name or the repository an app's already? Asked before changes. */
static int check_free(struct client *c, const char *name, const char *repo)
{
	json_t *apps = NULL, *app;
	size_t i;
	int rc = client_call(c, "GET", "/apps", NULL, &apps);

	json_array_foreach(apps, i, app) {
		if (!strcmp(json_str(app, "name", ""), name))
			rc = err_set(ERR_CONFLICT, "Name %s is already taken",
				     name);
		else if (!strcmp(json_str(app, "git_url", ""), repo))
			rc = err_set(ERR_CONFLICT,
				     "%s is the repository of app %s", repo,
				     json_str(app, "name", ""));
	}
	json_decref(apps);
	return rc;
}

/* An adopted repository may have what a push would bring. */
static void tell_next(struct client *c, const char *repo)
{
	json_t *root = NULL, *branch;
	size_t i;

	if (client_call(c, "GET", "/", NULL, &root))
		return;
	json_array_foreach(json_object_get(root, "deploy_branches"), i,
			   branch) {
		char *ref =
			xasprintf("refs/heads/%s", json_string_value(branch));
		bool missing = true;

		if (!repo_ref_is_at(repo, ref, NAME_ZERO_OID, &missing) &&
		    !missing)
			fprintf(stderr,
				"It has %s already. The next push to that is "
				"deployed; to deploy it as it is, in a "
				"clone: git heroku deploy %s\n",
				ref + strlen("refs/heads/"),
				ref + strlen("refs/heads/"));
		free(ref);
	}
	json_decref(root);
}

int ctl_init(const struct ctl *ctl)
{
	const char *name = ctl->argv[0];
	struct client *c = NULL;
	json_t *body = NULL;
	char *repo = NULL;
	bool fresh = false;
	int lock = -1, rc = name_check_app(name);

	if (!rc)
		rc = repo_path(ctl, &repo);
	if (!rc)
		rc = client_open(&c, ctl->socket);
	if (!rc)
		rc = ctl_lock(ctl, &lock);
	if (!rc)
		rc = check_free(c, name, repo);
	if (!rc)
		rc = ctl_become_owner(ctl);
	if (!rc)
		rc = repo_adopt(repo, name, ctl->dir, ctl->socket, ctl->option,
				&fresh);
	if (rc)
		goto done;
	body = json_pack("{s:s, s:s}", "name", name, "repository", repo);
	if (!body)
		rc = err_set(ERR_INVALID, "%s: the path is not UTF-8", repo);
	else
		rc = client_call(c, "POST", "/apps", body, NULL);
	if (rc && fresh)
		repo_remove(repo);
	if (rc)
		goto done;
	if (!fresh)
		tell_next(c, repo);
	puts(repo);
done:
	if (lock >= 0)
		close(lock);
	json_decref(body);
	client_free(c);
	free(repo);
	return rc;
}
