/* SPDX-License-Identifier: ISC */
#include "repo-mend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "file.h"
#include "head.h"
#include "mem.h"
#include "names.h"
#include "repo.h"
#include "safe-path.h"

/* What git init writes for a bare repository. */
static const char bare_config[] = "[core]\n"
				  "\trepositoryformatversion = 0\n"
				  "\tfilemode = true\n"
				  "\tbare = true\n";

/* Does the text say nothing? Some file systems leave NULs for lost bytes. */
static bool is_blank(const char *buf, ssize_t len)
{
	while (len > 0 && strchr(" \t\r\n", buf[len - 1]))
		len--; /* strchr() finds the NUL, too */
	return !len;
}

static int look(int dir, const char *repo, const char *name, const char **out)
{
	int fd = openat(dir, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char buf[65536];
	ssize_t n = -1;
	int rc = 0;

	*out = NULL;
	if (fd < 0 && errno == ENOENT) {
		*out = "missing";
		return 0;
	}
	if (fd >= 0)
		n = read(fd, buf, sizeof(buf));
	if (n < 0)
		rc = err_sys("%s/%s", repo, name);
	else if (is_blank(buf, n))
		*out = "empty";
	if (fd >= 0)
		close(fd);
	return rc;
}

/* 1: it has the folder; 0: it has not. */
static int has_folder(int dir, const char *repo, const char *name)
{
	struct stat st;

	if (!fstatat(dir, name, &st, 0))
		return S_ISDIR(st.st_mode);
	return errno == ENOENT ? 0 : err_sys("%s/%s", repo, name);
}

int repo_find_torn(const char *path, struct repo_torn *torn)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	*torn = (struct repo_torn){ 0 };
	if (dir < 0 && errno == ENOENT)
		return err_set(ERR_NOTFOUND, "%s is gone", path);
	if (dir < 0)
		return err_sys("%s", path);
	rc = has_folder(dir, path, "objects");
	if (rc > 0)
		rc = has_folder(dir, path, "refs");
	if (rc > 0) {
		rc = look(dir, path, "HEAD", &torn->head);
		if (!rc)
			rc = look(dir, path, "config", &torn->config);
	}
	close(dir);
	return rc;
}

char *repo_torn_words(const struct repo_torn *torn)
{
	if (torn->head && torn->config)
		return xasprintf("its HEAD is %s and its config is %s, as a "
				 "power cut leaves them",
				 torn->head, torn->config);
	return xasprintf("its %s is %s, as a power cut leaves it",
			 torn->head ? "HEAD" : "config",
			 torn->head ? torn->head : torn->config);
}

static int write_head(const char *path, const char *ref)
{
	char *file = xasprintf("%s/HEAD", path);
	char *text = xasprintf("ref: %s\n", ref);
	int rc = file_replace(file, text, strlen(text), 0644);

	free(text);
	free(file);
	return rc;
}

static int write_config(const char *path)
{
	char *file = xasprintf("%s/config", path);
	int rc = file_replace(file, bare_config, strlen(bare_config), 0644);

	free(file);
	return rc;
}

/* git can be asked for the branches once there is a HEAD. */
static int mend_head(const char *path, char *const *branches, char **ref)
{
	bool absent = true;
	int rc;

	*ref = xasprintf("refs/heads/%s", *branches ? *branches : "master");
	rc = write_head(path, *ref);
	for (; !rc && absent && *branches; branches++) {
		char *other = xasprintf("refs/heads/%s", *branches);

		rc = repo_ref_is_at(path, other, NAME_ZERO_OID, &absent);
		if (!rc && !absent)
			str_replace(ref, xstrdup(other));
		free(other);
	}
	return rc || absent ? rc : head_point(path, *ref);
}

int repo_mend(const char *path, const char *dir, const struct repo_torn *torn,
	      char *const *branches, char **ref)
{
	int rc = safe_path_check(path, dir, geteuid());

	*ref = NULL;
	if (!rc)
		rc = safe_repo_check(path, geteuid());
	if (!rc && torn->config)
		rc = write_config(path);
	if (!rc && torn->head)
		rc = mend_head(path, branches, ref);
	return rc;
}
