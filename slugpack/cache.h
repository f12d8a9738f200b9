/* SPDX-License-Identifier: ISC */
#ifndef CACHE_H
#define CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "entry.h"
#include "manifest.h"

/*
 * What the last plan of an app found in its tree: one file, of which what is
 * damaged, of another key or of another machine is as good as none. It is
 * never the truth: whatever it says of a folder holds for the tree object of
 * that id at that path, or is not used.
 *
 * Folders that are cut into segments of their own are nodes; of each its
 * entries are known, and the segments of all that is below. All of a node
 * and of the nodes below lies side by side in three arrays, so that a folder
 * that did not change is copied, not walked:
 *
 *	nodes		those below, then the node itself
 *	known		entries of the nodes below, then its own
 *	segments	in the order of the slug
 */

/* The sums over an entry and all below, and where what was left out is. */
struct sums {
	uint64_t weight; /* for cut.h */
	uint64_t bytes;  /* of files */
	uint64_t left_size;
	uint32_t entries;
	uint64_t ignored_by; /* a bit for each pattern: see ignore_matches() */
	uint32_t left_files, left_folders; /* by .slugignore */
	uint32_t reserved;
};

#define KNOWN_NAME 16 /* bytes */

/* An entry of a folder. */
struct known {
	unsigned char id[ENTRY_ID_SIZE];
	uint8_t kind;
	uint8_t is_node; /* a folder with segments of its own */
	uint8_t usable;  /* 0: to be looked at each time */
	uint8_t reserved;
	unsigned char name[KNOWN_NAME]; /* of its digest */
	struct sums sums;
};

struct node {
	uint32_t nr_nodes;    /* itself and below */
	uint32_t nr_known;    /* of all these */
	uint32_t nr_segments; /* of all these */
	uint32_t own;         /* entries of its own */
	uint32_t before;      /* segments of its parent's before its own */
	uint32_t reserved;
};

/* Three arrays that grow, or that lie in a file. */
struct cache {
	struct node *nodes;
	struct known *known;
	struct segment *segments;
	size_t nr_nodes, nr_known, nr_segments;
	size_t room_nodes, room_known;
	bool large; /* the tree was cut at the large scale (cut.h) */
	void *map;  /* of the file; NULL: the arrays are on the heap */
	size_t map_size;
};

/* A node's place in each array: behind the last of node and known. */
struct cache_at {
	size_t node, known; /* the ends */
	size_t segment;     /* the beginning */
};

/*
 * Open the file at path, which cache_release() closes; empty where there is
 * none that holds for the key. path may be NULL.
 */
void cache_open(struct cache *c, const char *path,
		const unsigned char key[DIGEST_SIZE]);

/* Where the root is; false in an empty cache. */
bool cache_root(const struct cache *c, struct cache_at *at);

/* The node there, and its own entries, in their order. */
const struct node *cache_node(const struct cache *c, struct cache_at at);
const struct known *cache_known(const struct cache *c, struct cache_at at);

/*
 * The places of the nodes right below, in order, as an array that the caller
 * frees; as many as own entries are nodes. NULL where there are none.
 */
struct cache_at *cache_below(const struct cache *c, struct cache_at at);

/* Append. */
void cache_add_known(struct cache *c, const struct known *k);
void cache_add_node(struct cache *c, const struct node *n);

/* The node at that place and all below it, to the end of another cache. */
void cache_copy(struct cache *to, const struct cache *from, struct cache_at at);

/*
 * Write c, with those segments, to the file at path in place of what is
 * there. Not flushed; one that cannot be written is no error.
 */
void cache_save(const struct cache *c, const struct segment *segments,
		size_t nr_segments, const char *path,
		const unsigned char key[DIGEST_SIZE]);

void cache_release(struct cache *c);

#endif
