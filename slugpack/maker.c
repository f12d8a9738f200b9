/* SPDX-License-Identifier: ISC */
#include "maker.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "compress.h"
#include "err.h"
#include "ignore.h"
#include "mem.h"
#include "pack.h"

/* What Git LFS leaves in a repository in place of a file. */
#define LFS_MARK "version https://git-lfs.github.com/spec/v1\n"
#define LFS_MAX  1024 /* bytes; a pointer has fewer */

struct maker {
	struct tree *tree;
	struct ignore *ignore;
	struct pack *pack;
	struct compress *compress;
	struct maker_events events;
};

/* From the archive on its way to the compressor. For struct sink. */
static int archived(void *ctx, const void *data, size_t len)
{
	struct maker *m = ctx;

	return compress_write(m->compress, data, len);
}

int maker_open(struct maker **out, const struct tree *tree,
	       const struct slug_spec *spec, const struct maker_events *events)
{
	struct maker *m = xcalloc(1, sizeof(*m));
	unsigned char rules[DIGEST_SIZE];
	int rc = tree_again(&m->tree, tree);

	m->events = *events;
	if (!rc)
		rc = ignore_read(&m->ignore, m->tree, rules);
	if (!rc)
		rc = compress_open(&m->compress, spec->gzip, spec->level);
	if (!rc)
		rc = pack_open(&m->pack, (struct sink){ archived, m });
	if (rc)
		maker_free(m);
	else
		*out = m;
	return rc;
}

void maker_free(struct maker *m)
{
	if (!m)
		return;
	pack_free(m->pack);
	compress_free(m->compress);
	ignore_free(m->ignore);
	tree_free(m->tree);
	free(m);
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

/* A piece of a large blob. For struct sink. */
static int pack_piece(void *ctx, const void *data, size_t len)
{
	struct maker *m = ctx;

	m->events.packed(m->events.ctx, len);
	return pack_data(m->pack, data, len);
}

static int pack_large(struct maker *m, const struct tree_entry *e,
		      uint64_t size)
{
	struct sink to = { pack_piece, m };
	int rc = pack_begin(m->pack, e->path, e->kind, size);

	if (!rc)
		rc = m->events.large(m->events.ctx, e, size, &to);
	if (!rc)
		rc = pack_finish(m->pack);
	return rc;
}

/* One that is small enough to be in memory. */
static int pack_small(struct maker *m, const struct tree_entry *e)
{
	const char *data = NULL;
	size_t len = 0;
	int rc = tree_blob_read(m->tree, e, &data, &len);

	if (!rc && e->kind == ENTRY_SYMLINK)
		rc = check_target(e, data, len);
	if (rc)
		return rc;
	if (is_pointer(e, data, len))
		m->events.pointer(m->events.ctx, e->path);
	m->events.packed(m->events.ctx, len);
	return pack_entry(m->pack, e->path, e->kind, data, len);
}

/* An entry of a folder that is packed with all that is in it. */
static int visit(void *ctx, const struct tree_entry *e)
{
	struct maker *m = ctx;

	if (e->kind == ENTRY_SUBMODULE || ignore_matches(m->ignore, e, NULL))
		return TREE_SKIP;
	if (e->kind != ENTRY_FOLDER)
		return pack_small(m, e);
	m->events.packed(m->events.ctx, 0);
	return pack_entry(m->pack, e->path, e->kind, NULL, 0);
}

static int pack_item(struct maker *m, const char *folder,
		     const struct item *item)
{
	char *path = xasprintf("%s%s%s", folder,
			       *folder && *item->name ? "/" : "", item->name);
	struct tree_entry e = { path, item->name, 1, item->kind, item->id };
	int rc;

	if (item->kind == ENTRY_FOLDER) {
		m->events.packed(m->events.ctx, 0);
		rc = pack_entry(m->pack, path, item->kind, NULL, 0);
	} else if (item->size > MAKER_LARGE) {
		rc = pack_large(m, &e, item->size);
	} else {
		rc = pack_small(m, &e);
	}
	if (!rc && item->below)
		rc = tree_walk(m->tree, path, item->id, visit, m);
	free(path);
	return rc;
}

int maker_run(struct maker *m, const struct planned *s, struct sink to,
	      uint64_t *raw)
{
	size_t i;
	int rc = compress_begin(m->compress, to, s->has_twins);

	for (i = 0; i < s->nr_items && !rc; i++)
		rc = pack_item(m, s->folder, &s->items[i]);
	if (!rc && s->is_end)
		rc = pack_end(m->pack);
	tree_blob_forget(m->tree);
	return rc ? rc : compress_end(m->compress, raw);
}
