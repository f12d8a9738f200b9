/* SPDX-License-Identifier: ISC */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "http.h"

/*
 * What a release command prints, byte for byte, for whoever asks for it by
 * GET /output, while it runs or later. Kept in a file without a name, and no
 * more than CAPTURE_MAX bytes of it. Written on the main thread, read on
 * the HTTP server's.
 */
#define CAPTURE_MAX (16 * 1024 * 1024)

struct capture;

/*
 * A fresh one, empty, for the release of that version, to be kept in the
 * folder dir, a descriptor that stays open. Caller's.
 */
struct capture *capture_new(int64_t version, int dir);

/* The caller needs it no more; who reads it, reads on to its end. */
void capture_free(struct capture *c);

/* The version it was made for. */
int64_t capture_version(const struct capture *c);

/* Append what was printed; c may be NULL. */
void capture_write(struct capture *c, const char *data, size_t len);

/* Nothing more comes; c may be NULL. */
void capture_end(struct capture *c);

/* Answer req with it, as an output stream. */
void capture_serve(struct capture *c, struct http_request *req);

#endif
