/* SPDX-License-Identifier: ISC */
#include "extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "place.h"
#include "text.h"

#define BLOCK (64 << 10)

/* What the threads share. */
struct shared {
	const struct extraction *x;
	struct paths *folders, *files; /* NULL: unpack */
	_Atomic size_t next;           /* the segment that nobody has taken */
	_Atomic bool failed;
	pthread_mutex_t lock; /* of what follows, and of the lists */
	int rc;               /* the first error */
	char *error;
};

/* A thread, and what it has of its own. */
struct worker {
	struct shared *s;
	pthread_t thread;
	struct place place;
	struct archive *out;
	char *path; /* of the entry */
	size_t room;
	char block[BLOCK]; /* of a file of the base */
};

/* An error of one entry, whose name comes from outside. */
static int refuse(const char *path, const char *why)
{
	char *safe = text_escape(path);

	err_set(ERR_INVALID, "the slug's entry %s %s", safe, why);
	free(safe);
	return ERR_INVALID;
}

/* Only what a git tree can hold, with git's two modes. */
static int check(struct archive_entry *entry, const char *path)
{
	mode_t type = archive_entry_filetype(entry);
	mode_t perm = archive_entry_perm(entry);

	if (!*path)
		return refuse("(no name)", "has no usable name");
	if (archive_entry_hardlink(entry))
		return refuse(path, "is a hard link");
	if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK)
		return refuse(path, "is no file, folder or symbolic link");
	if (type != AE_IFLNK && (perm & 07000))
		return refuse(path, "has a setuid, setgid or sticky bit");
	archive_entry_set_perm(entry, (perm & 0111) ? 0755 : 0644);
	return 0;
}

/*
 * libarchive's message, escaped: it holds names from the slug. Why the system
 * refused something is not in it.
 */
static int archive_err(struct archive *a, const char *what)
{
	const char *words = archive_error_string(a);
	char *safe = text_escape(words ? words : "unknown error");
	int why = archive_errno(a);

	if (why == ENOSPC || why == EDQUOT || why == EIO || why == EFBIG)
		err_set(ERR_SYSTEM, "%s: %s: %s", what, safe, strerror(why));
	else
		err_set(ERR_INVALID, "%s: %s", what, safe);
	free(safe);
	return ERR_INVALID;
}

/* The entry's name into w->path; it keeps its room. */
static void take_path(struct worker *w, const char *path)
{
	size_t len = path ? strlen(path) : 0;

	if (len >= w->room) {
		w->room = 2 * len + 256;
		w->path = xrealloc(w->path, w->room, 1);
	}
	memcpy(w->path, path ? path : "", len + 1);
}

/* --- what the base has already --- */

/* What is at path in the base, through no symbolic link; -1 for nothing. */
static int open_old(int base, const char *path, uint64_t flags)
{
	const struct open_how how = {
		.flags = flags | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, base, path, &how, sizeof(how));
}

/* The file of the entry, where that is of its size and mode; else -1. */
static int open_twin(const struct worker *w, struct archive_entry *entry)
{
	int fd = open_old(w->s->x->base, w->path, O_RDONLY | O_NONBLOCK);
	mode_t mode = AE_IFREG | archive_entry_perm(entry);
	struct stat st;

	if (fd < 0)
		return -1;
	if (!fstat(fd, &st) && st.st_mode == mode &&
	    st.st_size == archive_entry_size(entry))
		return fd;
	close(fd);
	return -1;
}

/* Does the twin hold these bytes there? */
static bool holds(struct worker *w, int twin, const char *data, size_t len,
		  int64_t at)
{
	size_t n;

	while (len) {
		n = len < BLOCK ? len : BLOCK;
		if (pread(twin, w->block, n, at) != (ssize_t)n ||
		    memcmp(w->block, data, n) != 0)
			return false;
		data += n;
		len -= n;
		at += (int64_t)n;
	}
	return true;
}

/* Into the new file: what the twin holds before there. */
static int copy_start(struct worker *w, int twin, int64_t end)
{
	int64_t at = 0;
	size_t n;

	while (at < end) {
		n = end - at < BLOCK ? (size_t)(end - at) : BLOCK;
		if (pread(twin, w->block, n, at) != (ssize_t)n)
			return err_sys("cannot read what it was before");
		if (archive_write_data_block(w->out, w->block, n, at) <
		    ARCHIVE_OK)
			return archive_err(w->out, "cannot be unpacked");
		at += (int64_t)n;
	}
	return 0;
}

/* A block of a file that is being unpacked. */
struct block {
	const void *data;
	size_t len;
	la_int64_t at;
	bool none; /* the file is over */
};

