/* SPDX-License-Identifier: ISC */
#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box-settings.h"
#include "cgroup.h"
#include "err.h"
#include "log.h"
#include "mem.h"
#include "proc.h"
#include "release.h"
#include "strays.h"
#include "tree.h"

void box_init(struct box *b)
{
	memset(b, 0, sizeof(*b));
	b->fd = -1;
}

/* The app's folder: the tree's is apps/APP/trees/900/v1. */
static char *app_folder(const struct release *r)
{
	char *dir = xstrdup(r->dir);
	int i;

	for (i = 0; i < 3; i++)
		*strrchr(dir, '/') = '\0';
	return dir;
}

char *box_group(const char *dir)
{
	struct stat st;

	if (stat(dir, &st))
		return NULL;
	return xasprintf("slugrun.%llx-%llx", (unsigned long long)st.st_dev,
			 (unsigned long long)st.st_ino);
}

/* What the names of its boxes' control groups begin with. */
static char *cgroup_prefix(const char *dir)
{
	struct stat st;

	if (stat(dir, &st))
		return NULL;
	return xasprintf("slugrun-%llx-%llx-", (unsigned long long)st.st_dev,
			 (unsigned long long)st.st_ino);
}

int box_let_in(const char *path, int64_t uid)
{
	if (uid >= 0 &&
	    (lchown(path, (uid_t)-1, (gid_t)uid) || chmod(path, 0710)))
		return err_sys("%s", path);
	return 0;
}

/* The first number that is free: what ran before may be on its way out. */
static int make_folder(struct box *b, const char *dir, const char *name)
{
	unsigned n;

	for (n = 1; n < 1000000; n++) {
		str_replace(&b->run, xasprintf("%s/run/%s-%u", dir, name, n));
		if (!mkdir(b->run, 0700))
			return box_let_in(b->run, b->release->uid);
		if (errno != EEXIST)
			break;
	}
	return err_sys("%s", b->run);
}

int box_open(struct box *b, const struct release *r, const char *name,
	     const char *command, int env)
{
	char *dir = app_folder(r), *prefix = cgroup_prefix(dir);
	int rc;

	b->release = r;
	rc = make_folder(b, dir, name);
	if (!rc && r->cgroups && prefix)
		b->cgroup = xasprintf("%s%s", prefix, strrchr(b->run, '/') + 1);
	if (!rc)
		b->mark = strays_mark();
	if (!rc)
		rc = box_settings_write(env, r, b->run, command, b->cgroup,
					b->mark);
	if (!rc) {
		b->fd = fcntl(env, F_DUPFD_CLOEXEC, 0);
		rc = b->fd < 0 ? err_sys("the settings of a process") : 0;
	}
	if (rc)
		box_close(b);
	free(dir);
	free(prefix);
	return rc;
}

static bool read_report(const struct box *b, struct box_report *report)
{
	memset(report, 0, sizeof(*report));
	return b->fd >= 0 &&
	       pread(b->fd, report, sizeof(*report), 0) == sizeof(*report) &&
	       !memcmp(report->magic, BOX_REPORT, sizeof(report->magic));
}

bool box_is_ready(const struct box *b)
{
	char magic[sizeof(BOX_REPORT) - 1];

	return b->fd >= 0 &&
	       pread(b->fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       !memcmp(magic, BOX_REPORT, sizeof(magic));
}

bool box_has(const struct box *b, pid_t pid)
{
	struct box_report report;

	return read_report(b, &report) && report.pid == pid;
}

bool box_is_over(const struct box *b, pid_t first, siginfo_t *info)
{
	struct box_report report;

	if (!read_report(b, &report))
		return true;
	if (info->si_pid == first)
		return false;
	if (report.end.code) {
		info->si_code = report.end.code;
		info->si_status = report.end.status;
	}
	return true;
}

pid_t box_pid(const struct box *b, pid_t first)
{
	struct box_report report;

	return read_report(b, &report) ? (pid_t)report.pid : first;
}

bool box_was_full(const struct box *b)
{
	return b->cgroup && b->release->memory && cgroup_was_full(b->cgroup);
}

/* The child that clears up. */
static int spawn_clear(const struct box *b)
{
	char *helper = proc_helper("slugrun-box");
	char *parent = xasprintf("%ld", (long)getpid());
	char **marks = strays_marks();
	const char **argv;
	struct proc_spec spec = { .err = PROC_INHERIT, .session = true };
	size_t n = 0, i;
	pid_t pid;
	int rc;

	while (marks[n])
		n++;
	argv = xcalloc(n + 6, sizeof(*argv));
	argv[0] = helper;
	argv[1] = "clear";
	argv[2] = parent;
	argv[3] = b->run;
	argv[4] = b->cgroup ? b->cgroup : "";
	for (i = 0; i < n; i++)
		argv[5 + i] = marks[i];
	spec.argv = argv;
	rc = proc_spawn(&pid, &spec);
	for (i = 0; i < n; i++)
		free(marks[i]);
	free(marks);
	free(argv);
	free(parent);
	free(helper);
	return rc;
}

void box_close(struct box *b)
{
	strays_unmark(b->mark);
	if (b->run && spawn_clear(b))
		log_line("%s is left: %s", b->run, err_msg());
	if (b->fd >= 0)
		close(b->fd);
	free(b->run);
	free(b->cgroup);
	box_init(b);
}

void box_sweep(const char *dir)
{
	char *prefix = cgroup_prefix(dir);

	if (prefix)
		cgroup_remove_all(prefix);
	free(prefix);
}

int box_clear(long parent, const char *run, const char *cgroup, char **marks)
{
	const char *name = strrchr(run, '/');

	if (!name)
		return err_set(ERR_INVALID, "%s is no path", run);
	if (*cgroup)
		cgroup_remove(cgroup);
	strays_kill_run(run);
	strays_kill_marked((pid_t)parent, marks);
	return tree_remove(AT_FDCWD, run);
}
