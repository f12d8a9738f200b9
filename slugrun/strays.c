/* SPDX-License-Identifier: ISC */
#include "strays.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"
#include "proc.h"

#define PASSES      20 /* each finds what forked during the one before */
#define END_MS      10000
#define MAX_ENVIRON (4 * 1024 * 1024)

/* The first bytes of a process's environment; NULL if there are none. */
static char *read_environ(int proc, const char *pid, size_t *len)
{
	char *path = xasprintf("%s/environ", pid), *text = NULL;
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	ssize_t n = 0;

	*len = 0;
	while (fd >= 0 && size < MAX_ENVIRON) {
		size += 65536;
		text = xrealloc(text, size + 1, 1);
		n = read(fd, text + *len, size - *len);
		if (n <= 0)
			break;
		*len += (size_t)n;
		size = *len;
	}
	if (text)
		text[*len] = '\0';
	if (fd >= 0)
		close(fd);
	free(path);
	return text;
}

/* Whom to look for: what variables begin with, and are. */
struct wanted {
	char *home;
	char *version; /* NULL: any */
};

static bool is_stray(int proc, const char *pid, const struct wanted *w)
{
	bool home = false, version = !w->version;
	size_t len, at = 0, n = strlen(w->home);
	char *env = read_environ(proc, pid, &len);

	while (env && at < len && !(home && version)) {
		home = home || !strncmp(env + at, w->home, n);
		version = version || !strcmp(env + at, w->version);
		at += strlen(env + at) + 1;
	}
	free(env);
	return home && version;
}

/* Whose processes are to be looked at? Only of these it may know. */
static bool is_ours(const struct stat *st)
{
	return !geteuid() || st->st_uid == geteuid();
}

static unsigned pass(int proc, const struct wanted *w)
{
	unsigned killed = 0;
	struct dirent *e;
	struct stat st;
	DIR *d = opendir("/proc");
	pid_t pid;

	/* cppcheck-suppress readdirCalled; no other thread has it */
	while (d && (e = readdir(d))) {
		pid = (pid_t)strtol(e->d_name, NULL, 10);
		if (pid <= 1 || pid == getpid() ||
		    fstatat(proc, e->d_name, &st, 0) || !is_ours(&st) ||
		    !is_stray(proc, e->d_name, w))
			continue;
		if (!kill(pid, SIGKILL))
			killed++;
	}
	if (d)
		closedir(d);
	return killed;
}

static unsigned kill_all(const struct wanted *w)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), i;
	unsigned killed = 0, now = 1;

	for (i = 0; proc >= 0 && now && i < PASSES; i++) {
		now = pass(proc, w);
		killed += now;
		if (now)
			usleep(1000);
	}
	if (proc >= 0)
		close(proc);
	return killed;
}

unsigned strays_kill(const char *dir, int64_t version)
{
	struct wanted w = { .home = xasprintf("HOME=%s/run/", dir) };
	unsigned killed;

	if (version)
		w.version =
			xasprintf("HEROKU_RELEASE_VERSION=v%" PRId64, version);
	killed = kill_all(&w);
	free(w.home);
	free(w.version);
	return killed;
}

unsigned strays_kill_run(const char *run)
{
	struct wanted w = { .home = xasprintf("HOME=%s/", run) };
	unsigned killed = kill_all(&w);

	free(w.home);
	return killed;
}

/* The parent of a process, by proc(5)'s stat; 0: unknown. */
static pid_t parent_of(int proc, const char *pid)
{
	char *path = xasprintf("%s/stat", pid), text[512];
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	long parent = 0;
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	const char *rest;

	text[n > 0 ? n : 0] = '\0';
	/* Its name may have spaces and brackets. */
	rest = strrchr(text, ')');
	/* ") S 123 ...": the state, and then it. */
	if (rest && strlen(rest) > 4)
		parent = strtol(rest + 4, NULL, 10);
	if (fd >= 0)
		close(fd);
	free(path);
	return (pid_t)parent;
}

/* Is it a child that box_close() started? */
static bool is_helper(int proc, const char *pid)
{
	char *path = xasprintf("%s/exe", pid);
	char *helper = proc_helper("slugrun-box");
	struct stat it, own;
	bool same = !fstatat(proc, path, &it, 0) && !stat(helper, &own) &&
		    it.st_dev == own.st_dev && it.st_ino == own.st_ino;

	free(helper);
	free(path);
	return same;
}

static void kill_adopted(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	pid_t pid;

	/* cppcheck-suppress readdirCalled; no other thread has it */
	while (d && (e = readdir(d))) {
		pid = (pid_t)strtol(e->d_name, NULL, 10);
		if (pid > 1 && parent_of(dirfd(d), e->d_name) == getpid() &&
		    !is_helper(dirfd(d), e->d_name))
			kill(pid, SIGKILL);
	}
	if (d)
		closedir(d);
}

void strays_end(void)
{
	int i;

	for (i = 0; i < END_MS; i++) {
		/* What one of them started is ours, too, from then on. */
		if (i % 100 == 0)
			kill_adopted();
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return;
		usleep(1000);
	}
}
