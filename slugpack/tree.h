/* SPDX-License-Identifier: ISC */
#ifndef TREE_H
#define TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "entry.h"
#include "sink.h"

/*
 * The tree of one commit: found, walked in git's order and read, a blob at
 * a time. tree.c is where libgit2 is known, and nowhere else.
 *
 * Messages name an entry by its path, as entry_shown_path() gives it.
 */
struct tree;

/* Where the commit is; it must outlive the tree. */
struct tree_source {
	const char *repo;
	/*
	 * Object folders to read instead of repo, the one with the newest
	 * objects first; repo's own config is not read then.
	 */
	const char *const *objects;
	size_t nr_objects;
	const char *commit; /* a revision; with objects, a full id */
};

/* An entry on its way; all of it is valid until the visit returns. */
struct tree_entry {
	const char *path; /* from the root, raw bytes, no slash at the end */
	const char *name; /* its last part */
	size_t depth;     /* 1 in the folder that the walk began in */
	enum entry_kind kind;
	const unsigned char *id; /* ENTRY_ID_SIZE bytes */
};

/*
 * 0 to go on (into the folder, where it is one), TREE_SKIP to go on as if
 * the entry were not there, or a negative ERR_* to end the walk.
 */
typedef int (*tree_visit)(void *ctx, const struct tree_entry *e);

#define TREE_SKIP 1

#define TREE_MAX_PATH 4095 /* bytes; PATH_MAX counts the NUL */

/* What library and version reads objects; borrowed from t. */
const char *tree_version(const struct tree *t);

/*
 * Find the commit that the source names, or that a tag leads to, into *out.
 * Errors: ERR_NOTFOUND (no such repository or commit), ERR_INVALID (not an
 * id, or not a commit), ERR_FAILED with libgit2's reason.
 */
int tree_open(struct tree **out, const struct tree_source *source);

/*
 * The same again, for another thread to read with: only the thread that
 * opened it may. Errors: as tree_open().
 */
int tree_again(struct tree **out, const struct tree *t);

/* Free t; it may be NULL. */
void tree_free(struct tree *t);

/* The commit's id, 40 hexadecimal digits; borrowed from t. */
const char *tree_commit(const struct tree *t);

/*
 * The first line of the commit's message, with what is no UTF-8 and what
 * would upset a terminal escaped, and cut to 500 characters. Caller frees.
 */
char *tree_subject(const struct tree *t);

/*
 * Call visit for every entry of the folder at path ("" is the root) whose
 * tree object is id: a folder, then what is in it. Memory is used for the
 * folders on the way to the entry only.
 * Errors: of visit; ERR_INVALID for an entry that breaks a rule of entry.h
 * or a path over TREE_MAX_PATH; ERR_FAILED for a missing or broken object.
 */
int tree_walk(struct tree *t, const char *path, const unsigned char *id,
	      tree_visit visit, void *ctx);

/* The id of the commit's tree; ENTRY_ID_SIZE bytes, borrowed from t. */
const unsigned char *tree_root(const struct tree *t);

/* A folder's entries, one by one. */
struct tree_folder;

/*
 * Read the tree object id, which is that of the folder at path.
 * Errors: ERR_FAILED for a missing or broken object; ERR_TOOBIG.
 */
int tree_folder_open(struct tree_folder **out, struct tree *t, const char *path,
		     const unsigned char *id);

/*
 * The next entry into *out, and its path, which is borrowed until the next
 * call: 1, or 0 at the end. out->depth is 1. Errors: as tree_walk().
 */
int tree_folder_next(struct tree_folder *f, struct tree_entry *out);

/* Free f; it may be NULL. */
void tree_folder_free(struct tree_folder *f);

/*
 * The size of a blob, without reading its content, into *size.
 * Errors: ERR_FAILED if it is missing or no blob.
 */
int tree_blob_size(struct tree *t, const struct tree_entry *e, uint64_t *size);

/*
 * A blob's content, of size bytes, in pieces to the sink: for one that
 * should not be in memory as a whole. Errors: the sink's; ERR_FAILED.
 */
int tree_blob_stream(struct tree *t, const struct tree_entry *e, uint64_t size,
		     const struct sink *to);

/*
 * A blob's content into *data (borrowed from t until the next call) and
 * *len. Errors: ERR_FAILED.
 */
int tree_blob_read(struct tree *t, const struct tree_entry *e,
		   const char **data, size_t *len);

/* The blob that was read last need not be in memory any longer. */
void tree_blob_forget(struct tree *t);

#endif
