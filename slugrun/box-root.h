/* SPDX-License-Identifier: ISC */
#ifndef BOX_ROOT_H
#define BOX_ROOT_H

#include <stdint.h>

/*
 * The file tree that a process in a box sees: what is in the machine's root
 * folder, to be read only and but for what is hidden, and of its own /app,
 * /tmp, /var/tmp, /dev and /proc.
 */
struct box_view {
	char **hide, **show; /* lists as of box-hide.h; may be NULL */
	const char *tty;     /* the path of its terminal; NULL: none */
};

/* Folders in the process's own one; box_folders() makes them. */
#define BOX_LOWER "lower" /* the release's tree, where it is mounted */
#define BOX_UPPER "upper" /* what an overlay changes of it */
#define BOX_WORK  "work"
#define BOX_TMP   "tmp"
#define BOX_COPY  "app" /* the copy, where there is no overlay */

/*
 * Make all of them in the working folder, for user uid (-1: ours).
 * Errors: ERR_SYSTEM.
 */
int box_folders(int64_t uid);

/*
 * The release's folder, at path of the folder at (openat(2); "": at itself),
 * as a mount that is nowhere yet. It needs the rights to mount where the
 * folder is. Returns a descriptor. Errors: ERR_SYSTEM.
 */
int box_lower(int at, const char *path);

/* Mount it on BOX_LOWER of the working folder. Errors: ERR_SYSTEM. */
int box_mount_lower(int lower);

/*
 * Build that tree and make it the root; the working folder is the process's
 * own one before, with all of the above, and /app after it. Needs mount and
 * pid namespaces of one's own. /app is an overlay on BOX_LOWER, or a copy of
 * the folder that tree is open on where the file system has no overlays.
 * Errors: ERR_SYSTEM.
 */
int box_root(int tree, const struct box_view *v);

/* Mount BOX_LOWER's overlay there. Errors: ERR_SYSTEM. */
int box_overlay(const char *target);

#endif
