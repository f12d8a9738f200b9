/* SPDX-License-Identifier: ISC */
#include "compress.h"

#include <stdlib.h>
#include <zstd.h>

#include "err.h"
#include "mem.h"

/*
 * What libzstd writes depends on the size of a job, not on how many threads
 * share them. Small jobs let compression begin while blobs are still read.
 */
#define WORKERS  2
#define JOB_SIZE (2 << 20)

struct compress {
	ZSTD_CCtx *zstd;
	struct sink to;
	size_t room;
	char *buf;
};

static int zstd_error(size_t code)
{
	return err_set(ERR_FAILED, "zstd: %s", ZSTD_getErrorName(code));
}

int compress_open(struct compress **out, int level, struct sink to)
{
	const struct {
		ZSTD_cParameter key;
		int value;
	} params[] = {
		{ ZSTD_c_compressionLevel, level },
		{ ZSTD_c_checksumFlag, 1 },
		{ ZSTD_c_nbWorkers, WORKERS },
		{ ZSTD_c_jobSize, JOB_SIZE },
	};
	struct compress *c = xcalloc(1, sizeof(*c));
	size_t i, code;

	c->zstd = ZSTD_createCCtx();
	if (!c->zstd)
		abort();
	c->to = to;
	c->room = ZSTD_CStreamOutSize();
	c->buf = xcalloc(c->room, 1);
	for (i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		code = ZSTD_CCtx_setParameter(c->zstd, params[i].key,
					      params[i].value);
		if (ZSTD_isError(code)) {
			compress_free(c);
			return zstd_error(code);
		}
	}
	*out = c;
	return 0;
}

/* One call of libzstd; what it has left to do into *left. */
static int step(struct compress *c, ZSTD_inBuffer *in, ZSTD_EndDirective op,
		size_t *left)
{
	ZSTD_outBuffer out = { c->buf, c->room, 0 };

	*left = ZSTD_compressStream2(c->zstd, &out, in, op);
	if (ZSTD_isError(*left))
		return zstd_error(*left);
	return out.pos ? sink_write(&c->to, c->buf, out.pos) : 0;
}

int compress_write(void *ctx, const void *data, size_t len)
{
	ZSTD_inBuffer in = { data, len, 0 };
	struct compress *c = ctx;
	size_t left;
	int rc = 0;

	while (!rc && in.pos < in.size)
		rc = step(c, &in, ZSTD_e_continue, &left);
	return rc;
}

int compress_end(struct compress *c)
{
	ZSTD_inBuffer in = { NULL, 0, 0 };
	size_t left = 1;
	int rc = 0;

	while (!rc && left)
		rc = step(c, &in, ZSTD_e_end, &left);
	return rc;
}

void compress_free(struct compress *c)
{
	if (!c)
		return;
	ZSTD_freeCCtx(c->zstd);
	free(c->buf);
	free(c);
}
