/* SPDX-License-Identifier: ISC */
#include "capture.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <unistd.h>

#include "mem.h"

static const char cut[] = "\n(there was more, which is not kept)\n";

struct reader {
	struct capture *capture;
	struct http_stream *waiting; /* until more is written, or NULL */
	TAILQ_ENTRY(reader) link;
};

struct capture {
	int64_t version;
	int dir;
	pthread_mutex_t lock; /* of all below */
	int fd;               /* -1 until something is written */
	size_t size;
	bool ended, dropped;
	unsigned holders; /* who made it, and its readers */
	TAILQ_HEAD(, reader) readers;
};

struct capture *capture_new(int64_t version, int dir)
{
	struct capture *c = xcalloc(1, sizeof(*c));

	c->version = version;
	c->dir = dir;
	c->fd = -1;
	c->holders = 1;
	pthread_mutex_init(&c->lock, NULL);
	TAILQ_INIT(&c->readers);
	return c;
}

static void let_go(struct capture *c)
{
	bool last;

	pthread_mutex_lock(&c->lock);
	last = --c->holders == 0;
	pthread_mutex_unlock(&c->lock);
	if (!last)
		return;
	if (c->fd >= 0)
		close(c->fd);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	capture_end(c);
	let_go(c);
}

int64_t capture_version(const struct capture *c)
{
	return c->version;
}

/* Under the lock. */
static void wake_all(struct capture *c)
{
	struct reader *r;

	for (r = TAILQ_FIRST(&c->readers); r; r = TAILQ_NEXT(r, link)) {
		if (r->waiting)
			http_stream_wake(r->waiting);
		r->waiting = NULL;
	}
}

/* Under the lock. What cannot be kept is lost, and the command goes on. */
static void append(struct capture *c, const char *data, size_t len)
{
	ssize_t n;

	if (c->fd < 0)
		c->fd = openat(c->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
			       0600);
	if (c->fd < 0) /* not every file system has that */
		c->fd = memfd_create("output", MFD_CLOEXEC);
	if (c->fd < 0)
		return;
	n = pwrite(c->fd, data, len, (off_t)c->size);
	if (n > 0)
		c->size += (size_t)n;
}

void capture_write(struct capture *c, const char *data, size_t len)
{
	size_t room;

	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	room = c->size < CAPTURE_MAX ? CAPTURE_MAX - c->size : 0;
	append(c, data, len < room ? len : room);
	if (len > room && !c->dropped) {
		c->dropped = true;
		append(c, cut, strlen(cut));
	}
	wake_all(c);
	pthread_mutex_unlock(&c->lock);
}

void capture_end(struct capture *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->ended = true;
	wake_all(c);
	pthread_mutex_unlock(&c->lock);
}

static ssize_t read_some(void *ctx, struct http_stream *stream, uint64_t pos,
			 char *buf, size_t max)
{
	struct reader *r = ctx;
	struct capture *c = r->capture;
	ssize_t n = 0;

	pthread_mutex_lock(&c->lock);
	if (pos < c->size)
		n = pread(c->fd, buf, max, (off_t)pos);
	if (n < 0 || (n == 0 && c->ended)) {
		n = -1;
	} else if (n == 0) {
		r->waiting = stream;
		http_stream_wait(stream);
	}
	pthread_mutex_unlock(&c->lock);
	return n;
}

static void close_reader(void *ctx, struct http_stream *stream)
{
	struct reader *r = ctx;
	struct capture *c = r->capture;

	(void)stream;
	pthread_mutex_lock(&c->lock);
	TAILQ_REMOVE(&c->readers, r, link);
	pthread_mutex_unlock(&c->lock);
	free(r);
	let_go(c);
}

static const struct http_source source = {
	.read = read_some,
	.close = close_reader,
};

void capture_serve(struct capture *c, struct http_request *req)
{
	struct reader *r = xcalloc(1, sizeof(*r));

	r->capture = c;
	pthread_mutex_lock(&c->lock);
	c->holders++;
	TAILQ_INSERT_TAIL(&c->readers, r, link);
	pthread_mutex_unlock(&c->lock);
	http_reply_stream(req, &source, r);
}
