/* SPDX-License-Identifier: ISC */
#include "runnable.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

/* Where there is one of these, the first program need not be there. */
#define SEVERAL "|&;(){}`#\n"

/* What a path of the app has, if it needs no quotes. */
#define PLAIN                                                                  \
 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-/"

/*
 * The path below the app's folder of the program that the command runs, or
 * NULL where that cannot be told. Caller frees.
 */
static char *program_of(const char *command)
{
	const char *p = command + strspn(command, " \t");
	size_t len;
	char *path;

	if (strpbrk(command, SEVERAL))
		return NULL;
	if (!strncmp(p, "exec ", 5))
		p += 5 + strspn(p + 5, " \t");
	if (!strncmp(p, "/app/", 5))
		p += 5;
	len = strcspn(p, " \t");
	if (*p == '/' || strspn(p, PLAIN) < len || !memchr(p, '/', len))
		return NULL;
	path = xcalloc(1, len + 1);
	memcpy(path, p, len);
	return path;
}

/* 0, or why path cannot be executed; 0, too, where that is not known. */
static int look(int tree, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	int fd = (int)syscall(SYS_openat2, tree, path, &how, sizeof(how));
	bool executable;
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? errno : 0;
	executable = fstat(fd, &st) ||
		     (S_ISREG(st.st_mode) && (st.st_mode & 0111) != 0);
	close(fd);
	return executable ? 0 : EACCES;
}

int runnable_check(const char *tree, const char *name, const char *command)
{
	char *path = program_of(command);
	int fd = path ? open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	int why = fd < 0 ? 0 : look(fd, path), rc = 0;

	if (why == EACCES)
		rc = err_set(ERR_INVALID,
			     "%s cannot be started: %s is no executable file",
			     name, path);
	else if (why)
		rc = err_set(ERR_INVALID,
			     "%s cannot be started: %s is not in the app", name,
			     path);
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}
