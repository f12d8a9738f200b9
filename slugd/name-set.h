/* SPDX-License-Identifier: ISC */
#ifndef NAME_SET_H
#define NAME_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "digest.h"

/* A set of digests: names of segments or pages. Begin with { 0 }. */
struct name_set {
	unsigned char (*v)[DIGEST_SIZE];
	bool *used;
	size_t n, size; /* size: a power of two, or 0 */
};

/* Put the name in. False where it was there already. */
bool name_set_add(struct name_set *s, const unsigned char name[DIGEST_SIZE]);

bool name_set_has(const struct name_set *s,
		  const unsigned char name[DIGEST_SIZE]);

/* Make s empty, and free what it held. */
void name_set_clear(struct name_set *s);

#endif
