/* SPDX-License-Identifier: ISC */
#include "ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "err.h"
#include "sock.h"

#define ATTEMPT_MS 1000

static struct sockaddr_in loopback(uint16_t port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return addr;
}

/*
 * Could also a server that does not set SO_REUSEADDR listen there? Not
 * while connections of an earlier one are in TIME_WAIT.
 */
static bool is_rested(uint16_t port)
{
	struct sockaddr_in addr = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool rested;

	if (fd < 0)
		return false;
	rested = !bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	close(fd);
	return rested;
}

static int hold(uint16_t port)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), len;

	if (fd < 0)
		return -1;
	/* A first byte of 0: the abstract namespace, unix(7). */
	len = snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1,
		       "slugrun/port/%u", port);
	if (bind(fd, (struct sockaddr *)&addr,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			     (size_t)len))) {
		close(fd);
		return -1;
	}
	return fd;
}

int port_take(struct port_lease *lease, uint16_t first, uint16_t last,
	      uint16_t but)
{
	unsigned p;
	int pass, fd;

	for (pass = 0; pass < 2; pass++) {
		for (p = last; p >= first && p > 0; p--) {
			if (p == but || (pass == 0 && !is_rested((uint16_t)p)))
				continue;
			fd = hold((uint16_t)p);
			if (fd < 0)
				continue;
			if (sock_port_is_free((uint16_t)p)) {
				lease->fd = fd;
				lease->port = (uint16_t)p;
				return 0;
			}
			close(fd);
		}
	}
	return err_set(ERR_UNAVAILABLE, "no port from %u to %u is free", first,
		       last);
}

void port_release(struct port_lease *lease)
{
	if (lease->fd >= 0)
		close(lease->fd);
	lease->fd = -1;
	lease->port = 0;
}

void probe_clear(struct probe *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

/* The outcome of the attempt under way: 0, EINPROGRESS, or its error. */
static int probe_outcome(const struct probe *p)
{
	struct pollfd w = { p->fd, POLLOUT, 0 };
	int error = 0;
	socklen_t len = sizeof(error);

	if (poll(&w, 1, 0) <= 0)
		return EINPROGRESS;
	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len))
		return errno;
	return error;
}

bool probe_answers(struct probe *p, uint16_t port, int64_t now)
{
	struct sockaddr_in addr = loopback(port);
	int error = 0;

	if (p->fd >= 0) {
		error = probe_outcome(p);
	} else {
		p->fd = socket(AF_INET,
			       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		p->began = now;
		if (p->fd < 0)
			return false;
		if (connect(p->fd, (struct sockaddr *)&addr, sizeof(addr)))
			error = errno;
	}
	if (error == EINPROGRESS && now - p->began < ATTEMPT_MS)
		return false;
	probe_clear(p);
	return !error;
}
