/* SPDX-License-Identifier: ISC */
#include "slugs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "file.h"
#include "manifest.h"
#include "mem.h"
#include "name-set.h"

#define UUID_LENGTH 36
#define HEX_LENGTH  (DIGEST_HEX - 1)

struct folder {
	struct slug_store base;
	char *dir;
	bool look; /* make nothing, not even the lock */
};

/* What was counted already, and where that leads to. */
struct slug_sum {
	struct slug_store *store;
	struct name_set pages, segments;
	uint64_t bytes;
};

static const char *dir_of(const struct slug_store *s)
{
	return ((const struct folder *)(const void *)s)->dir;
}

static bool is_only_looked_at(const struct slug_store *s)
{
	return ((const struct folder *)(const void *)s)->look;
}

static bool folder_has(struct slug_store *s, const char *uuid)
{
	char *path = root_path(dir_of(s), uuid);
	/* Any other error does not say that it is gone. */
	bool has = !access(path, F_OK) || (errno != ENOENT && errno != ENOTDIR);

	free(path);
	return has;
}

static void folder_drop(struct slug_store *s, const char *uuid)
{
	char *path = root_path(dir_of(s), uuid);

	unlink(path);
	free(path);
}

/* Is this the name of a root, and of nothing else? */
static bool is_root(const char *name)
{
	return strlen(name) == UUID_LENGTH && !strchr(name, '.');
}

static bool is_temporary(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && !strcmp(name + len - 4, ".tmp");
}

/* A folder of the store, as a path, which is freed, and open. */
static DIR *open_below(const struct slug_store *s, const char *name,
		       char **path)
{
	*path = xasprintf("%s/%s", dir_of(s), name);
	return opendir(*path);
}

static void folder_drop_if(struct slug_store *s,
			   bool (*unwanted)(void *ctx, const char *uuid),
			   void *ctx)
{
	char *path = NULL;
	DIR *dir = open_below(s, "slugs", &path);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (is_root(e->d_name) && unwanted(ctx, e->d_name))
			unlinkat(dirfd(dir), e->d_name, 0);
	if (dir)
		closedir(dir);
	free(path);
}

static int folder_lock(struct slug_store *s, bool exclusive, int *lock)
{
	char *path = xasprintf("%s/segments/lock", dir_of(s));
	int how = exclusive ? LOCK_EX | LOCK_NB : LOCK_SH, rc = 0;
	bool look = is_only_looked_at(s);

	*lock = open(path, (look ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC,
		     0600);
	if (*lock < 0 && (!look || errno != ENOENT))
		rc = err_sys("%s", path);
	while (!rc && *lock >= 0 && flock(*lock, how))
		if (errno == EWOULDBLOCK)
			rc = err_set(ERR_CONFLICT, "a slug is being packed");
		else if (errno != EINTR)
			rc = err_sys("%s", path);
	if (rc && *lock >= 0) {
		close(*lock);
		*lock = -1;
	}
	free(path);
	return rc;
}

static void folder_unlock(struct slug_store *s, int lock)
{
	(void)s;
	if (lock >= 0)
		close(lock);
}

/* A page's segments into the sum. */
static int add_page(struct slug_sum *sum, const char *dir,
		    const struct page *page)
{
	struct segment *v = NULL;
	size_t n = 0, i;
	int rc = manifest_read_page(&v, &n, dir, page);

	for (i = 0; i < n && !rc; i++)
		if (name_set_add(&sum->segments, v[i].name))
			sum->bytes += v[i].size + SEGMENT_HEADER;
	free(v);
	return rc;
}

static uint64_t size_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : (uint64_t)st.st_size;
}

static int folder_add(struct slug_store *s, struct slug_sum *sum,
		      const char *uuid)
{
	const char *dir = dir_of(s);
	struct manifest m;
	char *path = root_path(dir, uuid);
	int rc = manifest_read_root(&m, dir, uuid);
	size_t i;

	sum->bytes += size_of(path);
	for (i = 0; i < m.nr_pages && !rc; i++) {
		if (!name_set_add(&sum->pages, m.pages[i].name))
			continue;
		str_replace(&path, page_path(dir, m.pages[i].name));
		sum->bytes += size_of(path);
		rc = add_page(sum, dir, &m.pages[i]);
	}
	manifest_release(&m);
	free(path);
	return rc;
}

