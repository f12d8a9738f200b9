/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "command.h"
#include "err.h"
#include "mem.h"
#include "release-name.h"
#include "text.h"

/* What slugd went back to: its own word, else as asked. Caller frees. */
static char *target_of(const struct change *c, const char *asked)
{
	static const char prefix[] = "Rollback to ";
	const char *text = json_str(c->answer, "description", "");

	if (c->target)
		return xstrdup(c->target);
	if (!strncmp(text, prefix, strlen(prefix)))
		return text_escape(text + strlen(prefix));
	return text_escape(asked);
}

/* Heroku's line, and on standard error how to undo it, for the same app. */
static void say(const struct heroku *h, const struct change *c,
		const char *target)
{
	const char *given = h->app ? h->app : h->remote;
	const char *option = h->app ? " -a " : h->remote ? " -r " : "";
	char *word = given ? text_shell_word(given) : NULL;
	char *safe = word ? text_escape(word) : NULL;

	printf("Rolled back to %s\n", target);
	fflush(stdout);
	if (c->before)
		fprintf(stderr, " !    To undo: git heroku rollback%s%s %s\n",
			option, safe ? safe : "", c->before);
	free(safe);
	free(word);
}

static int roll_back(struct heroku *h, const char *asked)
{
	char *path = heroku_path(h, "/releases"), *target = NULL;
	json_t *body =
		json_pack("{s:s, s:s*}", "release", asked, "only", h->only);
	struct change c = { .method = "POST", .path = path, .body = body };
	int rc;

	rc = body ? change_send(h, &c)
		  : err_set(ERR_INVALID, "The release's name is not UTF-8.");
	if (rc && !c.release)
		goto done;
	target = target_of(&c, asked);
	if (rc)
		err_prefix(rc, "Release %s (rollback to %s) failed", c.release,
			   target);
	else
		say(h, &c, target);
done:
	change_release(&c);
	json_decref(body);
	free(target);
	free(path);
	return rc;
}

static int run(struct heroku *h)
{
	char *name = NULL;
	int rc;

	/* Which release "previous" is, slugd decides. */
	rc = release_name(&name, h->nr_args ? h->args[0] : "previous");
	if (!rc)
		rc = heroku_connect(h);
	if (!rc)
		rc = roll_back(h, name);
	free(name);
	return rc;
}

const struct command cmd_rollback = {
	.name = "rollback",
	.args = "[vN]",
	.help = "go back to the last good release, or another",
	.example = "rollback v40",
	.words = "releases",
	.options = "arGC",
	.max_args = 1,
	.run = run,
};
