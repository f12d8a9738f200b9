/* SPDX-License-Identifier: ISC */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"

#define DIGITS "0123456789"

/*
 * A folder of any depth with three descriptors and no recursion: a folder
 * found in another one moves up into the root, whose turn it takes there.
 */
struct removal {
	int root;
	unsigned moved; /* names of what moved up */
	bool again;     /* something did in this round */
};

/*
 * Open a folder for its owner to change, whatever mode the app gave it. One
 * that something is mounted on is not: what is below it is somebody else's.
 */
static int open_folder(int dir, const char *name)
{
	const struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = dir == AT_FDCWD ? 0 : RESOLVE_NO_XDEV,
	};
	char self[40];
	int fd, path;

	path = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	if (path < 0 && errno == ENOSYS)
		path = openat(dir, name, (int)how.flags);
	if (path < 0)
		return -1;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", path);
	chmod(self, 0700);
	fd = openat(path, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(path);
	return fd;
}

static DIR *open_list(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);

	if (!d && copy >= 0)
		close(copy);
	if (d)
		rewinddir(d);
	return d;
}

/* No DIR here is read by two threads. */
static struct dirent *next(DIR *d)
{
	/* cppcheck-suppress readdirCalled */
	return readdir(d);
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Move folder name of dir up into the root, under a name of its own. */
static int move_up(struct removal *r, int dir, const char *name)
{
	char fresh[40];
	int fd = open_folder(dir, name);

	if (fd >= 0)
		close(fd);
	do {
		snprintf(fresh, sizeof(fresh), "..removed-%u", r->moved++);
		if (!renameat2(dir, name, r->root, fresh, 1U /* NOREPLACE */)) {
			r->again = true;
			return 0;
		}
	} while (errno == EEXIST);
	return err_sys("cannot remove the folder %s", name);
}

/* Empty the folder dir: unlink what can be, move folders up. */
static int empty_into_root(struct removal *r, int dir)
{
	struct dirent *e;
	DIR *d = open_list(dir);
	int rc = 0;

	if (!d)
		return err_sys("cannot read a folder");
	while (!rc && (e = next(d))) {
		if (is_dots(e->d_name) || !unlinkat(dir, e->d_name, 0))
			continue;
		if (errno == EISDIR || errno == EPERM)
			rc = move_up(r, dir, e->d_name);
		else if (errno != ENOENT)
			rc = err_sys("cannot remove %s", e->d_name);
	}
	closedir(d);
	return rc;
}

/* Folder name of the root: emptied and removed. */
static int remove_child(struct removal *r, const char *name)
{
	int fd = open_folder(r->root, name), rc;

	if (fd < 0)
		return err_sys("cannot open %s", name);
	rc = empty_into_root(r, fd);
	close(fd);
	if (!rc && unlinkat(r->root, name, AT_REMOVEDIR))
		rc = err_sys("cannot remove %s", name);
	return rc;
}

/* One round over the root; what moved up may need another. */
static int remove_round(struct removal *r)
{
	struct dirent *e;
	DIR *d = open_list(r->root);
	int rc = 0;

	if (!d)
		return err_sys("cannot read a folder");
	r->again = false;
	while (!rc && (e = next(d))) {
		if (is_dots(e->d_name) || !unlinkat(r->root, e->d_name, 0))
			continue;
		if (errno == EISDIR || errno == EPERM)
			rc = remove_child(r, e->d_name);
		else if (errno != ENOENT)
			rc = err_sys("cannot remove %s", e->d_name);
	}
	closedir(d);
	return rc;
}

int tree_remove(int dir, const char *name)
{
	struct removal r = { .root = -1, .moved = 0, .again = true };
	int rc = 0;

	if (!unlinkat(dir, name, 0) || errno == ENOENT)
		return 0;
	r.root = open_folder(dir, name);
	if (r.root < 0)
		return err_sys("cannot remove %s", name);
	while (!rc && r.again)
		rc = remove_round(&r);
	close(r.root);
	if (!rc && unlinkat(dir, name, AT_REMOVEDIR))
		rc = err_sys("cannot remove %s", name);
	return rc;
}

/* Is it "v12", "v12-UUID", or one of these and ".tmp"? */
static bool is_release(const char *name)
{
	size_t n = strspn(name + 1, DIGITS);
	const char *p = name + 1 + n;

	return name[0] == 'v' && n && (!*p || *p == '-' || !strcmp(p, ".tmp"));
}

/* Is it "900"? */
static bool is_uid(const char *name)
{
	return *name && !name[strspn(name, DIGITS)];
}

/* Is it FOLDER/NAME of keep? */
static bool is_kept(char *const *keep, const char *folder, const char *name)
{
	size_t len = strlen(folder);

	for (; *keep; keep++)
		if (!strncmp(*keep, folder, len) && (*keep)[len] == '/' &&
		    !strcmp(*keep + len + 1, name))
			return true;
	return false;
}

/* Those of one folder, which is called so in keep. */
static int prune(int fd, const char *folder, char *const *keep)
{
	struct dirent *e;
	DIR *d = open_list(fd);
	int rc = d ? 0 : err_sys("cannot read a folder");

	while (d && !rc && (e = next(d)))
		if (is_release(e->d_name) && !is_kept(keep, folder, e->d_name))
			rc = tree_remove(fd, e->d_name);
	if (d)
		closedir(d);
	return rc;
}

/* Those of one user; where none is left the folder goes, too. */
static int prune_user(int top, const char *name, char *const *keep)
{
	int fd = openat(top, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return err_sys("%s", name);
	rc = prune(fd, name, keep);
	close(fd);
	if (!rc && unlinkat(top, name, AT_REMOVEDIR)) {
		/* It is needed, then. */
	}
	return rc;
}

int tree_prune(const char *path, char *const *keep)
{
	struct dirent *e;
	DIR *d = NULL;
	int fd, rc;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys("%s", path);
	rc = prune(fd, "", keep);
	if (!rc && !(d = open_list(fd)))
		rc = err_sys("%s", path);
	while (!rc && (e = next(d)))
		if (is_uid(e->d_name))
			rc = prune_user(fd, e->d_name, keep);
	if (d)
		closedir(d);
	close(fd);
	return rc;
}
