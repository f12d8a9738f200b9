/* SPDX-License-Identifier: ISC */
#include "trees.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "launch.h"
#include "log.h"
#include "mem.h"
#include "proc.h"
#include "supervisor.h"
#include "tree.h"

#define MAX_ARGS 12 /* of slugunpack */

static char *tree_path(const struct supervisor *s, const char *name)
{
	return xasprintf("%s/trees/%s", s->dir, name);
}

/* The name of r's tree, "900/v10". */
static const char *name_of(const struct supervisor *s, const struct release *r)
{
	return r->dir + strlen(s->dir) + strlen("/trees/");
}

/* Whose the trees of r are. */
static uid_t owner_of(const struct release *r)
{
	return r->uid < 0 ? geteuid() : (uid_t)r->uid;
}

int trees_open(struct supervisor *s, bool keep)
{
	char *none[] = { NULL };
	struct stat st;

	/* Once all of it was the app's user's, who may have changed it. */
	if (!fstatat(s->dir_fd, "trees", &st, AT_SYMLINK_NOFOLLOW) &&
	    st.st_uid != geteuid())
		keep = false;
	if (!keep && tree_remove(s->dir_fd, "trees"))
		return err_prefix(ERR_SYSTEM, "%s/trees", s->dir);
	/* And once they lay in the app's folder itself. */
	return tree_prune(s->dir, none);
}

void trees_sweep(struct supervisor *s)
{
	if (tree_remove(s->dir_fd, "run"))
		log_line("%s/run: %s", s->dir, err_msg());
}

static void forget(struct trees *t, size_t i)
{
	free(t->known[i].name);
	free(t->known[i].slug);
	t->nr--;
	memmove(&t->known[i], &t->known[i + 1],
		(t->nr - i) * sizeof(t->known[0]));
}

void trees_close(struct supervisor *s)
{
	struct trees *t = &s->trees;

	while (t->nr)
		forget(t, t->nr - 1);
	free(t->known);
	free(t->before);
	free(t->spare);
	*t = (struct trees){ 0 };
}

/* The tree of r is there; it is the newest one now. */
static void remember(struct supervisor *s, const struct release *r)
{
	const char *name = name_of(s, r);
	struct trees *t = &s->trees;
	size_t i;

	for (i = 0; i < t->nr; i++)
		if (!strcmp(t->known[i].name, name))
			forget(t, i--);
	t->known = xrealloc(t->known, t->nr + 1, sizeof(t->known[0]));
	t->known[t->nr].name = xstrdup(name);
	t->known[t->nr].slug = xstrdup(r->slug);
	t->nr++;
	if (t->spare && !strcmp(t->spare, name))
		str_replace(&t->spare, NULL);
}

