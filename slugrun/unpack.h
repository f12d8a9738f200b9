/* SPDX-License-Identifier: ISC */
#ifndef UNPACK_H
#define UNPACK_H

/*
 * Unpack the slug (a .tar.zst or .tar.gz) into the folder target, which
 * must not be there yet: it is filled under the name TARGET.tmp and then
 * renamed, so that nobody meets half of it. Meant for a short-lived child:
 * it changes umask and locale, and reads bytes from outside.
 *
 * Plain files, folders and symbolic links only, none of them outside the
 * target or through a link; files become 0644 or 0755 and get the time of
 * unpacking.
 * Errors: ERR_INVALID where the slug is not as it should be, ERR_SYSTEM;
 * nothing is left in either case.
 */
int unpack_slug(const char *slug, const char *target);

#endif
