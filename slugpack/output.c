/* SPDX-License-Identifier: ISC */
#include "output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

int write_all(int fd, const void *data, size_t len, const char *name)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys("cannot write %s", name);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int output_write(void *ctx, const void *data, size_t len)
{
	struct output *o = ctx;

	o->size += len;
	if (o->max && o->size > o->max)
		return 0;
	return write_all(o->fd, data, len, "the slug");
}

/*
 * Bytes in units of unit with one decimal, rounded up, so that what is over
 * a limit never reads the same as the limit; none where it comes out even.
 * Caller frees.
 */
static char *in_units(uint64_t bytes, uint64_t unit, char letter)
{
	uint64_t whole = bytes / unit, rest = bytes % unit;
	uint64_t tenths = (rest * 10 + unit - 1) / unit;

	if (!tenths)
		return xasprintf("%" PRIu64 "%c", whole, letter);
	return xasprintf("%" PRIu64 ".%" PRIu64 "%c", whole + tenths / 10,
			 tenths % 10, letter);
}

int output_check(const struct output *o)
{
	const uint64_t mega = UINT64_C(1) << 20, kilo = UINT64_C(1) << 10;
	bool small = o->max < mega;
	char *size, *max;

	if (!o->max || o->size <= o->max)
		return 0;
	size = in_units(o->size, small ? kilo : mega, small ? 'K' : 'M');
	max = in_units(o->max, small ? kilo : mega, small ? 'K' : 'M');
	err_set(ERR_TOOBIG, "Compiled slug size: %s is too large (max is %s).",
		size, max);
	free(size);
	free(max);
	return ERR_TOOBIG;
}
