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

#define MAX_PIDS 20000

struct search {
	char wanted[48]; /* "socket:[N]" */
	bool unknown;    /* something could not be looked at */
	pid_t *pids;     /* of this process's descendants */
	size_t n;
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

/* The children of one thread are to be looked at, too. */
static void add_children(struct search *s, int tasks, const char *thread)
{
	char *path = xasprintf("%s/children", thread), *text = NULL, *at, *end;
	int fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	size_t size = 0;
	pid_t pid;

	/* Of a thread that ended, or in a kernel that does not say. */
	if (!f)
		s->unknown = true;
	if (f && getline(&text, &size, f) > 0) {
		for (at = text; (pid = (pid_t)strtol(at, &end, 10)) > 0;
		     at = end) {
			s->pids = xrealloc(s->pids, s->n + 1, sizeof(pid_t));
			s->pids[s->n++] = pid;
		}
	}
	if (f)
		fclose(f);
	free(text);
	free(path);
}

static void add_below(struct search *s, pid_t pid)
{
	DIR *d = open_of(s, pid, "task");
	struct dirent *e;

	/* cppcheck-suppress readdirCalled; no other thread has it */
	while (d && (e = readdir(d)))
		if (*e->d_name != '.')
			add_children(s, dirfd(d), e->d_name);
	if (d)
		closedir(d);
}

enum holder holder_of(uint64_t inode)
{
	struct search s = { .pids = NULL };
	bool found = false;
	size_t i;

	snprintf(s.wanted, sizeof(s.wanted), "socket:[%" PRIu64 "]", inode);
	add_below(&s, getpid());
	for (i = 0; i < s.n && i < MAX_PIDS && !found; i++) {
		found = has_socket(&s, s.pids[i]);
		if (!found)
			add_below(&s, s.pids[i]);
	}
	if (i == MAX_PIDS)
		s.unknown = true;
	free(s.pids);
	if (found)
		return HOLDER_OURS;
	return s.unknown ? HOLDER_UNKNOWN : HOLDER_OTHER;
}
