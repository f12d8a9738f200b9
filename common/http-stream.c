/* SPDX-License-Identifier: ISC */
#include <poll.h>
#include <stdlib.h>

#include "http-private.h"
#include "mem.h"

struct http_stream {
	struct http_server *server;
	struct MHD_Connection *connection;
	const struct http_source *source;
	void *ctx;
	int fd;
	bool waiting;
	TAILQ_ENTRY(http_stream) link;
};

void http_reply_stream(struct http_request *req,
		       const struct http_source *source, void *ctx)
{
	req->source = source;
	req->source_ctx = ctx;
	if (!req->content_type)
		req->content_type = "text/plain; charset=utf-8";
}

void http_stream_wait(struct http_stream *s)
{
	struct http_server *server = s->server;

	pthread_mutex_lock(&server->lock);
	if (!server->stopping && !s->waiting) {
		MHD_suspend_connection(s->connection);
		s->waiting = true;
		TAILQ_INSERT_TAIL(&server->streams, s, link);
	}
	pthread_mutex_unlock(&server->lock);
}

static void wake_locked(struct http_stream *s)
{
	if (!s->waiting)
		return;
	s->waiting = false;
	TAILQ_REMOVE(&s->server->streams, s, link);
	MHD_resume_connection(s->connection);
}

void http_stream_wake(struct http_stream *s)
{
	pthread_mutex_lock(&s->server->lock);
	wake_locked(s);
	pthread_mutex_unlock(&s->server->lock);
}

void http_stream_wake_all(struct http_server *s)
{
	struct http_stream *stream;

	while ((stream = TAILQ_FIRST(&s->streams)))
		wake_locked(stream);
}

bool http_stream_is_dead(const struct http_stream *s)
{
	struct pollfd p = { s->fd, 0, 0 };

	/* One that only ended its own side still reads. */
	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

static ssize_t stream_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct http_stream *s = cls;
	ssize_t n;

	if (s->server->stopping || http_stream_is_dead(s))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = s->source->read(s->ctx, s, pos, buf, max);
	return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : n;
}

static void stream_close(void *cls)
{
	struct http_stream *s = cls;

	s->source->close(s->ctx, s);
	free(s);
}

struct MHD_Response *http_stream_response(struct http_request *req)
{
	struct http_stream *s = xcalloc(1, sizeof(*s));
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		req->priv->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	s->server = req->server;
	s->connection = req->priv->connection;
	s->source = req->source;
	s->ctx = req->source_ctx;
	s->fd = info->connect_fd;
	req->source = NULL;
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384,
						 stream_read, s, stream_close);
}

void http_stream_end(struct http_request *req)
{
	const struct http_source *source = req->source;

	req->source = NULL;
	if (source)
		source->close(req->source_ctx, NULL);
}
