/* SPDX-License-Identifier: ISC */
#ifndef SINK_H
#define SINK_H

#include <stddef.h>

/*
 * Where bytes go: one step of the way from tar entries over a compressor to
 * a descriptor. Each step is given the sink of the next one, so that steps
 * can be put together otherwise (a compressor for each run of entries, say).
 */
struct sink {
	/* Take all of len bytes. 0, or a negative ERR_*, which is passed on. */
	int (*write)(void *ctx, const void *data, size_t len);
	void *ctx;
};

static inline int sink_write(const struct sink *s, const void *data, size_t len)
{
	return s->write(s->ctx, data, len);
}

#endif
