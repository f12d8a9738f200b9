/* SPDX-License-Identifier: ISC */
#ifndef ENTRY_H
#define ENTRY_H

#include <stddef.h>
#include <stdint.h>

/*
 * What a git tree object says, one entry after the other, and the rules of
 * our own that each must keep: an entry of a hostile tree is refused here,
 * before anything is made of it. Knows nothing of libgit2.
 *
 * The form: "MODE NAME\0" and the id in binary, again and again; sorted by
 * name, where the name of a folder counts as if it ended in a slash.
 * Source: git's Documentation/technical/index-format and fsck.c.
 */

#define ENTRY_ID_SIZE 20

enum entry_kind {
	ENTRY_FILE,       /* 100644, and 100664 of old repositories */
	ENTRY_EXECUTABLE, /* 100755 */
	ENTRY_SYMLINK,    /* 120000 */
	ENTRY_FOLDER,     /* 40000 */
	ENTRY_SUBMODULE,  /* 160000 */
};

struct entry {
	const char *name; /* within the tree object; ended with a NUL */
	size_t len;       /* of name */
	enum entry_kind kind;
	const unsigned char *id; /* ENTRY_ID_SIZE bytes there */
};

/* A place in a tree object, which must outlive it. */
struct entry_cursor {
	const unsigned char *at, *end;
	struct entry prev;
	/* Names so far that the name of a later folder could equal. */
	struct entry *open;
	size_t nr_open, alloc;
};

/* Begin at the first entry of the len bytes of a tree object. */
void entry_begin(struct entry_cursor *c, const void *tree, size_t len);

/*
 * The next entry into *out: 1, or 0 at the end.
 * Errors: ERR_INVALID if the entry is malformed, has a mode that is none of
 * git's, a name that is empty, ".", "..", ".git" in upper or lower case,
 * longer than 255 bytes or has a slash, or stands there twice or out of
 * order. out->name is the name, where there is one, and NULL else.
 */
int entry_next(struct entry_cursor *c, struct entry *out);

/*
 * A path as messages show it: escaped as text_escape() does, and cut where
 * it would leave no room for the rest of a message. Caller frees.
 */
char *entry_shown_path(const char *path);

/* Free what the cursor holds. */
void entry_release(struct entry_cursor *c);

#endif
