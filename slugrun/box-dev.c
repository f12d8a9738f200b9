/* SPDX-License-Identifier: ISC */
#include "box-dev.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box-hide.h"
#include "err.h"
#include "mem.h"

#define NR(table) (sizeof(table) / sizeof((table)[0]))

static const char *const devices[] = { "null",   "zero",    "full",
				       "random", "urandom", "tty" };

static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
	{ "ptmx", "pts/ptmx" },
};

static int bind_devices(const char *path)
{
	char *from, *to;
	int rc = 0;
	size_t i;

	for (i = 0; !rc && i < NR(devices); i++) {
		from = xasprintf("/dev/%s", devices[i]);
		to = xasprintf("%s/%s", path, devices[i]);
		rc = box_bind(from, to);
		free(from);
		free(to);
	}
	return rc;
}

static int bind_shown(const char *path, char *const *show)
{
	char *to;
	int rc = 0;

	for (; !rc && show && *show; show++) {
		if (strncmp(*show, "/dev/", 5) != 0)
			continue;
		to = xasprintf("%s/%s", path, *show + 5);
		rc = box_bind(*show, to);
		free(to);
	}
	return rc;
}

static int make_links(const char *path)
{
	char *at;
	int rc = 0;
	size_t i;

	for (i = 0; !rc && i < NR(links); i++) {
		at = xasprintf("%s/%s", path, links[i].name);
		if (symlink(links[i].target, at))
			rc = err_sys("cannot make %s", at);
		free(at);
	}
	return rc;
}

/*
 * Terminals that the process makes; those of the machine's users are out of
 * its sight. Where the kernel refuses them there are none.
 */
static int mount_own(const char *path)
{
	char *pts = xasprintf("%s/pts", path);
	char *shm = xasprintf("%s/shm", path);
	int rc = 0;

	if (mkdir(pts, 0755) || mkdir(shm, 0755) ||
	    mount("tmpfs", shm, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"))
		rc = err_sys("cannot mount /dev/shm");
	else if (mount("devpts", pts, "devpts", MS_NOSUID | MS_NOEXEC,
		       "newinstance,ptmxmode=0666,mode=0620"))
		rmdir(pts);
	free(pts);
	free(shm);
	return rc;
}

int box_dev(const char *path, const char *tty, char *const *show)
{
	char *console = xasprintf("%s/console", path);
	int rc = 0;

	if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NOEXEC,
		  "size=64k,mode=0755"))
		rc = err_sys("cannot mount /dev");
	if (!rc)
		rc = bind_devices(path);
	if (!rc)
		rc = bind_shown(path, show);
	if (!rc && tty)
		rc = box_bind(tty, console);
	if (!rc)
		rc = make_links(path);
	if (!rc)
		rc = mount_own(path);
	if (!rc &&
	    mount(NULL, path, NULL,
		  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC,
		  NULL))
		rc = err_sys("cannot seal /dev");
	free(console);
	return rc;
}
