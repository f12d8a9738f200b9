/* SPDX-License-Identifier: ISC */
#ifndef SLUG_H
#define SLUG_H

#include <stdbool.h>
#include <stdint.h>

#include "json.h"
#include "tree.h"

/*
 * A slug: the tree of a commit as a compressed tar file. The tree is walked
 * twice: the survey checks every entry and sums the sizes that the objects'
 * headers tell, before any blob is read; then the entries are packed, one
 * blob in memory at a time, and of a large one only a piece.
 */
struct slug_spec {
	struct tree_source source;
	bool quiet; /* no progress, on a terminal either */
	bool gzip;  /* else zstd */
	int level;
	/* Limits; 0 is none. */
	uint64_t max_size;    /* bytes, packed */
	uint64_t max_tree;    /* bytes, unpacked */
	uint64_t max_blob;    /* bytes */
	uint64_t max_entries; /* folders count, too */
	uint64_t max_depth;   /* names in a path */
};

struct slug {
	char *commit;       /* 40 hexadecimal digits */
	char *subject;      /* see tree_subject() */
	json_t *types;      /* of the Procfile: {"web": "..."} */
	json_t *notices;    /* what a developer should know; strings */
	uint64_t size;      /* bytes, packed */
	uint64_t tree_size; /* bytes, unpacked */
	uint64_t entries;
	uint64_t left_files; /* by .slugignore, not counted above */
	uint64_t left_size;  /* bytes of these */
	uint64_t left_folders;
};

/*
 * Pack what the spec says to the descriptor fd and fill in *out, which
 * slug_release() empties, whatever the result.
 * Errors: of tree_open() and tree_walk(); ERR_TOOBIG over a limit;
 * ERR_INVALID for a Procfile that is no plain file or does not parse;
 * ERR_SYSTEM if fd cannot be written.
 */
int slug_make(struct slug *out, const struct slug_spec *spec, int fd);

/* Free what *s holds. */
void slug_release(struct slug *s);

#endif
