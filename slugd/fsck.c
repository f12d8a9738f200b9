/* SPDX-License-Identifier: ISC */
#include "fsck.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "manifest.h"
#include "mem.h"
#include "names.h"
#include "proc.h"
#include "text.h"

#define EVERY      64 /* segments, between two looks at the progress */
#define GZIP_LEVEL 9  /* the highest that it has; zstd has more */

/* What slugs were before they were manifests: UUID and this. */
static const struct {
	const char *suffix, *format;
} old_files[] = { { ".tar.zst", "zstd" }, { ".tar.gz", "gzip" } };

#define NR_OLD_FILES (sizeof(old_files) / sizeof(old_files[0]))

/* A slug that the ledger needs. */
struct needed {
	char *uuid;
	int64_t version; /* the newest release that has it; 0: none, yet */
	bool bad;
};

/* All of them, by uuid. */
struct list {
	struct needed *v;
	size_t n;
	bool has_versions; /* they are looked up where one is to be named */
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct needed *)a)->uuid,
		      ((const struct needed *)b)->uuid);
}

/* Takes over the uuids, and frees their array. */
static void list_init(struct list *list, char **uuids, size_t n)
{
	size_t i;

	*list = (struct list){ .v = xcalloc(n + 1, sizeof(*list->v)), .n = n };
	for (i = 0; i < n; i++)
		list->v[i].uuid = uuids[i];
	free(uuids);
	qsort(list->v, n, sizeof(*list->v), compare);
}

static void list_release(struct list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		free(list->v[i].uuid);
	free(list->v);
}

static int compare_uuid(const void *uuid, const void *slug)
{
	return strcmp(uuid, ((const struct needed *)slug)->uuid);
}

/* NULL where the ledger does not need it. */
static struct needed *list_find(const struct list *list, const char *uuid)
{
	return bsearch(uuid, list->v, list->n, sizeof(*list->v), compare_uuid);
}

static void show_progress(const struct fsck *f)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr,
			"\rChecking slugs: %3zu%% (%zu/%zu), %zu segments",
			100 * f->checked / (f->slugs ? f->slugs : 1),
			f->checked, f->slugs, f->whole.n);
}

static void hide_progress(void)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%60s\r", "");
}

static void say(const char *what, const char *words)
{
	char *safe = text_escape(words);

	hide_progress();
	printf("%s: %s\n", what, safe);
	fflush(stdout);
	free(safe);
}

/* Each is read once where it is whole, and named once where it is not. */
static int check_segment(struct fsck *f, const struct segment *s)
{
	char *safe;
	int fd, rc;

	if (name_set_has(&f->whole, s->name))
		return 0;
	rc = segment_open(&fd, f->dir, s);
	if (!rc) {
		close(fd);
		name_set_add(&f->whole, s->name);
		if (f->whole.n % EVERY == 0)
			show_progress(f);
	} else if (name_set_add(&f->named, s->name)) {
		safe = text_escape(err_msg());
		hide_progress();
		puts(safe);
		free(safe);
	}
	return rc;
}

/* Errors: what is wrong with the slug. */
static int check_slug(struct fsck *f, const char *uuid)
{
	struct manifest m;
	size_t bad = 0, i;
	int rc = manifest_read(&m, f->dir, uuid);

	for (i = 0; i < m.nr_segments && !rc; i++)
		if (check_segment(f, &m.segments[i]))
			bad++;
	if (bad)
		rc = err_set(ERR_FAILED, "%zu of its %zu segments %s damaged",
			     bad, m.nr_segments, bad == 1 ? "is" : "are");
	manifest_release(&m);
	return rc;
}

/* A slug that is not whole, in words, and what it can be packed from. */
struct patient {
	struct slug *slug;
	struct app *app;
	char *name; /* "slug UUID of myapp v12" */
};

static void patient_release(struct patient *p)
{
	slug_free(p->slug);
	app_free(p->app);
	free(p->name);
	*p = (struct patient){ 0 };
}

static void find_versions_of(struct list *list, struct ledger *l, int64_t app)
{
	const struct release_range all = { .max = INT32_MAX };
	struct release **v = NULL;
	struct needed *slug;
	size_t n = 0, i;

	if (ledger_releases(l, app, &all, &v, &n))
		return;
	for (i = 0; i < n; i++) {
		slug = v[i]->slug ? list_find(list, v[i]->slug) : NULL;
		if (slug)
			slug->version = v[i]->version;
	}
	releases_free(v, n);
}

/* Each release is read once. Where that fails, slugs go without versions. */
static void find_versions(struct list *list, struct ledger *l)
{
	struct app **apps = NULL;
	size_t n = 0, i;

	if (list->has_versions)
		return;
	list->has_versions = true;
	if (ledger_apps(l, &apps, &n))
		return;
	for (i = 0; i < n; i++)
		find_versions_of(list, l, apps[i]->id);
	apps_free(apps, n);
}

/* A push that was dropped meanwhile took its slug along: p->slug is NULL. */
static int patient_init(struct patient *p, struct ledger *l, struct list *list,
			const struct needed *slug)
{
	int rc = ledger_slug(l, slug->uuid, &p->slug);

	if (rc == ERR_NOTFOUND)
		return 0;
	if (!rc)
		rc = ledger_app_by_id(l, p->slug->app, &p->app);
	if (rc)
		return rc;
	find_versions(list, l);
	p->name =
		slug->version
			? xasprintf("slug %s of %s v%" PRId64, slug->uuid,
				    p->app->name, slug->version)
			: xasprintf("slug %s of %s", slug->uuid, p->app->name);
	return 0;
}

/* The file of a slug of an earlier slugd. Caller frees. */
static char *old_path(const struct fsck *f, const char *uuid, size_t i)
{
	return xasprintf("%s/slugs/%s%s", f->dir, uuid, old_files[i].suffix);
}

