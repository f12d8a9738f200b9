/* SPDX-License-Identifier: ISC */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"
#include "lock.h"
#include "log.h"
#include "mem.h"
#include "proc.h"
#include "strays.h"

#define PIPE_FD 3

/* A message is the number of groups, and then the groups; or ALL_IS_OVER. */
#define ALL_IS_OVER (-1)

#define LOCK_MS 1000

static int start(struct guard *g, const char *dir)
{
	char *helper = proc_helper("slugrun-box");
	const char *argv[] = { helper, "guard", dir, NULL };
	struct proc_spec spec = { .argv = argv, .session = true };
	int fds[2], rc;

	if (pipe2(fds, O_CLOEXEC)) {
		rc = err_sys("pipe");
		goto done;
	}
	spec.extra = fds[0];
	rc = proc_spawn(&g->pid, &spec);
	close(fds[0]);
	if (rc) {
		close(fds[1]);
		g->pid = 0;
		goto done;
	}
	g->fd = fds[1];
	g->nr_told = 0;
done:
	free(helper);
	return rc;
}

void guard_tell(struct guard *g, const char *dir, const pid_t *groups, size_t n)
{
	pid_t *message;
	size_t size = (n + 1) * sizeof(*message);

	if (n == g->nr_told &&
	    (!n || !memcmp(groups, g->told, n * sizeof(*groups))))
		return;
	if (g->fd < 0 && start(g, dir)) {
		log_line("the guard: %s", err_msg());
		return;
	}
	message = xcalloc(n + 1, sizeof(*message));
	message[0] = (pid_t)n;
	if (n)
		memcpy(message + 1, groups, n * sizeof(*groups));
	/* Where it is gone, guard_ended() will be called. */
	if (write(g->fd, message, size) == (ssize_t)size) {
		free(g->told);
		g->told = xcalloc(n + 1, sizeof(*groups));
		memcpy(g->told, message + 1, n * sizeof(*groups));
		g->nr_told = n;
	}
	free(message);
}

void guard_ended(struct guard *g)
{
	waitpid(g->pid, NULL, 0);
	g->pid = 0;
	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
	g->nr_told = 0;
}

void guard_release(struct guard *g)
{
	const pid_t over = ALL_IS_OVER;

	/* Where it cannot be told, it looks by itself. */
	if (g->fd >= 0 && write(g->fd, &over, sizeof(over)) < 0)
		log_line("the guard: %s", strerror(errno));
	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
	if (g->pid)
		waitpid(g->pid, NULL, 0);
	g->pid = 0;
	free(g->told);
	g->told = NULL;
}

static bool read_full(void *buf, size_t len)
{
	char *p = buf;
	ssize_t n;

	while (len) {
		n = read(PIPE_FD, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/*
 * Is there no slugrun that has the app? It has not while we hold its lock.
 * The one that was killed may have it for a moment more.
 */
static bool take_over(const char *dir)
{
	char *path = xasprintf("%s/slugrun.lock", dir);
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW), rc = 0;

	/* Held until we end. */
	if (fd >= 0)
		rc = lock_wait(fd, LOCK_EX, LOCK_MS, path);
	free(path);
	return !rc;
}

static void kill_groups(const pid_t *groups, size_t n)
{
	while (n--)
		if (groups[n] > 1)
			kill(-groups[n], SIGKILL);
}

int guard_run(const char *dir)
{
	pid_t *groups = NULL, *fresh, n = 0;
	size_t nr = 0;

	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	while (read_full(&n, sizeof(n)) && n >= 0) {
		fresh = xcalloc((size_t)n + 1, sizeof(*fresh));
		if (!read_full(fresh, (size_t)n * sizeof(*fresh))) {
			free(fresh);
			break;
		}
		free(groups);
		groups = fresh;
		nr = (size_t)n;
	}
	if (n != ALL_IS_OVER && take_over(dir)) {
		kill_groups(groups, nr);
		strays_kill(dir, 0);
	}
	free(groups);
	return 0;
}
