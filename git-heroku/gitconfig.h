/* SPDX-License-Identifier: ISC */
#ifndef GITCONFIG_H
#define GITCONFIG_H

/*
 * git's configuration, as git itself reads it: by one git process, or none
 * where a file is as plain as git writes it.
 */

/*
 * One variable: its key as git lists it (section and name in lower case)
 * and its value, "" where it has none; both are borrowed for the call.
 */
typedef void gitconfig_each(void *ctx, const char *key, const char *value);

/*
 * Call each for every variable of the given file, or, where file is NULL,
 * of all that holds in the working folder, in git's order.
 * Outside a repository that is what the user and the system configured.
 * Errors: those of proc_capture().
 */
int gitconfig_read(const char *file, gitconfig_each *each, void *ctx);

#endif