/* The format it had, where something still says so. Caller frees. */
static char *format_of(const struct fsck *f, const char *uuid)
{
	char *format = xstrdup(f->config->compression);
	struct manifest m;
	size_t i;

	for (i = 0; i < NR_OLD_FILES; i++) {
		char *path = old_path(f, uuid, i);

		if (!access(path, F_OK))
			str_replace(&format, xstrdup(old_files[i].format));
		free(path);
	}
	if (!manifest_read_root(&m, f->dir, uuid))
		str_replace(&format, xstrdup(m.format));
	manifest_release(&m);
	return format;
}

static int64_t level_of(const struct fsck *f, const char *format)
{
	if (!strcmp(format, "gzip") && f->config->level > GZIP_LEVEL)
		return GZIP_LEVEL;
	return f->config->level;
}

/* It was within the limits when it was pushed. */
static int run_slugpack(const struct fsck *f, const struct patient *p)
{
	static const char *const env[] = { "PATH=/usr/bin:/bin", "LC_ALL=C",
					   "HOME=/", NULL };
	char *program = proc_helper("slugpack");
	char *kind = format_of(f, p->slug->uuid);
	char *store = xasprintf("--store=%s", f->dir);
	char *slug = xasprintf("--slug=%s", p->slug->uuid);
	char *format = xasprintf("--format=%s", kind);
	char *level = xasprintf("--level=%" PRId64, level_of(f, kind));
	const char *argv[] = { program,
			       store,
			       slug,
			       format,
			       level,
			       "--verify",
			       "--max-size=0",
			       "--max-tree=0",
			       "--max-blob=0",
			       "--max-entries=0",
			       "--max-depth=0",
			       "--",
			       p->app->repo,
			       p->slug->commit,
			       NULL };
	const struct proc_spec spec = { .argv = argv, .env = env, .dir = "/" };
	char *out = NULL;
	int rc = proc_capture(&out, NULL, &spec);

	free(out);
	free(level);
	free(format);
	free(slug);
	free(store);
	free(kind);
	free(program);
	return rc;
}

/* Pack it anew, unless what mended another one has mended it. */
static void mend(struct fsck *f, const struct patient *p)
{
	int rc = 0;

	if (check_slug(f, p->slug->uuid)) {
		/* In another format or at another level it has another. */
		rc = ledger_slug_checksum(f->ledger, p->slug->uuid, NULL);
		if (!rc)
			rc = run_slugpack(f, p);
		if (!rc)
			rc = check_slug(f, p->slug->uuid);
	}
	if (!rc) {
		say(p->name, "repacked");
		f->mended++;
		f->broken--;
		return;
	}
	err_prefix(rc, "could not be repacked");
	say(p->name, err_msg());
}

/* The slug is whole: away with the file of an earlier slugd. */
static void remove_old(const struct fsck *f, const char *uuid)
{
	size_t i;

	for (i = 0; i < NR_OLD_FILES; i++) {
		char *path = old_path(f, uuid, i);

		unlink(path);
		free(path);
	}
}

/* Say what is wrong with each; those with something wrong are bad. */
static int check_all(struct fsck *f, struct list *list)
{
	struct patient p = { 0 };
	int rc = 0;

	for (f->checked = 0; f->checked < list->n && !rc; f->checked++) {
		struct needed *slug = &list->v[f->checked];
		char *why;

		show_progress(f);
		if (!check_slug(f, slug->uuid))
			continue;
		why = xstrdup(err_msg());
		rc = patient_init(&p, f->ledger, list, slug);
		if (!rc && p.slug) {
			slug->bad = true;
			f->broken++;
			say(p.name, why);
		}
		patient_release(&p);
		free(why);
	}
	hide_progress();
	return rc;
}

static int mend_all(struct fsck *f, struct list *list)
{
	struct patient p = { 0 };
	size_t i;
	int rc = 0;

	for (i = 0; i < list->n && !rc; i++) {
		const struct needed *slug = &list->v[i];

		if (slug->bad) {
			rc = patient_init(&p, f->ledger, list, slug);
			if (!rc && p.slug)
				mend(f, &p);
			else if (!rc)
				f->broken--;
			patient_release(&p);
		}
		if (!rc && !check_slug(f, slug->uuid))
			remove_old(f, slug->uuid);
	}
	return rc;
}

/*
 * Roots that the ledger does not need: of a push that is going on, or left
 * for the next gc. Nobody is worse off for what they lack.
 */
static void check_others(struct fsck *f, const struct list *list)
{
	char *path = xasprintf("%s/slugs", f->dir), *name;
	DIR *dir = opendir(path);
	struct dirent *e;
	int rc;

	while (dir && (e = readdir(dir))) {
		if (name_check_uuid(e->d_name) || list_find(list, e->d_name))
			continue;
		rc = check_slug(f, e->d_name);
		if (!rc || rc == ERR_NOTFOUND)
			continue;
		name = xasprintf("slug %s, which no release has", e->d_name);
		say(name, err_msg());
		free(name);
	}
	if (dir)
		closedir(dir);
	free(path);
}

int fsck_slugs(struct fsck *f)
{
	struct list list;
	char **uuids = NULL;
	int rc = ledger_slugs_there(f->ledger, &uuids, &f->slugs);

	if (rc)
		return rc;
	list_init(&list, uuids, f->slugs);
	rc = check_all(f, &list);
	if (!rc)
		check_others(f, &list);
	if (!rc && !f->dry_run)
		rc = mend_all(f, &list);
	list_release(&list);
	return rc;
}

void fsck_release(struct fsck *f)
{
	name_set_clear(&f->whole);
	name_set_clear(&f->named);
}
