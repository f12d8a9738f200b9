/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "adopt.h"
#include "ctl.h"
#include "err.h"

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
