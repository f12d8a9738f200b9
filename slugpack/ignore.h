/* SPDX-License-Identifier: ISC */
#ifndef IGNORE_H
#define IGNORE_H

#include "digest.h"
#include "tree.h"

/*
 * .slugignore at the root of a tree: patterns of what the slug leaves out,
 * as in gitignore(5), but for two things that are Heroku's: a comment may
 * stand behind a pattern, and there is no "!".
 * Source: https://devcenter.heroku.com/articles/slug-compiler
 */

/*
 * Read the tree's .slugignore, where it has one: tree_is_ignored() knows its
 * patterns then, and rules is a digest of them and of what reads them.
 * Errors: ERR_INVALID if it is no plain file, or with the line that has a
 * "!", a NUL or more than three "**"; ERR_TOOBIG over 64K.
 */
int ignore_read(struct tree *t, unsigned char rules[DIGEST_SIZE]);

#endif
