/* SPDX-License-Identifier: ISC */
#include "box-hide.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

/*
 * Ways to programs that act for the user that asks, outside of the box; and
 * what such a user may read of other programs.
 */
static const char *const always[] = {
	"/run/user", /* sessions: D-Bus, systemd, agents with keys */
	"/run/dbus",
	"/run/lock",
	"/run/screen",
	"/run/tmux",
	"/run/docker.sock",
	"/run/containerd",
	"/run/podman",
	"/run/libvirt",
	"/var/lib/incus",
	"/var/lib/lxd",
	"/var/snap/lxd",
	"/run/log/journal", /* what other apps print */
	"/var/log/journal",
	"/var/crash", /* memory of programs that crashed */
	"/var/lib/systemd/coredump",
	"/var/mail",
	NULL,
};

static bool is_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return !strncmp(path, top, len) && path[len] == '/';
}

static bool is_at_or_below(const char *path, const char *top)
{
	return !strcmp(path, top) || is_below(path, top);
}

static void free_list(char **list)
{
	size_t i;

	for (i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

/* Is the error one that says that nobody here gets to that path? */
static bool is_away(void)
{
	return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
}

static size_t count(char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* The path goes to the end of the list, unless nobody gets to it. */
static int resolve(char **list, const char *path)
{
	char *real = realpath(path, NULL);

	if (!real && !is_away())
		return err_sys("%s", path);
	if (real && real[1])
		list[count(list)] = real;
	else
		free(real);
	return 0;
}

static int resolve_all(char **list, char *const *paths)
{
	int rc = 0;

	for (; !rc && paths && *paths; paths++)
		rc = resolve(list, *paths);
	return rc;
}

static void drop_below(char **list, const char *top)
{
	char **kept = list;

	for (; *list; list++) {
		if (is_at_or_below(*list, top))
			free(*list);
		else
			*kept++ = *list;
	}
	*kept = NULL;
}

static void replace(char ***list, char **fresh)
{
	free_list(*list);
	*list = fresh;
}

int box_paths_resolve(char ***hide, char ***show, const char *store)
{
	size_t n = sizeof(always) / sizeof(always[0]) + count(*hide) + 2, i;
	char **hidden = xcalloc(n, sizeof(*hidden));
	char **shown = xcalloc(count(*show) + 1, sizeof(*shown));
	int rc = store ? resolve(hidden, store) : 0;

	if (!rc)
		rc = resolve_all(shown, *show);
	if (!rc && *hidden)
		drop_below(shown, *hidden);
	for (i = 0; !rc && always[i]; i++)
		rc = resolve(hidden, always[i]);
	if (!rc)
		rc = resolve_all(hidden, *hide);
	replace(hide, hidden);
	replace(show, shown);
	return rc;
}

static int make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

/* The folder or file at path, and folders on the way to it. */
static int make_target(char *path, bool folder)
{
	struct stat st;
	char *slash;

	if (!stat(path, &st))
		return 0;
	for (slash = strchr(path + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return folder ? mkdir(path, 0755) : make_file(path);
}

int box_bind(const char *from, const char *to)
{
	char *target = xstrdup(to);
	struct stat st;
	int rc = 0;

	if (stat(from, &st))
		rc = is_away() ? 0 : err_sys("%s", from);
	else if (make_target(target, S_ISDIR(st.st_mode)) ||
		 mount(from, to, NULL, MS_BIND | MS_REC, NULL))
		rc = err_sys("cannot show %s", from);
	free(target);
	return rc;
}

/*
 * An empty folder over path, which is in the new root. Where we cannot get to
 * it, a folder on the way to it is hidden: nothing is to be seen there, but
 * somebody may change its mode later.
 */
static int cover(char *path, size_t root, const char *empty)
{
	char *slash;
	int rc;

	for (;;) {
		rc = empty ? mount(empty, path, NULL, MS_BIND, NULL)
			   : mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV,
				   "size=64k,mode=0755");
		if (rc && errno == ENOTDIR)
			rc = mount("/dev/null", path, NULL, MS_BIND, NULL);
		slash = strrchr(path, '/');
		if (!rc || errno != EACCES || slash <= path + root)
			break;
		*slash = '\0';
	}
	return rc && !is_away() ? -1 : 0;
}

static bool any_below(char *const *list, const char *top)
{
	for (; list && *list; list++)
		if (is_below(*list, top))
			return true;
	return false;
}

static int hide(const char *root, const char *hidden, char *const *show)
{
	char *path = xasprintf("%s%s", root, hidden);
	char *empty = xasprintf("%s/proc", root);
	int rc = 0;

	if (cover(path, strlen(root), any_below(show, hidden) ? NULL : empty))
		rc = err_sys("cannot hide %s", hidden);
	free(path);
	free(empty);
	return rc;
}

static int show_one(const char *root, const char *from)
{
	char *to = xasprintf("%s%s", root, from);
	int rc = box_bind(from, to);

	free(to);
	return rc;
}

int box_hide(const char *root, char *const *hidden, char *const *show)
{
	char *const *i, *const *s;
	int rc = 0;

	for (i = hidden; !rc && i && *i; i++)
		rc = hide(root, *i, show);
	for (s = show; !rc && s && *s; s++) {
		if (is_at_or_below(*s, "/dev"))
			continue;
		rc = show_one(root, *s);
		for (i = hidden; !rc && i && *i; i++)
			if (is_below(*i, *s))
				rc = hide(root, *i, NULL);
	}
	return rc;
}
