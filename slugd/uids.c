/* SPDX-License-Identifier: ISC */
#include "uids.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "lock.h"
#include "log.h"
#include "mem.h"

#define FOLDER  "/run/slugd-uids"
#define LOCK_MS 5000

static bool overlap(const struct uid_range *a, const struct uid_range *b)
{
	return a->first <= b->last && b->first <= a->last;
}

bool uid_range_parse(struct uid_range *r, const char *text)
{
	char *end;

	r->first = strtoll(text, &end, 10);
	if (end == text || *end != '-')
		return false;
	text = end + 1;
	r->last = strtoll(text, &end, 10);
	return end != text && !*end;
}

/* The folder, locked, which is nobody's but ours; -1: it is not to be had. */
static int open_folder(void)
{
	const char *test = getenv("SLUGD_TEST_UIDS");
	const char *path = test ? test : FOLDER;
	struct stat st;
	int fd;

	if (mkdir(path, 0700) && errno != EEXIST)
		return err_sys("%s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		err_sys("%s", path);
	else if (st.st_uid != geteuid() || (st.st_mode & 022))
		err_set(ERR_SYSTEM, "%s is open to others", path);
	else if (!lock_wait(fd, LOCK_EX, LOCK_MS, path))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The lines of a file: DIR, and its ports. */
static bool read_entry(int fd, char **dir, struct uid_range *ports)
{
	char text[8192], *end;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return false;
	text[n] = '\0';
	end = strchr(text, '\n');
	if (!end)
		return false;
	*end++ = '\0';
	end[strcspn(end, "\n")] = '\0';
	*dir = xstrdup(text);
	return uid_range_parse(ports, end);
}

/* What another slugd that lives has: is it in our way? */
static int compare(const struct uids *u, const struct uid_range *theirs, int fd)
{
	const struct uid_range uids = u->uids, ports = u->ports;
	struct uid_range used = { 0, -1 };
	char *dir = NULL;
	int rc = 0;

	if (!read_entry(fd, &dir, &used))
		used.last = -1;
	if (overlap(&uids, theirs))
		rc = err_set(ERR_CONFLICT,
			     "the slugd of %s has uids %" PRId64 "-%" PRId64
			     " for its apps, and %" PRId64 "-%" PRId64
			     " overlaps them: set other 'uids' in [launch] of "
			     "slugd.ini",
			     dir ? dir : "another folder", theirs->first,
			     theirs->last, uids.first, uids.last);
	else if (overlap(&ports, &used))
		log_line("ports %" PRId64 "-%" PRId64 " overlap those of the "
			 "slugd of %s, %" PRId64 "-%" PRId64,
			 ports.first, ports.last, dir, used.first, used.last);
	free(dir);
	return rc;
}

static bool is_of(int fd, const char *dir)
{
	struct uid_range ports;
	char *theirs = NULL;
	bool same;

	read_entry(fd, &theirs, &ports);
	same = theirs && !strcmp(theirs, dir);
	free(theirs);
	return same;
}

/* One file: that of a slugd that is gone is removed. */
static int look_at(const struct uids *u, int folder, const char *name)
{
	struct uid_range theirs;
	int fd, rc = 0;

	if (!uid_range_parse(&theirs, name))
		return 0;
	fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(FOLDER "/%s", name);
	if (!flock(fd, LOCK_EX | LOCK_NB))
		unlinkat(folder, name, 0);
	else if (errno != EWOULDBLOCK)
		rc = err_sys(FOLDER "/%s", name);
	else if (!is_of(fd, u->dir))
		rc = compare(u, &theirs, fd);
	close(fd);
	return rc;
}

static int look_at_all(const struct uids *u, int folder)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;
	int rc = 0;

	if (!list) {
		if (copy >= 0)
			close(copy);
		return err_sys(FOLDER);
	}
	/* cppcheck-suppress readdirCalled; no other thread has it */
	while (!rc && (e = readdir(list)))
		rc = look_at(u, folder, e->d_name);
	closedir(list);
	return rc;
}

/* Ours, which stays open, and so locked, until we end. */
static int put_entry(const struct uids *u, int folder)
{
	char *name =
		xasprintf("%" PRId64 "-%" PRId64, u->uids.first, u->uids.last);
	char *text = xasprintf("%s\n%" PRId64 "-%" PRId64 "\n", u->dir,
			       u->ports.first, u->ports.last);
	int fd = openat(folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
			0600);
	bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB);
	/* It may be one that we have already. */
	bool again = held && errno == EWOULDBLOCK && is_of(fd, u->dir);
	int rc = 0;

	if (!again && (fd < 0 || held || ftruncate(fd, 0) ||
		       write(fd, text, strlen(text)) != (ssize_t)strlen(text)))
		rc = err_sys(FOLDER "/%s", name);
	if (fd >= 0 && (rc || again))
		close(fd);
	free(text);
	free(name);
	return rc;
}

int uids_take(const struct uids *u)
{
	int folder, rc;

	folder = open_folder();
	rc = folder < 0 ? ERR_SYSTEM : look_at_all(u, folder);
	if (!rc)
		rc = put_entry(u, folder);
	if (folder >= 0)
		close(folder);
	if (rc == ERR_CONFLICT || !rc)
		return rc;
	/* Without a place for it two slugds are the admin's to tell apart. */
	log_line("uids are not reserved: %s", err_msg());
	return 0;
}
