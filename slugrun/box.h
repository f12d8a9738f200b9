/* SPDX-License-Identifier: ISC */
#ifndef BOX_H
#define BOX_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The box of one process, as the supervisor has it: the file by which it
 * tells "slugrun-box exec" what to run, and hears what became of that, the
 * folder in run/ where all goes that the process writes, and its control
 * groups. The last two are the box's alone and go with it.
 */
struct release;

struct box {
	const struct release *release; /* NULL: there is none */
	char *run;                     /* the folder's path */
	char *cgroup;                  /* a name, or NULL */
	int64_t mark;                  /* of what runs in it; see strays.h */
	int fd;                        /* descriptor 3 of the child */
};

/*
 * The name of the control group of the app in folder dir, which no other app
 * on this machine has; NULL: there is no such folder. Caller frees.
 */
char *box_group(const char *dir);

/* There is none yet. */
void box_init(struct box *b);

/*
 * Make the box of process name ("web.1") of r, that is to run command; env
 * becomes its descriptor: the environment (release_environment()), which
 * the settings are appended to. Errors: ERR_SYSTEM; env is the caller's.
 */
int box_open(struct box *b, const struct release *r, const char *name,
	     const char *command, int env);

/*
 * A process's folder: nobody but we may change what is in it, but user uid
 * (-1: ours) may pass. Errors: ERR_SYSTEM.
 */
int box_let_in(const char *path, int64_t uid);

/* Is it pid, that ended, the init of the box? */
bool box_has(const struct box *b, pid_t pid);

/*
 * The process ended that was started for the box (first), or its init, as
 * info says. Is that the end of what runs in it? info tells how the command
 * ended then.
 */
bool box_is_over(const struct box *b, pid_t first, siginfo_t *info);

/* Does its command run by now? All before that is the box's own time. */
bool box_is_ready(const struct box *b);

/* The pid of what runs in it: the init's, or, where it has none, first. */
pid_t box_pid(const struct box *b, pid_t first);

/* Did the kernel kill in it for want of memory, by its limit? */
bool box_was_full(const struct box *b);

/*
 * Nothing runs in it any more: what it wrote is removed, by a child that
 * nobody waits for. b is as after box_init().
 */
void box_close(struct box *b);

/*
 * When the supervisor of the app in folder dir starts, or ends, and no
 * process of it is left: remove the control groups of all its boxes.
 */
void box_sweep(const char *dir);

/*
 * Be that child: "slugrun-box clear PARENT RUN CGROUP MARK...", where CGROUP
 * may be empty. Errors: ERR_SYSTEM.
 */
int box_clear(long parent, const char *run, const char *cgroup, char **marks);

#endif
