/* SPDX-License-Identifier: ISC */
#include "unpack.h"

#include <fcntl.h>
#include <locale.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "extract.h"
#include "link.h"
#include "log.h"
#include "manifest.h"
#include "mem.h"
#include "names.h"
#include "tree.h"

#define MAX_THREADS 8

static unsigned processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return CPU_COUNT(&set) < MAX_THREADS ? (unsigned)CPU_COUNT(&set)
					     : MAX_THREADS;
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

/* Unpack x into the folder at path; the working folder is as before then. */
static int extract_into(const struct extraction *x, const char *folder)
{
	int here, rc = 0;

	here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (here < 0)
		return err_sys("the working folder");
	if (chdir(folder))
		rc = err_sys("%s", folder);
	if (!rc)
		rc = extract_segments(x);
	if (fchdir(here) && !rc)
		rc = err_sys("the working folder");
	close(here);
	return rc;
}

static int unpack_whole(const struct extraction *all, const char *tmp)
{
	int rc = tree_remove(AT_FDCWD, tmp);

	if (!rc && mkdir(tmp, 0755))
		rc = err_sys("%s", tmp);
	return rc ? rc : extract_into(all, tmp);
}

/* --- from the tree of another release --- */

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct segment));
}

/* x's segments become those of all that others does not have. */
static void keep_new(struct extraction *x, const struct manifest *all,
		     const struct manifest *others)
{
	struct segment *v = xcalloc(others->nr_segments + 1, sizeof(*v));
	size_t i;

	if (others->nr_segments)
		memcpy(v, others->segments, others->nr_segments * sizeof(*v));
	qsort(v, others->nr_segments, sizeof(*v), compare);
	x->segments = xcalloc(all->nr_segments + 1, sizeof(*v));
	x->nr = 0;
	for (i = 0; i < all->nr_segments; i++)
		if (!bsearch(&all->segments[i], v, others->nr_segments,
			     sizeof(*v), compare))
			x->segments[x->nr++] = all->segments[i];
	free(v);
}

static int open_tree(int *fd, const char *path)
{
	struct stat st;

	*fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0 || fstat(*fd, &st))
		return err_sys("%s", path);
	if (st.st_uid != geteuid())
		return err_set(ERR_FAILED, "%s is another user's", path);
	return 0;
}

/* tmp becomes what base is, but for what is gone. */
static int link_base(const struct unpack *o, const char *tmp, int base,
		     const struct paths *folders, const struct paths *files)
{
	size_t i = folders->nr;
	int tree = -1, rc = tree_remove(AT_FDCWD, tmp);

	if (!rc && (!o->spare || rename(o->spare, tmp)) && mkdir(tmp, 0755))
		rc = err_sys("%s", tmp);
	if (!rc)
		rc = open_tree(&tree, tmp);
	if (!rc)
		rc = link_tree(base, tree, files, o->threads);
	/* Those that have something in them stay. */
	while (!rc && i--)
		unlinkat(tree, folders->v[i], AT_REMOVEDIR);
	if (tree >= 0)
		close(tree);
	return rc;
}

static int unpack_on_base(const struct unpack *o, const struct extraction *all,
			  const struct manifest *m, const char *tmp)
{
	struct extraction fresh = *all, gone = *all;
	struct paths folders = { 0 }, files = { 0 };
	struct manifest old = { 0 };
	int rc;

	fresh.segments = gone.segments = NULL;
	rc = open_tree(&fresh.base, o->base);
	if (!rc)
		rc = manifest_read(&old, all->store, o->base_uuid);
	if (rc)
		goto done;
	keep_new(&gone, &old, m);
	keep_new(&fresh, m, &old);
	rc = extract_paths(&gone, &folders, &files);
	if (!rc)
		rc = link_base(o, tmp, fresh.base, &folders, &files);
	if (!rc)
		rc = extract_into(&fresh, tmp);
done:
	if (fresh.base >= 0)
		close(fresh.base);
	free(fresh.segments);
	free(gone.segments);
	paths_release(&folders);
	paths_release(&files);
	manifest_release(&old);
	return rc;
}

static int unpack_into(const struct unpack *o, const struct extraction *all,
		       const struct manifest *m, const char *tmp)
{
	if (o->base) {
		if (!unpack_on_base(o, all, m, tmp))
			return 0;
		log_line("unpacking all of %s: %s", o->uuid, err_msg());
	}
	return unpack_whole(all, tmp);
}

int unpack_slug(const struct unpack *order)
{
	struct unpack o = *order;
	struct extraction all = { .time = o.time, .base = -1 };
	char *tmp = xasprintf("%s.tmp", o.target), *store;
	struct manifest m = { 0 };
	int rc;

	umask(022);
	/* Names in pax headers are UTF-8; others are bytes to us. */
	setlocale(LC_CTYPE, "C.UTF-8");
	if (!o.threads)
		o.threads = processors();
	/* One that holds from within the target, too. */
	store = realpath(o.store, NULL);
	if (!store) {
		rc = err_sys("%s", o.store);
		goto done;
	}
	rc = name_check_uuid(o.uuid);
	if (!rc)
		rc = manifest_read(&m, store, o.uuid);
	if (rc)
		goto done;
	all.store = store;
	all.threads = o.threads;
	all.segments = m.segments;
	all.nr = m.nr_segments;
	rc = unpack_into(&o, &all, &m, tmp);
	if (!rc && rename(tmp, o.target))
		rc = err_sys("%s", o.target);
	if (rc)
		clean_up(tmp, rc);
done:
	manifest_release(&m);
	free(store);
	free(tmp);
	return rc;
}
