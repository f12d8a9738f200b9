/* SPDX-License-Identifier: ISC */
/*
 * A moved ref is made durable. The folders are synced by several threads at
 * a time: each one waits for the disk to write its cache out, and does so
 * once for all that wait.
 */
#include "repo.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

#define MAX_THREADS 16

/* What the threads share. */
struct syncing {
	char **folders;
	size_t nr;
	_Atomic size_t next; /* the folder that nobody has taken */
	pthread_mutex_t lock;
	int rc; /* the first error */
	char *error;
};

/* fsync a folder; one that is not there has nothing to lose. */
static int sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : err_sys("%s", path);
	if (fsync(fd))
		rc = err_sys("fsync %s", path);
	close(fd);
	return rc;
}

static void *work(void *arg)
{
	struct syncing *s = arg;
	size_t i;
	int rc;

	while ((i = s->next++) < s->nr) {
		rc = sync_folder(s->folders[i]);
		pthread_mutex_lock(&s->lock);
		if (rc && !s->rc) {
			s->rc = rc;
			s->error = xstrdup(err_msg());
		}
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

/* All of them, by this thread and others. */
static int sync_folders(struct syncing *s)
{
	pthread_t threads[MAX_THREADS];
	size_t i, n = 0;

	pthread_mutex_init(&s->lock, NULL);
	/* With fewer it is only slower. */
	while (n < MAX_THREADS && n + 1 < s->nr &&
	       !pthread_create(&threads[n], NULL, work, s))
		n++;
	work(s);
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_destroy(&s->lock);
	if (s->rc)
		err_set(s->rc, "%s", s->error);
	free(s->error);
	return s->rc;
}

/* Takes the path. */
static void add(struct syncing *s, char *path)
{
	s->folders = xrealloc(s->folders, s->nr + 1, sizeof(*s->folders));
	s->folders[s->nr++] = path;
}

/* The folder of top/name, and those above it that are below top. */
static void add_parents(struct syncing *s, const char *top, const char *name)
{
	char *path = xasprintf("%s/%s", top, name), *slash;

	while ((slash = strrchr(path, '/')) &&
	       (size_t)(slash - path) > strlen(top)) {
		*slash = '\0';
		add(s, xstrdup(path));
	}
	free(path);
}

static int sync_all(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0 || syncfs(fd))
		rc = err_sys("%s", path);
	if (fd >= 0)
		close(fd);
	return rc;
}

int repo_sync(const char *path, const char *ref, const char *folders)
{
	struct syncing s = { .nr = 0 };
	char *log, *copy, *save = NULL, *name;
	int rc;

	if (!folders)
		return sync_all(path);
	log = xasprintf("logs/%s", ref);
	add_parents(&s, path, ref);
	add_parents(&s, path, log);
	free(log);
	copy = xstrdup(folders);
	for (name = strtok_r(copy, " ", &save); name;
	     name = strtok_r(NULL, " ", &save))
		add(&s, xasprintf("%s/objects/%s", path, name));
	free(copy);
	add(&s, xasprintf("%s/objects", path));
	add(&s, xstrdup(path));
	rc = sync_folders(&s);
	while (s.nr)
		free(s.folders[--s.nr]);
	free(s.folders);
	return rc;
}
