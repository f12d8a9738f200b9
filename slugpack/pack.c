/* SPDX-License-Identifier: ISC */
#include "pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <stdlib.h>

#include "err.h"
#include "mem.h"

#define TIME_STAMP 315532800 /* 1980-01-01T00:00:00Z */

struct pack {
	struct archive *archive;
	struct archive_entry *entry;
	struct sink to;
	int rc; /* of the sink's first error */
};

/*
 * libarchive is not told of an error of the sink: it would not free all
 * that it has (3.6 leaks 33 bytes then). From then on bytes are dropped.
 */
static la_ssize_t write_on(struct archive *a, void *ctx, const void *data,
			   size_t len)
{
	struct pack *p = ctx;

	(void)a;
	if (!p->rc)
		p->rc = sink_write(&p->to, data, len);
	return (la_ssize_t)len;
}

/* What libarchive answered, and the sink before it, as an error. */
static int pack_result(const struct pack *p, int code)
{
	const char *why;

	if (p->rc || code == ARCHIVE_OK)
		return p->rc;
	/* A warning, too: a name or number that the form does not take. */
	why = archive_error_string(p->archive);
	return err_set(ERR_FAILED, "libarchive: %s", why ? why : "failed");
}

const char *pack_version(void)
{
	return archive_version_string();
}

int pack_open(struct pack **out, struct sink to)
{
	struct pack *p = xcalloc(1, sizeof(*p));
	int code, rc;

	p->to = to;
	p->archive = archive_write_new();
	p->entry = archive_entry_new();
	if (!p->archive || !p->entry)
		abort();
	/* No blocks: each entry's bytes are its own, none pads the end. */
	archive_write_set_bytes_per_block(p->archive, 0);
	code = archive_write_set_format_gnutar(p->archive);
	if (code == ARCHIVE_OK)
		code = archive_write_open(p->archive, p, NULL, write_on, NULL);
	rc = pack_result(p, code);
	if (rc) {
		pack_free(p);
		return rc;
	}
	*out = p;
	return 0;
}

static void fill_entry(struct archive_entry *a, const char *path,
		       enum entry_kind kind, uint64_t size)
{
	archive_entry_clear(a);
	archive_entry_copy_pathname(a, path);
	archive_entry_set_uid(a, 0);
	archive_entry_set_gid(a, 0);
	archive_entry_set_uname(a, "root");
	archive_entry_set_gname(a, "root");
	archive_entry_set_mtime(a, TIME_STAMP, 0);
	archive_entry_set_size(a, (la_int64_t)size);
	if (kind == ENTRY_FOLDER)
		archive_entry_set_mode(a, AE_IFDIR | 0755);
	else if (kind == ENTRY_SYMLINK)
		archive_entry_set_mode(a, AE_IFLNK | 0777);
	else if (kind == ENTRY_EXECUTABLE)
		archive_entry_set_mode(a, AE_IFREG | 0755);
	else
		archive_entry_set_mode(a, AE_IFREG | 0644);
}

static int write_header(struct pack *p)
{
	return pack_result(p, archive_write_header(p->archive, p->entry));
}

int pack_begin(struct pack *p, const char *path, enum entry_kind kind,
	       uint64_t size)
{
	fill_entry(p->entry, path, kind, size);
	return write_header(p);
}

int pack_data(void *ctx, const void *data, size_t len)
{
	struct pack *p = ctx;
	la_ssize_t n = len ? archive_write_data(p->archive, data, len) : 0;

	return pack_result(p,
			   n == (la_ssize_t)len ? ARCHIVE_OK : ARCHIVE_FATAL);
}

int pack_finish(struct pack *p)
{
	return pack_result(p, archive_write_finish_entry(p->archive));
}

static int pack_link(struct pack *p, const char *path, const char *data,
		     size_t len)
{
	char *target = xstrndup(data, len);

	fill_entry(p->entry, path, ENTRY_SYMLINK, 0);
	archive_entry_copy_symlink(p->entry, target);
	free(target);
	return write_header(p);
}

int pack_entry(struct pack *p, const char *path, enum entry_kind kind,
	       const char *data, size_t len)
{
	int rc;

	if (kind == ENTRY_SYMLINK) {
		rc = pack_link(p, path, data, len);
	} else {
		rc = pack_begin(p, path, kind, len);
		if (!rc)
			rc = pack_data(p, data, len);
	}
	return rc ? rc : pack_finish(p);
}

int pack_end(struct pack *p)
{
	return pack_result(p, archive_write_close(p->archive));
}

void pack_free(struct pack *p)
{
	if (!p)
		return;
	/* An archive that was not ended gets its end mark now: drop it. */
	p->rc = ERR_FAILED;
	archive_write_free(p->archive);
	archive_entry_free(p->entry);
	free(p);
}