/* A folder of uid's, with that mode. */
static int own_folder(struct supervisor *s, const char *name, uid_t uid,
		      mode_t mode)
{
	struct stat st;
	int fd, rc = 0;

	if (mkdirat(s->dir_fd, name, 0700) && errno != EEXIST)
		return err_sys("%s/%s", s->dir, name);
	fd = openat(s->dir_fd, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys("%s/%s", s->dir, name);
	if (fstat(fd, &st) ||
	    (st.st_uid != uid && fchown(fd, uid, (gid_t)uid)) ||
	    fchmod(fd, mode))
		rc = err_sys("%s/%s", s->dir, name);
	close(fd);
	return rc;
}

/* Is there a tree at path that is uid's? */
static bool is_tree(const char *path, uid_t uid)
{
	struct stat st;

	return !lstat(path, &st) && S_ISDIR(st.st_mode) && st.st_uid == uid;
}

/* The newest tree that is known, uid's, and of that slug unless it is NULL. */
static const struct tree *newest(const struct supervisor *s, uid_t uid,
				 const char *slug)
{
	const struct trees *t = &s->trees;
	size_t i = t->nr;
	bool good;
	char *path;

	while (i--) {
		path = tree_path(s, t->known[i].name);
		good = is_tree(path, uid) &&
		       (!slug || !strcmp(t->known[i].slug, slug));
		free(path);
		if (good)
			return &t->known[i];
	}
	return NULL;
}

/* Is the tree at r->dir, whose name may have been another slug's, r's? */
static bool holds(const struct supervisor *s, const struct release *r)
{
	const struct trees *t = &s->trees;
	size_t i;

	for (i = 0; i < t->nr; i++)
		if (!strcmp(t->known[i].name, name_of(s, r)) &&
		    !strcmp(t->known[i].slug, r->slug))
			return is_tree(r->dir, owner_of(r));
	return false;
}

/*
 * Is there a tree that r can have? r->dir becomes it, or what is to be made.
 * A version alone says little: one that was tried and failed had it, too.
 */
static bool find(struct supervisor *s, struct release *r)
{
	const struct tree *same;
	uid_t uid = owner_of(r);
	struct stat st;

	str_replace(&r->dir, xasprintf("%s/trees/%u/v%" PRId64, s->dir,
				       (unsigned)uid, r->version));
	if (holds(s, r))
		return true;
	same = newest(s, uid, r->slug);
	if (same) {
		str_replace(&r->dir, tree_path(s, same->name));
		return true;
	}
	if (lstat(r->dir, &st))
		return false;
	str_replace(&r->dir, xasprintf("%s/trees/%u/v%" PRId64 "-%s", s->dir,
				       (unsigned)uid, r->version, r->slug));
	return is_tree(r->dir, uid);
}

static void unpacked(void *ctx, int rc)
{
	struct supervisor *s = ctx;
	struct trees *t = &s->trees;

	if (!rc)
		remember(s, t->release);
	t->done(s, rc);
}

/* The option "--NAME=VALUE" behind the others. */
static void add_option(char **argv, size_t *n, const char *name,
		       const char *value)
{
	argv[(*n)++] = xasprintf("--%s=%s", name, value);
}

/* What there is already goes into the new tree. */
static void add_base(struct supervisor *s, uid_t uid, char **argv, size_t *n)
{
	const struct tree *base = newest(s, uid, NULL);
	const char *spare = s->trees.spare;
	char *path;

	if (!base)
		return;
	path = tree_path(s, base->name);
	add_option(argv, n, "base", path);
	add_option(argv, n, "base-slug", base->slug);
	free(path);
	if (!spare || !strcmp(spare, base->name))
		return;
	path = tree_path(s, spare);
	if (is_tree(path, uid))
		add_option(argv, n, "spare", path);
	free(path);
	str_replace(&s->trees.spare, NULL);
}

static int unpack(struct supervisor *s, struct release *r)
{
	char *argv[MAX_ARGS] = { NULL }, number[24];
	size_t n = 0;
	int rc;

	argv[n++] = proc_helper("slugunpack");
	snprintf(number, sizeof(number), "%" PRId64, r->uid);
	if (r->uid >= 0)
		add_option(argv, &n, "uid", number);
	add_base(s, owner_of(r), argv, &n);
	snprintf(number, sizeof(number), "%" PRId64, r->created_at);
	argv[n++] = xstrdup(r->store);
	argv[n++] = xstrdup(r->slug);
	argv[n++] = xstrdup(r->dir);
	argv[n++] = xstrdup(number);
	rc = helper_start(&s->helper, (const char *const *)argv, unpacked, s);
	while (n--)
		free(argv[n]);
	return rc;
}

int trees_get(struct supervisor *s, struct release *r, bool *there,
	      void (*done)(void *ctx, int rc))
{
	uid_t uid = owner_of(r);
	char *own = xasprintf("trees/%u", (unsigned)uid);
	int rc = own_folder(s, "trees", geteuid(), 0700);

	if (!rc)
		rc = own_folder(s, own, uid, 0700);
	free(own);
	/* The app's user passes to what is its, and changes nothing. */
	if (!rc)
		rc = own_folder(s, "run", geteuid(), 0711);
	if (rc)
		return rc;
	*there = find(s, r);
	if (*there) {
		remember(s, r);
		return 0;
	}
	s->trees.release = r;
	s->trees.done = done;
	return unpack(s, r);
}

void trees_note_before(struct supervisor *s, const struct release *r)
{
	str_replace(&s->trees.before, xstrdup(name_of(s, r)));
}

static void pruned(void *ctx, int rc)
{
	(void)ctx;
	if (rc)
		log_line("old releases: %s", err_msg());
}

/* Is it one of the names that are to stay: argv, as far as it goes now? */
static bool is_kept(const char *const *argv, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(argv[i], name))
			return true;
	return false;
}

/* The newest one that is not to stay becomes the spare one; forget others. */
static void keep_spare(struct supervisor *s, const char **argv, size_t n)
{
	struct trees *t = &s->trees;
	size_t i = t->nr;

	str_replace(&t->spare, NULL);
	while (i--) {
		if (is_kept(argv, n, t->known[i].name))
			continue;
		if (!t->spare) {
			t->spare = xstrdup(t->known[i].name);
			argv[n++] = t->spare;
		} else {
			forget(t, i);
		}
	}
}

static size_t keep_tree(const struct supervisor *s, const char **argv, size_t n,
			const struct release *r)
{
	/* One that was refused early has none. */
	if (r && r->dir)
		argv[n++] = name_of(s, r);
	return n;
}

void trees_prune(struct supervisor *s)
{
	char *program = proc_helper("slugrun-box");
	const struct release *r;
	const char **argv;
	size_t n = 8;

	for (r = TAILQ_FIRST(&s->leaving); r; r = TAILQ_NEXT(r, link))
		n++;
	argv = xcalloc(n, sizeof(*argv));
	n = 0;
	argv[n++] = program;
	argv[n++] = "prune";
	argv[n++] = s->dir;
	n = keep_tree(s, argv, n, s->running);
	n = keep_tree(s, argv, n, launch_release(s));
	for (r = TAILQ_FIRST(&s->leaving); r; r = TAILQ_NEXT(r, link))
		n = keep_tree(s, argv, n, r);
	if (s->trees.before)
		argv[n++] = s->trees.before;
	keep_spare(s, argv, n);
	s->want_prune = false;
	if (helper_start(&s->helper, argv, pruned, s))
		log_line("old releases: %s", err_msg());
	free(argv);
	free(program);
}
