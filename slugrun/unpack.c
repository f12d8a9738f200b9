/* SPDX-License-Identifier: ISC */
#include "unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "manifest.h"
#include "mem.h"
#include "names.h"
#include "place.h"
#include "text.h"
#include "tree.h"

#define BLOCK       (64 << 10)
#define MAX_THREADS 8

/* What the threads share. */
struct unpacking {
	char *store;
	struct manifest manifest;
	int64_t time;
	_Atomic size_t next; /* the segment that nobody has taken */
	_Atomic bool failed;
	pthread_mutex_t lock;
	int rc; /* the first error */
	char *error;
};

/* A thread, and what it has of its own. */
struct worker {
	struct unpacking *u;
	pthread_t thread;
	struct place place;
	struct archive *out;
	char *path; /* of the entry */
	size_t room;
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

/* libarchive's message, escaped: it holds names from the slug. */
static int archive_err(struct archive *a, const char *what)
{
	const char *words = archive_error_string(a);
	char *safe = text_escape(words ? words : "unknown error");

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

/*
 * One entry. Folders are not libarchive's, nor are those on an entry's way:
 * it sees a name in the folder that the thread has gone to.
 */
static int extract(struct worker *w, struct archive *in,
		   struct archive_entry *entry)
{
	bool folder = archive_entry_filetype(entry) == AE_IFDIR;
	const char *base;
	char *why;
	int rc;

	take_path(w, archive_entry_pathname(entry));
	rc = check(entry, w->path);
	if (rc)
		return rc;
	rc = place_enter(&w->place, w->path, folder, &base);
	if (!rc && !folder) {
		archive_entry_copy_pathname(entry, base);
		archive_entry_set_mtime(entry, w->u->time, 0);
		if (archive_read_extract2(in, entry, w->out) < ARCHIVE_OK)
			rc = archive_err(in, "cannot be unpacked");
	}
	if (rc) {
		why = xstrdup(err_msg());
		rc = refuse(w->path, why);
		free(why);
	}
	return rc;
}

static int copy_entries(struct worker *w, struct archive *in,
			const struct segment *s)
{
	struct archive_entry *entry;
	int rc = 0, r;

	while (!rc && !w->u->failed) {
		r = archive_read_next_header(in, &entry);
		if (r == ARCHIVE_EOF)
			break;
		if (r < ARCHIVE_WARN)
			return archive_err(in, "cannot read the slug");
		rc = extract(w, in, entry);
	}
	/* Else an end mark would hide what follows it. */
	if (!rc && !w->u->failed &&
	    archive_filter_bytes(in, 0) != (int64_t)s->raw)
		rc = err_set(ERR_INVALID, "unpacked it is not as long as its "
					  "manifest says");
	return rc;
}

static int extract_segment(struct worker *w, const struct segment *s)
{
	char hex[DIGEST_HEX];
	struct archive *in;
	int fd, rc;

	rc = segment_open(&fd, w->u->store, s);
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
		rc = copy_entries(w, in, s);
	archive_read_free(in);
	close(fd);
	digest_hex(hex, s->name);
	return err_prefix(rc, "segment %s", hex);
}

/* The first one counts; it ends the others. */
static void fail(struct unpacking *u, int rc)
{
	pthread_mutex_lock(&u->lock);
	if (!u->rc) {
		u->rc = rc;
		u->error = xstrdup(err_msg());
	}
	pthread_mutex_unlock(&u->lock);
	u->failed = true;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct unpacking *u = w->u;
	const struct manifest *m = &u->manifest;
	size_t i;
	int rc;

	/* First: libarchive asks for the umask by setting it. */
	rc = place_open(&w->place);
	w->out = archive_write_disk_new();
	if (!w->out)
		abort();
	archive_write_disk_set_options(
		w->out, ARCHIVE_EXTRACT_SECURE_SYMLINKS |
				ARCHIVE_EXTRACT_SECURE_NODOTDOT |
				ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS |
				ARCHIVE_EXTRACT_TIME);
	while (!rc && !u->failed && (i = u->next++) < m->nr_segments)
		rc = extract_segment(w, &m->segments[i]);
	if (archive_write_close(w->out) < ARCHIVE_OK && !rc)
		rc = archive_err(w->out, "cannot unpack the slug");
	archive_write_free(w->out);
	place_close(&w->place);
	free(w->path);
	if (rc)
		fail(u, rc);
	return NULL;
}

static unsigned processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return CPU_COUNT(&set) < MAX_THREADS ? (unsigned)CPU_COUNT(&set)
					     : MAX_THREADS;
}

/* All segments, by n threads, of which the caller's is one. */
static void run_workers(struct unpacking *u, size_t n)
{
	struct worker *v = xcalloc(n, sizeof(*v));
	size_t i, started = 1;

	for (i = 0; i < n; i++)
		v[i].u = u;
	/* With fewer it is only slower. */
	while (started < n &&
	       !pthread_create(&v[started].thread, NULL, work, &v[started]))
		started++;
	work(&v[0]);
	for (i = 1; i < started; i++)
		pthread_join(v[i].thread, NULL);
	free(v);
}

/* Into the working folder. */
static int extract_all(struct unpacking *u, unsigned threads)
{
	size_t n = threads ? threads : processors();

	if (n > u->manifest.nr_segments)
		n = u->manifest.nr_segments;
	if (n)
		run_workers(u, n);
	if (u->rc)
		err_set(u->rc, "%s", u->error);
	free(u->error);
	return u->rc;
}

/* The same into a fresh folder; the working folder is as before after it. */
static int extract_into(struct unpacking *u, unsigned threads,
			const char *folder)
{
	int here, rc = 0;

	here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (here < 0)
		return err_sys("the working folder");
	if (mkdir(folder, 0755) || chdir(folder))
		rc = err_sys("%s", folder);
	if (!rc)
		rc = extract_all(u, threads);
	if (fchdir(here) && !rc)
		rc = err_sys("the working folder");
	close(here);
	return rc;
}

/* Away with what there is of it; rc, with its message, is what comes back. */
static int clean_up(const char *tmp, int rc)
{
	char *kept = xstrdup(err_msg());

	if (tree_remove(AT_FDCWD, tmp))
		err_prefix(rc, "%s; then", kept);
	else
		err_set(rc, "%s", kept);
	free(kept);
	return rc;
}

int unpack_slug(const char *store, const char *uuid, const char *target,
		int64_t time, unsigned threads)
{
	struct unpacking u = { .time = time,
			       .lock = PTHREAD_MUTEX_INITIALIZER };
	char *tmp = xasprintf("%s.tmp", target);
	int rc;

	umask(022);
	/* Names in pax headers are UTF-8; others are bytes to us. */
	setlocale(LC_CTYPE, "C.UTF-8");
	/* One that holds from within the target, too. */
	u.store = realpath(store, NULL);
	if (!u.store) {
		rc = err_sys("%s", store);
		goto done;
	}
	rc = name_check_uuid(uuid);
	if (!rc)
		rc = manifest_read(&u.manifest, u.store, uuid);
	if (!rc)
		rc = tree_remove(AT_FDCWD, tmp);
	if (rc)
		goto done;
	rc = extract_into(&u, threads, tmp);
	if (!rc && rename(tmp, target))
		rc = err_sys("%s", target);
	if (rc)
		clean_up(tmp, rc);
done:
	manifest_release(&u.manifest);
	free(u.store);
	free(tmp);
	return rc;
}
