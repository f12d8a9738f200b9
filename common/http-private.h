/* SPDX-License-Identifier: ISC */
#ifndef HTTP_PRIVATE_H
#define HTTP_PRIVATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "http.h"

/*
 * What http.c, http-admit.c, http-rest.c, http-stream.c and http-upgrade.c share. The one place that
 * includes microhttpd.h.
 */
struct http_server;

/* A connection's rest: of a request, or of a stream. */
struct http_rest {
	struct MHD_Connection *connection;
	bool is_over;    /* it is not to begin any more, or to end */
	bool is_resting; /* it is suspended, and in one of the lists */
	TAILQ_ENTRY(http_rest) link;
};

TAILQ_HEAD(http_rests, http_rest);

struct http_server {
	struct MHD_Daemon *daemon;
	struct http_config config;
	pthread_mutex_t lock;
	struct http_rests resting, over; /* see http-rest.c */
	pthread_cond_t rest_over;
	pthread_t resumer;
	size_t unsent;       /* answers, not streams */
	bool handing_over;   /* the server's thread calls defer() */
	pthread_cond_t sent; /* one of the two changed */
	bool closing;        /* no more work is handed out */
	bool stopping; /* connections are ended, and none rests any more */
};

/* What a request has beside what handlers see. */
struct http_private {
	struct MHD_Connection *connection;
	struct http_rest rest;
	const struct http_route *route;
	char *params; /* what req->param points into */
	char *text;   /* the body as it came */
	size_t text_len;
	bool dispatched, too_big, unsent;
	int refused;   /* ERR_* from before the body came, or 0 */
	char *refusal; /* its message */
	bool finished; /* what is to be answered is known */
	int rc;
	char *message; /* of the error rc */
	char *header[8][2];
	size_t nr_headers;
	/* Where the connection is to be upgraded; NULL once it was. */
	http_take_fn *take;
	void *take_ctx;
};

/*
 * The server's lock, which may be taken under any other: neither the library
 * nor the program is called under it.
 */
void http_lock(struct http_server *s);
void http_unlock(struct http_server *s);

/* Start the thread that ends rests. Errors: ERR_SYSTEM. */
int http_rest_start(struct http_server *s);

/* End all rests, and that thread; from now on none begins. */
void http_rest_stop(struct http_server *s);

/*
 * Suspend the connection until http_rest_end(), which may have been called
 * already. On the server's thread, and under no lock.
 */
void http_rest_begin(struct http_server *s, struct http_rest *rest);

/*
 * End a rest, from any thread and under any lock, that of the server among
 * them. Whoever may rest again sets is_over to false before.
 */
void http_rest_end(struct http_server *s, struct http_rest *rest);

/*
 * Is the request let in? Of it only the head is known. Its route into
 * priv->route. Errors: ERR_FORBIDDEN, ERR_NOTFOUND, ERR_UNAVAILABLE, or what
 * the route's may() has.
 */
int http_admit(struct http_request *req);

/* Is its body so short that it is read, though nobody wants it? */
bool http_has_small_body(struct http_request *req);

/* The response that is the output stream of req. */
struct MHD_Response *http_stream_response(struct http_request *req);

/* The request is over: one whose stream never began ends it here. */
void http_stream_end(struct http_request *req);

/* The response that takes the connection of req over. */
struct MHD_Response *http_upgrade_response(struct http_request *req);

/* The request is over: one that was not taken over will not be. */
void http_upgrade_end(struct http_request *req);

#endif
