/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "err.h"
#include "mem.h"

static int refuse(const char *path)
{
	return err_set(ERR_CONFLICT, "%s exists; a backup replaces nothing",
		       path);
}

static int sync_path(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags), rc = 0;

	if (fd < 0 || fsync(fd))
		rc = err_sys("%s", path);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int sync_folder_of(const char *path)
{
	char *copy = xstrdup(path);
	int rc = sync_path(dirname(copy), O_DIRECTORY);

	free(copy);
	return rc;
}

/* It has every config value: for its owner alone. */
static int make_empty(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST)
		return err_set(ERR_CONFLICT,
			       "%s exists, of a backup that goes on or was "
			       "broken off; if of the latter, remove it",
			       path);
	if (fd < 0)
		return err_sys("%s", path);
	close(fd);
	return 0;
}

/* Not every file system can refuse to replace; all can look before. */
static int put_in_place(const char *from, const char *to)
{
	if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE))
		return 0;
	if (errno == EEXIST)
		return refuse(to);
	if (errno == EINVAL && access(to, F_OK) && !rename(from, to))
		return 0;
	return err_sys("%s", to);
}

static int write_copy(struct ledger *l, const char *tmp, const char *file)
{
	int rc = make_empty(tmp);

	if (rc)
		return rc;
	rc = ledger_backup(l, tmp);
	if (!rc)
		rc = sync_path(tmp, 0);
	if (!rc)
		rc = put_in_place(tmp, file);
	if (rc)
		unlink(tmp);
	else
		rc = sync_folder_of(file);
	return rc;
}

int ctl_backup(const struct ctl *ctl)
{
	const char *file = ctl->argv[0];
	char *tmp = xasprintf("%s.tmp", file);
	struct ledger *l = NULL;
	int rc = access(file, F_OK) ? 0 : refuse(file);

	if (!rc)
		rc = ctl_open_ledger(ctl, &l);
	if (!rc)
		rc = write_copy(l, tmp, file);
	if (!rc)
		printf("%s has the ledger: apps, releases, config, add-ons\n"
		       "It does not have the slugs (%s/slugs), the "
		       "repositories and slugd.ini\n",
		       file, ctl->dir);
	ledger_close(l);
	free(tmp);
	return rc;
}
