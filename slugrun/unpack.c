/* SPDX-License-Identifier: ISC */
#include "unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "text.h"
#include "tree.h"

#define BLOCK 65536

/* An error of one entry, whose name comes from outside. */
static int refuse(struct archive_entry *entry, const char *why)
{
	const char *path = archive_entry_pathname(entry);
	char *safe = text_escape(path ? path : "(no name)");

	err_set(ERR_INVALID, "the slug's entry %s %s", safe, why);
	free(safe);
	return ERR_INVALID;
}

/* Only what a git tree can hold, with git's two modes. */
static int check(struct archive_entry *entry)
{
	mode_t type = archive_entry_filetype(entry);
	mode_t perm = archive_entry_perm(entry);
	const char *path = archive_entry_pathname(entry);

	if (!path || !*path)
		return refuse(entry, "has no usable name");
	if (archive_entry_hardlink(entry))
		return refuse(entry, "is a hard link");
	if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK)
		return refuse(entry, "is no file, folder or symbolic link");
	if (type != AE_IFLNK && (perm & 07000))
		return refuse(entry, "has a setuid, setgid or sticky bit");
	archive_entry_set_perm(entry,
			       type == AE_IFDIR || (perm & 0111) ? 0755 : 0644);
	return 0;
}

/* libarchive's message, escaped: it holds names from the slug. */
static int archive_err(struct archive *a, const char *what)
{
	const char *words = archive_error_string(a);
	char *safe = text_escape(words ? words : "unknown error");

	err_set(ERR_INVALID, "%s: %s", what, safe);
	free(safe);
	return ERR_INVALID;
}

/*
 * Was there tar's end mark? Without one libarchive takes the end of the
 * file for the end of the archive, also where a slug was cut off between
 * two of its segments.
 */
static int check_end(struct archive *in)
{
	int64_t past =
		archive_filter_bytes(in, 0) - archive_read_header_position(in);

	if (past >= 512)
		return 0;
	return err_set(ERR_INVALID, "the slug is cut off: no end mark");
}

static int copy_entries(struct archive *in, struct archive *out)
{
	struct archive_entry *entry;
	int rc = 0, r;

	while (!rc) {
		r = archive_read_next_header(in, &entry);
		if (r == ARCHIVE_EOF)
			return check_end(in);
		if (r < ARCHIVE_WARN)
			return archive_err(in, "cannot read the slug");
		rc = check(entry);
		if (!rc && archive_read_extract2(in, entry, out) < ARCHIVE_OK)
			rc = archive_err(in, "cannot unpack the slug");
	}
	return rc;
}

/* From the descriptor into the working folder. */
static int extract(int fd)
{
	struct archive *in = archive_read_new();
	struct archive *out = archive_write_disk_new();
	int rc;

	if (!in || !out)
		abort();
	archive_read_support_format_tar(in);
	archive_read_support_filter_zstd(in);
	archive_read_support_filter_gzip(in);
	archive_write_disk_set_options(
		out, ARCHIVE_EXTRACT_SECURE_SYMLINKS |
			     ARCHIVE_EXTRACT_SECURE_NODOTDOT |
			     ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS);
	if (archive_read_open_fd(in, fd, BLOCK) < ARCHIVE_OK)
		rc = archive_err(in, "cannot read the slug");
	else
		rc = copy_entries(in, out);
	if (archive_write_close(out) < ARCHIVE_OK && !rc)
		rc = archive_err(out, "cannot unpack the slug");
	archive_write_free(out);
	archive_read_free(in);
	return rc;
}

/* The same into a fresh folder; the working folder is as before after it. */
static int extract_into(int fd, const char *folder)
{
	int here, rc = 0;

	here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (here < 0)
		return err_sys("the working folder");
	if (mkdir(folder, 0755) || chdir(folder))
		rc = err_sys("%s", folder);
	if (!rc)
		rc = extract(fd);
	if (fchdir(here) && !rc)
		rc = err_sys("the working folder");
	close(here);
	return rc;
}

int unpack_slug(const char *slug, const char *target)
{
	char *tmp = xasprintf("%s.tmp", target);
	char *kept;
	int fd, rc;

	umask(022);
	/* Names in pax headers are UTF-8; others are bytes to us. */
	setlocale(LC_CTYPE, "C.UTF-8");
	fd = open(slug, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		rc = err_sys("%s", slug);
		goto done;
	}
	rc = tree_remove(AT_FDCWD, tmp);
	if (rc)
		goto done;
	rc = extract_into(fd, tmp);
	if (!rc && rename(tmp, target))
		rc = err_sys("%s", target);
	if (rc) {
		kept = xstrdup(err_msg());
		if (tree_remove(AT_FDCWD, tmp))
			err_prefix(rc, "%s; then", kept);
		else
			err_set(rc, "%s", kept);
		free(kept);
	}
done:
	if (fd >= 0)
		close(fd);
	free(tmp);
	return rc;
}
