/* SPDX-License-Identifier: ISC */
#ifndef COMPRESS_H
#define COMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sink.h"

/*
 * zstd, by libzstd, and gzip, by zlib: bytes in, one frame (RFC 8878) or
 * member (RFC 1952) with a checksum out, again and again. The parameters are
 * fixed: the same bytes in, in whatever pieces, are the same bytes out on
 * every machine that has the same library.
 *
 *	compress_open(&c, false, 3);
 *	rc = compress_begin(c, to, false);
 *	rc = compress_write(c, data, len);	(as often as needed)
 *	rc = compress_end(c, &raw);
 *	compress_free(c);
 */
struct compress;

/* Of that level: 1 to 19, with gzip 1 to 9. Errors: ERR_FAILED. */
int compress_open(struct compress **out, bool gzip, int level);

/* What library and version does that, in words; borrowed. */
const char *compress_version(bool gzip);

/*
 * Begin one that goes to the sink; what was not ended is forgotten. With far,
 * what comes again within COMPRESS_FAR bytes is found, by zstd, and not only
 * what is near. Errors: ERR_FAILED.
 */
int compress_begin(struct compress *c, struct sink to, bool far);

#define COMPRESS_FAR (4 << 20)

/* len bytes more; ctx is the struct compress. For struct sink. */
int compress_write(void *ctx, const void *data, size_t len);

/*
 * End it: all of it is at the sink then, and *raw is how many bytes came in.
 * Errors: the sink's; ERR_FAILED.
 */
int compress_end(struct compress *c, uint64_t *raw);

/* Free c; it may be NULL. */
void compress_free(struct compress *c);

#endif
