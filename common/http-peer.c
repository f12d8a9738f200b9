/* SPDX-License-Identifier: ISC */
#include "http-parts.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mem.h"

/* Linux 6.5 has it, the headers of Debian 12 have not; socket(7). */
#if !defined(SO_PEERPIDFD) && !defined(__sparc__) && !defined(__hppa__)
# define SO_PEERPIDFD 77
#endif

/* What is known of a peer that has our uid. */
enum { IS_OURS, IS_BOXED, IS_UNKNOWN };

/*
 * A pidfd of the process that connected, or -1. Where the kernel has no
 * SO_PEERPIDFD, the process may have ended already, and another one may have
 * its pid; else not.
 */
static int open_peer(int fd, pid_t pid)
{
#ifdef SO_PEERPIDFD
	int pidfd = -1;
	socklen_t len = sizeof(pidfd);

	if (!getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len))
		return pidfd;
	if (errno != ENOPROTOOPT)
		return -1;
#else
	(void)fd;
#endif
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/*
 * How many PID namespaces a process is in, from that of /proc down. 0 once
 * it is gone, -1 where that cannot be read. The kernel shows this of every
 * pidfd, whatever the process does to hide; see proc_pid_fdinfo(5).
 */
static int count_pid_spaces(int pidfd)
{
	char *path = xasprintf("/proc/self/fdinfo/%d", pidfd), line[1024];
	FILE *f = fopen(path, "re");
	int n = -1;

	free(path);
	while (f && fgets(line, sizeof(line), f)) {
		char *save = NULL, *word = strtok_r(line, " \t\n", &save);

		if (word && !strcmp(word, "Pid:")) {
			word = strtok_r(NULL, " \t\n", &save);
			n = word && strtol(word, NULL, 10) > 0;
		} else if (word && !strcmp(word, "NSpid:") && n > 0) {
			n = 0;
			while (strtok_r(NULL, " \t\n", &save))
				n++;
		}
	}
	if (f)
		fclose(f);
	return n;
}

/* The same of ourselves. */
static int count_own_pid_spaces(void)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int n = fd < 0 ? -1 : count_pid_spaces(fd);

	if (fd >= 0)
		close(fd);
	return n;
}

/* Is pid known to have another user namespace than ours? */
static bool has_user_space(pid_t pid)
{
	char *path = xasprintf("/proc/%d/ns/user", (int)pid);
	struct stat own, its;
	bool has = !stat("/proc/self/ns/user", &own) && !stat(path, &its) &&
		   (its.st_dev != own.st_dev || its.st_ino != own.st_ino);

	free(path);
	return has;
}

/*
 * A process stays in its PID namespace as long as it lives, and an app has
 * one of its own; so this decides. A user namespace of its own refuses a
 * process, too, but it cannot be read of one that is not dumpable, such as a
 * child of sshd: that says nothing.
 */
static int look_at(int pidfd, pid_t pid)
{
	struct pollfd ended = { pidfd, POLLIN, 0 };
	int own = count_own_pid_spaces(), its = count_pid_spaces(pidfd);
	bool user = has_user_space(pid);

	if (own <= 0 || its <= 0)
		return IS_UNKNOWN;
	if (its > own)
		return IS_BOXED;
	/* Once it has ended, pid may be another process. */
	if (poll(&ended, 1, 0))
		return IS_UNKNOWN;
	return user ? IS_BOXED : IS_OURS;
}

/* One that has no pid in our namespace is in no box, which would be below. */
static int look(int fd, const struct ucred *cred)
{
	int pidfd, seen;

	if (cred->uid != geteuid() || cred->pid <= 0)
		return IS_OURS;
	pidfd = open_peer(fd, cred->pid);
	if (pidfd < 0)
		return IS_UNKNOWN;
	seen = look_at(pidfd, cred->pid);
	close(pidfd);
	return seen;
}

struct http_peer *http_peer_of(int fd)
{
	struct http_peer *peer = xcalloc(1, sizeof(*peer));
	struct ucred cred = { .pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	socklen_t len = sizeof(cred);
	struct passwd pw, *found = NULL;
	char buf[4096];
	int seen = IS_UNKNOWN;

	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		seen = look(fd, &cred);
	peer->uid = cred.uid;
	peer->pid = cred.pid;
	peer->is_boxed = seen == IS_BOXED;
	peer->is_unknown = seen == IS_UNKNOWN;
	if (!getpwuid_r(cred.uid, &pw, buf, sizeof(buf), &found) && found)
		peer->user = xstrdup(found->pw_name);
	else
		peer->user = xasprintf("uid %u", cred.uid);
	return peer;
}
