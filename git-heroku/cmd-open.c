/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "err.h"
#include "mem.h"
#include "proc.h"
#include "standard.h"
#include "text.h"

/* Somebody looks, and there is a display that a browser can be seen on. */
static bool can_show(void)
{
	const char *x11 = getenv("DISPLAY"),
		   *wayland = getenv("WAYLAND_DISPLAY");

	return isatty(STDOUT_FILENO) &&
	       ((x11 && *x11) || (wayland && *wayland));
}

static int show(const char *url)
{
	const char *argv[] = { "xdg-open", url, NULL };
	struct proc_spec spec = { .argv = argv };

	pid_t pid;
	int rc = proc_spawn(&pid, &spec);

	return rc ? rc : proc_wait(pid, argv[0]);
}

/* The app's address with the path behind it. Caller frees. */
static char *address(const char *url, const char *path)
{
	size_t len = strlen(url);

	while (len && url[len - 1] == '/')
		len--;
	path += *path == '/';
	return xasprintf("%.*s/%s", (int)len, url, path);
}

static int run(struct heroku *h)
{
	char *url = NULL, *safe = NULL;
	json_t *app = NULL;
	const char *web, *idle;
	int rc = heroku_connect(h);

	if (!rc)
		rc = heroku_get(h, &app, "%s", "");
	if (rc)
		goto done;
	web = json_str(app, "web_url", NULL);
	if (!web) {
		idle = json_str(app, "idle", "No web process of it runs.");
		rc = err_set(ERR_FAILED, "%s has no address. %s", h->name,
			     idle);
		goto done;
	}
	url = address(web, h->nr_args ? h->args[0] : "");
	safe = text_escape(url);
	puts(safe);
	rc = standard_flush();
	if (!rc && can_show())
		rc = show(url);
done:
	json_decref(app);
	free(safe);
	free(url);
	return rc;
}

const struct command cmd_open = {
	.name = "open",
	.args = "[PATH]",
	.help = "print the app's URL, and open it in a browser",
	.example = "open /articles",
	.options = "ar",
	.max_args = 1,
	.run = run,
};
