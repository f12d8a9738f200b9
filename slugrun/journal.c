/* SPDX-License-Identifier: ISC */
#include "journal.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mem.h"

#define SOCKET "/run/systemd/journal/socket"

struct journal {
	int fd;
	char *app;
	struct sockaddr_un addr;
};

/* Is standard error the journal's? JOURNAL_STREAM says which file that is. */
static bool is_ours(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char is[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st))
		return false;
	snprintf(is, sizeof(is), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	return !strcmp(is, stream);
}

struct journal *journal_open(const char *app)
{
	const char *path = getenv("SLUGD_TEST_JOURNAL");
	struct journal *j;
	int fd;

	if (!path && is_ours())
		path = SOCKET;
	if (!path)
		return NULL;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return NULL;
	j = xcalloc(1, sizeof(*j));
	j->fd = fd;
	j->app = xstrdup(app);
	j->addr.sun_family = AF_UNIX;
	snprintf(j->addr.sun_path, sizeof(j->addr.sun_path), "%s", path);
	return j;
}

void journal_write(struct journal *j, const char *source, const char *name,
		   const char *line, size_t len)
{
	struct iovec parts[3] = { 0 };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 3 };
	char *head, end[] = "\n";

	if (!j)
		return;
	head = xasprintf("PRIORITY=6\nSYSLOG_IDENTIFIER=%s\nDYNO=%s\n"
			 "SLUGD_SOURCE=%s\nMESSAGE=",
			 j->app, name, source);
	parts[0] = (struct iovec){ head, strlen(head) };
	parts[1].iov_base = (void *)(uintptr_t)line;
	parts[1].iov_len = len;
	parts[2] = (struct iovec){ end, 1 };
	message.msg_name = &j->addr;
	message.msg_namelen = sizeof(j->addr);
	/* By address: the journal may be another one than for the last. */
	sendmsg(j->fd, &message, MSG_NOSIGNAL);
	free(head);
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	close(j->fd);
	free(j->app);
	free(j);
}
