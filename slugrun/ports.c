/* SPDX-License-Identifier: ISC */
#include "ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bind-fence.h"
#include "err.h"
#include "holders.h"
#include "listeners.h"
#include "mem.h"
#include "sock.h"

#define ATTEMPT_MS 1000  /* for a connection */
#define ANSWER_MS  10000 /* for an answer, beside that */

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

/* The byte of that number; see fcntl_locking(2) on open file descriptions. */
static int hold(const char *path, uint16_t port)
{
	struct flock byte = { .l_type = F_WRLCK,
			      .l_whence = SEEK_SET,
			      .l_start = port,
			      .l_len = 1 };
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys("%s", path);
	if (!fcntl(fd, F_OFD_SETLK, &byte))
		return fd;
	close(fd);
	return err_set(ERR_UNAVAILABLE, "port %u is another one's", port);
}

/* The first pass leaves out those that some servers would wait for. */
static int take(struct port_lease *lease, const char *path,
		const struct port_wish *w, bool rested)
{
	unsigned p;
	int fd;

	for (p = w->last; p >= w->first && p > 0; p--) {
		if (p == w->but || (rested && !is_rested((uint16_t)p)))
			continue;
		fd = hold(path, (uint16_t)p);
		if (fd < 0 && fd != ERR_UNAVAILABLE)
			return fd;
		if (fd < 0)
			continue;
		if (sock_port_is_free((uint16_t)p)) {
			lease->fd = fd;
			lease->port = (uint16_t)p;
			return 0;
		}
		close(fd);
	}
	return err_set(ERR_UNAVAILABLE, "no port from %u to %u is free",
		       w->first, w->last);
}

int port_take(struct port_lease *lease, const struct port_wish *w)
{
	char *path = xasprintf("%s/ports.lock", w->store);
	struct port_wish any = *w;
	int rc = take(lease, path, w, true);

	any.but = 0;
	if (rc == ERR_UNAVAILABLE)
		rc = take(lease, path, w, false);
	if (rc == ERR_UNAVAILABLE && w->but)
		rc = take(lease, path, &any, false);
	if (!rc && w->fence) {
		lease->fence = w->fence;
		rc = bind_fence_allow(w->fence, lease->port);
	}
	if (rc)
		port_release(lease);
	free(path);
	return rc;
}

void port_release(struct port_lease *lease)
{
	if (lease->fence && lease->port)
		bind_fence_refuse(lease->fence, lease->port);
	if (lease->fd >= 0)
		close(lease->fd);
	lease->fence = NULL;
	lease->fd = -1;
	lease->port = 0;
}

bool port_is_of(uint16_t port, int64_t uid)
{
	struct listener v[LISTENERS_MAX];
	size_t i, n = listeners_find(v, port);

	for (i = 0; i < n; i++)
		if (v[i].uid != uid)
			return false;
	return n > 0;
}

/* Of the same user, it may be another app's. */
static bool is_others(const struct listener *who, uint64_t *own)
{
	enum holder holder;

	if (who->inode == *own)
		return false;
	holder = holder_of(who->inode);
	if (holder == HOLDER_OURS)
		*own = who->inode;
	return holder == HOLDER_OTHER;
}

bool port_is_taken(uint16_t port, int64_t uid, uint64_t *own)
{
	struct listener v[LISTENERS_MAX];
	size_t i, n = listeners_find(v, port);

	for (i = 0; i < n; i++)
		if (uid >= 0 ? v[i].uid != uid : is_others(&v[i], own))
			return true;
	return false;
}

void probe_clear(struct probe *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

/*
 * The outcome of the attempt under way: 0, EINPROGRESS, or its error. Here on
 * the loopback it is there as soon as the attempt has begun.
 */
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

/* Begin an attempt: 0, or its error. */
static int probe_begin(struct probe *p, uint16_t port, int64_t now)
{
	struct sockaddr_in addr = loopback(port);

	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	p->began = now;
	p->asked = false;
	p->len = 0;
	if (p->fd < 0 ||
	    (connect(p->fd, (struct sockaddr *)&addr, sizeof(addr)) &&
	     errno != EINPROGRESS))
		return errno;
	return 0;
}

/* Send the request, which fits into any socket's buffer. */
static int probe_ask(struct probe *p, uint16_t port, const char *path)
{
	char *text = xasprintf("GET %s HTTP/1.1\r\n"
			       "Host: 127.0.0.1:%u\r\n"
			       "User-Agent: slugrun\r\n"
			       "Accept: */*\r\n"
			       "Connection: close\r\n\r\n",
			       path, port);
	size_t len = strlen(text);
	ssize_t n = send(p->fd, text, len, MSG_NOSIGNAL);

	free(text);
	p->asked = true;
	return n == (ssize_t)len ? 0 : EPIPE;
}

/* Read on: 0 for a good answer, EINPROGRESS, or another error. */
static int probe_read(struct probe *p)
{
	size_t room = sizeof(p->head) - 1 - p->len;
	ssize_t n = recv(p->fd, p->head + p->len, room, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? EINPROGRESS : errno;
	p->len += (size_t)n;
	p->head[p->len] = '\0';
	if (n > 0 && p->len < strlen("HTTP/1.1 200"))
		return EINPROGRESS;
	if (!p->len)
		return EPROTO;
	p->status = -1;
	if (strncmp(p->head, "HTTP/1.", 7) != 0 || p->head[8] != ' ')
		return EPROTO;
	p->status = (int)strtol(p->head + 9, NULL, 10);
	return p->head[9] == '2' || p->head[9] == '3' ? 0 : EPROTO;
}

bool probe_answers(struct probe *p, uint16_t port, const char *path,
		   int64_t now)
{
	int64_t limit = path ? ATTEMPT_MS + ANSWER_MS : ATTEMPT_MS;
	int error = 0;

	if (p->fd < 0)
		error = probe_begin(p, port, now);
	if (!error && !p->asked)
		error = probe_outcome(p);
	p->reached = p->reached || !error;
	if (!error && path && !p->asked)
		error = probe_ask(p, port, path);
	if (!error && path)
		error = probe_read(p);
	if (error == EINPROGRESS && now - p->began < limit)
		return false;
	probe_clear(p);
	return !error;
}
