/* SPDX-License-Identifier: ISC */
#include "alias.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define ADMIN_MAKES "The admin of the server makes apps: slugctl init APP."
#define NO_REMOVAL                                                             \
 "slugd keeps apps and their releases; git heroku ps:scale web=0 ends what "   \
 "runs."
#define NO_ACCOUNTS                                                            \
 "slugd has no accounts: whoever may push to the repository may use it."
#define NO_NAMES                                                               \
 "slugd gives an app one address, which git heroku info shows; a server in "   \
 "front of it adds names and certificates."
#define NO_BUILD   "slugd runs what was pushed as it is, without a build."
#define SYSTEM_LOG "git heroku logs --tail shows the log as it is written."
#define OWN_TOOLS                                                              \
 "git heroku config shows the add-on's address; use its own tools with that."
#define PUSH_INSTEAD "Push the code: git push heroku master."

const struct alias alias_table[] = {
	{ "addons:add", "addons:create", NULL },
	{ "addons:remove", "addons:destroy", NULL },
	{ "config:add", "config:set", NULL },
	{ "config:remove", "config:unset", NULL },
	{ "config:show", "config", NULL },
	{ "apps:info", "info", NULL },
	{ "apps:open", "open", NULL },
	{ "dyno:kill", "ps:stop", NULL },
	{ "dyno:restart", "ps:restart", NULL },
	{ "dyno:scale", "ps:scale", NULL },
	{ "dyno:stop", "ps:stop", NULL },
	{ "kill", "ps:stop", NULL },
	{ "log", "logs", NULL },
	{ "logs:tail", NULL, SYSTEM_LOG },
	{ "ps:kill", "ps:stop", NULL },
	{ "releases:rollback", "rollback", NULL },
	{ "restart", "ps:restart", NULL },
	{ "scale", "ps:scale", NULL },
	{ "stop", "ps:stop", NULL },

	{ "access:*", NULL, NO_ACCOUNTS },
	{ "addons:attach", NULL, "slugd's add-ons belong to one app each." },
	{ "addons:detach", NULL,
	  "git heroku addons:destroy removes an add-on." },
	{ "apps:create", NULL, ADMIN_MAKES },
	{ "apps:delete", NULL, NO_REMOVAL },
	{ "apps:destroy", NULL, NO_REMOVAL },
	{ "apps:rename", NULL, "An app of slugd keeps its name." },
	{ "auth:*", NULL, NO_ACCOUNTS },
	{ "authorizations:*", NULL, NO_ACCOUNTS },
	{ "buildpacks:*", NULL, NO_BUILD },
	{ "builds:*", NULL,
	  "git heroku releases:output shows what a build said." },
	{ "certs:*", NULL, NO_NAMES },
	{ "container:*", NULL, PUSH_INSTEAD },
	{ "create", NULL, ADMIN_MAKES },
	{ "delete", NULL, NO_REMOVAL },
	{ "destroy", NULL, NO_REMOVAL },
	{ "domains:*", NULL, NO_NAMES },
	{ "drains:*", NULL, SYSTEM_LOG },
	{ "dyno:resize", NULL, "slugd has one size of processes, 1X." },
	{ "git:clone", NULL,
	  "git clone works: git clone -o heroku REPOSITORY." },
	{ "git:remote", NULL,
	  "git remote add heroku REPOSITORY; slugctl init prints its path." },
	{ "keys:*", NULL, NO_ACCOUNTS },
	{ "local:*", NULL, "slugd runs what is pushed to it." },
	{ "login", NULL, NO_ACCOUNTS },
	{ "logout", NULL, NO_ACCOUNTS },
	{ "members:*", NULL, NO_ACCOUNTS },
	{ "pg:*", NULL, OWN_TOOLS },
	{ "pipelines:*", NULL,
	  "slugd has no pipelines: push the same commit to the other app." },
	{ "plugins:*", NULL, "git heroku has no plugins." },
	{ "ps:copy", NULL, "git heroku run cat FILE prints a file." },
	{ "ps:exec", NULL,
	  "git heroku run bash starts a shell beside the app." },
	{ "ps:resize", NULL, "slugd has one size of processes, 1X." },
	{ "ps:type", NULL, "slugd has one size of processes, 1X." },
	{ "redis:*", NULL, OWN_TOOLS },
	{ "rename", NULL, "An app of slugd keeps its name." },
	{ "resize", NULL, "slugd has one size of processes, 1X." },
	{ "run:inside", NULL,
	  "git heroku run bash starts a shell beside the app." },
	{ "sharing:*", NULL, NO_ACCOUNTS },
	{ "stack:*", NULL, "An app runs on what its server has installed." },
	{ "teams:*", NULL, NO_ACCOUNTS },
	{ "update", NULL, "The admin of the server updates slugd." },
	{ "whoami", NULL, NO_ACCOUNTS },
	{ NULL, NULL, NULL },
};

static bool is_it(const struct alias *a, const char *name)
{
	size_t topic = strcspn(a->name, "*");

	if (!a->name[topic])
		return !strcmp(a->name, name);
	/* The topic with its colon, or alone. */
	return !strncmp(a->name, name, topic) ||
	       (strlen(name) == topic - 1 &&
		!strncmp(a->name, name, topic - 1));
}

const struct alias *alias_find(const char *name)
{
	const struct alias *a = alias_table;

	while (a->name && !is_it(a, name))
		a++;
	return a->name ? a : NULL;
}
