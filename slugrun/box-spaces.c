/* SPDX-License-Identifier: ISC */
#include "box-spaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box-rights.h"
#include "box-root.h"
#include "err.h"
#include "init.h"
#include "mem.h"

#define SPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC)

/* What who starts the init, and the init, know of each other. */
struct start {
	int talk[2]; /* ours, and the init's end of it */
	int parent;  /* of the supervisor, as a pidfd */
	uid_t uid;
	gid_t gid;
};

int box_spaces_share(const char *tree)
{
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL))
		return err_sys("cannot make a mount namespace");
	return box_bind_lower(tree);
}

static int write_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		rc = err_sys("%s", path);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* A user is who it was. */
static int map_user(const struct start *st)
{
	char text[64];
	int rc = write_map("/proc/self/setgroups", "deny");

	snprintf(text, sizeof(text), "%u %u 1", st->uid, st->uid);
	if (!rc)
		rc = write_map("/proc/self/uid_map", text);
	snprintf(text, sizeof(text), "%u %u 1", st->gid, st->gid);
	return rc ? rc : write_map("/proc/self/gid_map", text);
}

/* Killed with the supervisor, which is there now. */
static int tie(const struct start *st)
{
	struct pollfd p = { st->parent, POLLIN, 0 };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return err_sys("PR_SET_PDEATHSIG");
	if (poll(&p, 1, 0))
		return err_set(ERR_UNAVAILABLE, "the supervisor is gone");
	return 0;
}

/* In the namespaces: all that may be refused. */
static int build(struct box_settings *s, int tree, const struct start *st)
{
	int rc = tie(st);

	if (!rc)
		rc = map_user(st);
	if (!rc && s->uid < 0)
		rc = box_bind_lower(s->tree);
	if (!rc)
		rc = box_root(tree, s->mask);
	if (!rc)
		rc = box_limits(s);
	if (!rc)
		rc = box_drop_rights(s);
	/* The command is the same user, but gets at nothing of the init's. */
	if (!rc && prctl(PR_SET_DUMPABLE, 0))
		rc = err_sys("PR_SET_DUMPABLE");
	return rc ? rc : tie(st);
}

/* The init: how it went is said, and it waits to be noted. */
static int be_init(struct box_settings *s, int tree, const struct start *st)
{
	int rc = build(s, tree, st);
	const char *words = rc ? err_msg() : "";
	char go;

	if (write(st->talk[1], words, strlen(words) + 1) < 0 || rc ||
	    read(st->talk[1], &go, 1) != 1)
		_exit(1);
	close_range(BOX_FD + 1, ~0U, 0);
	box_settings_set(s, "HOME", "/app");
	rc = init_run(s->command, s->env, BOX_FD);
	/* Here nothing else, of a sanitizer's say, can be done at an end. */
	if (rc >= 0)
		_exit(rc);
	return rc;
}

/* As a sibling, its end is told to the supervisor, as ours is. */
static pid_t make_init(bool stay)
{
	struct clone_args args = {
		.flags = SPACES | (stay ? 0 : CLONE_PARENT),
		.exit_signal = stay ? SIGCHLD : 0,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* A terminal is the command's; we end without an effect on it. */
static void leave_terminal(void)
{
	void (*before)(int) = signal(SIGHUP, SIG_IGN);

	ioctl(STDIN_FILENO, TIOCNOTTY);
	/* The one that came by that is blocked: it would come later. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGHUP, before);
}

/* Till the init ends, whom the supervisor's signals reach, too. */
static int await(pid_t init)
{
	int status;

	while (waitpid(init, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys("waiting for the init");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Hear how it went; note it, and let it go. */
static int let_go(const struct start *st, pid_t init)
{
	struct box_report report = { BOX_REPORT, init, { 0, 0 } };
	char words[1024] = "";
	ssize_t n = read(st->talk[0], words, sizeof(words) - 1);

	if (n <= 0)
		return err_set(ERR_FAILED, "a process in namespaces ended");
	if (*words)
		return err_set(ERR_FAILED, "%s", words);
	if (pwrite(BOX_FD, &report, sizeof(report), 0) != sizeof(report))
		return err_sys("the report");
	if (write(st->talk[0], "", 1) != 1)
		return err_sys("socketpair");
	return 0;
}

bool box_spaces_run(struct box_settings *s, int tree, long parent, int *status)
{
	struct start st = { .uid = geteuid(), .gid = getegid() };
	bool stay = parent == getpid();
	sigset_t set, before;
	pid_t init;
	int rc;

	*status = 0;
	st.parent = (int)syscall(SYS_pidfd_open, parent, 0);
	if (st.parent < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, st.talk)) {
		err_sys("cannot make namespaces");
		return false;
	}
	/* Nothing that comes meanwhile is lost to it. */
	init_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &before);
	leave_terminal();
	init = make_init(stay);
	if (!init) {
		close(st.talk[0]);
		*status = be_init(s, tree, &st);
		return true;
	}
	close(st.talk[1]);
	rc = init < 0 ? err_sys("cannot make namespaces") : let_go(&st, init);
	if (!rc && stay)
		*status = await(init);
	/* What the init was sent is not for who waited, and ends now. */
	if (rc)
		sigprocmask(SIG_SETMASK, &before, NULL);
	close(st.talk[0]);
	close(st.parent);
	return !rc;
}
