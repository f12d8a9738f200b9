/* SPDX-License-Identifier: ISC */
#include "kept.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "jobs.h"
#include "log.h"
#include "mem.h"
#include "repo.h"
#include "slugd.h"

#define PAGE 100 /* a page is read under the lock of the ledger */

struct job {
	struct slugd *slugd;
	char *app, *repo, *commit;
	int64_t app_id, version; /* version 0: all that are missing */
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

static void keep_one(struct job *job)
{
	if (repo_keep(job->repo, job->version, job->commit))
		log_line("app=%s v%" PRId64 ": its commit is not kept: %s",
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
	if (rc)
		log_line("app=%s: %s", job->app, err_msg());
	free(set.has);
	free(kept);
}

static void run(void *arg)
{
	struct job *job = arg;

	if (job->version)
		keep_one(job);
	else
		keep_missing(job);
	job_free(job);
}

static void submit(struct slugd *d, const struct app *app, int64_t version,
		   const char *commit)
{
	char *key = xasprintf("git %s", app->name);
	struct job *job = xcalloc(1, sizeof(*job));

	job->slugd = d;
	job->app = xstrdup(app->name);
	job->repo = xstrdup(app->repo);
	job->app_id = app->id;
	job->version = version;
	job->commit = commit ? xstrdup(commit) : NULL;
	jobs_submit(d->jobs, key, run, job);
	free(key);
}

void kept_release(struct slugd *d, const struct app *app,
		  const struct release *r)
{
	if (r->slug && r->commit)
		submit(d, app, r->version, r->commit);
}

void kept_recover(struct slugd *d, const struct app *app)
{
	submit(d, app, 0, NULL);
}
