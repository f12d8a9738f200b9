/* SPDX-License-Identifier: ISC */
#include "slug.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "compress.h"
#include "err.h"
#include "ignore.h"
#include "mem.h"
#include "output.h"
#include "pack.h"
#include "procfile.h"
#include "progress.h"
#include "text.h"

#define MAX_PROCFILE (64 << 10)
#define MAX_NOTICES  20

/* A blob that is larger comes in pieces. */
#define LARGE (8 << 20)

/* What Git LFS leaves in a repository in place of a file. */
#define LFS_MARK "version https://git-lfs.github.com/spec/v1\n"
#define LFS_MAX  1024 /* bytes; a pointer has fewer */

/* A slug in the making. */
struct making {
	const struct slug_spec *spec;
	struct slug *slug;
	struct tree *tree;
	struct pack *pack;
	struct progress progress;
	bool has_large;
	uint64_t packed; /* entries, */
	uint64_t bytes;  /* and what is in them, so far */
	size_t nr_notices;
	char *pointer; /* the first of Git LFS, as messages show it */
	size_t nr_pointers;
};

/* "PATH WHAT" into the notices; of many, the first ones. */
static void notice(struct making *m, const char *path, const char *what)
{
	char *safe = entry_shown_path(path), *line;

	if (m->nr_notices++ < MAX_NOTICES) {
		line = xasprintf("%s %s", safe, what);
		json_array_append_new(m->slug->notices, json_string(line));
		free(line);
	}
	free(safe);
}

