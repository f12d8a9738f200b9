/* SPDX-License-Identifier: ISC */
#include "sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

/* Milliseconds until connecting is given up. */
#define CONNECT_MS 10000

/*
 * The address of path. A path too long for one goes through a descriptor of
 * its folder, *dir, which the caller closes after use; else *dir is -1.
 */
static int unix_address(struct sockaddr_un *addr, int *dir, const char *path)
{
	char *copy = NULL, *copy2 = NULL;
	int n, rc = 0;

	*dir = -1;
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	if (strlen(path) < sizeof(addr->sun_path)) {
		memcpy(addr->sun_path, path, strlen(path) + 1);
		return 0;
	}
	copy = xstrdup(path);
	copy2 = xstrdup(path);
	*dir = open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dir < 0) {
		rc = err_sys("%s", path);
		goto done;
	}
	n = snprintf(addr->sun_path, sizeof(addr->sun_path),
		     "/proc/self/fd/%d/%s", *dir, basename(copy2));
	if (n >= (int)sizeof(addr->sun_path))
		rc = err_set(ERR_INVALID, "%s: name too long", path);
done:
	free(copy);
	free(copy2);
	return rc;
}

int sock_connect_unix(int *out, const char *path)
{
	return sock_connect_unix_within(out, path, CONNECT_MS);
}

int sock_connect_unix_within(int *out, const char *path, int ms)
{
	const struct timeval limit = { ms / 1000, ms % 1000 * 1000 };
	const struct timeval none = { 0, 0 };
	struct sockaddr_un addr;
	int dir = -1, fd = -1, rc;

	rc = unix_address(&addr, &dir, path);
	if (rc)
		goto done;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		rc = err_sys("socket");
		goto done;
	}
	/* A listener that is stuck has a full queue: not for ever. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	while (connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		if (errno == EINTR)
			continue;
		rc = err_sys("%s", path);
		goto done;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
	*out = fd;
	fd = -1;
done:
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	return rc ? ERR_UNAVAILABLE : 0;
}

int sock_listen_unix(int *out, const char *path, unsigned mode)
{
	struct sockaddr_un addr;
	int dir = -1, fd = -1, rc;

	rc = unix_address(&addr, &dir, path);
	if (rc)
		goto done;
	if (unlink(path) && errno != ENOENT) {
		rc = err_sys("%s", path);
		goto done;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Nobody can connect before listen(), so the mode comes in time. */
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    chmod(path, mode) || listen(fd, 128)) {
		rc = err_sys("%s", path);
		goto done;
	}
	*out = fd;
	fd = -1;
done:
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	return rc;
}

static struct sockaddr_in loopback(uint16_t port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return addr;
}

int sock_listen_loopback(int *out, uint16_t port)
{
	struct sockaddr_in addr = loopback(port);
	int fd, one = 1;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(fd, 512)) {
		close(fd);
		return err_sys("127.0.0.1:%u", port);
	}
	*out = fd;
	return 0;
}

int sock_connect_loopback(int *out, uint16_t port)
{
	struct sockaddr_in addr = loopback(port);
	int fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys("socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		err_sys("127.0.0.1:%u", port);
		return ERR_UNAVAILABLE;
	}
	*out = fd;
	return 0;
}

bool sock_port_is_free(uint16_t port)
{
	int fd = -1;

	if (sock_listen_loopback(&fd, port))
		return false;
	close(fd);
	return true;
}