static int next_block(struct archive *in, struct block *b)
{
	int r = archive_read_data_block(in, &b->data, &b->len, &b->at);

	b->none = r == ARCHIVE_EOF;
	return r < ARCHIVE_OK && !b->none
		       ? archive_err(in, "cannot be unpacked")
		       : 0;
}

/* It is another one from block b on. */
static int write_changed(struct worker *w, struct archive *in,
			 struct archive_entry *entry, int twin, int64_t same,
			 struct block *b)
{
	int rc = 0;

	if (archive_write_header(w->out, entry) < ARCHIVE_OK)
		return archive_err(w->out, "cannot be unpacked");
	rc = copy_start(w, twin, same);
	while (!rc && !b->none) {
		if (archive_write_data_block(w->out, b->data, b->len, b->at) <
		    ARCHIVE_OK)
			rc = archive_err(w->out, "cannot be unpacked");
		else
			rc = next_block(in, b);
	}
	if (archive_write_finish_entry(w->out) < ARCHIVE_OK && !rc)
		rc = archive_err(w->out, "cannot be unpacked");
	return rc;
}

static int link_old(const struct worker *w, const char *name)
{
	if (linkat(w->s->x->base, w->path, AT_FDCWD, name, 0))
		return err_sys("cannot be linked");
	return 0;
}

/* The file becomes a link to its twin, where that has the same bytes. */
static int put_twin(struct worker *w, struct archive *in,
		    struct archive_entry *entry, const char *name, int twin)
{
	struct block b = { 0 };
	int64_t same = 0;
	int rc = next_block(in, &b);

	while (!rc && !b.none && b.at == same &&
	       holds(w, twin, b.data, b.len, b.at)) {
		same += (int64_t)b.len;
		rc = next_block(in, &b);
	}
	if (rc)
		return rc;
	if (b.none && same == archive_entry_size(entry))
		return link_old(w, name);
	return write_changed(w, in, entry, twin, same, &b);
}

/* Has the base the same symbolic link? */
static bool is_same_link(struct worker *w, struct archive_entry *entry)
{
	const char *to = archive_entry_symlink(entry);
	int fd = open_old(w->s->x->base, w->path, O_PATH);
	ssize_t n = -1;

	if (fd >= 0) {
		n = readlinkat(fd, "", w->block, BLOCK);
		close(fd);
	}
	return n >= 0 && to && strlen(to) == (size_t)n &&
	       !memcmp(w->block, to, (size_t)n);
}

/* --- one entry --- */

/* It is called name in the folder that the thread has gone to. */
static int put(struct worker *w, struct archive *in,
	       struct archive_entry *entry, const char *name)
{
	mode_t type = archive_entry_filetype(entry);
	bool old = w->s->x->base >= 0;
	int twin = -1, rc = 0;

	archive_entry_copy_pathname(entry, name);
	archive_entry_set_mtime(entry, w->s->x->time, 0);
	if (old && type == AE_IFREG)
		twin = open_twin(w, entry);
	if (twin >= 0)
		rc = put_twin(w, in, entry, name, twin);
	else if (old && type == AE_IFLNK && is_same_link(w, entry))
		rc = link_old(w, name);
	else if (archive_read_extract2(in, entry, w->out) < ARCHIVE_OK)
		rc = archive_err(in, "cannot be unpacked");
	if (twin >= 0)
		close(twin);
	return rc;
}

/*
 * Folders are not libarchive's, nor are those on an entry's way: it sees a
 * name in the folder that the thread has gone to.
 */
static int extract(struct worker *w, struct archive *in,
		   struct archive_entry *entry)
{
	bool folder = archive_entry_filetype(entry) == AE_IFDIR;
	const char *name;
	char *why;
	int rc = check(entry, w->path);

	if (rc)
		return rc;
	rc = place_enter(&w->place, w->path, folder, &name);
	if (!rc && !folder)
		rc = put(w, in, entry, name);
	if (rc) {
		why = xstrdup(err_msg());
		rc = refuse(w->path, why);
		free(why);
	}
	return rc;
}

/* Is it a path with no step too many? */
static bool is_short(const char *path)
{
	size_t n;

	do {
		n = strcspn(path, "/");
		if (n == 0 ||
		    (path[0] == '.' && (n == 1 || (n == 2 && path[1] == '.'))))
			return false;
		path += n;
	} while (*path++);
	return true;
}

/* Into the lists. */
static int note(struct worker *w, struct archive_entry *entry)
{
	bool folder = archive_entry_filetype(entry) == AE_IFDIR;
	size_t len = strlen(w->path);

	if (folder && len && w->path[len - 1] == '/')
		w->path[len - 1] = '\0';
	if (!is_short(w->path))
		return refuse(w->path, "could have a shorter path");
	pthread_mutex_lock(&w->s->lock);
	paths_add(folder ? w->s->folders : w->s->files, w->path);
	pthread_mutex_unlock(&w->s->lock);
	return 0;
}

