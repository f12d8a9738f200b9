/* SPDX-License-Identifier: ISC */
#include "streams.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "err.h"
#include "log.h"
#include "mem.h"

struct reader {
	struct streams *streams;
	char *uuid;
	int fd;
	struct http_stream *waiting; /* until more is written, or NULL */
	TAILQ_ENTRY(reader) link;
};

struct stream {
	struct streams *streams;
	char *uuid;
	int fd;
	TAILQ_ENTRY(stream) link;
};

struct streams {
	char *dir;
	pthread_mutex_t lock;
	TAILQ_HEAD(, stream) live;
	TAILQ_HEAD(, reader) readers;
	int wake; /* an eventfd, or -1 */
};

struct streams *streams_new(const char *dir)
{
	struct streams *s = xcalloc(1, sizeof(*s));

	s->dir = xstrdup(dir);
	pthread_mutex_init(&s->lock, NULL);
	TAILQ_INIT(&s->live);
	TAILQ_INIT(&s->readers);
	s->wake = -1;
	return s;
}

void streams_free(struct streams *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s->dir);
	free(s);
}

static char *path_of(const struct streams *s, const char *uuid)
{
	return xasprintf("%s/%s.log", s->dir, uuid);
}

int stream_begin(struct streams *set, const char *uuid, struct stream **out)
{
	struct stream *s;
	char *path = path_of(set, uuid);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int rc = 0;

	if (fd < 0) {
		rc = err_sys("%s", path);
		goto done;
	}
	s = xcalloc(1, sizeof(*s));
	s->streams = set;
	s->uuid = xstrdup(uuid);
	s->fd = fd;
	pthread_mutex_lock(&set->lock);
	TAILQ_INSERT_TAIL(&set->live, s, link);
	pthread_mutex_unlock(&set->lock);
	*out = s;
done:
	free(path);
	return rc;
}

static void wake(struct reader *r)
{
	if (r->waiting)
		http_stream_wake(r->waiting);
	r->waiting = NULL;
}

/* Under the lock: whoever reads the stream of that uuid goes on. */
static void wake_readers(struct streams *set, const char *uuid)
{
	struct reader *r;

	TAILQ_FOREACH(r, &set->readers, link)
		if (!strcmp(r->uuid, uuid))
			wake(r);
}

void stream_write(struct stream *s, const char *data, size_t len)
{
	struct streams *set;

	if (!s)
		return;
	set = s->streams;
	pthread_mutex_lock(&set->lock);
	if (write(s->fd, data, len) < 0) {
		err_sys("output stream %s", s->uuid);
		log_line("%s", err_msg());
	}
	wake_readers(set, s->uuid);
	pthread_mutex_unlock(&set->lock);
}

void stream_print(struct stream *s, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	stream_write(s, text, strlen(text));
	free(text);
}

void stream_end(struct stream *s)
{
	struct streams *set;

	if (!s)
		return;
	set = s->streams;
	pthread_mutex_lock(&set->lock);
	TAILQ_REMOVE(&set->live, s, link);
	wake_readers(set, s->uuid);
	pthread_mutex_unlock(&set->lock);
	close(s->fd);
	free(s->uuid);
	free(s);
}

static bool is_live(const struct streams *set, const char *uuid)
{
	const struct stream *s;

	TAILQ_FOREACH(s, &set->live, link)
		if (!strcmp(s->uuid, uuid))
			return true;
	return false;
}

static ssize_t read_some(void *ctx, struct http_stream *stream, uint64_t pos,
			 char *buf, size_t max)
{
	struct reader *r = ctx;
	ssize_t n;

	pthread_mutex_lock(&r->streams->lock);
	n = pread(r->fd, buf, max, (off_t)pos);
	if (n == 0 && is_live(r->streams, r->uuid)) {
		r->waiting = stream;
		http_stream_wait(stream);
	} else if (n <= 0) {
		n = -1;
	}
	pthread_mutex_unlock(&r->streams->lock);
	return n;
}

static void close_reader(void *ctx, struct http_stream *stream)
{
	struct reader *r = ctx;

	(void)stream;
	pthread_mutex_lock(&r->streams->lock);
	TAILQ_REMOVE(&r->streams->readers, r, link);
	pthread_mutex_unlock(&r->streams->lock);
	close(r->fd);
	free(r->uuid);
	free(r);
}

static const struct http_source source = {
	.read = read_some,
	.close = close_reader,
};

int stream_serve(struct streams *set, const char *uuid,
		 struct http_request *req)
{
	const uint64_t one = 1;
	struct reader *r;
	char *path;
	int fd;

	if (strspn(uuid, "0123456789abcdef-") != 36 || strlen(uuid) != 36)
		return err_set(ERR_NOTFOUND, "no such output stream");
	path = path_of(set, uuid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return err_set(ERR_NOTFOUND, "the output stream has not begun");
	r = xcalloc(1, sizeof(*r));
	r->streams = set;
	r->uuid = xstrdup(uuid);
	r->fd = fd;
	pthread_mutex_lock(&set->lock);
	TAILQ_INSERT_TAIL(&set->readers, r, link);
	pthread_mutex_unlock(&set->lock);
	if (set->wake >= 0 && write(set->wake, &one, sizeof(one)) < 0) {
		/* It is to be read already. */
	}
	http_reply_stream(req, &source, r);
	return 0;
}

bool streams_heartbeat(struct streams *set)
{
	struct reader *r;
	bool any;

	pthread_mutex_lock(&set->lock);
	TAILQ_FOREACH(r, &set->readers, link)
		if (r->waiting && http_stream_is_dead(r->waiting))
			wake(r);
	any = !TAILQ_EMPTY(&set->readers);
	pthread_mutex_unlock(&set->lock);
	return any;
}

void streams_watch(struct streams *set, int fd)
{
	set->wake = fd;
}
