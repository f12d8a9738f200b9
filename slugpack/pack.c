/* SPDX-License-Identifier: ISC */
#include "pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "err.h"
#include "mem.h"

#define TIME_STAMP 315532800 /* 1980-01-01T00:00:00Z */

struct pack {
	struct archive *archive;
	struct archive_entry *entry;
	struct sink to;
	int rc; /* what the sink said */
};

static la_ssize_t write_on(struct archive *a, void *ctx, const void *data,
			   size_t len)
{
	struct pack *p = ctx;

	p->rc = sink_write(&p->to, data, len);
	if (p->rc) {
		archive_set_error(a, EIO, "no more");
		return -1;
	}
	return (la_ssize_t)len;
}

/* The sink's error where it had one, else libarchive's. */
static int pack_error(const struct pack *p)
{
	const char *why = archive_error_string(p->archive);

	if (p->rc)
		return p->rc;
	return err_set(ERR_FAILED, "libarchive: %s", why ? why : "failed");
}

static int add_gzip(struct archive *a, int level)
{
	char text[12];

	snprintf(text, sizeof(text), "%d", level);
	if (archive_write_add_filter_gzip(a) < ARCHIVE_OK ||
	    archive_write_set_filter_option(a, "gzip", "timestamp", NULL) <
		    ARCHIVE_OK)
		return ARCHIVE_FATAL;
	return archive_write_set_filter_option(a, "gzip", "compression-level",
					       text);
}

int pack_open(struct pack **out, struct sink to, int gzip_level)
{
	struct pack *p = xcalloc(1, sizeof(*p));
	int rc = 0;

	p->to = to;
	p->archive = archive_write_new();
	p->entry = archive_entry_new();
	if (!p->archive || !p->entry)
		abort();
	/* No blocks: each entry's bytes are its own, none pads the end. */
	archive_write_set_bytes_per_block(p->archive, 0);
	if (archive_write_set_format_gnutar(p->archive) < ARCHIVE_OK ||
	    (gzip_level && add_gzip(p->archive, gzip_level) < ARCHIVE_OK) ||
	    archive_write_open(p->archive, p, NULL, write_on, NULL) <
		    ARCHIVE_OK)
		rc = pack_error(p);
	if (rc) {
		pack_free(p);
		return rc;
	}
	*out = p;
	return 0;
}

static void fill_entry(struct archive_entry *a, const char *path,
		       enum entry_kind kind, const char *data, size_t len)
{
	archive_entry_clear(a);
	archive_entry_copy_pathname(a, path);
	archive_entry_set_uid(a, 0);
	archive_entry_set_gid(a, 0);
	archive_entry_set_uname(a, "root");
	archive_entry_set_gname(a, "root");
	archive_entry_set_mtime(a, TIME_STAMP, 0);
	archive_entry_set_size(a, 0);
	if (kind == ENTRY_FOLDER) {
		archive_entry_set_mode(a, AE_IFDIR | 0755);
	} else if (kind == ENTRY_SYMLINK) {
		archive_entry_set_mode(a, AE_IFLNK | 0777);
		archive_entry_copy_symlink(a, data);
	} else {
		archive_entry_set_mode(
			a, AE_IFREG | (kind == ENTRY_EXECUTABLE ? 0755 : 0644));
		archive_entry_set_size(a, (la_int64_t)len);
	}
}

int pack_entry(struct pack *p, const char *path, enum entry_kind kind,
	       const char *data, size_t len)
{
	fill_entry(p->entry, path, kind, data, len);
	/* A warning here is a name or number that the form does not take. */
	if (archive_write_header(p->archive, p->entry) != ARCHIVE_OK)
		return pack_error(p);
	if (kind == ENTRY_FOLDER || kind == ENTRY_SYMLINK)
		return 0;
	if (archive_write_data(p->archive, data, len) != (la_ssize_t)len ||
	    archive_write_finish_entry(p->archive) != ARCHIVE_OK)
		return pack_error(p);
	return 0;
}

int pack_end(struct pack *p)
{
	if (archive_write_close(p->archive) != ARCHIVE_OK)
		return pack_error(p);
	return 0;
}

void pack_free(struct pack *p)
{
	if (!p)
		return;
	/* Without this the end mark would be written even now. */
	archive_write_fail(p->archive);
	archive_write_free(p->archive);
	archive_entry_free(p->entry);
	free(p);
}
