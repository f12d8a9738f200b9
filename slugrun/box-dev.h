/* SPDX-License-Identifier: ISC */
#ifndef BOX_DEV_H
#define BOX_DEV_H

/*
 * The /dev of a box: the few devices that every program may expect, a
 * /dev/shm and terminals of its own, and nothing of the machine's.
 */

/*
 * Mount it on the folder path. tty is the path of the terminal that the process has as
 * its standard input, which becomes /dev/console; may be NULL. show is a list
 * of paths that ends with NULL: those below /dev are there, too.
 * Errors: ERR_SYSTEM.
 */
int box_dev(const char *path, const char *tty, char *const *show);

#endif
