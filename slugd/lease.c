/* SPDX-License-Identifier: ISC */
#include "lease.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

/* The file's first bytes as a string. Errors: ERR_SYSTEM. */
static int read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (n < 0)
		rc = err_sys("%s", path);
	buf[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Parent and start time of pid, from /proc (proc_pid_stat(5)). */
static int read_stat(pid_t pid, pid_t *parent, unsigned long long *start)
{
	char path[64], buf[1024], *p;
	int field, rc;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	rc = read_text(path, buf, sizeof(buf));
	if (rc)
		return rc;
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

static bool has_ended(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, 0) > 0;
}

/*
 * A pidfd of the process that started then, into *out. Errors: ERR_NOTFOUND
 * where it is gone; ERR_SYSTEM where that is not known.
 */
static int open_process(pid_t pid, unsigned long long start, int *out)
{
	unsigned long long now = 0;
	pid_t parent;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), rc;

	*out = -1;
	/* EINVAL and ENOENT: the number is a thread's or a group's. */
	if (fd < 0 && (errno == ESRCH || errno == EINVAL || errno == ENOENT))
		return err_set(ERR_NOTFOUND, "process %d is gone", (int)pid);
	if (fd < 0)
		return err_sys("cannot watch process %d", (int)pid);
	/* Check after opening: a held pidfd cannot be reused. */
	rc = read_stat(pid, &parent, &now);
	if ((rc && has_ended(fd)) || (!rc && now != start))
		rc = err_set(ERR_NOTFOUND, "process %d is gone", (int)pid);
	if (rc)
		close(fd);
	else
		*out = fd;
	return rc;
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
	rc = open_process(l->pid, l->start, &l->fd);
	if (!rc)
		rc = read_stat(child, &again, &start);
	if (!rc && again != l->pid)
		rc = err_set(ERR_SYSTEM, "its git-receive-pack is gone");
	if (rc) {
		lease_release(l);
		return err_prefix(ERR_SYSTEM, "cannot watch the push");
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
	if (!rc)
		rc = open_process(l->pid, l->start, &l->fd);
	return rc ? ERR_SYSTEM : 0;
}

/* The id of this boot. Errors: ERR_SYSTEM. */
static int boot_id(char *buf, size_t size)
{
	int rc = read_text("/proc/sys/kernel/random/boot_id", buf, size);

	buf[strcspn(buf, "\n")] = '\0';
	return rc;
}

int lease_text(const struct lease *l, char **out)
{
	char boot[sizeof(l->boot)];
	int rc = boot_id(boot, sizeof(boot));

	if (!rc)
		*out = xasprintf("%d %llu %s", (int)l->pid, l->start, boot);
	return rc;
}

/* Look for the process of a restored lease. */
static void look_for(struct lease *l)
{
	char boot[sizeof(l->boot)];
	int rc = boot_id(boot, sizeof(boot));

	if (!rc && strcmp(l->boot, boot) != 0)
		rc = err_set(ERR_NOTFOUND, "it was before this boot");
	if (!rc)
		rc = open_process(l->pid, l->start, &l->fd);
	l->unknown = rc && rc != ERR_NOTFOUND;
}

void lease_restore(struct lease *l, const char *text)
{
	char *p;

	memset(l, 0, sizeof(*l));
	l->fd = -1;
	l->pid = (pid_t)strtol(text, &p, 10);
	l->start = strtoull(p, &p, 10);
	snprintf(l->boot, sizeof(l->boot), "%s", *p == ' ' ? p + 1 : "");
	look_for(l);
}

bool lease_is_over(struct lease *l)
{
	if (l->unknown)
		look_for(l);
	return !l->unknown && (l->fd < 0 || has_ended(l->fd));
}

void lease_release(struct lease *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}