/* --- segments, threads --- */

static int read_entries(struct worker *w, struct archive *in,
			const struct segment *s)
{
	struct archive_entry *entry;
	int rc = 0, r;

	while (!rc && !w->s->failed) {
		r = archive_read_next_header(in, &entry);
		if (r == ARCHIVE_EOF)
			break;
		if (r < ARCHIVE_WARN)
			return archive_err(in, "cannot read the slug");
		take_path(w, archive_entry_pathname(entry));
		rc = w->s->files ? note(w, entry) : extract(w, in, entry);
	}
	/* Else an end mark would hide what follows it. */
	if (!rc && !w->s->failed &&
	    archive_filter_bytes(in, 0) != (int64_t)s->raw)
		rc = err_set(ERR_INVALID, "unpacked it is not as long as its "
					  "manifest says");
	return rc;
}

static int read_segment(struct worker *w, const struct segment *s)
{
	char hex[DIGEST_HEX];
	struct archive *in;
	int fd, rc;

	rc = segment_open(&fd, w->s->x->store, s);
	if (rc)
		return rc;
	in = archive_read_new();
	if (!in)
		abort();
	archive_read_support_format_tar(in);
	archive_read_support_filter_zstd(in);
	archive_read_support_filter_gzip(in);
	if (archive_read_open_fd(in, fd, BLOCK) < ARCHIVE_OK)
		rc = archive_err(in, "cannot read the slug");
	else
		rc = read_entries(w, in, s);
	archive_read_free(in);
	close(fd);
	digest_hex(hex, s->name);
	return err_prefix(rc, "segment %s", hex);
}

/* The first one counts; it ends the others. */
static void fail(struct shared *s, int rc)
{
	pthread_mutex_lock(&s->lock);
	if (!s->rc) {
		s->rc = rc;
		s->error = xstrdup(err_msg());
	}
	pthread_mutex_unlock(&s->lock);
	s->failed = true;
}

static int read_segments(struct worker *w)
{
	const struct extraction *x = w->s->x;
	int rc = 0;
	size_t i;

	while (!rc && !w->s->failed && (i = w->s->next++) < x->nr)
		rc = read_segment(w, &x->segments[i]);
	return rc;
}

static int unpack_segments(struct worker *w)
{
	/* First: libarchive asks for the umask by setting it. */
	int rc = place_open(&w->place);

	w->out = archive_write_disk_new();
	if (!w->out)
		abort();
	archive_write_disk_set_options(
		w->out, ARCHIVE_EXTRACT_SECURE_SYMLINKS |
				ARCHIVE_EXTRACT_SECURE_NODOTDOT |
				ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS |
				ARCHIVE_EXTRACT_TIME);
	if (!rc)
		rc = read_segments(w);
	if (archive_write_close(w->out) < ARCHIVE_OK && !rc)
		rc = archive_err(w->out, "cannot unpack the slug");
	archive_write_free(w->out);
	place_close(&w->place);
	return rc;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	int rc = w->s->files ? read_segments(w) : unpack_segments(w);

	free(w->path);
	if (rc)
		fail(w->s, rc);
	return NULL;
}

/* All segments, by n threads, of which the caller's is one. */
static void run_workers(struct shared *s, size_t n)
{
	struct worker *v = xcalloc(n, sizeof(*v));
	size_t i, started = 1;

	for (i = 0; i < n; i++)
		v[i].s = s;
	/* With fewer it is only slower. */
	while (started < n &&
	       !pthread_create(&v[started].thread, NULL, work, &v[started]))
		started++;
	work(&v[0]);
	for (i = 1; i < started; i++)
		pthread_join(v[i].thread, NULL);
	free(v);
}

static int run(struct shared *s)
{
	size_t n = s->x->threads < s->x->nr ? s->x->threads : s->x->nr;

	pthread_mutex_init(&s->lock, NULL);
	if (n)
		run_workers(s, n);
	pthread_mutex_destroy(&s->lock);
	if (s->rc)
		err_set(s->rc, "%s", s->error);
	free(s->error);
	return s->rc;
}

int extract_segments(const struct extraction *x)
{
	struct shared s = { .x = x };

	return run(&s);
}

int extract_paths(const struct extraction *x, struct paths *folders,
		  struct paths *files)
{
	struct shared s = { .x = x, .folders = folders, .files = files };
	int rc = run(&s);

	paths_sort(folders);
	paths_sort(files);
	return rc;
}
