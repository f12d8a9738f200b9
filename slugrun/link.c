/* SPDX-License-Identifier: ISC */
#include "link.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "tree.h"

#define ROOM   (64 << 10)
#define FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* A folder that waits for a thread. */
struct job {
	char *path; /* "" for the root */
	bool fresh; /* it is new in tree, and empty */
	struct job *next;
};

/* What the threads share. */
struct linking {
	int base, tree;
	const struct paths *gone;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *jobs;
	unsigned busy; /* threads that may find further jobs */
	int rc;        /* the first error */
	char *error;
};

struct entry {
	const char *name;
	ino_t inode;
	unsigned char type;
};

/* What is in a folder, sorted. */
struct listing {
	char *text; /* as getdents64(2) gives it */
	size_t len, room;
	struct entry *v;
	size_t nr, v_room;
};

/* A thread, and what it has of its own. */
struct worker {
	struct linking *l;
	pthread_t thread;
	struct listing from, to;
	const char *path; /* of the folder it is in */
	char *full;       /* and of one in it */
	size_t room;
	int from_fd, to_fd;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name,
		      ((const struct entry *)b)->name);
}

static void add_entry(struct listing *list, const struct dirent64 *d)
{
	if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
		return;
	if (list->nr == list->v_room) {
		list->v_room = 2 * list->v_room + 64;
		list->v = xrealloc(list->v, list->v_room, sizeof(*list->v));
	}
	list->v[list->nr++] = (struct entry){ d->d_name, d->d_ino, d->d_type };
}

static int read_listing(struct listing *list, int fd)
{
	struct dirent64 *d;
	size_t at;
	ssize_t n;

	list->nr = 0;
	list->len = 0;
	do {
		if (list->room - list->len < ROOM) {
			list->room = 2 * list->room + ROOM;
			list->text = xrealloc(list->text, list->room, 1);
		}
		n = getdents64(fd, list->text + list->len,
			       list->room - list->len);
		if (n < 0)
			return err_sys("cannot read a folder");
		list->len += (size_t)n;
	} while (n);
	for (at = 0; at < list->len; at += d->d_reclen) {
		d = (struct dirent64 *)(void *)(list->text + at);
		add_entry(list, d);
	}
	if (list->nr)
		qsort(list->v, list->nr, sizeof(*list->v), compare);
	return 0;
}

static void push(struct linking *l, const char *path, bool fresh)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->path = xstrdup(path);
	job->fresh = fresh;
	pthread_mutex_lock(&l->lock);
	job->next = l->jobs;
	l->jobs = job;
	pthread_cond_signal(&l->more);
	pthread_mutex_unlock(&l->lock);
}

/* The path of name in the folder where w is, borrowed. */
static const char *full_path(struct worker *w, const char *name)
{
	size_t len = strlen(w->path), more = strlen(name);

	if (w->room < len + more + 2) {
		w->room = 2 * (len + more + 2);
		w->full = xrealloc(w->full, w->room, 1);
	}
	memcpy(w->full, w->path, len);
	if (len)
		w->full[len++] = '/';
	memcpy(w->full + len, name, more + 1);
	return w->full;
}

static bool is_gone(struct worker *w, const struct entry *e)
{
	return w->l->gone->nr && e->type != DT_DIR &&
	       paths_has(w->l->gone, full_path(w, e->name));
}

static int add(struct worker *w, const struct entry *e)
{
	if (is_gone(w, e))
		return 0;
	if (e->type == DT_DIR) {
		if (mkdirat(w->to_fd, e->name, 0755))
			return err_sys("%s", e->name);
		push(w->l, full_path(w, e->name), true);
		return 0;
	}
	if (e->type != DT_REG && e->type != DT_LNK)
		return err_set(ERR_FAILED, "%s is no file", e->name);
	if (linkat(w->from_fd, e->name, w->to_fd, e->name, 0))
		return err_sys("%s", e->name);
	return 0;
}

