/* SPDX-License-Identifier: ISC */
/*
 * slugctl: the admin's tool. Runs with the rights of whoever calls it, who
 * has to be the service account or root.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "err.h"
#include "mem.h"
#include "standard.h"

static int help(const struct ctl *ctl);

/* clang-format off */
static const struct ctl_command commands[] = {
	{ "backup", "FILE", "copy the ledger, also while slugd runs", 1, 1, ctl_backup, NULL, false, 0 },
	{ "cat-slug", "ID", "write a slug, a .tar.zst, to standard output", 1, 1, ctl_cat_slug, NULL, false, 0 },
	{ "check", "[FILE]", "say what is wrong with the set-up, or a slugd.ini", 0, 1, ctl_check, NULL, true, 1 },
	{ "fsck", "", "check the ledger and the slugs, and mend these", 0, 0, ctl_fsck, "--dry-run", false, 0 },
	{ "gc", "", "remove slugs that are not to be kept", 0, 0, ctl_gc, NULL, false, 0 },
	{ "help", "[COMMAND]", "list the commands, or show the usage of one", 0, 1, help, NULL, false, CTL_NO_DIR },
	{ "init", "APP [REPO]", "make an app, or one of a bare repository", 1, 2, ctl_init, "--chain-hooks", false, 0 },
	{ "reload", "", "have slugd read its configuration again", 0, 0, ctl_reload, NULL, false, 0 },
	{ "repair", "APP [REPO]", "mend the hooks and settings of a repository", 1, 2, ctl_repair, "--chain-hooks", false, 0 },
	{ "status", "", "say what slugd and the apps are doing", 0, 0, ctl_status, NULL, false, 0 },
	{ "stop", "", "end slugd and the apps, and wait for that", 0, 0, ctl_stop, NULL, false, 0 },
};
/* clang-format on */

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct option long_options[] = {
	{ "directory", required_argument, NULL, 'd' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static void print_usage(void)
{
	size_t i;

	puts("usage: slugctl [-d DIR] COMMAND\n");
	for (i = 0; i < NR_COMMANDS; i++)
		printf("  %-10s%-12s%s\n", commands[i].name, commands[i].args,
		       commands[i].help);
	puts("\n  -d, --directory=DIR  slugd's folder (or SLUGD_DIR)\n"
	     "      --chain-hooks    init, repair: the repository's own hooks "
	     "run first\n"
	     "      --dry-run        fsck: change nothing\n"
	     "  -h, --help           print this\n"
	     "      --version        print the version");
}

/* Caller frees. */
static char *usage_text(const struct ctl_command *c)
{
	return xasprintf("usage: slugctl [-d DIR] %s%s%s%s%s%s", c->name,
			 c->option ? " [" : "", c->option ? c->option : "",
			 c->option ? "]" : "", *c->args ? " " : "", c->args);
}

static int usage_of(const struct ctl_command *c)
{
	char *text = usage_text(c);
	int rc = err_set(ERR_INVALID, "%s", text);

	free(text);
	return rc;
}

static void print_usage_of(const struct ctl_command *c)
{
	char *text = usage_text(c);

	printf("%s\n\n%s\n", text, c->help);
	free(text);
}

/* NULL, and an error, where there is none. */
static const struct ctl_command *find_command(const char *name)
{
	const struct ctl_command *c = commands;

	while (c < commands + NR_COMMANDS && strcmp(c->name, name) != 0)
		c++;
	if (c < commands + NR_COMMANDS)
		return c;
	err_set(ERR_INVALID,
		"'%s' is not a slugctl command; see slugctl --help", name);
	return NULL;
}

/* For the table: "slugctl help". */
static int help(const struct ctl *ctl)
{
	const struct ctl_command *c;

	if (!ctl->argc) {
		print_usage();
		return 0;
	}
	c = find_command(ctl->argv[0]);
	if (!c)
		return ERR_INVALID;
	print_usage_of(c);
	return 0;
}

/* The command's option goes, wherever it stands; "--" ends options. */
static int take_option(struct ctl *ctl, const struct ctl_command *c)
{
	int i, n = 0;
	bool ended = false;

	for (i = 0; i < ctl->argc; i++) {
		char *arg = ctl->argv[i];

		if (ended || strncmp(arg, "--", 2) != 0)
			ctl->argv[n++] = arg;
		else if (!arg[2])
			ended = true;
		else if (c->option && !strcmp(arg, c->option))
			ctl->option = true;
		else
			return usage_of(c);
	}
	ctl->argc = n;
	return 0;
}

static bool has_empty(const struct ctl *ctl)
{
	int i;

	for (i = 0; i < ctl->argc; i++)
		if (!*ctl->argv[i])
			return true;
	return false;
}

int ctl_open_ledger(const struct ctl *ctl, struct ledger **out)
{
	char *path = xasprintf("%s/ledger.db", ctl->dir);
	int rc = access(path, F_OK) ? err_sys("%s", path) : 0;

	if (!rc)
		rc = ledger_open(out, path);
	free(path);
	return rc;
}

int ctl_become_owner(const struct ctl *ctl)
{
	struct passwd buf, *pw = NULL;
	char names[4096];
	struct stat st;
	gid_t gid;

	if (stat(ctl->dir, &st))
		return err_sys("%s", ctl->dir);
	if (st.st_uid == geteuid())
		return 0;
	if (geteuid() || getpwuid_r(st.st_uid, &buf, names, sizeof(names), &pw))
		return err_set(ERR_FORBIDDEN,
			       "%s belongs to user %u: be that one, or root",
			       ctl->dir, st.st_uid);
	gid = pw ? pw->pw_gid : st.st_gid;
	if ((pw ? initgroups(pw->pw_name, gid) : setgroups(0, NULL)) ||
	    setresgid(gid, gid, gid) ||
	    setresuid(st.st_uid, st.st_uid, st.st_uid))
		return err_sys("becoming uid %u", st.st_uid);
	return 0;
}

int ctl_read_config(const struct ctl *ctl, struct config **out)
{
	char *path = xasprintf("%s/slugd.ini", ctl->dir);
	bool none = access(path, F_OK) && errno == ENOENT;
	int rc = config_read(out, none ? NULL : path);

	free(path);
	return rc;
}

int ctl_lock(const struct ctl *ctl, int *lock)
{
	*lock = open(ctl->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*lock < 0 || flock(*lock, LOCK_EX))
		return err_sys("%s", ctl->dir);
	return 0;
}

/* A DIR that is not there yet, as an absolute path. */
static int name_dir(struct ctl *ctl, const char *dir)
{
	char here[PATH_MAX];

	if (errno != ENOENT)
		return err_sys("%s", dir);
	if (*dir != '/' && !getcwd(here, sizeof(here)))
		return err_sys("the working folder");
	ctl->dir = *dir == '/' ? xstrdup(dir) : xasprintf("%s/%s", here, dir);
	ctl->socket = xasprintf("%s/slugd.sock", ctl->dir);
	return 0;
}

static int find_dir(struct ctl *ctl, const char *dir, bool no_start)
{
	char target[PATH_MAX], *path;
	ssize_t n;

	if (!dir || !*dir)
		return err_set(ERR_INVALID, "say where slugd keeps everything: "
					    "slugctl -d DIR, or SLUGD_DIR");
	ctl->dir = realpath(dir, NULL);
	if (!ctl->dir)
		return no_start ? name_dir(ctl, dir) : err_sys("%s", dir);
	path = xasprintf("%s/slugd.sock", ctl->dir);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0) {
		ctl->socket = path;
		return 0;
	}
	/* slugd listens elsewhere (slugd -s), and apps are to know it. */
	ctl->socket = xstrndup(target, (size_t)n);
	free(path);
	return 0;
}

static int run(struct ctl *ctl, const char *dir, const char *name)
{
	const struct ctl_command *c;
	int rc;

	if (!name)
		return err_set(ERR_INVALID,
			       "say what to do; see slugctl --help");
	c = find_command(name);
	if (!c)
		return ERR_INVALID;
	rc = take_option(ctl, c);
	if (!rc && (ctl->argc < c->min || ctl->argc > c->max || has_empty(ctl)))
		rc = usage_of(c);
	if (!rc && c->no_dir != CTL_NO_DIR &&
	    (!c->no_dir || ctl->argc < c->no_dir))
		rc = find_dir(ctl, dir, c->no_start);
	return rc ? rc : c->run(ctl);
}

int main(int argc, char **argv)
{
	const char *dir = getenv("SLUGD_DIR");
	struct ctl ctl = { 0 };
	bool done = false;
	int c, rc = standard_open();

	opterr = 0;
	while (!rc && (c = getopt_long(argc, argv, "+:d:h", long_options,
				       NULL)) != -1) {
		if (c == 'd') {
			dir = optarg;
		} else if (c == 'h') {
			print_usage();
			done = true;
		} else if (c == 'V') {
			puts("slugctl " PACKAGE_VERSION);
			done = true;
		} else {
			rc = err_set(ERR_INVALID,
				     "wrong option '%s'; see slugctl --help",
				     argv[optind - 1]);
		}
	}
	if (optind < argc) {
		ctl.argc = argc - optind - 1;
		ctl.argv = argv + optind + 1;
	}
	if (!rc && !done)
		rc = run(&ctl, dir, optind < argc ? argv[optind] : NULL);
	if (rc >= 0 && standard_flush())
		rc = ERR_SYSTEM;
	if (rc < 0)
		fprintf(stderr, " !    %s\n", err_msg());
	free(ctl.dir);
	free(ctl.socket);
	return rc < 0 ? 1 : rc;
}
