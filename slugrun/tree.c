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
#include "names.h"

#define DIGITS   "0123456789"
#define UUID_LEN 36

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

/* How long is the "-UUID" that p begins with? 0: it does not. */
static size_t uuid_len(const char *p)
{
	char uuid[UUID_LEN + 1];

	if (*p != '-')
		return 0;
	snprintf(uuid, sizeof(uuid), "%s", p + 1);
	return name_check_uuid(uuid) ? 0 : 1 + UUID_LEN;
}

/* Is it "v12", "v12-900", "v12-900-UUID", or one of these and ".tmp"? */
static bool is_release(const char *name)
{
	size_t n = strspn(name + 1, DIGITS);
	const char *p = name + 1 + n;

	if (name[0] != 'v' || !n)
		return false;
	if (*p == '-' && (n = strspn(p + 1, DIGITS)) > 0) {
		p += 1 + n;
		p += uuid_len(p);
	}
	return !*p || !strcmp(p, ".tmp");
}

static bool is_kept(char *const *keep, const char *name)
{
	for (; *keep; keep++)
		if (!strcmp(*keep, name))
			return true;
	return false;
}

int tree_prune(const char *path, char *const *keep)
{
	struct dirent *e;
	DIR *d = NULL;
	int fd, rc = 0;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd >= 0)
		d = open_list(fd);
	if (!d)
		rc = err_sys("%s", path);
	while (d && !rc && (e = next(d)))
		if (is_release(e->d_name) && !is_kept(keep, e->d_name))
			rc = tree_remove(fd, e->d_name);
	if (d)
		closedir(d);
	if (fd >= 0)
		close(fd);
	return rc;
}
