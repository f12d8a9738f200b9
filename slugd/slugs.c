/* SPDX-License-Identifier: ISC */
#include "slugs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

#define UUID_LENGTH 36

struct folder {
	struct slug_store base;
	char *dir, *suffix;
};

/* What a slug's file may end in: the formats of slugpack. */
static const char *const suffixes[] = { ".tar.zst", ".tar.gz" };

static struct folder *folder_of(struct slug_store *s)
{
	return (struct folder *)s;
}

static char *temporary(const struct folder *f, const char *uuid)
{
	return xasprintf("%s/%s.tmp", f->dir, uuid);
}

static int folder_begin(struct slug_store *s, const char *uuid, int *out)
{
	char *path = temporary(folder_of(s), uuid);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc = fd < 0 ? err_sys("%s", path) : 0;

	free(path);
	*out = fd;
	return rc;
}

/* The folder's entries reach the disk. */
static int sync_dir(const struct folder *f)
{
	int fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0 || fsync(fd))
		rc = err_sys("%s", f->dir);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int folder_commit(struct slug_store *s, const char *uuid, int fd)
{
	struct folder *f = folder_of(s);
	char *from = temporary(f, uuid);
	char *to = xasprintf("%s/%s%s", f->dir, uuid, f->suffix);
	int rc = 0;

	if (fsync(fd))
		rc = err_sys("fsync %s", from);
	if (close(fd) && !rc)
		rc = err_sys("%s", from);
	if (!rc && rename(from, to))
		rc = err_sys("%s", to);
	if (!rc)
		rc = sync_dir(f);
	if (rc) {
		unlink(from);
		unlink(to);
	}
	free(from);
	free(to);
	return rc;
}

static void folder_abort(struct slug_store *s, const char *uuid, int fd)
{
	char *path = temporary(folder_of(s), uuid);

	close(fd);
	unlink(path);
	free(path);
}

static char *folder_path(struct slug_store *s, const char *uuid)
{
	size_t i;

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *path = xasprintf("%s/%s%s", folder_of(s)->dir, uuid,
				       suffixes[i]);

		if (!access(path, F_OK))
			return path;
		free(path);
	}
	return NULL;
}

static void folder_drop(struct slug_store *s, const char *uuid)
{
	char *path = folder_path(s, uuid);

	if (path)
		unlink(path);
	free(path);
}

static void folder_drop_if(struct slug_store *s,
			   bool (*unwanted)(void *ctx, const char *uuid),
			   void *ctx)
{
	DIR *dir = opendir(folder_of(s)->dir);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char *uuid = xstrndup(e->d_name, strcspn(e->d_name, "."));

		if (strlen(uuid) == UUID_LENGTH && unwanted(ctx, uuid))
			unlinkat(dirfd(dir), e->d_name, 0);
		free(uuid);
	}
	if (dir)
		closedir(dir);
}

static void folder_close(struct slug_store *s)
{
	struct folder *f = folder_of(s);

	free(f->dir);
	free(f->suffix);
	free(f);
}

static const struct slug_store_ops folder_ops = {
	.begin = folder_begin,
	.commit = folder_commit,
	.abort = folder_abort,
	.path = folder_path,
	.drop = folder_drop,
	.drop_if = folder_drop_if,
	.close = folder_close,
};

/* What a crash left half written. */
static void sweep(const struct folder *f)
{
	DIR *dir = opendir(f->dir);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		size_t len = strlen(e->d_name);

		if (len > 4 && !strcmp(e->d_name + len - 4, ".tmp"))
			unlinkat(dirfd(dir), e->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

static struct folder *new_folder(const char *dir, const char *suffix)
{
	struct folder *f = xcalloc(1, sizeof(*f));

	f->base.ops = &folder_ops;
	f->dir = xstrdup(dir);
	f->suffix = xstrdup(suffix);
	return f;
}

struct slug_store *slugs_open_folder(const char *dir, const char *suffix)
{
	struct folder *f = new_folder(dir, suffix);

	sweep(f);
	return &f->base;
}

struct slug_store *slugs_at_folder(const char *dir)
{
	return &new_folder(dir, suffixes[0])->base;
}

void slugs_close(struct slug_store *s)
{
	if (s)
		s->ops->close(s);
}

int slugs_begin(struct slug_store *s, const char *uuid, int *fd)
{
	return s->ops->begin(s, uuid, fd);
}

int slugs_commit(struct slug_store *s, const char *uuid, int fd)
{
	return s->ops->commit(s, uuid, fd);
}

void slugs_abort(struct slug_store *s, const char *uuid, int fd)
{
	s->ops->abort(s, uuid, fd);
}

char *slugs_path(struct slug_store *s, const char *uuid)
{
	return s->ops->path(s, uuid);
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
