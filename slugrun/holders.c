/* SPDX-License-Identifier: ISC */
#include "holders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

#define MAX_DEPTH 200

struct search {
	char wanted[48]; /* "socket:[N]" */
	bool unknown;    /* something could not be looked at */
};

/*
 * Is it slugrun-box or an init, which listen nowhere, and let nobody look? An
 * app that takes such a name loses its own port by that.
 */
static bool is_helper(pid_t pid)
{
	char *path = xasprintf("/proc/%ld/comm", (long)pid);
	FILE *f = fopen(path, "re");
	char name[32] = "";
	bool is = f && fgets(name, sizeof(name), f) &&
		  !strncmp(name, "slugrun-", strlen("slugrun-"));

	if (f)
		fclose(f);
	free(path);
	return is;
}

/* A folder of the process; one that is gone has nothing. */
static DIR *open_of(struct search *s, pid_t pid, const char *what)
{
	char *path = xasprintf("/proc/%ld/%s", (long)pid, what);
	DIR *d = opendir(path);

	if (!d && errno != ENOENT && errno != ESRCH && !is_helper(pid))
		s->unknown = true;
	free(path);
	return d;
}

static bool has_socket(struct search *s, pid_t pid)
{
	DIR *d = open_of(s, pid, "fd");
	char link[64];
	struct dirent *e;
	bool found = false;
	ssize_t n;

	/* cppcheck-suppress readdirCalled; no other thread has it */
	while (d && !found && (e = readdir(d))) {
		n = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		found = !strcmp(link, s->wanted);
	}
	if (d)
		closedir(d);
	return found;
}

static bool is_below(struct search *s, pid_t pid, int depth);

/* Of the children that one thread has. */
static bool is_with_children(struct search *s, int tasks, const char *thread,
			     int depth)
{
	char *path = xasprintf("%s/children", thread);
	int fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	bool found = false;
	long pid;

	/* Of a thread that ended, or in a kernel that does not say. */
	if (fd < 0)
		s->unknown = true;
	while (f && !found && fscanf(f, "%ld", &pid) == 1)
		found = has_socket(s, (pid_t)pid) ||
			is_below(s, (pid_t)pid, depth + 1);
	if (f)
		fclose(f);
	free(path);
	return found;
}

static bool is_below(struct search *s, pid_t pid, int depth)
{
	DIR *d = open_of(s, pid, "task");
	struct dirent *e;
	bool found = false;

	if (depth > MAX_DEPTH)
		s->unknown = true;
	/* cppcheck-suppress readdirCalled; no other thread has it */
	while (d && depth <= MAX_DEPTH && !found && (e = readdir(d)))
		if (*e->d_name != '.')
			found = is_with_children(s, dirfd(d), e->d_name, depth);
	if (d)
		closedir(d);
	return found;
}

enum holder holder_of(uint64_t inode)
{
	struct search s = { .unknown = false };

	snprintf(s.wanted, sizeof(s.wanted), "socket:[%" PRIu64 "]", inode);
	if (is_below(&s, getpid(), 0))
		return HOLDER_OURS;
	return s.unknown ? HOLDER_UNKNOWN : HOLDER_OTHER;
}
