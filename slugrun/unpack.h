/* SPDX-License-Identifier: ISC */
#ifndef UNPACK_H
#define UNPACK_H

#include <stdint.h>

/*
 * Unpack a slug of a store (common/manifest.h) into a folder that must not
 * be there yet: it is filled under the name TARGET.tmp and then renamed, so
 * that nobody meets half of it. Meant for a short-lived child: it changes
 * umask, locale and working folder, and reads bytes from outside.
 */
struct unpack {
	const char *store, *uuid, *target;
	int64_t time;     /* of files and links, in seconds since 1970 */
	unsigned threads; /* 0: as many as there are processors, 8 at most */

	/*
	 * A tree and the slug that it was unpacked from, or NULL: the target
	 * is made of hard links to its files, and only what the one slug has
	 * and the other one not is read. A file whose bytes and mode are the
	 * same keeps its time. Where that does not work it is logged, and
	 * the slug is unpacked as without.
	 */
	const char *base, *base_uuid;
	/* A tree that nobody needs, which becomes the target; or NULL. */
	const char *spare;
};

/*
 * Do it. What it takes and makes: see extract.h.
 * Errors: ERR_INVALID, ERR_FAILED, ERR_NOTFOUND where the slug is not as it
 * should be, ERR_SYSTEM; nothing is left in any case.
 */
int unpack_slug(const struct unpack *o);

#endif
