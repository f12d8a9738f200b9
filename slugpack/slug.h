/* SPDX-License-Identifier: ISC */
#ifndef SLUG_H
#define SLUG_H

#include <stdbool.h>
#include <stdint.h>

#include "json.h"
#include "tree.h"

/*
 * A slug: the tree of a commit as a compressed tar file, cut into segments.
 * First it is planned (plan.h), which reads no blob; then the segments that
 * are not in the store are made (pool.h), or all of them, in order, for a
 * descriptor.
 */
struct slug_spec {
	struct tree_source source;
	bool quiet; /* no progress, on a terminal either */
	bool gzip;  /* else zstd */
	int level;
	size_t threads; /* 0: as many as there are processors */
	/* The store, and the slug's name there; NULL: to a descriptor. */
	const char *store, *uuid;
	const char *cache; /* the file; NULL: none */
	bool verify;       /* believe neither cache nor store */
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
	uint64_t stored;    /* bytes that the store did not have */
	uint64_t tree_size; /* bytes, unpacked */
	uint64_t entries;
	uint64_t left_files; /* by .slugignore, not counted above */
	uint64_t left_size;  /* bytes of these */
	uint64_t left_folders;
	uint64_t ignored_by; /* see ignore_matches() */
};

/*
 * Pack what the spec says, into its store or to the descriptor fd, and fill
 * in *out, which slug_release() empties, whatever the result.
 * Errors: of tree_open() and tree_walk(); ERR_TOOBIG over a limit;
 * ERR_INVALID for a Procfile that is no plain file or does not parse;
 * ERR_SYSTEM if it cannot be written.
 */
int slug_make(struct slug *out, const struct slug_spec *spec, int fd);

/* Free what *s holds. */
void slug_release(struct slug *s);

#endif
