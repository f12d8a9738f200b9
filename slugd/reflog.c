/* SPDX-License-Identifier: ISC */
#include "reflog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "err.h"
#include "mem.h"

/*
 * Open the ref's reflog; *out is NULL where it has none, as where a folder is
 * left in its place.
 */
static int open_log(const char *path, const char *ref, FILE **out)
{
	char *log = xasprintf("%s/logs/%s", path, ref);
	struct stat st;
	int rc = 0;

	*out = fopen(log, "re");
	if (*out ? fstat(fileno(*out), &st)
		 : errno != ENOENT && errno != ENOTDIR)
		rc = err_sys("%s", log);
	if (*out && (rc || !S_ISREG(st.st_mode))) {
		fclose(*out);
		*out = NULL;
	}
	free(log);
	return rc;
}

/* Close it. Errors: ERR_SYSTEM where something was not read. */
static int close_log(FILE *f, const char *ref)
{
	int failed = f && ferror(f);

	if (f)
		fclose(f);
	return failed ? err_set(ERR_SYSTEM, "the reflog of %s cannot be read",
				ref)
		      : 0;
}

/* The bytes of the last line of f into *last, the file's into *size. */
static void read_last(FILE *f, struct reflog_mark *mark)
{
	long end, start = 0;
	size_t n;

	fseek(f, 0, SEEK_END);
	end = ftell(f);
	if (end <= 0)
		return;
	for (start = end - 1; start > 0; start--) {
		fseek(f, start - 1, SEEK_SET);
		if (getc(f) == '\n')
			break;
	}
	mark->last = xcalloc(1, (size_t)(end - start) + 1);
	fseek(f, start, SEEK_SET);
	n = fread(mark->last, 1, (size_t)(end - start), f);
	mark->last[n] = '\0';
	mark->size = end;
}

int reflog_note(const char *path, const char *ref, struct reflog_mark *mark)
{
	FILE *f = NULL;
	int rc = open_log(path, ref, &f);

	mark->size = 0;
	mark->last = NULL;
	if (f)
		read_last(f, mark);
	if (!rc)
		rc = close_log(f, ref);
	if (rc) {
		free(mark->last);
		mark->last = NULL;
	}
	return rc;
}

/* Are the size bytes at the end of the mark those of its last entry? */
static bool is_at_mark(FILE *f, const struct reflog_mark *mark)
{
	size_t len = mark->last ? strlen(mark->last) : 0, n;
	char *there;
	bool same;

	if (!len || (int64_t)len > mark->size)
		return false;
	there = xcalloc(1, len);
	fseek(f, (long)(mark->size - (int64_t)len), SEEK_SET);
	n = fread(there, 1, len, f);
	same = n == len && !memcmp(there, mark->last, len);
	free(there);
	return same;
}

/* Is the file as long as it was? For a mark whose last entry is unknown. */
static bool is_as_long(FILE *f, const struct reflog_mark *mark)
{
	fseek(f, 0, SEEK_END);
	return ftell(f) >= mark->size && !fseek(f, (long)mark->size, SEEK_SET);
}

/* Go behind the last line of f that is the mark's; false if none is. */
static bool seek_line(FILE *f, const struct reflog_mark *mark)
{
	char *line = NULL;
	size_t size = 0;
	long behind = -1;

	rewind(f);
	while (getline(&line, &size, f) > 0)
		if (!strcmp(line, mark->last))
			behind = ftell(f);
	free(line);
	return behind >= 0 && !fseek(f, behind, SEEK_SET);
}

/* Go to what came after the mark; false where that is not known. */
static bool seek_mark(FILE *f, const struct reflog_mark *mark)
{
	if (!mark->size)
		return true;
	if (!mark->last)
		return is_as_long(f, mark);
	return is_at_mark(f, mark) || seek_line(f, mark);
}

int reflog_has(const char *path, const char *ref, const char *old,
	       const char *new, const struct reflog_mark *mark, bool *yes)
{
	char *want = xasprintf("%s %s ", old, new), *line = NULL;
	bool found = false, noted = false;
	size_t size = 0;
	FILE *f = NULL;
	int rc = open_log(path, ref, &f);

	if (f && seek_mark(f, mark)) {
		while (!found && getline(&line, &size, f) > 0) {
			found = noted && !strncmp(line, new, strlen(new));
			noted = !strncmp(line, want, strlen(want));
		}
	}
	if (!rc)
		rc = close_log(f, ref);
	*yes = !rc && found;
	free(line);
	free(want);
	return rc;
}
