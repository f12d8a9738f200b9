/* SPDX-License-Identifier: ISC */
#ifndef LINK_H
#define LINK_H

#include "paths.h"

/*
 * Make the folder that tree is open on hold what the one of base holds, but
 * the files and links named in gone: the same folders, and hard links to the
 * same files and links. tree may be empty, or another version of base, which
 * shares most files with it already; then only what differs is changed.
 * Nobody changes either of them meanwhile, but these threads.
 *
 * Both are on one file system. Errors: ERR_SYSTEM, ERR_FAILED; tree is
 * something between the two then.
 */
int link_tree(int base, int tree, const struct paths *gone, unsigned threads);

#endif
