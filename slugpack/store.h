/* SPDX-License-Identifier: ISC */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manifest.h"

/*
 * The writing side of a store of slugs (manifest.h). New files are written
 * under names that end in .tmp; store_finish() makes them durable, gives them
 * their names, and writes the root last. So a name is never that of half a
 * file, whatever happens.
 */
struct store;

/* A segment in the making; of one thread. */
struct store_file {
	struct store *store;
	int fd;
	uint64_t size;
	struct digest *digest;
	char *tmp;
};

/*
 * The store in the folder dir; what is missing of it is made. With verify,
 * store_has() reads the segments. Errors: ERR_SYSTEM.
 */
int store_open(struct store **out, const char *dir, bool verify);

/* What was not finished is removed. Free s; it may be NULL. */
void store_free(struct store *s);

/*
 * Is the segment of that name there, whole? Fills in the rest of *segment. A
 * damaged one is as good as none: it will be replaced.
 */
bool store_has(struct store *s, struct segment *segment);

/* Is a file of that name there? */
bool store_is_there(struct store *s, const struct segment *segment);

/* Begin a segment; any thread may. Errors: ERR_SYSTEM. */
int store_begin(struct store_file *f, struct store *s);

/* len bytes of it; ctx is a struct store_file. For struct sink. */
int store_write(void *ctx, const void *data, size_t len);

/*
 * It is whole: segment->name and ->raw are known, digest and size are filled
 * in. Errors: ERR_SYSTEM.
 */
int store_end(struct store_file *f, struct segment *segment);

/* It will not be; after store_end() there is nothing to do. */
void store_drop(struct store_file *f);

/*
 * Write the pages and the root of slug uuid, which has these segments in
 * this order; all is durable then. m->pages is filled in. *written is what
 * was added to the store, in bytes. Errors: ERR_SYSTEM.
 */
int store_finish(struct store *s, const char *uuid, struct manifest *m,
		 uint64_t *written);

#endif
