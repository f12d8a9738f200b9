/* SPDX-License-Identifier: ISC */
#ifndef STREAMS_H
#define STREAMS_H

#include "http.h"

/*
 * Output streams: what a job says while it runs, a file each in one folder,
 * so that whoever comes later reads it, too. A writer never waits for a
 * reader, and a reader that goes away is not missed.
 */
struct streams;
struct stream;

/* Streams in the folder dir, which exists. */
struct streams *streams_new(const char *dir);

/* Free s, which no job writes to any more; it may be NULL. */
void streams_free(struct streams *s);

/* Begin, or go on with, the stream of that uuid. Errors: ERR_SYSTEM. */
int stream_begin(struct streams *s, const char *uuid, struct stream **out);

/*
 * Add to the stream (NULL: to none). An error is logged: output is no reason
 * to fail.
 */
void stream_print(struct stream *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The same with bytes as they are. */
void stream_write(struct stream *s, const char *data, size_t len);

/* No more will come. Frees s; it may be NULL. */
void stream_end(struct stream *s);

/* Answer req with the stream of that uuid. Errors: ERR_NOTFOUND. */
int stream_serve(struct streams *s, const char *uuid, struct http_request *req);

/*
 * Let go of readers that have gone away; to be called now and then, while it
 * returns true: there are readers.
 */
bool streams_heartbeat(struct streams *s);

/* Write to that eventfd, which stays the caller's, when a reader comes. */
void streams_watch(struct streams *s, int fd);

#endif
