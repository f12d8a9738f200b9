/* SPDX-License-Identifier: ISC */
#ifndef REPO_MEND_H
#define REPO_MEND_H

#include <stdbool.h>

/*
 * HEAD and config of a repository, as a power cut may leave them: empty, full
 * of NUL bytes, or missing. git takes no repository without them for one.
 */
struct repo_torn {
	const char *head, *config; /* "empty" or "missing"; NULL: sound */
};

/*
 * Look at both, where path is a folder that has objects/ and refs/, as a
 * repository has; of anything else nothing is said. Errors: ERR_NOTFOUND
 * where nothing is there, ERR_SYSTEM where it cannot be read.
 */
int repo_find_torn(const char *path, struct repo_torn *torn);

/* "its HEAD is empty": what is torn, for a person. Caller frees. */
char *repo_torn_words(const struct repo_torn *torn);

/*
 * Write those that are torn anew: HEAD points at the first of the branches
 * (ends with NULL) that is there, or at the first of all; config says that
 * the repository is bare, and no more. dir: see repo_adopt(). *ref becomes
 * what a new HEAD points at, which is the caller's, or NULL.
 */
int repo_mend(const char *path, const char *dir, const struct repo_torn *torn,
	      char *const *branches, char **ref);

#endif
