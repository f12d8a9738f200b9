/* SPDX-License-Identifier: ISC */
#include "lease.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

/* Parent and start time of pid, from /proc (proc_pid_stat(5)). */
static int read_stat(pid_t pid, pid_t *parent, unsigned long long *start)
{
	char path[64], buf[1024], *p;
	size_t n;
	FILE *f;
	int field;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return err_sys("%s", path);
	n = fread(buf, 1, sizeof(buf) - 1, f);
	fclose(f);
	buf[n] = '\0';
	/* The name, field 2, may itself have blanks and parentheses. */
	p = strrchr(buf, ')');
	for (field = 2; p && field < 22; field++) {
		p = strchr(p + 1, ' ');
		if (p && field + 1 == 4)
			*parent = (pid_t)strtol(p, NULL, 10);
	}
	if (!p)
		return err_set(ERR_SYSTEM, "%s: cannot be read", path);
	*start = strtoull(p, NULL, 10);
	return 0;
}

pid_t lease_parent(pid_t pid)
{
	unsigned long long start;
	pid_t parent;

	return read_stat(pid, &parent, &start) ? 0 : parent;
}

/* A pidfd of the process that started then, or -1. */
static int open_process(pid_t pid, unsigned long long start)
{
	unsigned long long now = 0;
	pid_t parent;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	/* Looked at after it is held: so it is not another's pid by now. */
	if (fd >= 0 && (read_stat(pid, &parent, &now) || now != start)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int lease_take(struct lease *l, pid_t child)
{
	unsigned long long start;
	pid_t parent, again;
	int rc;

	memset(l, 0, sizeof(*l));
	l->fd = -1;
	rc = read_stat(child, &l->pid, &start);
	if (!rc && l->pid <= 1)
		rc = err_set(ERR_SYSTEM, "its git-receive-pack is gone");
	if (!rc)
		rc = read_stat(l->pid, &parent, &l->start);
	if (rc)
		return err_prefix(rc, "cannot watch the push");
	l->fd = open_process(l->pid, l->start);
	if (l->fd < 0 || read_stat(child, &again, &start) || again != l->pid) {
		lease_release(l);
		return err_set(ERR_SYSTEM, "cannot watch the push: its "
					   "git-receive-pack is gone");
	}
	return 0;
}

int lease_child(struct lease *l, pid_t child)
{
	pid_t parent;
	int rc;

	memset(l, 0, sizeof(*l));
	l->fd = -1;
	l->pid = child;
	rc = read_stat(child, &parent, &l->start);
	if (rc)
		return rc;
	l->fd = open_process(l->pid, l->start);
	return l->fd < 0 ? err_sys("cannot watch process %d", (int)child) : 0;
}

static void boot_id(char *buf, size_t size)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	buf[0] = '\0';
	if (!f)
		return;
	if (fgets(buf, (int)size, f))
		buf[strcspn(buf, "\n")] = '\0';
	fclose(f);
}

char *lease_text(const struct lease *l)
{
	char boot[64];

	boot_id(boot, sizeof(boot));
	return xasprintf("%d %llu %s", (int)l->pid, l->start, boot);
}

void lease_restore(struct lease *l, const char *text)
{
	char boot[64], *p;

	memset(l, 0, sizeof(*l));
	l->fd = -1;
	l->pid = (pid_t)strtol(text, &p, 10);
	l->start = strtoull(p, &p, 10);
	boot_id(boot, sizeof(boot));
	if (*p != ' ' || strcmp(p + 1, boot) != 0)
		return;
	l->fd = open_process(l->pid, l->start);
}

bool lease_is_over(const struct lease *l)
{
	struct pollfd p = { l->fd, POLLIN, 0 };

	return l->fd < 0 || poll(&p, 1, 0) > 0;
}

void lease_release(struct lease *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}
