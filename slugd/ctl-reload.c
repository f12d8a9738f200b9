/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "clock.h"
#include "config.h"
#include "ctl.h"
#include "err.h"
#include "mem.h"
#include "text.h"

#define WAIT_MS 10000

static void show_mistake(void *ctx, const char *line)
{
	char *safe = text_escape(line);

	(void)ctx;
	puts(safe);
	free(safe);
}

/*
 * Which file slugd reads (caller frees; NULL: none is there), and how often
 * it has.
 */
static int ask(struct client *c, char **path, int64_t *reads)
{
	json_t *root = NULL, *configuration;
	const char *name;
	int rc = client_call(c, "GET", "/", NULL, &root);

	if (rc)
		return rc;
	configuration = json_object_get(root, "configuration");
	name = json_str(configuration, "path", NULL);
	*reads = json_int(configuration, "reads", -1);
	str_replace(path, name ? xstrdup(name) : NULL);
	json_decref(root);
	return 0;
}

/* Wait until slugd has read it once more. */
static int wait_for(struct client *c, char **path, int64_t before)
{
	const struct timespec tick = { .tv_nsec = 20000000 };
	int64_t until = clock_mono_ms() + WAIT_MS, reads = before;
	int rc = 0;

	while (!rc && reads == before && clock_mono_ms() < until) {
		nanosleep(&tick, NULL);
		rc = ask(c, path, &reads);
	}
	if (!rc && reads == before)
		rc = err_set(ERR_FAILED, "slugd did not read its configuration "
					 "again; its log may say why");
	return rc;
}

int ctl_reload(const struct ctl *ctl)
{
	struct config *config = NULL;
	struct client *c = NULL;
	char *path = NULL;
	int64_t reads = 0;
	int pidfd = -1, rc;

	rc = client_open(&c, ctl->socket);
	if (rc == ERR_UNAVAILABLE)
		rc = err_set(rc, "slugd is not running: nothing answers at %s",
			     ctl->socket);
	if (!rc)
		rc = ask(c, &path, &reads);
	if (rc)
		goto done;
	if (config_check(&config, path, show_mistake, NULL)) {
		rc = err_set(ERR_INVALID, "the configuration has mistakes: "
					  "slugd keeps the one that it has");
		goto done;
	}
	rc = ctl_signal_slugd(ctl, SIGHUP, &pidfd);
	if (!rc)
		rc = wait_for(c, &path, reads);
	if (!rc)
		printf("slugd in %s has read %s\n", ctl->dir,
		       path ? path : "its defaults: there is no slugd.ini");
done:
	if (pidfd >= 0)
		close(pidfd);
	config_free(config);
	client_free(c);
	free(path);
	return rc;
}
