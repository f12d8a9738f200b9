/* SPDX-License-Identifier: ISC */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

/* The folder that path lies in, open, and the name in it. */
static int open_parent(int *dir, const char *path, const char **name)
{
	char *parent = xstrdup(path), *slash = strrchr(parent, '/');

	*name = slash ? path + (slash - parent) + 1 : path;
	if (slash)
		slash[slash == parent] = '\0';
	*dir = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(parent);
	return *dir < 0 ? err_sys("%s", path) : 0;
}

static int write_whole(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_replace(const char *path, const void *data, size_t len, mode_t mode)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	const char *name;
	char *fresh;
	int dir = -1, fd, rc = open_parent(&dir, path, &name);

	if (rc)
		return rc;
	fresh = xasprintf(".%s.%d.new", name, (int)getpid());
	unlinkat(dir, fresh, 0);
	fd = openat(dir, fresh, flags, mode);
	if (fd < 0 || write_whole(fd, data, len) || fsync(fd) ||
	    renameat(dir, fresh, dir, name) || fsync(dir))
		rc = err_sys("%s", path);
	if (fd >= 0)
		close(fd);
	if (rc)
		unlinkat(dir, fresh, 0);
	free(fresh);
	close(dir);
	return rc;
}

int file_make_folder(const char *path, mode_t mode)
{
	char *copy = xstrdup(path);
	size_t len = strlen(copy);
	const char *name;
	int dir = -1, rc = 0;

	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	if (!mkdir(copy, mode))
		rc = open_parent(&dir, copy, &name);
	else if (errno != EEXIST)
		rc = err_sys("%s", path);
	if (dir >= 0 && fsync(dir))
		rc = err_sys("%s", path);
	if (dir >= 0)
		close(dir);
	free(copy);
	return rc;
}

int file_remove(const char *path)
{
	const char *name;
	int dir = -1, rc = open_parent(&dir, path, &name);

	if (rc)
		return rc;
	if ((unlinkat(dir, name, 0) && errno != ENOENT) || fsync(dir))
		rc = err_sys("%s", path);
	close(dir);
	return rc;
}

int file_read(const char *path, char **out, size_t *len)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = open(path, flags), rc = 0;
	char *text = NULL;
	size_t n = 0;
	ssize_t got = 1;
	struct stat st;

	if (fd < 0) {
		rc = err_sys("%s", path);
		return errno == ENOENT ? ERR_NOTFOUND : rc;
	}
	if (fstat(fd, &st))
		rc = err_sys("%s", path);
	else if (!S_ISREG(st.st_mode))
		rc = err_set(ERR_SYSTEM, "%s is no plain file", path);
	text = xcalloc(FILE_MAX + 2, 1);
	while (!rc && got && n <= FILE_MAX) {
		got = read(fd, text + n, FILE_MAX + 1 - n);
		if (got > 0)
			n += (size_t)got;
		else if (got < 0 && errno != EINTR)
			rc = err_sys("%s", path);
	}
	if (!rc && n > FILE_MAX)
		rc = err_set(ERR_TOOBIG, "%s is too large", path);
	close(fd);
	if (rc) {
		free(text);
		return rc;
	}
	*out = text;
	if (len)
		*len = n;
	return 0;
}
