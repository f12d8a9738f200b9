/* SPDX-License-Identifier: ISC */
#ifndef RELEASE_NAME_H
#define RELEASE_NAME_H

/*
 * A release as it is typed, "v3", "V3", "3", or an id, as the API takes it:
 * in lower case, with the v. Into *out; caller frees.
 * Errors: ERR_INVALID where it is empty.
 */
int release_name(char **out, const char *typed);

#endif
