/* SPDX-License-Identifier: ISC */
#include "strays.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

#define PASSES      20 /* each finds what forked during the one before */
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

/* Is s the version, or any where that is 0? */
static bool is_version(const char *s, int64_t version)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	return (!version || strtoll(s, &end, 10) == version) &&
	       !s[strspn(s, "0123456789")];
}

static bool is_stray(int proc, const char *pid, const char *home,
		     int64_t version)
{
	size_t len, at = 0, n = strlen(home);
	char *env = read_environ(proc, pid, &len);
	bool found = false;

	while (env && at < len && !found) {
		found = !strncmp(env + at, home, n) &&
			is_version(env + at + n, version);
		at += strlen(env + at) + 1;
	}
	free(env);
	return found;
}

static unsigned pass(int proc, const char *home, int64_t version)
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
		    fstatat(proc, e->d_name, &st, 0) ||
		    st.st_uid != geteuid() ||
		    !is_stray(proc, e->d_name, home, version))
			continue;
		if (!kill(pid, SIGKILL))
			killed++;
	}
	if (d)
		closedir(d);
	return killed;
}

unsigned strays_kill(const char *dir, int64_t version)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), i;
	char *home = xasprintf("HOME=%s/trees/v", dir);
	unsigned killed = 0, now = 1;

	for (i = 0; proc >= 0 && now && i < PASSES; i++) {
		now = pass(proc, home, version);
		killed += now;
		if (now)
			usleep(1000);
	}
	if (proc >= 0)
		close(proc);
	free(home);
	return killed;
}
