/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adopt.h"
#include "ctl.h"
#include "err.h"
#include "repo-mend.h"
#include "repo.h"
#include "safe-path.h"

/* HEAD and config, without which git takes it for no repository. */
static int mend_torn(const struct ctl *ctl, const struct app *app)
{
	struct config *config = NULL;
	struct repo_torn torn;
	char *ref = NULL;
	int rc = repo_find_torn(app->repo, &torn);

	if (rc == ERR_NOTFOUND || (!rc && !torn.head && !torn.config))
		return 0;
	if (!rc)
		rc = ctl_read_config(ctl, &config);
	if (!rc)
		rc = repo_mend(app->repo, ctl->dir, &torn,
			       config->deploy_branches, &ref);
	if (!rc && torn.config)
		printf("%s/config was %s: it has what slugd needs now, not "
		       "what was set by others\n",
		       app->repo, torn.config);
	if (!rc && ref)
		printf("%s/HEAD was %s, and points at %s now\n", app->repo,
		       torn.head, ref);
	config_free(config);
	free(ref);
	return rc;
}

/* The app's repository was moved to path: is it that one? */
static int take_moved(const struct ctl *ctl, struct ledger *l, struct app *app,
		      const char *path)
{
	char *real = realpath(path, NULL), *name = NULL;
	int rc;

	if (!real)
		return err_sys("%s", path);
	rc = safe_path_check(real, ctl->dir, geteuid());
	if (!rc)
		rc = safe_repo_check(real, geteuid());
	if (!rc)
		rc = repo_app(real, &name);
	if (rc && rc != ERR_NOTFOUND)
		; /* It says why. */
	else if (rc || strcmp(name, app->name) != 0)
		rc = err_set(ERR_INVALID,
			     "%s is not the repository of app %s: its setting "
			     "slugd.app says %s",
			     real, app->name, name ? name : "nothing");
	else
		rc = ledger_app_move(l, app, real, "slugctl");
	free(name);
	free(real);
	return rc;
}

/* As init, for an app that is there; slugd need not run. */
int ctl_repair(const struct ctl *ctl)
{
	struct ledger *l = NULL;
	struct app *app = NULL;
	bool fresh = false;
	int lock = -1, rc = ctl_become_owner(ctl);

	if (!rc)
		rc = ctl_lock(ctl, &lock);
	if (!rc)
		rc = ctl_open_ledger(ctl, &l);
	if (!rc)
		rc = ledger_app(l, ctl->argv[0], &app);
	if (!rc && ctl->argc > 1)
		rc = take_moved(ctl, l, app, ctl->argv[1]);
	if (!rc)
		rc = mend_torn(ctl, app);
	if (!rc)
		rc = repo_adopt(app->repo, app->name, ctl->dir, ctl->socket,
				ctl->option, &fresh);
	if (!rc && fresh)
		printf("%s was gone, and is a new one now: push to it what it "
		       "had\n",
		       app->repo);
	else if (!rc)
		printf("%s has its hooks and settings\n", app->repo);
	if (lock >= 0)
		close(lock);
	app_free(app);
	ledger_close(l);
	return rc;
}
