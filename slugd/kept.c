/* SPDX-License-Identifier: ISC */
#include "kept.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "err.h"
#include "jobs.h"
#include "log.h"
#include "mem.h"
#include "repo.h"
#include "slugd.h"

#define PAGE        100 /* a page is read under the lock of the ledger */
#define MAX_PAUSE_S 3600

struct job {
	struct slugd *slugd;
	char *app, *repo, *commit;
	int64_t app_id, version; /* version 0: all that are missing */
	int64_t pause;           /* seconds to wait, of a job that waits */
	bool failed;             /* something is still missing */
};

/* An app for which something failed. */
struct failure {
	int64_t app, pause; /* seconds */
	bool waiting;       /* a job is there that will try again */
	TAILQ_ENTRY(failure) link;
};

struct kept {
	pthread_mutex_t lock;
	TAILQ_HEAD(, failure) failures;
};

/* Which versions have their ref. */
struct set {
	bool *has; /* by version */
	size_t size;
};

static void job_free(struct job *job)
{
	free(job->app);
	free(job->repo);
	free(job->commit);
	free(job);
}

struct kept *kept_new(void)
{
	struct kept *k = xcalloc(1, sizeof(*k));

	pthread_mutex_init(&k->lock, NULL);
	TAILQ_INIT(&k->failures);
	return k;
}

void kept_free(struct kept *k)
{
	struct failure *f;

	if (!k)
		return;
	while ((f = TAILQ_FIRST(&k->failures))) {
		TAILQ_REMOVE(&k->failures, f, link);
		free(f);
	}
	pthread_mutex_destroy(&k->lock);
	free(k);
}

/* Under the lock. */
static struct failure *find_failure(const struct kept *k, int64_t app)
{
	struct failure *f;

	TAILQ_FOREACH(f, &k->failures, link)
		if (f->app == app)
			return f;
	return NULL;
}

static void keep_one(struct job *job)
{
	if (!repo_keep(job->repo, job->version, job->commit))
		return;
	job->failed = true;
	log_line("app=%s v%" PRId64 ": its commit is not kept yet: %s",
		 job->app, job->version, err_msg());
}

/* The set of a list like "releases/v1 LF releases/v2 LF". */
static void read_set(struct set *set, const char *kept)
{
	const char *p;

	for (p = kept; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		int64_t n = strtoll(p + strcspn(p, "v\n") + 1, NULL, 10);

		if (n <= 0 || n > INT32_MAX)
			continue;
		if ((size_t)n >= set->size) {
			size_t size = 2 * (size_t)n;

			set->has = xrealloc(set->has, size, 1);
			memset(set->has + set->size, 0, size - set->size);
			set->size = size;
		}
		set->has[n] = true;
	}
}

static bool missing(const struct set *set, const struct release *r)
{
	return r->slug && r->commit &&
	       ((size_t)r->version >= set->size || !set->has[r->version]);
}

/* Keep those of a page that are missing, by one git; how many they were. */
static size_t keep_page(struct job *job, const struct set *set,
			struct release **v, size_t n)
{
	size_t i, found = 0, len = 0;
	char *updates = NULL;
	FILE *f = open_memstream(&updates, &len);

	if (!f)
		abort();
	for (i = 0; i < n; i++) {
		if (!missing(set, v[i]))
			continue;
		fprintf(f, "update refs/releases/v%" PRId64 " %s\n",
			v[i]->version, v[i]->commit);
		found++;
	}
	fclose(f);
	/* All or none of them: one that fails is found by one at a time. */
	if (found && repo_keep_all(job->repo, updates, len))
		for (i = 0; i < n && !job->slugd->stopping; i++) {
			if (!missing(set, v[i]))
				continue;
			job->version = v[i]->version;
			str_replace(&job->commit, xstrdup(v[i]->commit));
			keep_one(job);
		}
	free(updates);
	return found;
}

