/* SPDX-License-Identifier: ISC */
#ifndef COMPRESS_H
#define COMPRESS_H

#include <stddef.h>

#include "sink.h"

/*
 * zstd, by libzstd: bytes in, one frame (RFC 8878) with a checksum out. The
 * parameters are fixed, the number of threads among them: the same bytes
 * in, in whatever pieces, are the same bytes out on every machine that has
 * the same libzstd.
 *
 *	rc = compress_open(&c, 3, to);
 *	rc = compress_write(c, data, len);	(as often as needed)
 *	rc = compress_end(c);
 *	compress_free(c);
 */
struct compress;

/*
 * Begin a frame of that level (1 to 19) that goes to the sink.
 * Errors: ERR_FAILED if libzstd was built without threads.
 */
int compress_open(struct compress **out, int level, struct sink to);

/* len bytes more; ctx is the struct compress. For struct sink. */
int compress_write(void *ctx, const void *data, size_t len);

/* End the frame: all of it is at the sink then. */
int compress_end(struct compress *c);

/* Free c, ended or not; it may be NULL. */
void compress_free(struct compress *c);

#endif
