/* SPDX-License-Identifier: ISC */
#ifndef CATFILE_H
#define CATFILE_H

#include <stddef.h>
#include <stdint.h>

#include "sink.h"

/*
 * One "git cat-file --batch", for blobs that must not be in memory as a
 * whole: libgit2 cannot read a packed one in pieces. It runs with the
 * repository's objects and with none of the caller's environment and
 * configuration.
 */
struct catfile;

/*
 * Start it for the repository at git_dir; with objects, on these folders
 * only, as tree_source has them. Errors: ERR_SYSTEM.
 */
int catfile_open(struct catfile **out, const char *git_dir,
		 const char *const *objects, size_t nr_objects);

/*
 * The blob of that id (in hexadecimal), which has size bytes, to the sink.
 * Nothing more can be read after an error.
 * Errors: what the sink returned; ERR_FAILED if git does not have it so.
 */
int catfile_read(struct catfile *c, const char *id, uint64_t size,
		 const struct sink *to);

/* End it, and free c; it may be NULL. */
void catfile_free(struct catfile *c);

#endif