static void keep_missing(struct job *job)
{
	struct release_range range = { .max = PAGE, .descending = true };
	struct release **v = NULL;
	struct set set = { NULL, 0 };
	size_t n, found = 1;
	char *kept = NULL;
	int rc;

	rc = repo_kept(job->repo, &kept);
	if (!rc)
		read_set(&set, kept);
	while (!rc && found && !job->slugd->stopping) {
		v = NULL;
		n = found = 0;
		rc = ledger_releases(job->slugd->ledger, job->app_id, &range,
				     &v, &n);
		if (!rc && n) {
			found = keep_page(job, &set, v, n);
			range.last = v[n - 1]->version - 1;
		}
		releases_free(v, n);
		if (!range.last)
			break;
	}
	if (rc) {
		job->failed = true;
		log_line("app=%s: commits of releases are not kept yet: %s",
			 job->app, err_msg());
	}
	free(set.has);
	free(kept);
}

static void submit(const struct job *like, const char *lane,
		   void (*fn)(void *arg));
static void run(void *arg);

/* Wait, then try again, unless slugd stops. */
static void wait_job(void *arg)
{
	struct job *job = arg;
	struct kept *k = job->slugd->kept;
	struct pollfd p = { job->slugd->stop_fd, POLLIN, 0 };
	struct failure *f;

	poll(&p, 1, (int)(job->pause * 1000));
	pthread_mutex_lock(&k->lock);
	f = find_failure(k, job->app_id);
	if (f)
		f->waiting = false;
	pthread_mutex_unlock(&k->lock);
	job->version = 0;
	if (!job->slugd->stopping)
		submit(job, "git", run);
	job_free(job);
}

/* Something is missing still: it is tried again. */
static void try_again(struct job *job)
{
	struct kept *k = job->slugd->kept;
	struct failure *f;
	bool waiting;

	pthread_mutex_lock(&k->lock);
	f = find_failure(k, job->app_id);
	if (!f) {
		f = xcalloc(1, sizeof(*f));
		f->app = job->app_id;
		TAILQ_INSERT_TAIL(&k->failures, f, link);
	}
	waiting = f->waiting;
	if (!waiting)
		f->pause = f->pause ? f->pause * 2 : 1;
	if (f->pause > MAX_PAUSE_S)
		f->pause = MAX_PAUSE_S;
	f->waiting = true;
	job->pause = f->pause;
	pthread_mutex_unlock(&k->lock);
	if (!waiting)
		submit(job, "kept", wait_job);
}

/* Nothing is missing. */
static void forget_failure(struct kept *k, int64_t app)
{
	struct failure *f;

	pthread_mutex_lock(&k->lock);
	f = find_failure(k, app);
	if (f && !f->waiting) {
		TAILQ_REMOVE(&k->failures, f, link);
		free(f);
	}
	pthread_mutex_unlock(&k->lock);
}

static void run(void *arg)
{
	struct job *job = arg;
	bool all = !job->version;

	if (all)
		keep_missing(job);
	else
		keep_one(job);
	if (job->failed && !job->slugd->stopping)
		try_again(job);
	else if (all)
		forget_failure(job->slugd->kept, job->app_id);
	job_free(job);
}

/* A job like that one, of that lane of the app's. */
static void submit(const struct job *like, const char *lane,
		   void (*fn)(void *arg))
{
	char *key = xasprintf("%s %s", lane, like->app);
	struct job *job = xcalloc(1, sizeof(*job));

	job->slugd = like->slugd;
	job->app = xstrdup(like->app);
	job->repo = xstrdup(like->repo);
	job->app_id = like->app_id;
	job->version = like->version;
	job->pause = like->pause;
	job->commit = like->commit ? xstrdup(like->commit) : NULL;
	jobs_submit(job->slugd->jobs, key, fn, job);
	free(key);
}

void kept_release(struct slugd *d, const struct app *app,
		  const struct release *r)
{
	const struct job job = { .slugd = d,
				 .app = app->name,
				 .repo = app->repo,
				 .app_id = app->id,
				 .version = r->version,
				 .commit = r->commit };

	if (r->slug && r->commit)
		submit(&job, "git", run);
}

void kept_recover(struct slugd *d, const struct app *app)
{
	const struct job job = { .slugd = d,
				 .app = app->name,
				 .repo = app->repo,
				 .app_id = app->id };

	submit(&job, "git", run);
}
