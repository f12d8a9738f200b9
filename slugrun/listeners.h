/* SPDX-License-Identifier: ISC */
#ifndef LISTENERS_H
#define LISTENERS_H

#include <stddef.h>
#include <stdint.h>

struct listener {
	int64_t uid;
	uint64_t inode; /* of its socket */
};

#define LISTENERS_MAX 16

/*
 * Who would get a connection to that port of 127.0.0.1? Returns how many, at
 * most LISTENERS_MAX, into v.
 */
size_t listeners_find(struct listener v[LISTENERS_MAX], uint16_t port);

#endif
