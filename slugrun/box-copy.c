/* SPDX-License-Identifier: ISC */
#include "box-copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"

#define CHUNK ((size_t)1 << 30)

static void times_of(struct timespec t[2], const struct stat *st)
{
	t[0] = st->st_atim;
	t[1] = st->st_mtim;
}

/* By reading and writing: for file systems that cannot do better. */
static int copy_bytes(int from, int to)
{
	char buf[65536];
	ssize_t n, done, out;

	while ((n = read(from, buf, sizeof(buf)))) {
		if (n < 0 && errno != EINTR)
			return -1;
		for (done = 0; done < n; done += out) {
			out = write(to, buf + done, (size_t)(n - done));
			if (out < 0)
				return -1;
		}
	}
	return 0;
}

static int copy_content(int from, int to)
{
	ssize_t n;

	if (!ioctl(to, FICLONE, from))
		return 0;
	do {
		n = copy_file_range(from, NULL, to, NULL, CHUNK, 0);
	} while (n > 0);
	return n ? copy_bytes(from, to) : 0;
}

static int copy_file(int from, int to, const char *name, const struct stat *st)
{
	int in, out = -1, rc = -1;
	struct timespec t[2];

	times_of(t, st);
	in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (in >= 0)
		out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			     st->st_mode & 0777);
	if (out >= 0 && !copy_content(in, out) && !futimens(out, t))
		rc = 0;
	if (rc)
		err_sys("cannot copy %s", name);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return rc ? ERR_SYSTEM : 0;
}

static int copy_link(int from, int to, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	struct timespec t[2];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	times_of(t, st);
	if (n >= 0)
		target[n] = '\0';
	if (n < 0 || symlinkat(target, to, name) ||
	    utimensat(to, name, t, AT_SYMLINK_NOFOLLOW))
		return err_sys("cannot copy the link %s", name);
	return 0;
}

static int copy_folder(int from, int to, const char *name);

/* NOLINTNEXTLINE(misc-no-recursion) */
static int copy_entry(int from, int to, const char *name)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW))
		return err_sys("cannot copy %s", name);
	if (S_ISDIR(st.st_mode))
		return copy_folder(from, to, name);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, to, name, &st);
	return copy_file(from, to, name, &st);
}

/* What is in one folder, into another one. Closes from. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static int copy_entries(int from, int to)
{
	DIR *d = fdopendir(from);
	struct dirent *e;
	int rc = 0;

	if (!d) {
		close(from);
		return err_sys("cannot read a folder");
	}
	/* cppcheck-suppress readdirCalled; no other thread has it */
	while (!rc && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = copy_entry(from, to, e->d_name);
	closedir(d);
	return rc;
}

/*
 * Into the folder name of to, from the one that in is open on; closed. The
 * topmost one may be there.
 */
/* NOLINTNEXTLINE(misc-no-recursion) */
static int fill(int in, int to, const char *name)
{
	struct timespec t[2];
	struct stat st;
	int out, rc;

	if (fstat(in, &st) ||
	    (mkdirat(to, name, 0700) && (errno != EEXIST || to != AT_FDCWD))) {
		rc = err_sys("cannot make the folder %s", name);
		close(in);
		return rc;
	}
	out = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (out < 0) {
		rc = err_sys("%s", name);
		close(in);
		return rc;
	}
	rc = copy_entries(in, out);
	times_of(t, &st);
	if (!rc && (fchmod(out, st.st_mode & 0777) || futimens(out, t)))
		rc = err_sys("%s", name);
	close(out);
	return rc;
}

/* As deep as the tree is; a slug's is no deeper than git takes. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static int copy_folder(int from, int to, const char *name)
{
	int in = openat(from, name,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return in < 0 ? err_sys("%s", name) : fill(in, to, name);
}

int box_copy(int from, const char *to)
{
	int in = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return in < 0 ? err_sys("the release's folder")
		      : fill(in, AT_FDCWD, to);
}
