/* SPDX-License-Identifier: ISC */
#ifndef UNPACK_H
#define UNPACK_H

#include <stdint.h>

/*
 * Unpack slug uuid of a store (common/manifest.h) into the folder target,
 * which must not be there yet: it is filled under the name TARGET.tmp and
 * then renamed, so that nobody meets half of it. Meant for a short-lived
 * child: it changes umask, locale and working folder, and reads bytes from
 * outside.
 *
 * Segments are read by several threads at once (0: as many as there are
 * processors, 8 at most), each segment after it was held against its digest.
 *
 * Plain files, folders and symbolic links only, none of them outside the
 * target or through a link; files become 0644 or 0755, and they and links
 * get the time, in seconds since 1970.
 * Errors: ERR_INVALID, ERR_FAILED, ERR_NOTFOUND where the slug is not as it
 * should be, ERR_SYSTEM; nothing is left in any case.
 */
int unpack_slug(const char *store, const char *uuid, const char *target,
		int64_t time, unsigned threads);

#endif
