/* SPDX-License-Identifier: ISC */
#include "slug.h"

#include <stdlib.h>
#include <string.h>

#include "ignore.h"
#include "mem.h"
#include "needs.h"
#include "output.h"
#include "plan.h"
#include "pool.h"
#include "progress.h"
#include "store.h"
#include "text.h"

#define MAX_NOTICES 20

/* A slug in the making. */
struct making {
	const struct slug_spec *spec;
	struct slug *slug;
	struct tree *tree;
	struct ignore *ignore;
	struct store *store;
	struct plan plan;
	bool planned;
	struct progress progress;
	uint64_t packed, bytes; /* entries, and what is in them, so far */
};

/* "PATH WHAT" into the notices. */
static void notice(void *ctx, const char *path, const char *what)
{
	struct making *m = ctx;
	char *safe = entry_shown_path(path), *line;

	line = xasprintf("%s %s", safe, what);
	json_array_append_new(m->slug->notices, json_string(line));
	free(line);
	free(safe);
}

/* Of many, the first ones. */
static void sum_notices(struct making *m)
{
	json_t *all = m->slug->notices;
	size_t n = json_array_size(all);
	char *line;

	if (n <= MAX_NOTICES)
		return;
	line = xasprintf("and %zu more of these", n - MAX_NOTICES);
	while (json_array_size(all) > MAX_NOTICES)
		json_array_remove(all, json_array_size(all) - 1);
	json_array_append_new(all, json_string(line));
	free(line);
}

/* "12 files (34.5MB) and 1 folder", as the first notice. */
static void notice_left(struct making *m)
{
	const struct slug *s = m->slug;
	char *size = text_size(s->left_size), *files = NULL, *folders = NULL;
	char *line;

	if (s->left_files)
		files = xasprintf("%llu file%s (%s)",
				  (unsigned long long)s->left_files,
				  s->left_files == 1 ? "" : "s", size);
	if (s->left_folders)
		folders = xasprintf("%llu folder%s",
				    (unsigned long long)s->left_folders,
				    s->left_folders == 1 ? "" : "s");
	line = xasprintf(".slugignore leaves out %s%s%s", files ? files : "",
			 files && folders ? " and " : "",
			 folders ? folders : "");
	if (files || folders)
		json_array_insert_new(s->notices, 0, json_string(line));
	free(line);
	free(folders);
	free(files);
	free(size);
}

/* The patterns that leave nothing out, as the first notice. */
static void notice_unused(struct making *m)
{
	char *words = m->planned ? ignore_unused(m->ignore, m->slug->ignored_by)
				 : NULL;
	char *line;

	if (!words)
		return;
	line = xasprintf(".slugignore: %s", words);
	json_array_insert_new(m->slug->notices, 0, json_string(line));
	free(line);
	free(words);
}

static bool has_segment(void *ctx, struct segment *s)
{
	struct making *m = ctx;

	return store_has(m->store, s);
}

static bool is_segment_there(void *ctx, const struct segment *s)
{
	struct making *m = ctx;

	return store_is_there(m->store, s);
}

static void show_planned(void *ctx)
{
	struct making *m = ctx;

	if (progress_due(&m->progress))
		progress_show(&m->progress, "Reading the tree: %llu files",
			      (unsigned long long)m->slug->entries);
}

static void show_packed(void *ctx, uint64_t entries, uint64_t bytes)
{
	struct making *m = ctx;
	char *done, *all;

	m->packed += entries;
	m->bytes += bytes;
	if (!progress_due(&m->progress))
		return;
	done = text_size(m->bytes);
	all = text_size(m->slug->tree_size);
	progress_show(&m->progress, "Compressing: %llu/%llu files, %s of %s",
		      (unsigned long long)m->packed,
		      (unsigned long long)m->slug->entries, done, all);
	free(all);
	free(done);
}

static int plan_slug(struct making *m)
{
	unsigned char rules[DIGEST_SIZE];
	struct plan_spec spec = {
		.slug = m->spec,
		.tree = m->tree,
		.rules = rules,
		.has = m->store ? has_segment : NULL,
		.is_there = is_segment_there,
		.notice = notice,
		.progress = show_planned,
		.ctx = m,
	};
	int rc = ignore_read(&m->ignore, m->tree, rules);

	spec.ignore = m->ignore;
	return rc ? rc : plan_make(&m->plan, &spec, m->slug);
}

/* The segments, made, as a manifest, which the store gets. */
static int finish_store(struct making *m, const struct output *limit)
{
	struct manifest manifest = { 0 };
	struct plan *plan = &m->plan;
	size_t i;
	int rc;

	manifest.format = xstrdup(m->spec->gzip ? "gzip" : "zstd");
	manifest.nr_segments = plan->n;
	manifest.segments = xcalloc(plan->n, sizeof(*manifest.segments));
	for (i = 0; i < plan->n; i++) {
		manifest.segments[i] = plan->v[i].segment;
		manifest.size += plan->v[i].segment.size;
		manifest.raw += plan->v[i].segment.raw;
	}
	m->slug->size = manifest.size;
	rc = output_check(&(struct output){ -1, limit->max, manifest.size });
	if (!rc)
		rc = store_finish(m->store, m->spec->uuid, &manifest,
				  &m->slug->stored);
	if (!rc && m->spec->cache)
		cache_save(&plan->cache, manifest.segments, plan->n,
			   m->spec->cache, plan->key);
	manifest_release(&manifest);
	return rc;
}

static int write_slug(struct making *m, int fd)
{
	struct output output = { fd, m->spec->max_size, 0 };
	const struct pool_spec spec = {
		.slug = m->spec,
		.tree = m->tree,
		.plan = &m->plan,
		.store = m->store,
		.output = &output,
		.progress = show_packed,
		.ctx = m,
	};
	int rc = pool_run(&spec);

	if (!rc && m->store)
		return finish_store(m, &output);
	m->slug->size = output.size;
	return rc ? rc : output_check(&output);
}

int slug_make(struct slug *out, const struct slug_spec *spec, int fd)
{
	struct making m = { .spec = spec, .slug = out };
	int rc;

	*out = (struct slug){ .types = json_object(), .notices = json_array() };
	rc = tree_open(&m.tree, &spec->source);
	if (rc)
		goto done;
	progress_begin(&m.progress, !spec->quiet);
	out->commit = xstrdup(tree_commit(m.tree));
	out->subject = tree_subject(m.tree);
	if (spec->store)
		rc = store_open(&m.store, spec->store, spec->verify);
	if (!rc)
		rc = plan_slug(&m);
	m.planned = !rc;
	if (!rc)
		rc = write_slug(&m, fd);
	progress_end(&m.progress);
	sum_notices(&m);
	notice_unused(&m);
	notice_left(&m);
	if (m.planned)
		needs_notice(m.tree, out->notices);
done:
	plan_release(&m.plan);
	store_free(m.store);
	ignore_free(m.ignore);
	tree_free(m.tree);
	return rc;
}

void slug_release(struct slug *s)
{
	free(s->commit);
	free(s->subject);
	json_decref(s->types);
	json_decref(s->notices);
	*s = (struct slug){ 0 };
}
