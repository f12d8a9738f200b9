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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "proc.h"
#include "text.h"

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

/* --- by their marks --- */

#define MARKS    65536  /* the marks are so many bytes below the limit */
#define UNMARKED 819200 /* the kernel's own limit, see mq_overview(7) */
#define MAX_UP   1000   /* steps from a process to its ancestors */

/* Those of processes that slugrun started and that live. */
static struct {
	int64_t newest; /* bytes */
	int64_t *live;
	size_t n;
} marks;

static bool is_live(int64_t mark)
{
	size_t i;

	for (i = 0; i < marks.n; i++)
		if (marks.live[i] == mark)
			return true;
	return false;
}

int64_t strays_mark(void)
{
	struct rlimit l;
	int64_t top;

	if (getrlimit(RLIMIT_MSGQUEUE, &l) ||
	    (l.rlim_max != RLIM_INFINITY && l.rlim_max <= MARKS))
		return 0;
	top = l.rlim_max < UNMARKED ? (int64_t)l.rlim_max : UNMARKED;
	do {
		if (++marks.newest <= top - MARKS || marks.newest >= top)
			marks.newest = top - MARKS + 1;
	} while (is_live(marks.newest));
	marks.live = xrealloc(marks.live, marks.n + 1, sizeof(*marks.live));
	marks.live[marks.n++] = marks.newest;
	return marks.newest;
}

void strays_unmark(int64_t mark)
{
	size_t i;

	for (i = 0; i < marks.n; i++)
		if (marks.live[i] == mark)
			marks.live[i--] = marks.live[--marks.n];
}

int strays_wear(int64_t mark)
{
	const struct rlimit l = { (rlim_t)mark, (rlim_t)mark };

	if (mark && setrlimit(RLIMIT_MSGQUEUE, &l))
		return err_sys("setrlimit");
	return 0;
}

char **strays_marks(void)
{
	char **list = xcalloc(marks.n + 2, sizeof(*list));
	size_t i;

	list[0] = xasprintf("%" PRId64, marks.newest);
	for (i = 0; i < marks.n; i++)
		list[i + 1] = xasprintf("%" PRId64, marks.live[i]);
	return list;
}

/*
 * The hard limit of that process's message queues, as proc(5) has it: to ask
 * for it by prlimit(2) takes a capability. 0: not known.
 */
static int64_t mark_of(pid_t pid)
{
	static const char name[] = "Max msgqueue size";
	char *path = xasprintf("/proc/%ld/limits", (long)pid), line[256], *at;
	FILE *f = fopen(path, "re");
	int64_t mark = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, name, strlen(name)) != 0)
			continue;
		/* The soft limit, and the hard one behind it. */
		at = line + strlen(name);
		at += strspn(at, " ");
		at += strcspn(at, " ");
		mark = strtoll(at, NULL, 10);
		break;
	}
	if (f)
		fclose(f);
	free(path);
	return mark;
}

/* Its mark is one that was given, and that nothing has that lives. */
static bool is_marked(pid_t pid, char **list)
{
	int64_t newest, n, mark = mark_of(pid);

	if (text_parse_int(&newest, *list, 1, INT64_MAX) || mark > newest ||
	    mark <= newest - MARKS)
		return false;
	while (*++list)
		if (!text_parse_int(&n, *list, 1, INT64_MAX) && n == mark)
			return false;
	return mark > 0;
}

static bool is_below(int proc, pid_t pid, pid_t top)
{
	char name[32];
	int i;

	for (i = 0; i < MAX_UP && pid > 1 && pid != top; i++) {
		snprintf(name, sizeof(name), "%ld", (long)pid);
		pid = parent_of(proc, name);
	}
	return i > 0 && pid == top;
}

static unsigned pass_marked(pid_t top, char **list)
{
	DIR *d = opendir("/proc");
	unsigned killed = 0;
	struct dirent *e;
	pid_t pid;

	/* cppcheck-suppress readdirCalled; no other thread has it */
	while (d && (e = readdir(d))) {
		pid = (pid_t)strtol(e->d_name, NULL, 10);
		if (pid > 1 && pid != getpid() && is_marked(pid, list) &&
		    is_below(dirfd(d), pid, top) && !kill(pid, SIGKILL))
			killed++;
	}
	if (d)
		closedir(d);
	return killed;
}

unsigned strays_kill_marked(pid_t top, char **list)
{
	unsigned killed = 0, now = 1;
	int i;

	/* Where slugrun is gone its processes are below somebody else. */
	for (i = 0; now && i < PASSES && getppid() == top && top > 1; i++) {
		now = pass_marked(top, list);
		killed += now;
		if (now)
			usleep(1000);
	}
	return killed;
}

/* --- at the end of slugrun --- */

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
