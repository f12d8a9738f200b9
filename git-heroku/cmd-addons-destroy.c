/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "command.h"
#include "err.h"
#include "mem.h"
#include "show.h"
#include "text.h"

/* The words of Heroku's client of the time; not an error yet. */
static void warn(const char *app)
{
	fprintf(stderr,
		" !    WARNING: Destructive Action\n"
		" !    This command will affect the app: %s\n"
		" !    To proceed, type \"%s\" or re-run this command with "
		"--confirm %s\n\n",
		app, app, app);
	fflush(stderr);
}

/* Does the user, typing the app's name, mean it? */
static int ask(const char *app)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int rc = 0;

	warn(app);
	fputs("> ", stdout);
	fflush(stdout);
	len = getline(&line, &size, stdin);
	if (len < 0 || !isatty(STDIN_FILENO))
		putchar('\n');
	if (len >= 0)
		line[strcspn(line, "\r\n")] = '\0';
	if (len < 0 || strcmp(line, app))
		rc = err_set(ERR_INVALID,
			     "Confirmation did not match %s. Aborted.", app);
	free(line);
	return rc;
}

static int confirm(const struct heroku *h)
{
	if (!h->confirm)
		return ask(h->name);
	if (strcmp(h->confirm, h->name))
		return err_set(ERR_INVALID,
			       "Confirmed app %s did not match the selected "
			       "app %s.",
			       h->confirm, h->name);
	return 0;
}

static int destroy(struct heroku *h, const char *name)
{
	char *segment = client_path_segment(name), *price;
	char *path = heroku_path(h, "/addons/%s", segment);
	struct change c = { .method = "DELETE", .path = path };
	json_t *addon = NULL;
	int rc;

	/* One that is not there is not worth a question. */
	rc = heroku_get(h, &addon, "/addons/%s", segment);
	if (!rc)
		rc = confirm(h);
	if (!rc)
		rc = change_make(h, &c, "Removing %s from %s", name, h->name);
	if (rc)
		goto done;
	price = show_price(addon);
	printf(" done, %s (%s)\n", c.release ? c.release : "nothing changed",
	       price);
	free(price);
done:
	change_release(&c);
	json_decref(addon);
	free(path);
	free(segment);
	return rc;
}

static int run(struct heroku *h)
{
	int rc = heroku_connect(h);

	if (!rc)
		rc = destroy(h, h->args[0]);
	return rc;
}

const struct command cmd_addons_destroy = {
	.name = "addons:destroy",
	.args = "NAME",
	.help = "remove an add-on from the app",
	.example = "addons:destroy memcachier --confirm myapp",
	.words = "addons",
	.options = "arc",
	.min_args = 1,
	.max_args = 1,
	.missing = "Must specify an add-on's NAME.",
	.run = run,
};
