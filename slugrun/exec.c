/* SPDX-License-Identifier: ISC */
#include "exec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box-copy.h"
#include "box-hide.h"
#include "box-rights.h"
#include "box-root.h"
#include "box-settings.h"
#include "box-spaces.h"
#include "cgroup.h"
#include "err.h"
#include "init.h"
#include "mem.h"
#include "strays.h"

/* What it prints to is its own to open again, as /dev/stdout. */
static void give_output(int64_t uid)
{
	struct stat st;
	int fd;

	for (fd = 0; fd <= STDERR_FILENO; fd++)
		if (!fstat(fd, &st) && (S_ISFIFO(st.st_mode) || isatty(fd)) &&
		    fchown(fd, (uid_t)uid, (gid_t)-1)) {
			/* Then it cannot. */
		}
}

/* The path of the terminal that it has, in the machine's /dev; or NULL. */
static char *ttyname_of_input(void)
{
	char path[64] = "";

	return ttyname_r(STDIN_FILENO, path, sizeof(path)) ? NULL
							   : xstrdup(path);
}

/*
 * Our own environment is the supervisor's, and can be read in /proc by who
 * we become.
 */
static void forget_environment(void)
{
	char **var;

	for (var = environ; *var; var++)
		memset(*var, 0, strlen(*var));
	*environ = NULL;
}

/* Into its folder, where processes of the app may not write. */
static int enter_run(const struct box_settings *s)
{
	int fd = open(s->run, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int rc = 0;

	if (fd < 0 || fstat(fd, &st) || fchdir(fd))
		rc = err_sys("%s", s->run);
	else if (st.st_uid != geteuid())
		rc = err_set(ERR_SYSTEM, "%s is another user's", s->run);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* The release's folder, which lies where the app's user does not get. */
static int open_tree_of(const struct box_settings *s, int *tree)
{
	struct stat st;

	*tree = open(s->tree, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*tree < 0 || fstat(*tree, &st))
		return err_sys("%s", s->tree);
	if (s->uid >= 0 && st.st_uid != (uid_t)s->uid)
		return err_set(ERR_SYSTEM, "%s is another user's", s->tree);
	return 0;
}

/*
 * Without a mount namespace the app's user passes slugd's folder on the way
 * to its own: there it may go to apps/, and to nothing else.
 */
static int close_folder(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	struct stat st;
	int rc = 0;

	if (!d)
		return err_sys("%s", path);
	/* cppcheck-suppress readdirCalled; no other thread has it */
	while (!rc && (e = readdir(d))) {
		if (*e->d_name == '.' || !strcmp(e->d_name, "apps") ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    S_ISLNK(st.st_mode) || !(st.st_mode & 07))
			continue;
		/* An editor's copy, or another's, may be gone by now. */
		if (fchmodat(dirfd(d), e->d_name, st.st_mode & 07770, 0) &&
		    errno != ENOENT)
			rc = err_sys("%s/%s", path, e->d_name);
	}
	closedir(d);
	return rc;
}

static int let_pass(const char *path)
{
	struct stat st;

	if (stat(path, &st) || (!(st.st_mode & S_IXOTH) &&
				chmod(path, (st.st_mode & 07777) | S_IXOTH)))
		return err_sys("%s", path);
	return 0;
}

/* From slugd's folder to the process's own. */
static int open_way(const struct box_settings *s)
{
	size_t len = s->mask ? strlen(s->mask) : 0;
	char *path = xstrdup(s->run), *slash;
	int rc = 0;

	if (!len || strncmp(path, s->mask, len) != 0 || path[len] != '/')
		goto done;
	rc = close_folder(s->mask);
	while (!rc && (slash = strrchr(path, '/')) >= path + len) {
		*slash = '\0';
		rc = let_pass(path);
	}
done:
	free(path);
	return rc;
}

/* To be done with the supervisor's rights. */
static int prepare(struct box_settings *s, int *tree)
{
	int rc = 0;

	forget_environment();
	umask(022);
	s->tty = ttyname_of_input();
	rc = enter_run(s);
	if (!rc)
		rc = open_tree_of(s, tree);
	if (!rc && s->cgroup)
		rc = cgroup_enter(s->cgroup, s->memory, s->max_processes);
	if (!rc)
		rc = box_folders(s->uid);
	if (!rc && s->namespaces)
		rc = box_paths_resolve(&s->hide, &s->show, s->mask);
	if (!rc && s->uid >= 0)
		give_output(s->uid);
	return rc;
}

/* The kernel ends us with the parent, which is there now. */
static int tie(long parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return err_sys("PR_SET_PDEATHSIG");
	if (getppid() != parent)
		return err_set(ERR_UNAVAILABLE, "the supervisor is gone");
	return 0;
}

/*
 * From here on, until the command begins, no other process of the app's user
 * gets at us, nor at what we have open: the kernel sees to that.
 */
static int become(const struct box_settings *s, long parent)
{
	int rc = 0;

	if (s->uid >= 0)
		rc = open_way(s);
	if (!rc && s->uid >= 0)
		rc = box_become(s->uid);
	/* It is forgotten by the change of the user. */
	return rc ? rc : tie(parent);
}

/* Without namespaces: a copy of the folder, and the command in it. */
static int run_in_copy(struct box_settings *s, int tree, long parent)
{
	char *home = xasprintf("%s/" BOX_COPY, s->run);
	char *tmp = xasprintf("%s/" BOX_TMP, s->run);
	int rc = become(s, parent);

	if (!rc)
		rc = box_copy(tree, BOX_COPY);
	if (!rc && chdir(BOX_COPY))
		rc = err_sys("%s", home);
	if (rc)
		goto done;
	box_settings_set(s, "HOME", home);
	box_settings_set(s, "TMPDIR", tmp);
	rc = box_limits(s);
	if (!rc)
		rc = strays_wear(s->mark);
	if (!rc)
		rc = box_drop_rights(s);
	if (!rc && pwrite(BOX_FD, BOX_REPORT, sizeof(BOX_REPORT) - 1, 0) < 0)
		rc = err_sys("the report");
	if (!rc)
		rc = init_exec(s->command, s->env, 0);
done:
	free(home);
	free(tmp);
	return rc;
}

int exec_command(long parent, const char *stay)
{
	struct box_settings s = { 0 };
	int rc = tie(parent), tree = -1, spaces, status = 0;

	if (!rc)
		rc = box_settings_read(&s, BOX_FD);
	if (!rc)
		rc = prepare(&s, &tree);
	spaces = ERR_UNAVAILABLE;
	if (!rc && s.namespaces)
		spaces = box_spaces_run(&s, tree, stay ? getpid() : parent,
					&status);
	if (rc || spaces != ERR_UNAVAILABLE) {
		rc = rc ? rc : spaces ? spaces : status;
		goto done;
	}
	if (stay && s.namespaces)
		box_settings_set(&s, "SLUGRUN_REFUSED", err_msg());
	s.namespaces = false;
	rc = run_in_copy(&s, tree, parent);
done:
	if (tree >= 0)
		close(tree);
	box_settings_release(&s);
	return rc;
}
