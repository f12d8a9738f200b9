/* SPDX-License-Identifier: ISC */
#include "compress.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "err.h"
#include "mem.h"

/*
 * What is shorter is compressed at one go: the library then knows how long
 * it is, and chooses better.
 */
#define WHOLE (1 << 20)
#define PIECE (128 << 10)

#define FAR_LOG 22 /* of COMPRESS_FAR */

struct compress {
	bool gzip;
	ZSTD_CCtx *zstd;
	z_stream zlib;
	struct sink to;
	uint64_t raw;
	char *whole; /* WHOLE bytes, of which len came */
	size_t len;
	bool begun; /* it is longer than that */
	char *piece;
};

static int zstd_error(size_t code)
{
	return err_set(ERR_FAILED, "zstd: %s", ZSTD_getErrorName(code));
}

static int open_zstd(struct compress *c, int level)
{
	size_t code;

	c->zstd = ZSTD_createCCtx();
	if (!c->zstd)
		abort();
	code = ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, level);
	if (!ZSTD_isError(code))
		code = ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_checksumFlag, 1);
	return ZSTD_isError(code) ? zstd_error(code) : 0;
}

/* 16 and more bits of window are gzip's form; no name and no time in it. */
static int open_zlib(struct compress *c, int level)
{
	if (deflateInit2(&c->zlib, level, Z_DEFLATED, 16 + MAX_WBITS, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	return 0;
}

int compress_open(struct compress **out, bool gzip, int level)
{
	struct compress *c = xcalloc(1, sizeof(*c));
	int rc;

	c->gzip = gzip;
	c->whole = xcalloc(WHOLE, 1);
	c->piece = xcalloc(PIECE, 1);
	rc = gzip ? open_zlib(c, level) : open_zstd(c, level);
	if (rc)
		compress_free(c);
	else
		*out = c;
	return rc;
}

const char *compress_version(bool gzip)
{
	return gzip ? zlibVersion() : ZSTD_versionString();
}

/* 0 is libzstd's own choice. */
static int look_far(struct compress *c, bool far)
{
	size_t code = ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_windowLog,
					     far ? FAR_LOG : 0);

	if (!ZSTD_isError(code))
		code = ZSTD_CCtx_setParameter(
			c->zstd, ZSTD_c_enableLongDistanceMatching, far);
	return ZSTD_isError(code) ? zstd_error(code) : 0;
}

int compress_begin(struct compress *c, struct sink to, bool far)
{
	c->to = to;
	c->raw = 0;
	c->len = 0;
	c->begun = false;
	if (c->gzip) {
		deflateReset(&c->zlib);
		return 0;
	}
	ZSTD_CCtx_reset(c->zstd, ZSTD_reset_session_only);
	return look_far(c, far);
}

/* All of the bytes through libzstd; with end, to the end of the frame. */
static int run_zstd(struct compress *c, const void *data, size_t len, bool end)
{
	ZSTD_EndDirective op = end ? ZSTD_e_end : ZSTD_e_continue;
	ZSTD_inBuffer in = { data, len, 0 };
	size_t left = 1;
	int rc = 0;

	while (!rc && (end ? left > 0 : in.pos < in.size)) {
		ZSTD_outBuffer out = { c->piece, PIECE, 0 };

		left = ZSTD_compressStream2(c->zstd, &out, &in, op);
		if (ZSTD_isError(left))
			rc = zstd_error(left);
		else if (out.pos)
			rc = sink_write(&c->to, c->piece, out.pos);
	}
	return rc;
}

/* The same through zlib. */
static int run_zlib(struct compress *c, const void *data, size_t len, bool end)
{
	z_stream *z = &c->zlib;
	int rc = 0, code = Z_OK;

	/* zlib does not write there; its interface is older than const. */
	z->next_in = (unsigned char *)(uintptr_t)data;
	z->avail_in = (unsigned)len;
	do {
		z->next_out = (unsigned char *)c->piece;
		z->avail_out = PIECE;
		code = deflate(z, end ? Z_FINISH : Z_NO_FLUSH);
		if (code == Z_STREAM_ERROR)
			return err_set(ERR_FAILED, "zlib: deflate failed");
		if (z->avail_out < PIECE)
			rc = sink_write(&c->to, c->piece, PIECE - z->avail_out);
	} while (!rc && (end ? code != Z_STREAM_END : z->avail_out == 0));
	return rc;
}

static int run(struct compress *c, const void *data, size_t len, bool end)
{
	return c->gzip ? run_zlib(c, data, len, end)
		       : run_zstd(c, data, len, end);
}

int compress_write(void *ctx, const void *data, size_t len)
{
	struct compress *c = ctx;
	int rc = 0;

	c->raw += len;
	if (!c->begun && len <= WHOLE - c->len) {
		memcpy(c->whole + c->len, data, len);
		c->len += len;
		return 0;
	}
	if (!c->begun)
		rc = run(c, c->whole, c->len, false);
	c->begun = true;
	return rc ? rc : run(c, data, len, false);
}

int compress_end(struct compress *c, uint64_t *raw)
{
	*raw = c->raw;
	return run(c, c->whole, c->begun ? 0 : c->len, true);
}

void compress_free(struct compress *c)
{
	if (!c)
		return;
	ZSTD_freeCCtx(c->zstd);
	if (c->gzip)
		deflateEnd(&c->zlib);
	free(c->whole);
	free(c->piece);
	free(c);
}
