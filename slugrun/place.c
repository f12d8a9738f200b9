/* SPDX-License-Identifier: ISC */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

#define FOLDER (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int place_open(struct place *p)
{
	*p = (struct place){ .root = -1 };
	if (unshare(CLONE_FS))
		return err_sys("unshare");
	p->root = open(".", FOLDER);
	return p->root < 0 ? err_sys("the target") : 0;
}

void place_close(struct place *p)
{
	if (p->root >= 0)
		close(p->root);
	free(p->folder);
	*p = (struct place){ .root = -1 };
}

/* Is the name of len bytes one that goes nowhere? */
static bool is_dot(const char *name, size_t len)
{
	return len == 0 || (len == 1 && name[0] == '.');
}

/* One step down, into a folder that is made where it is not there. */
static int step(int *fd, const char *name, size_t len)
{
	char part[256];
	int next;

	if (len >= sizeof(part))
		return err_set(ERR_INVALID, "has too long a name");
	if (len == 2 && !memcmp(name, "..", 2))
		return err_set(ERR_INVALID, "contains '..'");
	memcpy(part, name, len);
	part[len] = '\0';
	if (mkdirat(*fd, part, 0755) && errno != EEXIST)
		return err_sys("cannot get its folder");
	next = openat(*fd, part, FOLDER);
	if (next < 0 && errno == ENOTDIR)
		return err_set(ERR_INVALID,
			       "lies in a symlink or file, not in a folder");
	if (next < 0)
		return err_sys("cannot get into its folder");
	close(*fd);
	*fd = next;
	return 0;
}

/* From the root, step by step. */
static int walk(const struct place *p, const char *folder, size_t len, int *fd)
{
	const char *end = folder + len;
	int rc = 0;

	*fd = fcntl(p->root, F_DUPFD_CLOEXEC, 0);
	if (*fd < 0)
		return err_sys("the target");
	while (!rc && folder < end) {
		size_t n = strcspn(folder, "/");

		if (n > (size_t)(end - folder))
			n = (size_t)(end - folder);
		if (!is_dot(folder, n))
			rc = step(fd, folder, n);
		folder += n + 1;
	}
	return rc;
}

/* At once, where all of it is there; -1 where it is not so simple. */
static int jump(const struct place *p, const char *folder)
{
	const struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	if (strstr(folder, ".."))
		return -1;
	return (int)syscall(SYS_openat2, p->root, *folder ? folder : ".", &how,
			    sizeof(how));
}

/* p->folder becomes the first len bytes of path. */
static void remember(struct place *p, const char *path, size_t len)
{
	if (!p->folder || p->room <= len) {
		p->room = 2 * len + 256;
		p->folder = xrealloc(p->folder, p->room, 1);
	}
	memcpy(p->folder, path, len);
	p->folder[len] = '\0';
	p->len = len;
}

int place_enter(struct place *p, const char *path, bool folder,
		const char **base)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	int fd, rc = 0;

	*base = slash ? slash + 1 : path;
	if (folder)
		len = strlen(path);
	if (path[0] == '/')
		return err_set(ERR_INVALID, "has an absolute name");
	if (!folder && (is_dot(*base, strlen(*base)) || !strcmp(*base, "..")))
		return err_set(ERR_INVALID, "has no usable name");
	if (p->folder && p->len == len && !memcmp(p->folder, path, len))
		return 0;
	remember(p, path, len);
	fd = jump(p, p->folder);
	if (fd < 0)
		rc = walk(p, p->folder, len, &fd);
	if (!rc && fchdir(fd))
		rc = err_sys("cannot get into its folder");
	if (fd >= 0)
		close(fd);
	if (rc)
		p->len = SIZE_MAX; /* nobody knows where that is */
	return rc;
}
