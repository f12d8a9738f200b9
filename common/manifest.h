/* SPDX-License-Identifier: ISC */
#ifndef MANIFEST_H
#define MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"

/*
 * How slugs lie in a store, the folder STORE; slugpack writes there, slugrun
 * unpacks and slugctl checks.
 *
 *	segments/NAME		a run of whole tar entries, compressed by
 *				itself; shared by every slug that has it.
 *				NAME is a digest of what went into it
 *	segments/NAME.page	lines of a manifest, "NAME DIGEST SIZE RAW",
 *				a segment each; NAME is the page's own digest
 *	slugs/UUID		the root of a slug's manifest: its pages
 *	*.tmp			what a crash left half written
 *
 * A segment's file begins with SEGMENT_HEADER bytes: a line of text,
 * "slug segment 1 DIGEST SIZE RAW", blanks and LF. What follows is one zstd
 * frame or gzip member; all of a slug in the order of its manifest are the
 * .tar.zst or .tar.gz.
 *
 * Digests are SHA-256.
 */

#define SEGMENT_HEADER 128 /* bytes */

struct segment {
	unsigned char name[DIGEST_SIZE];
	unsigned char digest[DIGEST_SIZE]; /* of the size bytes */
	uint64_t size;                     /* without the header */
	uint64_t raw;                      /* bytes of tar that are in it */
};

struct page {
	unsigned char name[DIGEST_SIZE];
};

struct manifest {
	char *format; /* "zstd" or "gzip" */
	struct segment *segments;
	size_t nr_segments;
	struct page *pages;
	size_t nr_pages;
	uint64_t size, raw; /* of all segments */
};

/*
 * Read the manifest of slug uuid, root and pages, into *m, which
 * manifest_release() empties whatever the result. Each page is held against
 * its name.
 * Errors: ERR_NOTFOUND where there is no such slug; ERR_FAILED, with the
 * file's name, where something of it is missing or damaged.
 */
int manifest_read(struct manifest *m, const char *store, const char *uuid);

/* The same, without reading the pages: m->pages are known then. */
int manifest_read_root(struct manifest *m, const char *store, const char *uuid);

/*
 * Append the segments of one page to the array *v of *n, which is the
 * caller's whatever the result. Errors: ERR_FAILED, with the file's name.
 */
int manifest_read_page(struct segment **v, size_t *n, const char *store,
		       const struct page *page);

/* Free what *m holds, and empty it. */
void manifest_release(struct manifest *m);

/*
 * The text of a root; of a page, of n segments. Caller frees.
 * *len is without the NUL at the end.
 */
char *manifest_root_text(const struct manifest *m, size_t *len);
char *manifest_page_text(const struct segment *v, size_t n, size_t *len);

/* Paths of files of the store. Caller frees. */
char *segment_path(const char *store, const unsigned char name[DIGEST_SIZE]);
char *page_path(const char *store, const unsigned char name[DIGEST_SIZE]);
char *root_path(const char *store, const char *uuid);

/*
 * Open a segment that a manifest names, read it and hold it against its
 * digest: *fd stands at its first byte behind the header then, and is the
 * caller's.
 * Errors: ERR_FAILED with its name where it is missing, cut off or damaged.
 */
int segment_open(int *fd, const char *store, const struct segment *s);

/*
 * What the file of the segment s->name says of itself: fills in digest, size
 * and raw from its header, and holds the file's length against them; with
 * check, its content, too.
 * Errors: ERR_NOTFOUND; ERR_FAILED where it is damaged.
 */
int segment_look(struct segment *s, const char *store, bool check);

/* The header of a segment; out has room for SEGMENT_HEADER bytes. */
void segment_header(char *out, const struct segment *s);

#endif
