/* SPDX-License-Identifier: ISC */
#ifndef PACK_H
#define PACK_H

#include <stddef.h>
#include <stdint.h>

#include "entry.h"
#include "sink.h"

/*
 * Tar entries, by libarchive's writer, which is known in pack.c and nowhere
 * else. The form is gnutar: it takes names as they are, byte for byte, where
 * pax would have to know their encoding and so depend on the locale.
 *
 * The same entries give the same bytes: everything belongs to root (0:0),
 * modes are 0755, 0644 or 0777, and the time is 1980-01-01T00:00:00Z: GNU
 * tar warns of 1970 ("implausibly old time stamp"), and zip knows nothing
 * before 1980.
 *
 *	rc = pack_open(&p, to);
 *	rc = pack_entry(p, ...);	(as often as needed: each is at the
 *					 sink then, whole)
 *	rc = pack_end(p);
 *	pack_free(p);
 */
struct pack;

/* Begin an archive that goes to the sink. Errors: ERR_FAILED. */
int pack_open(struct pack **out, struct sink to);

/* What library and version does that, in words; borrowed. */
const char *pack_version(void);

/*
 * Add an entry. data is a file's content or a link's target, of len bytes;
 * a folder has none.
 * Errors: what the sink returned, ERR_FAILED.
 */
int pack_entry(struct pack *p, const char *path, enum entry_kind kind,
	       const char *data, size_t len);

/*
 * The same for a file whose content comes in pieces: size bytes in all, by
 * pack_data(), for which ctx is the struct pack (for struct sink).
 */
int pack_begin(struct pack *p, const char *path, enum entry_kind kind,
	       uint64_t size);
int pack_data(void *ctx, const void *data, size_t len);
int pack_finish(struct pack *p);

/* Write the end mark: all is at the sink then. Errors: as pack_entry(). */
int pack_end(struct pack *p);

/* Free p, ended or not; it may be NULL. */
void pack_free(struct pack *p);

#endif
