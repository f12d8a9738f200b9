/* SPDX-License-Identifier: ISC */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "output.h"

/* From so many new files on the file system is synced as a whole. */
#define MANY 24

/*
 * Segments of a page: one whose name ends in bits that are 0 is the last of
 * its page, which so does not depend on those before it.
 */
#define PAGE_BITS 0x0f
#define PAGE_MAX  256

/* A new file: what it is called now, and what it will be. */
struct fresh {
	char *tmp, *path;
};

struct store {
	char *dir;
	int segments, slugs; /* the folders */
	bool verify;
	pthread_mutex_t lock; /* over what is below */
	struct fresh *fresh;
	size_t nr_fresh, room;
	unsigned serial;
	uint64_t written;
};

static int open_folder(int *out, const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	int rc = 0;

	if (mkdir(path, 0700) && errno != EEXIST)
		rc = err_sys("%s", path);
	if (!rc) {
		*out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (*out < 0)
			rc = err_sys("%s", path);
	}
	free(path);
	return rc;
}

int store_open(struct store **out, const char *dir, bool verify)
{
	struct store *s = xcalloc(1, sizeof(*s));
	int rc;

	s->segments = s->slugs = -1;
	s->dir = xstrdup(dir);
	s->verify = verify;
	pthread_mutex_init(&s->lock, NULL);
	rc = open_folder(&s->segments, dir, "segments");
	if (!rc)
		rc = open_folder(&s->slugs, dir, "slugs");
	if (rc)
		store_free(s);
	else
		*out = s;
	return rc;
}

void store_free(struct store *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->nr_fresh; i++) {
		if (s->fresh[i].tmp)
			unlink(s->fresh[i].tmp);
		free(s->fresh[i].tmp);
		free(s->fresh[i].path);
	}
	if (s->segments >= 0)
		close(s->segments);
	if (s->slugs >= 0)
		close(s->slugs);
	pthread_mutex_destroy(&s->lock);
	free(s->fresh);
	free(s->dir);
	free(s);
}

bool store_has(struct store *s, struct segment *segment)
{
	return !segment_look(segment, s->dir, s->verify);
}

bool store_is_there(struct store *s, const struct segment *segment)
{
	char name[DIGEST_HEX];

	digest_hex(name, segment->name);
	return !faccessat(s->segments, name, F_OK, 0);
}

