/* SPDX-License-Identifier: ISC */
#ifndef ALTERNATES_H
#define ALTERNATES_H

/*
 * Folders outside a repository that it borrows objects from
 * (gitrepository-layout(5), objects/info/alternates). slugd reads only those
 * that were there when the repository was adopted: they stand in the file
 * slugd.alternates in it, one a line.
 */
#define ALTERNATES_MAX 8

/* Absolute paths, without links; the array ends with NULL. */
struct alternates {
	char *v[ALTERNATES_MAX + 1];
	int n;
};

/*
 * Those that the repository has now, and theirs.
 * Errors: ERR_INVALID, where one is not there, or there are too many.
 */
int alternates_find(struct alternates *a, const char *repo);

/* Those that were recorded; none where that cannot be read. */
void alternates_recorded(struct alternates *a, const char *repo);

/* Record them. Errors: ERR_SYSTEM. */
int alternates_record(const struct alternates *a, const char *repo);

/* Free what it holds. */
void alternates_clear(struct alternates *a);

#endif
