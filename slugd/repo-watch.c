/* SPDX-License-Identifier: ISC */
#include "repo-watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adopt.h"
#include "clock.h"
#include "err.h"
#include "log.h"
#include "mem.h"
#include "repo-moved.h"
#include "repo.h"
#include "slugd.h"

#define PAUSE_MS (5 * 60 * 1000)

struct repo_watch {
	struct slugd *slugd;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	json_t *findings;
	bool watching, over;
};

/* What one look finds. */
struct look {
	const struct app *app;
	json_t *findings;
};

struct repo_watch *repo_watch_new(struct slugd *d)
{
	struct repo_watch *w = xcalloc(1, sizeof(*w));

	w->slugd = d;
	w->findings = json_array();
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	return w;
}

void repo_watch_free(struct repo_watch *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->over = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	if (w->watching)
		pthread_join(w->thread, NULL);
	json_decref(w->findings);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static void found(void *ctx, const char *line, bool mendable)
{
	struct look *look = ctx;
	char *s = xasprintf("app %s: %s%s%s", look->app->name, line,
			    mendable ? "; mend with: slugctl repair " : "",
			    mendable ? look->app->name : "");

	json_array_append_new(look->findings, json_str_or_null(s));
	free(s);
}

static void look_at(struct slugd *d, struct look *look)
{
	char *words;

	if (!access(look->app->repo, F_OK))
		repo_hooks_check(look->app->repo, found, look);
	else if (errno == ENOENT)
		found(look, "its repository is gone", true);
	words = repo_moved_tip(d->ledger, look->app);
	if (words)
		found(look, words, false);
	free(words);
}

static bool has(const json_t *list, const json_t *s)
{
	json_t *v;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		if (json_equal(v, s))
			return true;
	return false;
}

static void look_at_all(struct repo_watch *w)
{
	struct slugd *d = w->slugd;
	struct look look = { .findings = json_array() };
	struct app **v = NULL;
	json_t *line, *old;
	size_t n = 0, i;
	int rc;

	rc = ledger_apps(d->ledger, &v, &n);
	for (i = 0; i < n && !rc && !d->stopping; i++) {
		look.app = v[i];
		look_at(d, &look);
	}
	apps_free(v, n);
	if (rc) {
		/* What was found last still stands. */
		log_line("%s", err_msg());
		json_decref(look.findings);
		return;
	}
	pthread_mutex_lock(&w->lock);
	old = w->findings;
	w->findings = look.findings;
	pthread_mutex_unlock(&w->lock);
	json_array_foreach(look.findings, i, line)
		if (!has(old, line))
			log_line("%s", json_string_value(line));
	json_decref(old);
}

static void *watch(void *arg)
{
	struct repo_watch *w = arg;

	pthread_mutex_lock(&w->lock);
	while (!w->over) {
		struct timespec until;

		pthread_mutex_unlock(&w->lock);
		look_at_all(w);
		until = clock_deadline(PAUSE_MS);
		pthread_mutex_lock(&w->lock);
		while (!w->over &&
		       !pthread_cond_clockwait(&w->changed, &w->lock,
					       CLOCK_MONOTONIC, &until))
			;
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int repo_watch_start(struct repo_watch *w)
{
	if (pthread_create(&w->thread, NULL, watch, w))
		return err_set(ERR_SYSTEM, "cannot start a thread");
	w->watching = true;
	return 0;
}

json_t *repo_watch_findings(struct repo_watch *w)
{
	json_t *copy;

	pthread_mutex_lock(&w->lock);
	copy = json_deep_copy(w->findings);
	pthread_mutex_unlock(&w->lock);
	return copy;
}

/* Its repository is where slugctl makes it, in a folder that was moved. */
static void find_again(struct slugd *d, struct app *app)
{
	char *path = xasprintf("%s/repos/%s.git", d->dir, app->name);
	char *name = NULL;

	if (!access(app->repo, F_OK) || errno != ENOENT || access(path, F_OK) ||
	    repo_app(path, &name) || strcmp(name, app->name) != 0)
		goto done;
	if (ledger_app_move(d->writer, app, path, "slugd"))
		log_line("app=%s: %s", app->name, err_msg());
	else
		log_line("app=%s: its repository is %s now", app->name, path);
done:
	free(name);
	free(path);
}

void repo_watch_recover(struct slugd *d)
{
	struct app **v = NULL;
	size_t n = 0, i;

	if (ledger_apps(d->ledger, &v, &n))
		log_line("%s", err_msg());
	for (i = 0; i < n; i++) {
		find_again(d, v[i]);
		if (repo_hooks_are_old(v[i]->repo) &&
		    repo_renew(v[i]->repo, v[i]->name, d->dir, d->socket))
			log_line("app=%s: its hooks are of an older slugd, and "
				 "cannot be renewed: %s",
				 v[i]->name, err_msg());
	}
	apps_free(v, n);
}
