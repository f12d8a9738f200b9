/* SPDX-License-Identifier: ISC */
#include <poll.h>
#include <stdlib.h>

#include "http-private.h"
#include "mem.h"

struct http_stream {
	struct http_server *server;
	struct http_rest rest;
	const struct http_source *source;
	void *ctx;
	int fd;
	bool waits; /* what was read last was the end, for now */
};

void http_reply_stream(struct http_request *req,
		       const struct http_source *source, void *ctx)
{
	req->source = source;
	req->source_ctx = ctx;
	if (!req->content_type)
		req->content_type = "text/plain; charset=utf-8";
}

/* Called while it reads: the rest begins in stream_read(), under no lock. */
void http_stream_wait(struct http_stream *s)
{
	http_lock(s->server);
	s->rest.is_over = false;
	s->waits = true;
	http_unlock(s->server);
}

void http_stream_wake(struct http_stream *s)
{
	http_lock(s->server);
	http_rest_end(s->server, &s->rest);
	http_unlock(s->server);
}

bool http_stream_is_dead(const struct http_stream *s)
{
	struct pollfd p = { s->fd, 0, 0 };

	/* One that only ended its own side still reads. */
	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

static bool is_stopping(struct http_server *s)
{
	bool is;

	http_lock(s);
	is = s->stopping;
	http_unlock(s);
	return is;
}

static ssize_t stream_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct http_stream *s = cls;
	ssize_t n;

	if (is_stopping(s->server) || http_stream_is_dead(s))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	s->waits = false;
	n = s->source->read(s->ctx, s, pos, buf, max);
	if (s->waits)
		http_rest_begin(s->server, &s->rest);
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
	s->rest.connection = req->priv->connection;
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
