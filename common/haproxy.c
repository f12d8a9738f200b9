/* SPDX-License-Identifier: ISC */
#include "haproxy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "lock.h"
#include "mem.h"
#include "sock.h"

#define MAX_ANSWER ((size_t)16 << 20)

static int send_line(int fd, const char *commands)
{
	char *line = xasprintf("%s\n", commands);
	size_t len = strlen(line);
	ssize_t n = send(fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	free(line);
	return n == (ssize_t)len ? 0
				 : err_set(ERR_UNAVAILABLE,
					   "HAProxy does not take commands");
}

/* One more piece of the answer: 1, 0 at its end. */
static int read_more(int fd, char **text, size_t *len, int64_t deadline)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int64_t left = deadline - clock_mono_ms();
	ssize_t n;

	if (left <= 0 || *len > MAX_ANSWER || poll(&p, 1, (int)left) == 0)
		return err_set(ERR_UNAVAILABLE, "HAProxy does not answer");
	*text = xrealloc(*text, *len + 4097, 1);
	n = recv(fd, *text + *len, 4096, MSG_DONTWAIT);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		n = 0;
	else if (n < 0)
		return err_set(ERR_UNAVAILABLE, "HAProxy went away");
	else if (n == 0)
		return 0;
	*len += (size_t)n;
	return 1;
}

int haproxy_ask(char **out, const char *socket, const char *commands, int ms)
{
	int64_t deadline = clock_mono_ms() + ms;
	char *text = NULL;
	size_t len = 0;
	int fd = -1, more = 1;
	int rc = sock_connect_unix_within(&fd, socket, ms);

	if (!rc)
		rc = send_line(fd, commands);
	while (!rc && more) {
		more = read_more(fd, &text, &len, deadline);
		if (more < 0)
			rc = more;
	}
	if (fd >= 0)
		close(fd);
	if (rc) {
		free(text);
		return rc;
	}
	text[len] = '\0';
	*out = text;
	return 0;
}

int haproxy_lock(int *fd, const char *folder, bool alone, int ms)
{
	char *path = xasprintf("%s/" HAPROXY_LOCK, folder);
	int rc = 0;

	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0)
		rc = err_sys("%s", path);
	else
		rc = lock_wait(*fd, alone ? LOCK_EX : LOCK_SH, ms, path);
	if (rc && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	free(path);
	return rc;
}

bool haproxy_is_name(const char *name)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789.-_";
	size_t len = strspn(name, good);

	return len && len <= HAPROXY_NAME && !name[len];
}
