/* SPDX-License-Identifier: ISC */
#ifndef DIGEST_H
#define DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * SHA-256 (FIPS 180-4), by libnettle, which is known in digest.c and
 * nowhere else.
 *
 *	d = digest_new();
 *	digest_add(d, data, len);	(as often as needed)
 *	digest_end(d, bytes);
 *	digest_free(d);
 */

#define DIGEST_SIZE 32
#define DIGEST_HEX  (2 * DIGEST_SIZE + 1) /* with the NUL */

struct digest;

/* Of no bytes yet. For digest_free(). */
struct digest *digest_new(void);

/* len bytes more. */
void digest_add(struct digest *d, const void *data, size_t len);

/* Of what came so far; d begins anew then. */
void digest_end(struct digest *d, unsigned char out[DIGEST_SIZE]);

/* Of len bytes at once. */
void digest_of(unsigned char out[DIGEST_SIZE], const void *data, size_t len);

/* In lower case hexadecimal digits, and back: false where text is none. */
void digest_hex(char out[DIGEST_HEX], const unsigned char digest[DIGEST_SIZE]);
bool digest_parse(unsigned char out[DIGEST_SIZE], const char *text);

/* Free d; it may be NULL. */
void digest_free(struct digest *d);

#endif
