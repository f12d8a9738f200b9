/* SPDX-License-Identifier: ISC */
#ifndef ETAG_H
#define ETAG_H

#include <stdbool.h>

/*
 * Entity tags (RFC 9110, 8.8.3): what a client has seen of a resource, so
 * that it need not be sent again, nor be changed unseen.
 */

/* A tag with its quotes and the NUL behind it. */
#define ETAG_SIZE 39

/* The tag of a body, which is a hash of it, into buf (ETAG_SIZE bytes). */
void etag_make(char *buf, const char *body);

/*
 * Does the list of a header ("a", W/"b" or *) name the tag? Weak tags are
 * compared as strong ones: a body of ours is what its hash is.
 */
bool etag_is_in(const char *list, const char *etag);

#endif
