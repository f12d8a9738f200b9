/* SPDX-License-Identifier: ISC */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stdio.h>

#include "config.h"
#include "ledger.h"

/*
 * slugctl: what an admin does with a slugd and its folder. One command is
 * one file and one row of the table in slugctl.c.
 */
struct ctl {
	char *dir;    /* absolute */
	char *socket; /* DIR/slugd.sock */
	int argc;     /* arguments behind the command's name */
	char **argv;
	bool option; /* the command's option was given */
};

/* A command returns an ERR_*, or the exit status where it has said all. */
struct ctl_command {
	const char *name, *args, *help;
	int min, max; /* arguments */
	int (*run)(const struct ctl *ctl);
	const char *option; /* "--force", or NULL */
	bool no_start;      /* DIR need not be there yet */
	int no_dir; /* with as many arguments, DIR is not needed; or NO_DIR */
};

#define CTL_NO_DIR (-1)

int ctl_backup(const struct ctl *ctl);
int ctl_cat_slug(const struct ctl *ctl);
int ctl_check(const struct ctl *ctl);
int ctl_fsck(const struct ctl *ctl);
int ctl_gc(const struct ctl *ctl);
int ctl_init(const struct ctl *ctl);
int ctl_reload(const struct ctl *ctl);
int ctl_repair(const struct ctl *ctl);
int ctl_status(const struct ctl *ctl);
int ctl_stop(const struct ctl *ctl);

/* What systemctl(1) and init scripts exit with where a service is down. */
#define CTL_EXIT_DOWN 3

/*
 * Send a signal to the slugd that listens on the socket; *pidfd, which is to
 * be closed, becomes readable when it ends. Errors: ERR_UNAVAILABLE, where
 * there is none, ERR_SYSTEM.
 */
int ctl_signal_slugd(const struct ctl *ctl, int sig, int *pidfd);

/*
 * Give up root's rights for those of DIR's owner: what is made belongs to
 * slugd. Errors: ERR_FORBIDDEN, where the caller is neither.
 */
int ctl_become_owner(const struct ctl *ctl);

/*
 * Wait until no other slugctl makes or repairs a repository, and keep others
 * from it until *lock is closed.
 */
int ctl_lock(const struct ctl *ctl, int *lock);

/* DIR/slugd.ini, or the defaults where there is none. */
int ctl_read_config(const struct ctl *ctl, struct config **out);

/*
 * Open DIR/ledger.db, which must be there. Errors: ERR_SYSTEM, and as
 * ledger_open().
 */
int ctl_open_ledger(const struct ctl *ctl, struct ledger **out);

#endif
