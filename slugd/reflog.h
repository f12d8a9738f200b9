/* SPDX-License-Identifier: ISC */
#ifndef REFLOG_H
#define REFLOG_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What a reflog says of a ref that moved and moved on. git does not fsync a
 * reflog: after a power cut it may be shorter than it was, or end in bytes
 * that were never written. So its length proves nothing: what is new in it
 * is what follows the entry that was the last one before.
 */

/* The end of a reflog. */
struct reflog_mark {
	int64_t size; /* bytes; 0 where there is no entry */
	char *last;   /* the last entry, a line; NULL where that is unknown */
};

/* Note where the ref's reflog ends. Free mark->last. Errors: ERR_SYSTEM. */
int reflog_note(const char *path, const char *ref, struct reflog_mark *mark);

/*
 * Does the reflog say, after the mark, that the ref went from old to new,
 * and on from there? Into *yes. git writes the entry before it moves the
 * ref: an entry with no other that goes on from it proves nothing. Where the
 * mark is no longer in the reflog, neither does the rest.
 * Errors: ERR_SYSTEM where the reflog cannot be read.
 */
int reflog_has(const char *path, const char *ref, const char *old,
	       const char *new, const struct reflog_mark *mark, bool *yes);

#endif
