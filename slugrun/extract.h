/* SPDX-License-Identifier: ISC */
#ifndef EXTRACT_H
#define EXTRACT_H

#include <stddef.h>
#include <stdint.h>

#include "manifest.h"
#include "paths.h"

/*
 * Segments of a slug, read by several threads at once, each segment after it
 * was held against its digest. libarchive is known here and nowhere else.
 */
struct extraction {
	const char *store;        /* an absolute path */
	struct segment *segments; /* nr of them */
	size_t nr;
	int64_t time; /* of files and links, in seconds since 1970 */
	int base;     /* a tree of an earlier release, open; -1: none */
	unsigned threads;
};

/*
 * Unpack them into the working folder. Plain files, folders and symbolic
 * links only, none of them outside it or through a link; files become 0644
 * or 0755. A file that base has with the same bytes and mode becomes a hard
 * link to that one, which keeps its time; so does a symbolic link.
 *
 * The working folder is another one then, and umask this thread's own.
 * Errors: ERR_INVALID, ERR_FAILED, ERR_SYSTEM.
 */
int extract_segments(const struct extraction *x);

/*
 * The paths of what is in them: folders, and files and links. Both lists are
 * the caller's to empty whatever the result.
 * Errors: as above, and ERR_INVALID for a path that can be written shorter.
 */
int extract_paths(const struct extraction *x, struct paths *folders,
		  struct paths *files);

#endif
