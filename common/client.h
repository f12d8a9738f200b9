/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_H
#define CLIENT_H

#include <stddef.h>

#include "json.h"

/*
 * A client of the Platform API: HTTP/1.1 (RFC 9112) and JSON over a socket
 * that is connected already, one request after the other on one kept-alive
 * connection. Parsed by libhttp_parser.
 *
 *	struct client *c = NULL;
 *	json_t *app = NULL;
 *
 *	rc = client_open(&c, "/var/lib/slugd/slugd.sock");
 *	rc = client_call(c, "GET", "/apps/myapp", NULL, &app);
 *	...
 *	json_decref(app);
 *	client_free(c);
 */
struct client;

/*
 * Connect to the Unix socket at path. Where the environment has SLUGD_USER
 * the connection claims to speak for that user (slugd believes the service
 * account only).
 * Errors: ERR_UNAVAILABLE, with how to start slugd.
 */
int client_open(struct client **out, const char *path);

/* The same for a connected socket, which becomes the client's. */
int client_open_fd(struct client **out, int fd);

/* Close the connection; c may be NULL. */
void client_free(struct client *c);

/* Give up with ERR_UNAVAILABLE after ms without a byte; 0: never. */
void client_set_timeout(struct client *c, int ms);

/* Give up with ERR_UNAVAILABLE, too, once fd, the caller's, can be read. */
void client_set_cancel(struct client *c, int fd);

/* Call fn(ctx), once, where the next answer is not there after ms. */
void client_set_slow(struct client *c, int ms, void (*fn)(void *ctx),
		     void *ctx);

/* Send this header with the next request only; both are copied. */
void client_set_header(struct client *c, const char *name, const char *value);

/*
 * Send a request (body may be NULL, and stays the caller's) and read its
 * answer; the JSON answered into *out (caller's reference; NULL where the
 * answer has none), if out is not NULL.
 * Errors: an answer of 400 and above becomes the ERR_* of its status with
 * the body's message; ERR_UNAVAILABLE where the connection broke.
 */
int client_call(struct client *c, const char *method, const char *path,
		const json_t *body, json_t **out);

/*
 * GET path (or an absolute http:// URL of the same server), an output
 * stream: each piece goes to sink as it comes, until
 * the end. A negative return of sink ends it, and becomes the result.
 */
int client_stream(struct client *c, const char *path,
		  int (*sink)(void *ctx, const char *data, size_t len),
		  void *ctx);

/*
 * Leave HTTP: send a request that asks to go on in the protocol, and take
 * the connection for it, into *out, once the server agrees with 101; c has
 * none then, and can be asked for the answer's headers and freed, no more.
 * Errors: as client_call(); ERR_FAILED where the server answers otherwise.
 */
struct client_upgraded {
	int fd;      /* the caller's */
	char *early; /* what came behind the answer; caller frees */
	size_t len;  /* of early; often 0 */
};
int client_upgrade(struct client *c, const char *path, const json_t *body,
		   const char *protocol, struct client_upgraded *out);

/* The last answer's status, 0 before the first. */
int client_status(const struct client *c);

/*
 * A header of the last answer, as in "Slugd-Release"; borrowed until the
 * next request; NULL where it has none.
 */
const char *client_header(const struct client *c, const char *name);

/*
 * s as one segment of a path: what RFC 3986 does not call unreserved
 * becomes %XX. Caller frees.
 */
char *client_path_segment(const char *s);

#endif