static void sum_notices(struct making *m)
{
	char *line;

	if (m->nr_notices <= MAX_NOTICES)
		return;
	line = xasprintf("and %zu more of these", m->nr_notices - MAX_NOTICES);
	json_array_append_new(m->slug->notices, json_string(line));
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

static int over_blob(const struct making *m, const char *path, uint64_t size)
{
	char *safe = entry_shown_path(path), *is = text_size(size);
	char *max = text_size(m->spec->max_blob);

	err_set(ERR_TOOBIG, "blob %s has %s, over max_blob (%s)", safe, is,
		max);
	free(max);
	free(is);
	free(safe);
	return ERR_TOOBIG;
}

static int over_tree(const struct making *m, const char *path)
{
	char *safe = entry_shown_path(path),
	     *max = text_size(m->spec->max_tree);

	err_set(ERR_TOOBIG, "the files have more than max_tree (%s), as of %s",
		max, safe);
	free(max);
	free(safe);
	return ERR_TOOBIG;
}

/* A link must have a target that a file system takes. */
static int check_link(const char *path, uint64_t size)
{
	char *safe;

	if (size > 0 && size < PATH_MAX)
		return 0;
	safe = entry_shown_path(path);
	err_set(ERR_INVALID, "symlink %s has a target of %llu bytes", safe,
		(unsigned long long)size);
	free(safe);
	return ERR_INVALID;
}

static int survey_blob(struct making *m, const struct tree_entry *e)
{
	const struct slug_spec *spec = m->spec;
	uint64_t size = 0;
	int rc = tree_blob_size(m->tree, e, &size);

	if (!rc && spec->max_blob && size > spec->max_blob)
		rc = over_blob(m, e->path, size);
	if (!rc && e->kind == ENTRY_SYMLINK)
		rc = check_link(e->path, size);
	if (rc)
		return rc;
	m->has_large |= size > LARGE;
	m->slug->tree_size += size;
	if (spec->max_tree && m->slug->tree_size > spec->max_tree)
		return over_tree(m, e->path);
	return 0;
}

/* The Procfile's process types, before anything is packed. */
static int survey_procfile(struct making *m, const struct tree_entry *e)
{
	json_t *types = NULL;
	const char *text;
	uint64_t size;
	size_t len;
	int rc;

	if (e->kind != ENTRY_FILE && e->kind != ENTRY_EXECUTABLE)
		return err_set(ERR_INVALID, "Procfile is no plain file");
	rc = tree_blob_size(m->tree, e, &size);
	if (!rc && size > MAX_PROCFILE)
		rc = err_set(ERR_TOOBIG, "Procfile has more than %d bytes",
			     MAX_PROCFILE);
	if (!rc)
		rc = tree_blob_read(m->tree, e, &text, &len);
	if (!rc)
		rc = procfile_parse(&types, text, len);
	if (rc)
		return rc;
	json_decref(m->slug->types);
	m->slug->types = types;
	return 0;
}

/* What .slugignore leaves out is counted, and not looked at. */
static int survey_ignored(struct making *m, const struct tree_entry *e)
{
	uint64_t size = 0;

	if (!strcmp(e->path, "Procfile"))
		notice(m, e->path,
		       "is left out by .slugignore: no process types");
	if (e->kind == ENTRY_FOLDER || e->kind == ENTRY_SUBMODULE) {
		m->slug->left_folders++;
		return TREE_SKIP;
	}
	m->slug->left_files++;
	if (!tree_blob_size(m->tree, e, &size))
		m->slug->left_size += size;
	return TREE_SKIP;
}

/* First walk: is everything as it should be, and how much is it? */
static int survey(void *ctx, const struct tree_entry *e)
{
	struct making *m = ctx;
	int rc = 0;

	if (tree_is_ignored(m->tree, e))
		return survey_ignored(m, e);
	if (!strcmp(e->path, "Procfile"))
		rc = survey_procfile(m, e);
	if (rc)
		return rc;
	if (e->kind == ENTRY_SUBMODULE) {
		notice(m, e->path, "is a submodule: left out of the slug");
		return 0;
	}
	if (m->spec->max_entries && m->slug->entries >= m->spec->max_entries)
		return err_set(ERR_TOOBIG,
			       "the tree has more than max_entries (%llu) "
			       "files and folders",
			       (unsigned long long)m->spec->max_entries);
	m->slug->entries++;
	if (progress_due(&m->progress))
		progress_show(&m->progress, "Reading the tree: %llu files",
			      (unsigned long long)m->slug->entries);
	return e->kind == ENTRY_FOLDER ? 0 : survey_blob(m, e);
}

static int check_target(const struct tree_entry *e, const char *data,
			size_t len)
{
	char *safe;

	if (!memchr(data, '\0', len))
		return 0;
	safe = entry_shown_path(e->path);
	err_set(ERR_INVALID, "symlink %s has a target with a NUL in it", safe);
	free(safe);
	return ERR_INVALID;
}

static bool is_pointer(const struct tree_entry *e, const char *data, size_t len)
{
	return e->kind != ENTRY_SYMLINK && len < LFS_MAX &&
	       len >= strlen(LFS_MARK) &&
	       !memcmp(data, LFS_MARK, strlen(LFS_MARK)) &&
	       memmem(data, len, "\noid ", 5) &&
	       memmem(data, len, "\nsize ", 6);
}

static void add_pointer(struct making *m, const struct tree_entry *e)
{
	if (!m->nr_pointers++)
		m->pointer = entry_shown_path(e->path);
}

/* An app that has pointers in place of its files would not work. */
static int check_pointers(const struct making *m)
{
	char *more;

	if (!m->nr_pointers)
		return 0;
	more = xasprintf(", as %s %zu more", m->nr_pointers == 2 ? "is" : "are",
			 m->nr_pointers - 1);
	err_set(ERR_INVALID,
		"%s is a Git LFS pointer, not the file itself%s; commit the "
		"file (git lfs migrate export), or leave it out with a line "
		"in .slugignore",
		m->pointer, m->nr_pointers > 1 ? more : "");
	free(more);
	return ERR_INVALID;
}

static void show_packed(struct making *m)
{
	char *done, *all;

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

/* A piece of a large blob. For struct sink. */
static int pack_piece(void *ctx, const void *data, size_t len)
{
	struct making *m = ctx;

	m->bytes += len;
	show_packed(m);
	return pack_data(m->pack, data, len);
}

static int pack_large(struct making *m, const struct tree_entry *e,
		      uint64_t size)
{
	struct sink to = { pack_piece, m };
	int rc = pack_begin(m->pack, e->path, e->kind, size);

	if (!rc)
		rc = tree_blob_stream(m->tree, e, size, &to);
	if (!rc)
		rc = pack_finish(m->pack);
	return rc;
}

/* One that is small enough to be in memory, or a folder. */
static int pack_small(struct making *m, const struct tree_entry *e)
{
	const char *data = NULL;
	size_t len = 0;
	int rc = 0;

	if (e->kind != ENTRY_FOLDER)
		rc = tree_blob_read(m->tree, e, &data, &len);
	if (!rc && e->kind == ENTRY_SYMLINK)
		rc = check_target(e, data, len);
	if (rc)
		return rc;
	if (is_pointer(e, data, len))
		add_pointer(m, e);
	m->bytes += len;
	return pack_entry(m->pack, e->path, e->kind, data, len);
}

/* Second walk: into the archive. */
static int pack_one(void *ctx, const struct tree_entry *e)
{
	struct making *m = ctx;
	uint64_t size = 0;
	int rc = 0;

	if (e->kind == ENTRY_SUBMODULE || tree_is_ignored(m->tree, e))
		return TREE_SKIP;
	if (m->has_large && e->kind != ENTRY_FOLDER)
		rc = tree_blob_size(m->tree, e, &size);
	if (!rc)
		rc = size > LARGE ? pack_large(m, e, size) : pack_small(m, e);
	m->packed++;
	show_packed(m);
	return rc;
}

static int write_slug(struct making *m, int fd)
{
	const struct slug_spec *spec = m->spec;
	struct output output = { fd, spec->max_size, 0 };
	struct sink to = { output_write, &output };
	struct compress *zstd = NULL;
	int rc = 0;

	if (!spec->gzip) {
		rc = compress_open(&zstd, spec->level, to);
		to = (struct sink){ compress_write, zstd };
	}
	if (!rc)
		rc = pack_open(&m->pack, to, spec->gzip ? spec->level : 0);
	if (!rc)
		rc = tree_walk(m->tree, spec->max_depth, pack_one, m);
	if (!rc)
		rc = check_pointers(m);
	if (!rc)
		rc = pack_end(m->pack);
	if (!rc && zstd)
		rc = compress_end(zstd);
	if (!rc)
		rc = output_check(&output);
	m->slug->size = output.size;
	pack_free(m->pack);
	compress_free(zstd);
	return rc;
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
	rc = ignore_read(m.tree);
	if (!rc)
		rc = tree_walk(m.tree, spec->max_depth, survey, &m);
	if (!rc)
		rc = write_slug(&m, fd);
	progress_end(&m.progress);
	sum_notices(&m);
	notice_left(&m);
done:
	free(m.pointer);
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