/* A file to be called path, under a name that it has until then. */
static int begin_file(struct store *s, int *fd, char **tmp)
{
	unsigned serial;

	pthread_mutex_lock(&s->lock);
	serial = s->serial++;
	pthread_mutex_unlock(&s->lock);
	*tmp = xasprintf("%s/segments/%d-%u.tmp", s->dir, (int)getpid(),
			 serial);
	*fd = open(*tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (*fd >= 0)
		return 0;
	err_sys("%s", *tmp);
	free(*tmp);
	*tmp = NULL;
	return ERR_SYSTEM;
}

/* It is written, and will be called path. Takes both names. */
static void add_fresh(struct store *s, char *tmp, char *path, uint64_t size)
{
	struct fresh *fresh;

	pthread_mutex_lock(&s->lock);
	if (s->nr_fresh == s->room) {
		s->room = s->room ? 2 * s->room : 16;
		s->fresh = xrealloc(s->fresh, s->room, sizeof(*s->fresh));
	}
	fresh = &s->fresh[s->nr_fresh++];
	fresh->tmp = tmp;
	fresh->path = path;
	s->written += size;
	pthread_mutex_unlock(&s->lock);
}

int store_begin(struct store_file *f, struct store *s)
{
	char blank[SEGMENT_HEADER] = { 0 };
	int rc;

	*f = (struct store_file){ .store = s };
	rc = begin_file(s, &f->fd, &f->tmp);
	if (rc)
		return rc;
	f->digest = digest_new();
	rc = write_all(f->fd, blank, sizeof(blank), f->tmp);
	if (rc)
		store_drop(f);
	return rc;
}

int store_write(void *ctx, const void *data, size_t len)
{
	struct store_file *f = ctx;

	digest_add(f->digest, data, len);
	f->size += len;
	return write_all(f->fd, data, len, f->tmp);
}

int store_end(struct store_file *f, struct segment *segment)
{
	char header[SEGMENT_HEADER];
	int rc = 0;

	segment->size = f->size;
	digest_end(f->digest, segment->digest);
	segment_header(header, segment);
	if (pwrite(f->fd, header, sizeof(header), 0) != sizeof(header))
		rc = err_sys("%s", f->tmp);
	if (close(f->fd) && !rc)
		rc = err_sys("%s", f->tmp);
	f->fd = -1;
	if (!rc) {
		add_fresh(f->store, f->tmp,
			  segment_path(f->store->dir, segment->name),
			  f->size + SEGMENT_HEADER);
		f->tmp = NULL;
	}
	store_drop(f);
	return rc;
}

void store_drop(struct store_file *f)
{
	if (!f->store)
		return;
	if (f->tmp) {
		if (f->fd >= 0)
			close(f->fd);
		unlink(f->tmp);
		free(f->tmp);
	}
	digest_free(f->digest);
	*f = (struct store_file){ 0 };
}

/* A small file of the store, unless it is there. Takes path. */
static int add_file(struct store *s, char *path, const char *text, size_t len)
{
	char *tmp = NULL;
	int fd = -1, rc;

	if (!s->verify && !access(path, F_OK)) {
		free(path);
		return 0;
	}
	rc = begin_file(s, &fd, &tmp);
	if (!rc)
		rc = write_all(fd, text, len, tmp);
	if (fd >= 0 && close(fd) && !rc)
		rc = err_sys("%s", tmp);
	if (!rc) {
		add_fresh(s, tmp, path, len);
		return 0;
	}
	if (tmp)
		unlink(tmp);
	free(tmp);
	free(path);
	return rc;
}

/* Segments first to n of m are a page. */
static int add_page(struct store *s, struct manifest *m, size_t first, size_t n)
{
	struct page *page = &m->pages[m->nr_pages++];
	size_t len;
	char *text = manifest_page_text(m->segments + first, n, &len);
	int rc;

	digest_of(page->name, text, len);
	rc = add_file(s, page_path(s->dir, page->name), text, len);
	free(text);
	return rc;
}

static int add_pages(struct store *s, struct manifest *m)
{
	size_t first = 0, i;
	int rc = 0;

	m->pages = xcalloc(m->nr_segments + 1, sizeof(*m->pages));
	for (i = 0; i < m->nr_segments && !rc; i++) {
		size_t n = i + 1 - first;

		if (i + 1 < m->nr_segments && n < PAGE_MAX &&
		    m->segments[i].name[DIGEST_SIZE - 1] & PAGE_BITS)
			continue;
		rc = add_page(s, m, first, n);
		first = i + 1;
	}
	return rc;
}

static int sync_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;

	if (fd < 0 || fsync(fd))
		rc = err_sys("fsync %s", path);
	if (fd >= 0)
		close(fd);
	return rc;
}

/*
 * Everything new reaches the disk, and the names do: those, too, of what
 * another slugpack has added, which may not have come to this.
 */
static int publish(struct store *s)
{
	size_t i;
	int rc = 0;

	if (s->nr_fresh >= MANY && syncfs(s->segments))
		rc = err_sys("syncfs");
	for (i = 0; i < s->nr_fresh && s->nr_fresh < MANY && !rc; i++)
		rc = sync_path(s->fresh[i].tmp);
	for (i = 0; i < s->nr_fresh && !rc; i++) {
		struct fresh *f = &s->fresh[i];

		if (rename(f->tmp, f->path)) {
			rc = err_sys("%s", f->path);
		} else {
			free(f->tmp);
			f->tmp = NULL;
		}
	}
	if (!rc && fsync(s->segments))
		rc = err_sys("fsync");
	return rc;
}

static int write_root(struct store *s, const char *uuid, struct manifest *m)
{
	size_t len;
	char *path = root_path(s->dir, uuid), *text;
	char *tmp = xasprintf("%s.tmp", path);
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int rc = fd < 0 ? err_sys("%s", tmp) : 0;
	bool is_new = access(path, F_OK) != 0;

	text = manifest_root_text(m, &len);
	if (!rc)
		rc = write_all(fd, text, len, tmp);
	if (!rc && fsync(fd))
		rc = err_sys("fsync %s", tmp);
	if (fd >= 0 && close(fd) && !rc)
		rc = err_sys("%s", tmp);
	if (!rc && rename(tmp, path))
		rc = err_sys("%s", path);
	if (!rc && fsync(s->slugs)) {
		rc = err_sys("fsync %s", path);
		if (is_new)
			unlink(path);
	}
	if (rc)
		unlink(tmp);
	else
		s->written += len;
	free(text);
	free(tmp);
	free(path);
	return rc;
}

int store_finish(struct store *s, const char *uuid, struct manifest *m,
		 uint64_t *written)
{
	int rc = add_pages(s, m);

	if (!rc)
		rc = publish(s);
	if (!rc)
		rc = write_root(s, uuid, m);
	*written = s->written;
	return rc;
}