/* The name is in both. */
static int meet(struct worker *w, const struct entry *from,
		const struct entry *to)
{
	int rc;

	if (from->type == DT_DIR && to->type == DT_DIR) {
		push(w->l, full_path(w, from->name), false);
		return 0;
	}
	if (from->type == to->type && from->inode == to->inode &&
	    !is_gone(w, from))
		return 0;
	rc = tree_remove(w->to_fd, to->name);
	return rc ? rc : add(w, from);
}

static int merge(struct worker *w)
{
	const struct listing *a = &w->from, *b = &w->to;
	size_t i = 0, j = 0;
	int rc = 0, order;

	while (!rc && (i < a->nr || j < b->nr)) {
		if (i == a->nr)
			order = 1;
		else if (j == b->nr)
			order = -1;
		else
			order = strcmp(a->v[i].name, b->v[j].name);
		if (order < 0)
			rc = add(w, &a->v[i++]);
		else if (order > 0)
			rc = tree_remove(w->to_fd, b->v[j++].name);
		else
			rc = meet(w, &a->v[i++], &b->v[j++]);
	}
	return rc;
}

static int do_job(struct worker *w, const struct job *job)
{
	const char *name = *job->path ? job->path : ".";
	int rc = 0;

	w->path = job->path;
	w->from_fd = openat(w->l->base, name, FOLDER);
	w->to_fd = openat(w->l->tree, name, FOLDER);
	w->to.nr = 0;
	if (w->from_fd < 0 || w->to_fd < 0)
		rc = err_sys("%s", name);
	if (!rc)
		rc = read_listing(&w->from, w->from_fd);
	if (!rc && !job->fresh)
		rc = read_listing(&w->to, w->to_fd);
	if (!rc)
		rc = merge(w);
	if (w->from_fd >= 0)
		close(w->from_fd);
	if (w->to_fd >= 0)
		close(w->to_fd);
	return rc;
}

/* The next job for one that was busy until now; NULL once there is none. */
static struct job *take(struct linking *l)
{
	struct job *job;

	pthread_mutex_lock(&l->lock);
	l->busy--;
	while (!l->jobs && l->busy && !l->rc)
		pthread_cond_wait(&l->more, &l->lock);
	job = l->rc ? NULL : l->jobs;
	if (job) {
		l->jobs = job->next;
		l->busy++;
	} else {
		pthread_cond_broadcast(&l->more);
	}
	pthread_mutex_unlock(&l->lock);
	return job;
}

static void free_job(struct job *job)
{
	free(job->path);
	free(job);
}

static void fail(struct linking *l, int rc)
{
	pthread_mutex_lock(&l->lock);
	if (!l->rc) {
		l->rc = rc;
		l->error = xstrdup(err_msg());
	}
	pthread_mutex_unlock(&l->lock);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct job *job;
	int rc;

	while ((job = take(w->l))) {
		rc = do_job(w, job);
		if (rc)
			fail(w->l, rc);
		free_job(job);
	}
	free(w->from.text);
	free(w->from.v);
	free(w->to.text);
	free(w->to.v);
	free(w->full);
	return NULL;
}

static void run_workers(struct linking *l, unsigned n)
{
	struct worker *v = xcalloc(n, sizeof(*v));
	unsigned i, started = 1;

	for (i = 0; i < n; i++)
		v[i].l = l;
	l->busy = n;
	/* With fewer it is only slower. */
	while (started < n &&
	       !pthread_create(&v[started].thread, NULL, work, &v[started]))
		started++;
	pthread_mutex_lock(&l->lock);
	l->busy -= n - started;
	pthread_mutex_unlock(&l->lock);
	work(&v[0]);
	for (i = 1; i < started; i++)
		pthread_join(v[i].thread, NULL);
	free(v);
}

int link_tree(int base, int tree, const struct paths *gone, unsigned threads)
{
	struct linking l = { .base = base,
			     .tree = tree,
			     .gone = gone,
			     .lock = PTHREAD_MUTEX_INITIALIZER,
			     .more = PTHREAD_COND_INITIALIZER };
	struct job *job;

	push(&l, "", false);
	run_workers(&l, threads);
	while ((job = l.jobs)) {
		l.jobs = job->next;
		free_job(job);
	}
	if (l.rc)
		err_set(l.rc, "%s", l.error);
	free(l.error);
	return l.rc;
}