/* One pass over one folder of the store. */
struct sweep {
	DIR *dir;
	char *path;
	struct slug_freed *freed;
};

static int sweep_begin(struct sweep *sw, struct slug_store *s, const char *name,
		       struct slug_freed *freed)
{
	sw->freed = freed;
	sw->dir = open_below(s, name, &sw->path);
	return sw->dir ? 0 : err_sys("%s", sw->path);
}

static int sweep_remove(struct sweep *sw, const char *name)
{
	struct stat st;

	if (fstatat(dirfd(sw->dir), name, &st, AT_SYMLINK_NOFOLLOW) ||
	    unlinkat(dirfd(sw->dir), name, 0))
		return errno == ENOENT ? 0 : err_sys("%s/%s", sw->path, name);
	sw->freed->bytes += (uint64_t)st.st_size;
	return 0;
}

/* What was removed stays so: before that which it named goes, too. */
static int sweep_end(struct sweep *sw, int rc)
{
	if (!rc && fsync(dirfd(sw->dir)))
		rc = err_sys("%s", sw->path);
	if (sw->dir)
		closedir(sw->dir);
	free(sw->path);
	return rc;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* keep is sorted. */
static int sweep_roots(struct slug_store *s, const char *const *keep, size_t n,
		       struct slug_freed *freed)
{
	struct sweep sw;
	struct dirent *e;
	int rc = sweep_begin(&sw, s, "slugs", freed);

	while (!rc && (e = readdir(sw.dir))) {
		const char *name = e->d_name;

		if (is_root(name) &&
		    (!n || !bsearch(&name, keep, n, sizeof(*keep), compare))) {
			rc = sweep_remove(&sw, name);
			freed->slugs++;
		} else if (is_temporary(name)) {
			rc = sweep_remove(&sw, name);
		}
	}
	return sweep_end(&sw, rc);
}

/* Is it a page or a segment that the sum does not have? Which *count. */
static bool is_unneeded(const struct slug_sum *sum, const char *name,
			struct slug_freed *freed, size_t **count)
{
	unsigned char digest[DIGEST_SIZE];
	bool page;

	if (strlen(name) < HEX_LENGTH || !digest_parse(digest, name))
		return false;
	page = !strcmp(name + HEX_LENGTH, ".page");
	if (!page && name[HEX_LENGTH])
		return false;
	*count = page ? &freed->pages : &freed->segments;
	return !name_set_has(page ? &sum->pages : &sum->segments, digest);
}

static int sweep_segments(struct slug_store *s, const struct slug_sum *sum,
			  struct slug_freed *freed)
{
	struct sweep sw;
	struct dirent *e;
	size_t other = 0, *count;
	int rc = sweep_begin(&sw, s, "segments", freed);

	while (!rc && (e = readdir(sw.dir))) {
		count = &other;
		if (!is_temporary(e->d_name) &&
		    !is_unneeded(sum, e->d_name, freed, &count))
			continue;
		rc = sweep_remove(&sw, e->d_name);
		++*count;
	}
	return sweep_end(&sw, rc);
}

static int folder_gc(struct slug_store *s, const char *const *keep, size_t n,
		     struct slug_freed *freed)
{
	struct slug_sum *sum = slugs_sum_new(s);
	const char **sorted = xcalloc(n + 1, sizeof(*sorted));
	size_t i;
	int rc = 0;

	for (i = 0; i < n && !rc; i++) {
		sorted[i] = keep[i];
		rc = folder_add(s, sum, keep[i]);
	}
	if (rc) {
		rc = err_set(rc, "%s; nothing was removed", err_msg());
		goto done;
	}
	qsort(sorted, n, sizeof(*sorted), compare);
	rc = sweep_roots(s, sorted, n, freed);
	if (!rc)
		rc = sweep_segments(s, sum, freed);
done:
	slugs_sum_free(sum);
	free(sorted);
	return rc;
}

static int stored_below(struct slug_store *s, const char *name, uint64_t *bytes)
{
	char *path = NULL;
	DIR *dir = open_below(s, name, &path);
	int rc = dir || errno == ENOENT ? 0 : err_sys("%s", path);
	struct dirent *e;
	struct stat st;

	while (dir && (e = readdir(dir)))
		if (!fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode))
			*bytes += (uint64_t)st.st_size;
	if (dir)
		closedir(dir);
	free(path);
	return rc;
}

