/* SPDX-License-Identifier: ISC */
#ifndef HTTP_PARTS_H
#define HTTP_PARTS_H

#include "http.h"

/* Parts of http.c that need nothing of the server library. */

/*
 * Does path match a route's pattern? Fills in req->param, whose strings
 * point into *copy, which the caller frees.
 */
bool http_match(const char *pattern, const char *path, struct http_request *req,
		char **copy);

/*
 * Who is at the other end of the connected socket (http-peer.c). Caller frees,
 * and user.
 */
struct http_peer *http_peer_of(int fd);

#endif
