/* SPDX-License-Identifier: ISC */
#ifndef BOX_COPY_H
#define BOX_COPY_H

/*
 * Copy the folder that from is open on to the folder named to, in the working
 * folder, which may be there already, but empty: files, links as links, and
 * folders, with their modes and times. Shares the blocks where the file
 * system can.
 * Errors: ERR_SYSTEM.
 */
int box_copy(int from, const char *to);

#endif
