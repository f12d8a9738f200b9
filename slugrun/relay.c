/* SPDX-License-Identifier: ISC */
#include "relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "mem.h"
#include "sock.h"

#define MAX_JOINTS   1000  /* connections at a time */
#define RESERVED_FDS 128   /* of the descriptors, for all else */
#define IDLE_MS      10000 /* a connection idle so long gives way */
#define BUFFER       16384

/* One of the two ends of a connection, and the way of bytes from it. */
struct end {
	struct joint *joint;
	int fd;
	uint32_t events; /* that epoll watches for */
	bool eof;        /* nothing more comes from here */
	bool shut;       /* and the other end was told */
	size_t from, to; /* what came from here, and waits */
	char buf[BUFFER];
};

/* A client joined to a web process. */
struct joint {
	struct end client, web;
	uint16_t port;   /* of the web process */
	size_t attempts; /* to connect to one */
	bool connecting, dead;
	int64_t active_ms;
	TAILQ_ENTRY(joint) link;
};

struct relay {
	uint16_t port;
	int listen_fd, epoll_fd, wake_fd;
	bool accepting; /* epoll watches listen_fd */
	bool stop;
	pthread_t thread;
	pthread_mutex_t lock; /* of all; held but while waiting */
	uint16_t *ports;
	size_t nr_ports, turn;
	size_t nr_joints, max_joints;
	TAILQ_HEAD(joint_list, joint) joints; /* idle longest first */
	struct joint_list dead;               /* freed after a turn */
};

static struct end *other(struct end *e)
{
	return e == &e->joint->client ? &e->joint->web : &e->joint->client;
}

/* Watch e for what can be done there; for nothing: not at all. */
static void watch(struct relay *r, struct end *e)
{
	const struct end *o = other(e);
	struct epoll_event ev = { .events = 0, .data.ptr = e };
	int op;

	if (e->joint->connecting) {
		if (e == &e->joint->web)
			ev.events = EPOLLOUT;
	} else {
		if (!e->eof && e->to < BUFFER)
			ev.events |= EPOLLIN;
		if (o->from < o->to)
			ev.events |= EPOLLOUT;
	}
	if (ev.events == e->events)
		return;
	op = !ev.events  ? EPOLL_CTL_DEL
	     : e->events ? EPOLL_CTL_MOD
			 : EPOLL_CTL_ADD;
	e->events = ev.events;
	epoll_ctl(r->epoll_fd, op, e->fd, &ev);
}

static void set_accepting(struct relay *r, bool on)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = r };

	if (r->listen_fd < 0 || r->accepting == on)
		return;
	r->accepting = on;
	epoll_ctl(r->epoll_fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, r->listen_fd,
		  &ev);
}

/*
 * Close e for good. A child that is just being started has a copy of the
 * descriptor for a moment, for which epoll would go on with what is freed.
 */
static void close_end(struct relay *r, struct end *e)
{
	if (e->fd < 0)
		return;
	if (e->events)
		epoll_ctl(r->epoll_fd, EPOLL_CTL_DEL, e->fd, NULL);
	close(e->fd);
	e->fd = -1;
	e->events = 0;
}

/* End both sides. The memory stays until this turn's events are handled. */
static void drop(struct relay *r, struct joint *j)
{
	if (j->dead)
		return;
	j->dead = true;
	close_end(r, &j->client);
	close_end(r, &j->web);
	TAILQ_REMOVE(&r->joints, j, link);
	TAILQ_INSERT_TAIL(&r->dead, j, link);
	r->nr_joints--;
	set_accepting(r, true);
}

static void prepare(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

static int begin_connect(uint16_t port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int fd;

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	prepare(fd);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) &&
	    errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Join j to the next web process that takes it; with none, drop it. */
static void join(struct relay *r, struct joint *j)
{
	close_end(r, &j->web);
	while (j->web.fd < 0 && j->attempts++ < r->nr_ports) {
		j->port = r->ports[r->turn++ % r->nr_ports];
		j->web.fd = begin_connect(j->port);
	}
	if (j->web.fd < 0) {
		drop(r, j);
		return;
	}
	j->connecting = true;
	watch(r, &j->web);
}

static void connected(struct relay *r, struct joint *j)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(j->web.fd, SOL_SOCKET, SO_ERROR, &error, &len) ||
	    error) {
		join(r, j);
		return;
	}
	j->connecting = false;
	watch(r, &j->web);
	watch(r, &j->client);
}

/* Where there is no room: the connection idle longest gives way, or none. */
static bool make_room(struct relay *r)
{
	struct joint *j = TAILQ_FIRST(&r->joints);

	if (r->nr_joints < r->max_joints)
		return true;
	if (!j || clock_mono_ms() - j->active_ms < IDLE_MS)
		return false;
	drop(r, j);
	return true;
}

static void accept_one(struct relay *r)
{
	struct joint *j;
	int fd;

	if (!make_room(r)) {
		set_accepting(r, false);
		return;
	}
	/* cppcheck-suppress nullPointer; accept(2) allows it */
	fd = accept4(r->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS)
			set_accepting(r, false);
		return;
	}
	prepare(fd);
	j = xcalloc(1, sizeof(*j));
	j->client.joint = j->web.joint = j;
	j->client.fd = fd;
	j->web.fd = -1;
	j->active_ms = clock_mono_ms();
	TAILQ_INSERT_TAIL(&r->joints, j, link);
	r->nr_joints++;
	join(r, j);
}

