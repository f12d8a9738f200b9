/* SPDX-License-Identifier: ISC */
#ifndef BOX_HIDE_H
#define BOX_HIDE_H

/*
 * What a box hides of the machine's files: by which an app could do
 * something as the user that runs it, or read what is not for it. Lists of
 * paths end with NULL.
 */

/*
 * Make *hide the list of what a box hides: what every one does, the paths
 * that are there, and the folder store; and leave out of *show what is at or
 * below that. In both no path has a symbolic link, or is the root, or is not
 * there. store may be NULL. Errors: ERR_SYSTEM.
 */
int box_paths_resolve(char ***hide, char ***show, const char *store);

/*
 * In the new root at root, hide each path of hidden behind an empty folder,
 * and put those of show in their places again, but for what is hidden below
 * them. Errors: ERR_SYSTEM.
 */
int box_hide(const char *root, char *const *hidden, char *const *show);

/*
 * Bind the file or folder from, with all mounts below it, to the path to,
 * which is made where it is not there. A from that is not there, or not for
 * us to see, is no error. Errors: ERR_SYSTEM.
 */
int box_bind(const char *from, const char *to);

#endif
