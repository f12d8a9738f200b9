/* SPDX-License-Identifier: ISC */
#include "repo-moved.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "mem.h"
#include "names.h"
#include "repo.h"

/* Does the app run that commit now, by git heroku deploy, say? */
static bool is_deployed(struct ledger *l, const struct app *app,
			const char *commit)
{
	struct release *r = NULL;
	bool is = !ledger_release_last(l, app->id, &r) && r->commit &&
		  !strcmp(r->commit, commit);

	release_free(r);
	return is;
}

char *repo_moved(struct ledger *l, const struct app *app, const char *ref,
		 const char *old)
{
	const char *branch = ref + strlen("refs/heads/");
	char *pushed_ref = NULL, *pushed = NULL, *words = NULL;

	if (ledger_last_pushed(l, app->id, &pushed_ref, &pushed) || !pushed ||
	    strcmp(ref, pushed_ref) != 0 || !strcmp(old, pushed) ||
	    is_deployed(l, app, old))
		goto done;
	if (!strcmp(old, NAME_ZERO_OID))
		words = xasprintf("%s was removed without slugd; %.7s was "
				  "deployed from it",
				  branch, pushed);
	else
		words = xasprintf("%s was moved from %.7s to %.7s without "
				  "slugd: %.7s was not deployed (git heroku "
				  "deploy does)",
				  branch, pushed, old, old);
done:
	free(pushed_ref);
	free(pushed);
	return words;
}

/* Does a push go on that may have moved the branch already? */
static bool has_intent(struct ledger *l, const struct app *app)
{
	struct intent *intent = NULL;
	int rc = ledger_intent(l, app->id, &intent);

	intent_free(intent);
	return rc != ERR_NOTFOUND;
}

char *repo_moved_tip(struct ledger *l, const struct app *app)
{
	char *ref = NULL, *pushed = NULL, *tip = NULL, *words = NULL;

	if (!has_intent(l, app) &&
	    !ledger_last_pushed(l, app->id, &ref, &pushed) && ref &&
	    !repo_ref_tip(app->repo, ref, &tip))
		words = repo_moved(l, app, ref, tip);
	/* It may have moved, and be on its way to a release, since then. */
	if (words && has_intent(l, app))
		str_replace(&words, NULL);
	free(tip);
	free(pushed);
	free(ref);
	return words;
}
