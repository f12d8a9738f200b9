/* SPDX-License-Identifier: ISC */
#include "box-root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "box-copy.h"
#include "box-dev.h"
#include "box-hide.h"
#include "box-seal.h"
#include "err.h"
#include "mem.h"

/*
 * Where the new root is built: on a folder that every machine has, and of
 * which the box has one of its own, so that it is not part of what is bound.
 */
#define BOX_ROOT "/proc"

/* A folder in the working one, for user uid (-1: ours). */
static int make_folder(const char *name, mode_t mode, int64_t uid)
{
	int fd = -1, rc = 0;

	if (!mkdir(name, 0700))
		fd = open(name,
			  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, mode) || fchown(fd, (uid_t)uid, (gid_t)uid))
		rc = err_sys("%s", name);
	if (fd >= 0)
		close(fd);
	return rc;
}

int box_folders(int64_t uid)
{
	static const struct {
		const char *name;
		mode_t mode;
	} folders[] = {
		{ BOX_LOWER, 0700 }, { BOX_UPPER, 0755 }, { BOX_WORK, 0700 },
		{ BOX_TMP, 01777 },  { BOX_COPY, 0700 },
	};
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < sizeof(folders) / sizeof(folders[0]); i++)
		rc = make_folder(folders[i].name, folders[i].mode, uid);
	return rc;
}

int box_lower(int at, const char *path)
{
	int fd = open_tree(at, path,
			   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
				   AT_SYMLINK_NOFOLLOW);

	return fd < 0 ? err_sys("cannot mount the release's folder") : fd;
}

int box_mount_lower(int lower)
{
	if (move_mount(lower, "", AT_FDCWD, BOX_LOWER, MOVE_MOUNT_F_EMPTY_PATH))
		return err_sys("cannot mount the release's folder");
	return 0;
}

int box_overlay(const char *target)
{
	/* Nobody reads after a crash what a process wrote. */
	if (mount("overlay", target, "overlay", MS_NOSUID | MS_NODEV,
		  "userxattr,volatile,lowerdir=" BOX_LOWER
		  ",upperdir=" BOX_UPPER ",workdir=" BOX_WORK))
		return err_sys("cannot mount an overlay");
	return 0;
}

static const char *const own[] = { "app", "dev", "proc", "tmp" };

static bool is_own(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (!strcmp(name, own[i]))
			return true;
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static int make_own(void)
{
	char *path;
	int rc = 0;
	size_t i;

	for (i = 0; !rc && i < sizeof(own) / sizeof(own[0]); i++) {
		path = xasprintf(BOX_ROOT "/%s", own[i]);
		if (mkdir(path, 0755))
			rc = err_sys("/%s", own[i]);
		free(path);
	}
	return rc;
}

static void make_link(const char *from, const char *to)
{
	char target[PATH_MAX];
	ssize_t n = readlink(from, target, sizeof(target) - 1);

	if (n < 0)
		return;
	target[n] = '\0';
	if (symlink(target, to)) {
		/* It is not there, then. */
	}
}

/* An entry of the machine's root. What cannot be bound is not there. */
static void bind_entry(const char *name)
{
	char *from = xasprintf("/%s", name);
	char *to = xasprintf(BOX_ROOT "/%s", name);
	struct stat st;
	int fd;

	if (lstat(from, &st))
		goto done;
	if (S_ISLNK(st.st_mode)) {
		make_link(from, to);
	} else if (S_ISDIR(st.st_mode)) {
		if (!mkdir(to, 0755) &&
		    mount(from, to, NULL, MS_BIND | MS_REC, NULL))
			rmdir(to);
	} else if (S_ISREG(st.st_mode)) {
		fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd >= 0)
			close(fd);
		if (fd >= 0 && mount(from, to, NULL, MS_BIND, NULL))
			unlink(to);
	}
done:
	free(from);
	free(to);
}

static int bind_entries(void)
{
	DIR *d = opendir("/");
	struct dirent *e;

	if (!d)
		return err_sys("/");
	/* cppcheck-suppress readdirCalled; no other thread has it */
	while ((e = readdir(d)))
		if (!is_own(e->d_name))
			bind_entry(e->d_name);
	closedir(d);
	return 0;
}

/* A folder of the working one, on path. */
static int mount_folder(const char *name, const char *path, int mounts)
{
	if (mount(name, path, NULL, MS_BIND, NULL))
		return err_sys("cannot mount %s", path + strlen(BOX_ROOT));
	return box_seal(mounts, path, false, MS_NOSUID | MS_NODEV);
}

/* As an overlay, else as a copy of its own. */
static int mount_app(int tree, int mounts)
{
	int rc;

	if (!box_overlay(BOX_ROOT "/app"))
		return 0;
	rc = box_copy(tree, BOX_COPY);
	return rc ? rc : mount_folder(BOX_COPY, BOX_ROOT "/app", mounts);
}

/* What the process may write to, and what the kernel makes up. */
static int mount_own(int tree, const struct box_view *v, int mounts)
{
	struct stat st;
	int rc = mount_app(tree, mounts);

	if (!rc)
		rc = mount_folder(BOX_TMP, BOX_ROOT "/tmp", mounts);
	if (!rc && !stat(BOX_ROOT "/var/tmp", &st))
		rc = mount_folder(BOX_TMP, BOX_ROOT "/var/tmp", mounts);
	if (!rc)
		rc = box_dev(BOX_ROOT "/dev", v->tty, v->show);
	if (!rc && mount("proc", BOX_ROOT "/proc", "proc",
			 MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		rc = err_sys("cannot mount /proc");
	return rc;
}

/* The old root is on the new one for a moment; see pivot_root(2). */
static int enter(void)
{
	if (chdir(BOX_ROOT) || syscall(SYS_pivot_root, ".", ".") ||
	    umount2(".", MNT_DETACH) || chdir("/"))
		return err_sys("cannot change the root");
	if (chdir("/app"))
		return err_sys("/app");
	return 0;
}

/*
 * What is mounted on the machine later would be there as it is: neither
 * hidden nor sealed. So nothing of that comes here.
 */
static int begin(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", BOX_ROOT, "tmpfs", MS_NOSUID | MS_NODEV,
		  "size=1m,mode=0755"))
		return err_sys("cannot mount a new root");
	return make_own();
}

int box_root(int tree, const struct box_view *v)
{
	int mounts = box_seal_open(), rc = begin();

	if (!rc)
		rc = bind_entries();
	if (!rc)
		rc = box_hide(BOX_ROOT, v->hide, v->show);
	if (!rc)
		rc = box_seal(mounts, BOX_ROOT, true,
			      MS_RDONLY | MS_NOSUID | MS_NODEV);
	if (!rc)
		rc = mount_own(tree, v, mounts);
	if (mounts >= 0)
		close(mounts);
	return rc ? rc : enter();
}