/* False where the connection is broken. */
static bool read_end(struct end *e)
{
	ssize_t n;

	if (e->eof || e->to == BUFFER)
		return true;
	n = recv(e->fd, e->buf + e->to, BUFFER - e->to, 0);
	if (n > 0)
		e->to += (size_t)n;
	else if (n == 0)
		e->eof = true;
	else
		return errno == EAGAIN || errno == EINTR;
	return true;
}

/* Send on what came from e; the end of it, too. False where broken. */
static bool pass_on(struct end *e)
{
	const struct end *o = other(e);
	ssize_t n;

	if (e->from < e->to) {
		n = send(o->fd, e->buf + e->from, e->to - e->from,
			 MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		e->from += (size_t)n;
	}
	if (e->from == e->to)
		e->from = e->to = 0;
	if (e->eof && !e->to && !e->shut) {
		e->shut = true;
		shutdown(o->fd, SHUT_WR);
	}
	return true;
}

static void serve(struct relay *r, struct end *e)
{
	struct joint *j = e->joint;

	if (j->dead)
		return;
	j->active_ms = clock_mono_ms();
	TAILQ_REMOVE(&r->joints, j, link);
	TAILQ_INSERT_TAIL(&r->joints, j, link);
	if (j->connecting) {
		connected(r, j);
		return;
	}
	if (!read_end(e) || !pass_on(e) || !pass_on(other(e)) ||
	    (j->client.shut && j->web.shut)) {
		drop(r, j);
		return;
	}
	watch(r, &j->client);
	watch(r, &j->web);
}

static void bury(struct relay *r)
{
	struct joint *j;

	while ((j = TAILQ_FIRST(&r->dead))) {
		TAILQ_REMOVE(&r->dead, j, link);
		free(j);
	}
}

static void *run(void *arg)
{
	struct epoll_event ev[64];
	struct relay *r = arg;
	int n, i, nap;

	pthread_mutex_lock(&r->lock);
	while (!r->stop) {
		nap = r->accepting || r->listen_fd < 0 ? -1 : 1000;
		pthread_mutex_unlock(&r->lock);
		n = epoll_wait(r->epoll_fd, ev, 64, nap);
		pthread_mutex_lock(&r->lock);
		for (i = 0; i < n; i++) {
			if (ev[i].data.ptr == r && r->listen_fd >= 0)
				accept_one(r);
			else if (ev[i].data.ptr && ev[i].data.ptr != r)
				serve(r, ev[i].data.ptr);
		}
		if (n <= 0)
			set_accepting(r, true);
		bury(r);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static size_t room(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur < RESERVED_FDS + 2)
		return 1;
	if (l.rlim_cur > RESERVED_FDS + 2 * MAX_JOINTS)
		return MAX_JOINTS;
	return (l.rlim_cur - RESERVED_FDS) / 2;
}

/* All but the thread. */
static int prepare_relay(struct relay *r)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };

	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	r->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->epoll_fd < 0 || r->wake_fd < 0 ||
	    epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, r->wake_fd, &ev))
		return err_sys("the relay");
	if (sock_listen_loopback(&r->listen_fd, r->port))
		return err_prefix(ERR_UNAVAILABLE, "cannot listen on port %u",
				  r->port);
	set_accepting(r, true);
	return 0;
}

static void free_relay(struct relay *r)
{
	if (r->listen_fd >= 0)
		close(r->listen_fd);
	if (r->epoll_fd >= 0)
		close(r->epoll_fd);
	if (r->wake_fd >= 0)
		close(r->wake_fd);
	pthread_mutex_destroy(&r->lock);
	free(r->ports);
	free(r);
}

int relay_open(struct relay **out, uint16_t port)
{
	struct relay *r = xcalloc(1, sizeof(*r));
	int rc;

	r->port = port;
	r->max_joints = room();
	r->listen_fd = r->epoll_fd = r->wake_fd = -1;
	TAILQ_INIT(&r->joints);
	TAILQ_INIT(&r->dead);
	pthread_mutex_init(&r->lock, NULL);
	rc = prepare_relay(r);
	if (!rc && pthread_create(&r->thread, NULL, run, r))
		rc = err_set(ERR_SYSTEM, "the relay: no thread");
	if (rc)
		free_relay(r);
	else
		*out = r;
	return rc;
}

uint16_t relay_port(const struct relay *r)
{
	return r->port;
}

void relay_point(struct relay *r, const uint16_t *ports, size_t n)
{
	pthread_mutex_lock(&r->lock);
	r->ports = xrealloc(r->ports, n, sizeof(*ports));
	if (n)
		memcpy(r->ports, ports, n * sizeof(*ports));
	r->nr_ports = n;
	pthread_mutex_unlock(&r->lock);
}

void relay_refuse(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	set_accepting(r, false);
	if (r->listen_fd >= 0)
		close(r->listen_fd);
	r->listen_fd = -1;
	pthread_mutex_unlock(&r->lock);
}

bool relay_is_busy(struct relay *r, uint16_t port)
{
	const struct joint *j;
	bool busy = false;

	pthread_mutex_lock(&r->lock);
	for (j = TAILQ_FIRST(&r->joints); j; j = TAILQ_NEXT(j, link))
		busy = busy || j->port == port;
	pthread_mutex_unlock(&r->lock);
	return busy;
}

void relay_close(struct relay *r)
{
	uint64_t one = 1;
	struct joint *j;

	if (!r)
		return;
	relay_refuse(r);
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_mutex_unlock(&r->lock);
	if (write(r->wake_fd, &one, sizeof(one)) < 0) {
		/* It looks once a second, too. */
	}
	pthread_join(r->thread, NULL);
	while ((j = TAILQ_FIRST(&r->joints)))
		drop(r, j);
	bury(r);
	free_relay(r);
}
