/* SPDX-License-Identifier: ISC */
#include "head.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "names.h"
#include "repo.h"

#define HEADS  "refs/heads/"
#define PREFIX "ref:"

/* The file's text, up to size - 1 bytes. */
static int read_head(int dir, char *buf, size_t size, struct stat *st)
{
	int fd = openat(dir, "HEAD", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 || fstat(fd, st) ? -1 : read(fd, buf, size - 1);
	int rc = n < 0 ? err_sys("HEAD") : 0;

	if (fd >= 0)
		close(fd);
	buf[n < 0 ? 0 : n] = '\0';
	return rc;
}

/* Where the ref in the text of HEAD begins; its end is cut. NULL: no ref. */
static char *parse(char *text)
{
	char *ref = text + strlen(PREFIX);

	if (strncmp(text, PREFIX, strlen(PREFIX)) != 0)
		return NULL;
	ref += strspn(ref, " \t");
	ref[strcspn(ref, "\r\n")] = '\0';
	return *ref ? ref : NULL;
}

static int open_repo(int *dir, const char *repo)
{
	*dir = open(repo, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *dir < 0 ? err_sys("%s", repo) : 0;
}

int head_ref(const char *repo, char **out)
{
	char buf[4096], *ref;
	struct stat st;
	int dir, rc = open_repo(&dir, repo);

	*out = NULL;
	if (rc)
		return rc;
	rc = read_head(dir, buf, sizeof(buf), &st);
	close(dir);
	if (rc)
		return err_prefix(rc, "%s", repo);
	ref = parse(buf);
	*out = ref ? xstrdup(ref) : NULL;
	return 0;
}

/* HEAD.lock with that text, on the disk, as the HEAD that was had it. */
static int write_lock(int dir, const char *text, const struct stat *was)
{
	size_t len = strlen(text);
	int fd = openat(dir, "HEAD.lock",
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
	int rc = 0;

	if (fd < 0)
		return err_sys("HEAD.lock");
	if (write(fd, text, len) != (ssize_t)len ||
	    (geteuid() != was->st_uid &&
	     fchown(fd, was->st_uid, was->st_gid)) ||
	    fchmod(fd, was->st_mode & 0777) || fsync(fd))
		rc = err_sys("HEAD.lock");
	close(fd);
	if (rc)
		unlinkat(dir, "HEAD.lock", 0);
	return rc;
}

static int point(int dir, const char *ref)
{
	char buf[4096], *now, *text;
	struct stat was;
	int rc = read_head(dir, buf, sizeof(buf), &was);

	if (rc)
		return rc;
	now = parse(buf);
	if (now && !strcmp(now, ref))
		return 0;
	text = xasprintf("ref: %s\n", ref);
	rc = write_lock(dir, text, &was);
	free(text);
	if (rc)
		return rc;
	if (renameat(dir, "HEAD.lock", dir, "HEAD")) {
		rc = err_sys("HEAD");
		unlinkat(dir, "HEAD.lock", 0);
	} else if (fsync(dir)) {
		rc = err_sys("the folder of HEAD");
	}
	return rc;
}

int head_point(const char *repo, const char *ref)
{
	int dir, rc = open_repo(&dir, repo);

	if (rc)
		return rc;
	rc = point(dir, ref);
	close(dir);
	return rc;
}

/* Is another one of the branches there? */
static int has_other(const char *repo, char *const *branches, const char *ref,
		     bool *out)
{
	int rc = 0;

	*out = false;
	for (; !rc && !*out && *branches; branches++) {
		char *other = xasprintf(HEADS "%s", *branches);
		bool absent = false;

		if (strcmp(other, ref) != 0) {
			rc = repo_ref_is_at(repo, other, NAME_ZERO_OID,
					    &absent);
			*out = !rc && !absent;
		}
		free(other);
	}
	return rc;
}

int head_check_delete(const char *repo, char *const *branches, const char *ref)
{
	const char *name = ref + strlen(HEADS);
	bool other = false;
	char *head = NULL;
	int rc = head_ref(repo, &head);

	if (!rc && head && !strcmp(head, ref))
		rc = err_set(ERR_INVALID,
			     "%s cannot be deleted: it is the branch that is "
			     "deployed; push another deploy branch first",
			     name);
	if (!rc)
		rc = has_other(repo, branches, ref, &other);
	if (!rc && !other)
		rc = err_set(ERR_INVALID,
			     "%s cannot be deleted: it is the branch that is "
			     "deployed, and no other deploy branch is there",
			     name);
	free(head);
	return rc;
}

int head_tip(const char *repo, char *const *branches, char **out)
{
	char *const *p = branches;
	char *head = NULL;
	int rc = head_ref(repo, &head);

	if (rc)
		return rc;
	rc = ERR_NOTFOUND;
	if (head && !strncmp(head, HEADS, strlen(HEADS))) {
		while (*p && strcmp(*p, head + strlen(HEADS)) != 0)
			p++;
		if (*p)
			rc = repo_commit(repo, head, out);
	}
	free(head);
	return rc == ERR_NOTFOUND ? repo_tip(repo, branches, out) : rc;
}
