/* SPDX-License-Identifier: ISC */
#include "safe-path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "text.h"

#define OPEN_FOLDER (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* is_above: something lies in it that must not be swapped, no more. */
static int check_one(const char *path, const struct stat *st, uid_t account,
		     bool is_above)
{
	char *word = text_shell_word(path);
	int rc = 0;

	if (st->st_uid && st->st_uid != account)
		rc = err_set(ERR_INVALID,
			     "%s belongs to user %u, who could put something "
			     "else there; it must belong to root or to user %u",
			     path, st->st_uid, account);
	else if (!S_ISLNK(st->st_mode) && (st->st_mode & 022) &&
		 !(is_above && (st->st_mode & S_ISVTX)))
		rc = err_set(ERR_INVALID,
			     "%s can be written to by others (mode %04o), who "
			     "could put something else there; mend with: "
			     "chmod go-w %s",
			     path, st->st_mode & 07777, word);
	free(word);
	return rc;
}

/* Open the folder name of *fd in its place, and check it. */
static int enter(int *fd, const char *name, const char *path, uid_t account,
		 bool is_above)
{
	struct stat st;
	int next = openat(*fd, name, OPEN_FOLDER), rc = 0;

	if (next < 0)
		return errno == ENOTDIR || errno == ELOOP
			       ? err_set(ERR_INVALID, "%s is no folder", path)
			       : err_sys("%s", path);
	if (fstat(next, &st))
		rc = err_sys("%s", path);
	else
		rc = check_one(path, &st, account, is_above);
	close(*fd);
	*fd = next;
	return rc;
}

/* Is path in the folder dir, which may be NULL? What lies below it, then. */
static const char *below(const char *path, const char *dir)
{
	size_t len = dir ? strlen(dir) : 0;

	if (!len || strncmp(path, dir, len) != 0 || path[len] != '/')
		return NULL;
	return path + len + 1;
}

/* is_above: the last folder is above something, too. */
static int check_path(const char *path, const char *within, uid_t account,
		      bool is_above)
{
	const char *rest = below(path, within);
	char *so_far = xstrdup(rest ? within : "");
	char *copy = xstrdup(rest ? rest : path), *save = NULL, *name, *next;
	const char *top = rest && within ? within : "/";
	int fd = open(top, OPEN_FOLDER), rc = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		rc = err_sys("%s", top);
	name = strtok_r(copy, "/", &save);
	if (!rc && !rest)
		rc = check_one("/", &st, account, name || is_above);
	for (; name && !rc; name = next) {
		next = strtok_r(NULL, "/", &save);
		str_replace(&so_far, xasprintf("%s/%s", so_far, name));
		rc = enter(&fd, name, so_far, account, next || is_above);
	}
	if (fd >= 0)
		close(fd);
	free(so_far);
	free(copy);
	return rc;
}

int safe_path_check(const char *path, const char *within, uid_t account)
{
	return check_path(path, within, account, false);
}

int safe_path_check_parent(const char *path, const char *within, uid_t account)
{
	char *parent = xstrdup(path), *slash = strrchr(parent, '/');
	int rc;

	if (!slash) {
		free(parent);
		return err_set(ERR_INVALID, "%s is no absolute path", path);
	}
	slash[slash == parent] = '\0';
	/* Others may make files beside it, where they cannot move it. */
	rc = within && !strcmp(parent, within)
		     ? 0
		     : check_path(parent, within, account, true);
	free(parent);
	return rc;
}

/* Must it be a plain file, so that it is not written through a link? */
static bool is_plain(const char *name)
{
	static const char *const plain[] = { "HEAD", "config", "packed-refs",
					     "slugd.alternates" };
	size_t i;

	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (!strcmp(name, plain[i]))
			return true;
	return false;
}

/* Is real, without links, what the link at path names? */
static bool leads_straight(const char *path, const char *real)
{
	char target[4096], *full, *folder;
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	bool same;

	if (n < 0 || n == (ssize_t)sizeof(target) - 1)
		return false;
	target[n] = '\0';
	if (*target == '/')
		return !strcmp(target, real);
	/* A relative one, whose dots are resolved where there are no links. */
	folder = xstrdup(path);
	*strrchr(folder, '/') = '\0';
	full = xasprintf("%s/%s", folder, target);
	same = strstr(target, "..") || !strcmp(full, real);
	free(full);
	free(folder);
	return same;
}

/*
 * A link to a folder stands for it: what is there must be as safe as what is
 * here. One that leads nowhere, or to slugd's socket, stands for none.
 */
static int check_link(const char *path, uid_t account)
{
	char *real = realpath(path, NULL);
	struct stat st;
	int rc = 0;

	if (!real)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : err_sys("%s", path);
	if (stat(real, &st))
		rc = err_sys("%s", path);
	else if (!S_ISDIR(st.st_mode))
		rc = 0;
	else if (!leads_straight(path, real)) /* folders would go unseen */
		rc = err_set(ERR_INVALID, "it leads through another link to %s",
			     real);
	else
		rc = safe_path_check(real, NULL, account);
	free(real);
	return err_prefix(rc, "%s leads to a folder that is not safe", path);
}

/* One thing in a folder; top: that is the repository's own. */
static int check_entry(int dir, const char *name, const char *path,
		       uid_t account, bool top)
{
	struct stat st;
	int rc;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : err_sys("%s", path);
	if (top && is_plain(name) && !S_ISREG(st.st_mode))
		return err_set(ERR_INVALID, "%s is no plain file", path);
	rc = check_one(path, &st, account, false);
	if (!rc && top && S_ISLNK(st.st_mode))
		rc = check_link(path, account);
	return rc;
}

/* What lies in the folder at path; top: it is the repository's own. */
static int check_entries(const char *path, uid_t account, bool top)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	int rc = 0;

	if (!dir)
		return errno == ENOENT ? 0 : err_sys("%s", path);
	while (!rc && (errno = 0, e = readdir(dir))) {
		char *full = xasprintf("%s/%s", path, e->d_name);

		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			rc = check_entry(dirfd(dir), e->d_name, full, account,
					 top);
		free(full);
	}
	if (!rc && errno)
		rc = err_sys("%s", path);
	closedir(dir);
	return rc;
}

int safe_repo_check(const char *path, uid_t account)
{
	static const char *const folders[] = { "hooks", "slugd.hooks", "info",
					       "objects/info" };
	size_t i;
	int rc = check_entries(path, account, true);

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]) && !rc; i++) {
		char *folder = xasprintf("%s/%s", path, folders[i]);

		rc = check_entries(folder, account, false);
		free(folder);
	}
	return rc;
}
