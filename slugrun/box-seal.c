/* SPDX-License-Identifier: ISC */
#include "box-seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "err.h"

#define NR(table) (sizeof(table) / sizeof((table)[0]))

/* A flag as mount(2), mount_setattr(2), mountinfo and statvfs(3) have it. */
static const struct flag {
	unsigned long mount;
	uint64_t attr;
	const char *name;
	unsigned long vfs;
} flags_known[] = {
	{ MS_RDONLY, MOUNT_ATTR_RDONLY, "ro", ST_RDONLY },
	{ MS_NOSUID, MOUNT_ATTR_NOSUID, "nosuid", ST_NOSUID },
	{ MS_NODEV, MOUNT_ATTR_NODEV, "nodev", ST_NODEV },
	{ MS_NOEXEC, MOUNT_ATTR_NOEXEC, "noexec", ST_NOEXEC },
	/* these are never added, but must stay */
	{ MS_NOATIME, 0, "noatime", ST_NOATIME },
	{ MS_NODIRATIME, 0, "nodiratime", ST_NODIRATIME },
	{ MS_RELATIME, 0, "relatime", ST_RELATIME },
};

int box_seal_open(void)
{
	if (!mount_setattr(-1, "", 0, NULL, 0) || errno != ENOSYS)
		return -1;
	return open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
}

/* By one call. */
static int seal_at_once(const char *path, bool all, unsigned long flags)
{
	struct mount_attr attr = { 0 };
	size_t i;

	for (i = 0; i < NR(flags_known); i++)
		if (flags & flags_known[i].mount)
			attr.attr_set |= flags_known[i].attr;
	return mount_setattr(AT_FDCWD, path, all ? AT_RECURSIVE : 0, &attr,
			     sizeof(attr));
}

/* "rw,nosuid,relatime" */
static unsigned long parse_flags(char *options)
{
	unsigned long found = 0;
	char *save = NULL, *word;
	size_t i;

	for (word = strtok_r(options, ",", &save); word;
	     word = strtok_r(NULL, ",", &save))
		for (i = 0; i < NR(flags_known); i++)
			if (!strcmp(word, flags_known[i].name))
				found |= flags_known[i].mount;
	return found;
}

static unsigned long flags_of(const char *path)
{
	unsigned long found = 0;
	struct statvfs st;
	size_t i;

	if (statvfs(path, &st))
		return 0;
	for (i = 0; i < NR(flags_known); i++)
		if (st.f_flag & flags_known[i].vfs)
			found |= flags_known[i].mount;
	return found;
}

/* "\040" is a blank, in place. */
static void unescape(char *s)
{
	char *out = s;
	int n;

	while (*s) {
		if (s[0] == '\\' && strspn(s + 1, "01234567") >= 3) {
			n = (s[1] - '0') * 64 + (s[2] - '0') * 8 + s[3] - '0';
			*out++ = (char)n;
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

static bool is_at_or_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return !strncmp(path, top, len) &&
	       (path[len] == '\0' || path[len] == '/');
}

/*
 * A flag that is there must be given again: the kernel lets nobody in a user
 * namespace take it away. Another mount on the same path may have others.
 */
static int remount(const char *path, unsigned long old, unsigned long flags)
{
	const unsigned long how = MS_REMOUNT | MS_BIND;

	if (!mount(NULL, path, NULL, how | old | flags, NULL))
		return 0;
	if (errno == EPERM &&
	    !mount(NULL, path, NULL, how | flags_of(path) | flags, NULL))
		return 0;
	/* Where we do not get to, the app does not either. */
	return errno == EACCES || errno == ENOENT ? 0 : -1;
}

/* Mount by mount, as /proc/self/mountinfo lists them; see proc(5). */
static int seal_one_by_one(FILE *mounts, const char *path, bool all,
			   unsigned long flags)
{
	char *line = NULL, *field, *save, *at, *options;
	size_t size = 0;
	int rc = 0, i;

	rewind(mounts);
	while (!rc && getline(&line, &size, mounts) > 0) {
		field = strtok_r(line, " ", &save);
		for (i = 0; field && i < 4; i++)
			field = strtok_r(NULL, " ", &save);
		at = field;
		options = at ? strtok_r(NULL, " ", &save) : NULL;
		if (!options)
			continue;
		unescape(at);
		if (all ? is_at_or_below(at, path) : !strcmp(at, path))
			rc = remount(at, parse_flags(options), flags);
	}
	free(line);
	return rc;
}

int box_seal(int mounts, const char *path, bool all, unsigned long flags)
{
	FILE *f = NULL;
	int rc, fd;

	if (mounts < 0) {
		rc = seal_at_once(path, all, flags);
	} else {
		fd = fcntl(mounts, F_DUPFD_CLOEXEC, 0);
		f = fd < 0 ? NULL : fdopen(fd, "r");
		rc = f ? seal_one_by_one(f, path, all, flags) : -1;
	}
	if (rc)
		rc = err_sys("cannot seal %s", path);
	if (f)
		fclose(f);
	return rc;
}
