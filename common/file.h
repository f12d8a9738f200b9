/* SPDX-License-Identifier: ISC */
#ifndef FILE_H
#define FILE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Make the file at path, or replace it, so that whoever looks, also after a
 * power cut, finds either the old file or all len bytes of the new one. It is
 * written beside, as a new file, and renamed: a link at path is replaced, not
 * followed. Errors: ERR_SYSTEM, and what was there is unchanged.
 */
int file_replace(const char *path, const void *data, size_t len, mode_t mode);

/*
 * The whole of a plain file into *out (ended with a NUL; len may be NULL;
 * caller frees). A link is not followed. Errors: ERR_NOTFOUND, ERR_SYSTEM;
 * ERR_TOOBIG over FILE_MAX bytes.
 */
#define FILE_MAX (1 << 20)
int file_read(const char *path, char **out, size_t *len);

/* Remove it, durably; it need not be there. Errors: ERR_SYSTEM. */
int file_remove(const char *path);

/*
 * Make a folder, durably; it may be there already. Errors: ERR_SYSTEM.
 */
int file_make_folder(const char *path, mode_t mode);

#endif
