/* SPDX-License-Identifier: ISC */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "json.h"

/*
 * The server of an API over a Unix socket: libmicrohttpd, one epoll thread
 * of its own. A program gives it a table of routes; a handler gets a parsed
 * request and fills in the answer.
 *
 * No handler on the epoll thread may wait for anything. A route with a lane
 * is handed to the program's defer() while its connection is suspended, and
 * its handler runs wherever defer() has http_run() called.
 *
 * Errors of handlers become Heroku's {"id": "not_found", "message": "..."}
 * with the status of the ERR_* code.
 *
 * Whether a request is let in, by its peer, route and may(), is decided when
 * its head has come, before any of its body is kept.
 *
 * HEAD is answered by the handler of GET. Every JSON answer to a GET has an
 * ETag, and If-None-Match may make it 304. A change with If-Match is made if
 * a GET of the same path would answer with that ETag, else it is ERR_STALE:
 * so the handler of that GET must be one that may run on the change's lane.
 */
struct http_server;
struct http_stream;

/*
 * Who is at the other end: known from the moment it connected. Where apps
 * have our uid, the namespaces tell who is one; requests of such a peer are
 * refused.
 */
struct http_peer {
	uid_t uid;
	pid_t pid;
	bool is_boxed;   /* has our uid, but namespaces of its own */
	bool is_unknown; /* has our uid, and may be boxed or not */
	char *user;      /* the uid's name, or what POST /session claimed */
	unsigned calls;  /* requests on this connection before this one */
};

#define HTTP_MAX_PARAMS 4

struct http_request {
	struct http_server *server;
	struct http_peer *peer;
	const char *method;
	char *path;                         /* without the query */
	const char *param[HTTP_MAX_PARAMS]; /* what stood at each :NAME */
	json_t *body;                       /* NULL if there was none */
	/* The answer. A handler sets what it needs. */
	int status;                       /* 200 unless set */
	json_t *reply;                    /* becomes the server's */
	const struct http_source *source; /* an output stream instead */
	void *source_ctx;
	const char *content_type; /* of a stream; text/plain unless set */
	/* For http.c alone. */
	struct http_private *priv;
};

/*
 * What an output stream is read from. Both are called on the server's
 * thread.
 */
struct http_source {
	/*
	 * Up to max bytes from position pos into buf. Returns how many; 0
	 * after http_stream_wait(s), which must be called under the lock
	 * that the writer holds when it calls http_stream_wake(); -1 at the
	 * end.
	 */
	ssize_t (*read)(void *ctx, struct http_stream *s, uint64_t pos,
			char *buf, size_t max);
	/*
	 * The stream ended, for whatever reason; s is not valid after. It is
	 * NULL where the client went away before the stream began.
	 */
	void (*close)(void *ctx, struct http_stream *s);
};

/* One route: "/apps/:app/releases/:release". Params in order of :NAME. */
struct http_route {
	const char *method, *pattern;
	int (*handle)(void *ctx, struct http_request *req);
	int lane;        /* 0: on the epoll thread */
	size_t max_body; /* bytes; 0: as struct http_config has it */
	/* May the peer ask this (0 or an ERR_*)? It must not wait. Or NULL. */
	int (*may)(void *ctx, const struct http_request *req);
};

struct http_config {
	const struct http_route *routes; /* ends with a NULL method */
	void *ctx;                       /* handed to handlers */
	/* Have http_run(req) run on that lane's thread, but not in here. */
	void (*defer)(void *ctx, int lane, struct http_request *req);
	size_t max_body; /* bytes, of a route that has no limit of its own */
	/* Is that uid one of an app? Such a peer is refused. May be NULL. */
	bool (*is_app)(void *ctx, uid_t uid);
};

/*
 * Serve on the listening socket fd (which stays the caller's) until
 * http_stop(). Errors: ERR_SYSTEM.
 */
int http_start(struct http_server **out, int fd,
	       const struct http_config *config);

/*
 * Hand no more work to lanes: such requests are refused from now on. What
 * was handed out before may be waited for, then http_stop().
 */
void http_close(struct http_server *s);

/*
 * Send the answers that are finished (for a second at most), end all
 * connections, free s; it may be NULL.
 */
void http_stop(struct http_server *s);

/* Run the handler of a deferred request and send its answer. */
void http_run(struct http_request *req);

/*
 * For a handler that cannot answer yet: return HTTP_LATER from it, and call
 * http_finish(req, rc) once, later, from any thread, with what the handler
 * would have returned.
 */
#define HTTP_LATER 1
void http_finish(struct http_request *req, int rc);

/* Add a header to the answer; both are copied. */
void http_add_header(struct http_request *req, const char *name,
		     const char *value);

/* A header of the request, or NULL; borrowed. */
const char *http_get_header(struct http_request *req, const char *name);

/* The value of ?name=... in the request, or NULL; borrowed. */
const char *http_get_query(struct http_request *req, const char *name);

/* Answer with an output stream of text/plain. */
void http_reply_stream(struct http_request *req,
		       const struct http_source *source, void *ctx);

/*
 * Whoever goes on with a connection after 101: fd is the connected socket,
 * now the callee's, and of the len bytes at early some may have come already
 * (borrowed). -1 where the connection ended before that. Called once, on the
 * server's thread: it must not wait.
 */
typedef void http_take_fn(void *ctx, int fd, const char *early, size_t len);

/* Does the client ask to go on in this protocol (RFC 9110, 7.8)? */
bool http_wants_upgrade(struct http_request *req, const char *protocol);

/*
 * Answer with 101: the connection leaves HTTP for the protocol, and the
 * server for take(). Where the handler fails after all, or the client is
 * gone, take() is told.
 */
void http_reply_upgrade(struct http_request *req, const char *protocol,
			http_take_fn *take, void *ctx);

/* See struct http_source. */
void http_stream_wait(struct http_stream *s);
void http_stream_wake(struct http_stream *s);

/* Has the stream's client gone away? Cheap; for a heartbeat. */
bool http_stream_is_dead(const struct http_stream *s);

/* The id that the Platform API has for an ERR_* code, and its status. */
const char *http_error_id(int code);
int http_error_status(int code);

#endif
