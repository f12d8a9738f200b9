/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "clock.h"
#include "ctl-fences.h"
#include "ctl.h"
#include "err.h"
#include "fence.h"
#include "mem.h"
#include "text.h"

#define ANSWER_MS 10000 /* for a slugrun to say how it is */

/* What the app's slugs take in the store, of the answer of /slugs. */
static int64_t stored(const json_t *sizes, const char *app)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(sizes, "apps"), i, one)
		if (!strcmp(app,
			    json_str(json_object_get(one, "app"), "name", "")))
			return json_int(one, "stored", 0);
	return 0;
}

/* The version that the app's slugrun runs; 0 where there is none. */
static int64_t running(const struct ctl *ctl, const char *app)
{
	char *path = xasprintf("%s/apps/%s/slugrun.sock", ctl->dir, app);
	struct client *c = NULL;
	json_t *state = NULL;
	int64_t version = 0;

	if (!client_open(&c, path)) {
		client_set_timeout(c, ANSWER_MS);
		if (!client_call(c, "GET", "/", NULL, &state))
			version = json_int(state, "version", 0);
	}
	json_decref(state);
	client_free(c);
	free(path);
	return version;
}

/* "running", in words. Caller frees. */
static char *state_of(const struct ctl *ctl, const json_t *app,
		      const json_t *current, bool launches)
{
	int64_t version = json_int(current, "version", 0), now;

	if (!json_is_object(json_object_get(current, "slug")))
		return xstrdup("nothing pushed");
	if (!launches)
		return xstrdup("recorded");
	now = running(ctl, json_str(app, "name", ""));
	if (now == version && json_str(app, "idle", NULL))
		return xstrdup("nothing runs");
	if (now == version)
		return xstrdup("running");
	return now ? xasprintf("running v%" PRId64, now) : xstrdup("down");
}

static int show_app(const struct ctl *ctl, struct client *c, const json_t *app,
		    const json_t *sizes, bool launches)
{
	const char *name = json_str(app, "name", "");
	int64_t bytes = json_int(app, "slug_size", -1);
	char *path = xasprintf("/apps/%s/releases/current", name);
	char *size = bytes < 0 ? xstrdup("") : text_size((uint64_t)bytes);
	char *all = bytes < 0 ? xstrdup("")
			      : text_size((uint64_t)stored(sizes, name));
	char *version = NULL, *state = NULL;
	json_t *current = NULL;
	int rc = client_call(c, "GET", path, NULL, &current);

	if (rc && rc != ERR_NOTFOUND)
		goto done;
	version = rc ? xstrdup("")
		     : xasprintf("v%" PRId64, json_int(current, "version", 0));
	state = state_of(ctl, app, current, launches);
	rc = 0;
	printf("%-20s  %-7s  %-14s  %-8s  %-8s  %s\n", name, version, state,
	       size, all, json_str(app, "web_url", ""));
done:
	json_decref(current);
	free(state);
	free(version);
	free(size);
	free(all);
	free(path);
	return rc;
}

/* "2 apps, slugs of 1.2GB, stored in 40.3MB" */
static void show_sum(size_t n, const json_t *sizes)
{
	char *logical = text_size((uint64_t)json_int(sizes, "logical", 0));
	char *size = text_size((uint64_t)json_int(sizes, "stored", 0));

	printf("%zu app%s, slugs of %s, stored in %s\n", n, n == 1 ? "" : "s",
	       logical, size);
	free(logical);
	free(size);
}

static int show_apps(const struct ctl *ctl, struct client *c, bool launches)
{
	json_t *apps = NULL, *sizes = NULL, *app;
	size_t i, n;
	int rc = client_call(c, "GET", "/apps", NULL, &apps);

	n = json_array_size(apps);
	if (!rc)
		rc = client_call(c, "GET", "/slugs", NULL, &sizes);
	if (!rc)
		show_sum(n, sizes);
	if (!rc && n)
		printf("\n%-20s  %-7s  %-14s  %-8s  %-8s  %s\n", "App",
		       "Release", "State", "Slug", "Stored", "Address");
	json_array_foreach(apps, i, app) {
		if (!rc)
			rc = show_app(ctl, c, app, sizes, launches);
	}
	json_decref(apps);
	json_decref(sizes);
	return rc;
}

static void show_slugd(const json_t *root)
{
	char when[TEXT_TIME_SIZE];
	int64_t started = 0;

	text_parse_iso(&started, json_str(root, "started_at", ""));
	text_when(when, started, clock_now());
	printf("slugd %s in %s\npid %" PRId64 ", started %s, driver %s\n",
	       json_str(root, "version", ""), json_str(root, "directory", ""),
	       json_int(root, "pid", 0), when, json_str(root, "driver", ""));
}

/* What leads requests to apps, and what of that does not work. */
static void show_route(const json_t *route)
{
	json_t *problem;
	size_t i;

	if (!json_is_object(route))
		return;
	if (strcmp(json_str(route, "driver", ""), "haproxy") != 0)
		printf("route: direct (%s): a hand-over may break kept "
		       "connections\n",
		       json_str(route, "reason", ""));
	else if (json_int(route, "pid", 0))
		printf("route: haproxy %s, pid %" PRId64 "\n",
		       json_str(route, "version", ""),
		       json_int(route, "pid", 0));
	else
		printf("route: haproxy %s, which does not run\n",
		       json_str(route, "version", ""));
	json_array_foreach(json_object_get(route, "problems"), i, problem)
		printf("route: %s\n", json_string_value(problem));
}

/* What slugd found of repositories. */
static void show_problems(const json_t *root)
{
	json_t *problem;
	size_t i;

	json_array_foreach(json_object_get(root, "problems"), i, problem)
		puts(json_string_value(problem));
}

/* Of what reads a push and unpacks a slug; they run where this does. */
static void show_fence(void)
{
	char *live = fence_live();

	printf("sandbox: %s\n", live);
	free(live);
}

int ctl_status(const struct ctl *ctl)
{
	struct client *c = NULL;
	json_t *root = NULL;
	int rc = client_open(&c, ctl->socket);

	if (rc == ERR_UNAVAILABLE) {
		printf("slugd is not running: nothing answers at %s\n",
		       ctl->socket);
		return CTL_EXIT_DOWN;
	}
	if (!rc)
		rc = client_call(c, "GET", "/", NULL, &root);
	if (!rc) {
		show_slugd(root);
		show_fence();
		if (strcmp(json_str(root, "driver", ""), "none") != 0)
			ctl_show_fences(ctl);
		show_route(json_object_get(root, "route"));
		show_problems(root);
		rc = show_apps(ctl, c,
			       strcmp(json_str(root, "driver", ""), "none") !=
				       0);
	}
	json_decref(root);
	client_free(c);
	return rc;
}
