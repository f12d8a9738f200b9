/* SPDX-License-Identifier: ISC */
#ifndef IGNORE_H
#define IGNORE_H

#include <stdbool.h>
#include <stdint.h>

#include "digest.h"
#include "tree.h"

/*
 * .slugignore at the root of a tree: patterns of what the slug leaves out,
 * as in gitignore(5), with what Heroku's takes beyond that: a comment may
 * stand behind a pattern, "./spec" is "/spec", and "{a,b}" stands for "a"
 * and for "b". There is no "!".
 * Source: https://devcenter.heroku.com/articles/slug-compiler
 */
struct ignore;

/*
 * Read the tree's .slugignore into *out, which has no patterns where there
 * is no such file; rules is a digest of them and of what reads the tree.
 * Errors: ERR_INVALID if it is no plain file, or with the line that has a
 * "!", a NUL, or too many alternatives; ERR_TOOBIG over 64K.
 */
int ignore_read(struct ignore **out, struct tree *t,
		unsigned char rules[DIGEST_SIZE]);

/* Free g; it may be NULL. */
void ignore_free(struct ignore *g);

/*
 * Is the entry left out? What is in a folder that is left out is not asked
 * for. A submodule counts as a folder. *used gets a bit for each of the first
 * 64 patterns that match; it may be NULL.
 */
bool ignore_matches(const struct ignore *g, const struct tree_entry *e,
		    uint64_t *used);

/*
 * "nothing matches 'x' (line 3)", for the patterns that have no bit in used,
 * or NULL where each has one. Caller frees.
 */
char *ignore_unused(const struct ignore *g, uint64_t used);

#endif
