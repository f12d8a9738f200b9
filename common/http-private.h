/* SPDX-License-Identifier: ISC */
#ifndef HTTP_PRIVATE_H
#define HTTP_PRIVATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "http.h"

/*
 * What http.c, http-stream.c and http-upgrade.c share. The one place that
 * includes microhttpd.h.
 */
struct http_server {
	struct MHD_Daemon *daemon;
	struct http_config config;
	pthread_mutex_t lock;
	TAILQ_HEAD(, http_private) suspended;
	TAILQ_HEAD(, http_stream) streams; /* suspended ones */
	size_t unsent;                     /* answers, not streams */
	pthread_cond_t sent;
	bool closing;  /* no more work is handed out */
	bool stopping; /* connections are ended */
};

/* What a request has beside what handlers see. */
struct http_private {
	struct MHD_Connection *connection;
	const struct http_route *route;
	char *params; /* what req->param points into */
	char *text;   /* the body as it came */
	size_t text_len;
	size_t max_body;
	bool dispatched, too_big, unsent;
	atomic_bool finished;
	int rc;
	char *message; /* of the error rc */
	char *header[8][2];
	size_t nr_headers;
	/* Where the connection is to be upgraded; NULL once it was. */
	http_take_fn *take;
	void *take_ctx;
	TAILQ_ENTRY(http_private) link;
};

/* The response that is the output stream of req. */
struct MHD_Response *http_stream_response(struct http_request *req);

/* The request is over: one whose stream never began ends it here. */
void http_stream_end(struct http_request *req);

/* End the waits of all streams: the server stops. Under its lock. */
void http_stream_wake_all(struct http_server *s);

/* The response that takes the connection of req over. */
struct MHD_Response *http_upgrade_response(struct http_request *req);

/* The request is over: one that was not taken over will not be. */
void http_upgrade_end(struct http_request *req);

#endif