static int folder_stored(struct slug_store *s, uint64_t *bytes)
{
	int rc;

	*bytes = 0;
	rc = stored_below(s, "slugs", bytes);
	return rc ? rc : stored_below(s, "segments", bytes);
}

static void folder_close(struct slug_store *s)
{
	struct folder *f = (struct folder *)s;

	free(f->dir);
	free(f);
}

static const struct slug_store_ops folder_ops = {
	.has = folder_has,
	.drop = folder_drop,
	.drop_if = folder_drop_if,
	.lock = folder_lock,
	.unlock = folder_unlock,
	.gc = folder_gc,
	.stored = folder_stored,
	.add = folder_add,
	.close = folder_close,
};

struct slug_store *slugs_at_folder(const char *dir)
{
	struct folder *f = xcalloc(1, sizeof(*f));

	f->base.ops = &folder_ops;
	f->dir = xstrdup(dir);
	f->look = true;
	return &f->base;
}

static int make_folders(const char *dir)
{
	static const char *const below[] = { "segments", "slugs", "cache" };
	size_t i;
	int rc = 0;

	for (i = 0; i < sizeof(below) / sizeof(below[0]) && !rc; i++) {
		char *path = xasprintf("%s/%s", dir, below[i]);

		rc = file_make_folder(path, 0700);
		free(path);
	}
	return rc;
}

/* What a crash left half written. */
static int sweep_temporary(struct slug_store *s, const char *name)
{
	struct slug_freed freed = { 0 };
	struct sweep sw;
	struct dirent *e;
	int rc = sweep_begin(&sw, s, name, &freed);

	while (!rc && (e = readdir(sw.dir)))
		if (is_temporary(e->d_name))
			rc = sweep_remove(&sw, e->d_name);
	return sweep_end(&sw, rc);
}

int slugs_open_folder(struct slug_store **out, const char *dir)
{
	struct slug_store *s = slugs_at_folder(dir);
	int lock = -1, rc = make_folders(dir);

	((struct folder *)(void *)s)->look = false;
	if (!rc) {
		rc = slugs_lock(s, true, &lock);
		if (!rc)
			rc = sweep_temporary(s, "segments");
		if (!rc)
			rc = sweep_temporary(s, "slugs");
		if (!rc)
			rc = sweep_temporary(s, "cache");
		slugs_unlock(s, lock);
		if (rc == ERR_CONFLICT)
			rc = 0;
	}
	if (rc)
		slugs_close(s);
	else
		*out = s;
	return rc;
}

void slugs_close(struct slug_store *s)
{
	if (s)
		s->ops->close(s);
}

bool slugs_has(struct slug_store *s, const char *uuid)
{
	return s->ops->has(s, uuid);
}

void slugs_drop(struct slug_store *s, const char *uuid)
{
	s->ops->drop(s, uuid);
}

void slugs_drop_if(struct slug_store *s,
		   bool (*unwanted)(void *ctx, const char *uuid), void *ctx)
{
	s->ops->drop_if(s, unwanted, ctx);
}

int slugs_lock(struct slug_store *s, bool exclusive, int *lock)
{
	return s->ops->lock(s, exclusive, lock);
}

void slugs_unlock(struct slug_store *s, int lock)
{
	s->ops->unlock(s, lock);
}

int slugs_gc(struct slug_store *s, const char *const *keep, size_t n,
	     struct slug_freed *freed)
{
	*freed = (struct slug_freed){ 0 };
	return s->ops->gc(s, keep, n, freed);
}

int slugs_stored(struct slug_store *s, uint64_t *bytes)
{
	return s->ops->stored(s, bytes);
}

struct slug_sum *slugs_sum_new(struct slug_store *s)
{
	struct slug_sum *sum = xcalloc(1, sizeof(*sum));

	sum->store = s;
	return sum;
}

int slugs_sum_add(struct slug_sum *sum, const char *uuid, uint64_t *bytes)
{
	uint64_t before = sum->bytes;
	int rc = sum->store->ops->add(sum->store, sum, uuid);

	*bytes = sum->bytes - before;
	return rc;
}

void slugs_sum_free(struct slug_sum *sum)
{
	if (!sum)
		return;
	name_set_clear(&sum->pages);
	name_set_clear(&sum->segments);
	free(sum);
}
