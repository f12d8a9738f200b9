/* SPDX-License-Identifier: ISC */
#include "digest.h"

#include <nettle/sha2.h>
#include <stdlib.h>

#include "mem.h"

struct digest {
	struct sha256_ctx ctx;
};

struct digest *digest_new(void)
{
	struct digest *d = xcalloc(1, sizeof(*d));

	sha256_init(&d->ctx);
	return d;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	sha256_update(&d->ctx, len, data);
}

void digest_end(struct digest *d, unsigned char out[DIGEST_SIZE])
{
	sha256_digest(&d->ctx, DIGEST_SIZE, out);
}

void digest_of(unsigned char out[DIGEST_SIZE], const void *data, size_t len)
{
	struct digest d;

	sha256_init(&d.ctx);
	digest_add(&d, data, len);
	digest_end(&d, out);
}

void digest_hex(char out[DIGEST_HEX], const unsigned char digest[DIGEST_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < DIGEST_SIZE; i++) {
		out[2 * i] = digits[digest[i] >> 4];
		out[2 * i + 1] = digits[digest[i] & 15];
	}
	out[2 * i] = '\0';
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool digest_parse(unsigned char out[DIGEST_SIZE], const char *text)
{
	size_t i;

	for (i = 0; i < DIGEST_SIZE; i++) {
		int high = digit(text[2 * i]);
		int low = high < 0 ? -1 : digit(text[2 * i + 1]);

		if (low < 0)
			return false;
		out[i] = (unsigned char)(high * 16 + low);
	}
	return true;
}

void digest_free(struct digest *d)
{
	free(d);
}
