/* SPDX-License-Identifier: ISC */
#include "box-spaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

/*
 * Beside the folders of the app's processes: one of them had namespaces since
 * slugrun was started, which removes it.
 */
#define MARK "../.spaces"

#define SPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC)

/* What who starts the init, and the init, know of each other. */
struct start {
	int talk[2]; /* ours, and the init's end of it */
	int parent;  /* of the supervisor, as a pidfd */
	int tree;    /* the release's folder */
	int lower;   /* the same as a mount, or -1 */
};

static int write_map(pid_t pid, const char *name, const char *text)
{
	char *path = xasprintf("/proc/%ld/%s", (long)pid, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		rc = err_sys("%s", path);
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

/*
 * In the init's namespace a user is who it was, and there is no other one.
 * From outside: were the init to do it, it would have to be open to others of
 * its user meanwhile.
 */
static int map_user(const struct box_settings *s, pid_t init)
{
	bool own = s->uid >= 0;
	unsigned uid = own ? (uid_t)s->uid : geteuid();
	unsigned gid = own ? (gid_t)s->uid : getegid();
	char text[64];
	int rc = own ? 0 : write_map(init, "setgroups", "deny");

	snprintf(text, sizeof(text), "%u %u 1", uid, uid);
	if (!rc)
		rc = write_map(init, "uid_map", text);
	snprintf(text, sizeof(text), "%u %u 1", gid, gid);
	return rc ? rc : write_map(init, "gid_map", text);
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

/* Where that could not be had before; mounts are ours to make now. */
static int mount_lower(const struct box_settings *s, const struct start *st)
{
	int lower = st->lower, rc;

	if (lower < 0)
		lower = box_lower(AT_FDCWD, s->tree);
	if (lower < 0)
		return lower;
	rc = box_mount_lower(lower);
	close(lower);
	return rc;
}

/* In the namespaces: all that may be refused. */
static int build(struct box_settings *s, const struct start *st)
{
	const struct box_view view = { s->hide, s->show, s->tty };
	int rc = 0;

	if (s->uid >= 0)
		rc = box_become(s->uid);
	/* The command is the same user, but gets at nothing of the init's. */
	if (!rc && prctl(PR_SET_DUMPABLE, 0))
		rc = err_sys("PR_SET_DUMPABLE");
	if (!rc)
		rc = mount_lower(s, st);
	if (!rc)
		rc = box_root(st->tree, &view);
	if (!rc)
		rc = box_limits(s);
	if (!rc)
		rc = box_drop_rights(s);
	return rc ? rc : tie(st);
}

/*
 * What failed with that code and errno: does the kernel have no namespaces for
 * us? A lack of something is none of its answers.
 */
static int judge(int rc, int error)
{
	static const int refusals[] = { EPERM,  EACCES, ENOSYS,    EINVAL,
					ENODEV, EUSERS, EOPNOTSUPP };
	size_t i;

	if (rc == ERR_SYSTEM)
		for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
			if (error == refusals[i])
				return ERR_UNAVAILABLE;
	return ERR_FAILED;
}

/* Is it to go on? */
static bool may_go(const struct start *st)
{
	char go;

	return read(st->talk[1], &go, 1) == 1;
}

/* How it went, to who started us: nothing, or a code and the message. */
static int say(const struct start *st, int rc, int error)
{
	char *words =
		rc ? xasprintf("%c%s",
			       judge(rc, error) == ERR_UNAVAILABLE ? 'u' : 'f',
			       err_msg())
		   : xstrdup("");
	ssize_t n = write(st->talk[1], words, strlen(words) + 1);

	free(words);
	return n < 0 ? -1 : 0;
}

/* The init: how it went is said, and it waits to be noted. */
static int be_init(struct box_settings *s, const struct start *st)
{
	int rc = tie(st);

	if (!rc && !may_go(st))
		_exit(1);
	if (!rc)
		rc = build(s, st);
	if (say(st, rc, errno) || rc || !may_go(st))
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

static int say_go(const struct start *st)
{
	if (send(st->talk[0], "", 1, MSG_NOSIGNAL) != 1)
		return err_set(ERR_FAILED, "a process in namespaces ended");
	return 0;
}

/* Hear how it went; note it, and let it go. */
static int let_go(const struct box_settings *s, const struct start *st,
		  pid_t init)
{
	struct box_report report = { BOX_REPORT, init, { 0, 0 } };
	char words[1024] = "";
	int rc = map_user(s, init);

	if (!rc)
		rc = say_go(st);
	if (rc)
		return judge(rc, errno);
	if (read(st->talk[0], words, sizeof(words) - 1) <= 0)
		return err_set(ERR_FAILED, "a process in namespaces ended");
	if (*words)
		return err_set(*words == 'u' ? ERR_UNAVAILABLE : ERR_FAILED,
			       "%s", words + 1);
	if (pwrite(BOX_FD, &report, sizeof(report), 0) != sizeof(report)) {
		err_sys("the report");
		return ERR_FAILED;
	}
	return say_go(st);
}

/* What must be there before the init is. */
static int prepare(struct start *st, const struct box_settings *s, int tree,
		   long parent)
{
	st->tree = tree;
	st->talk[0] = st->talk[1] = st->lower = -1;
	st->parent = (int)syscall(SYS_pidfd_open, parent, 0);
	if (st->parent < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, st->talk))
		return err_sys("cannot make namespaces");
	/* A folder on the way is not for the app's user to pass. */
	if (s->uid >= 0)
		st->lower = box_lower(tree, "");
	return s->uid >= 0 && st->lower < 0 ? st->lower : 0;
}

static void release(struct start *st)
{
	const int fds[] = { st->talk[0], st->talk[1], st->parent, st->lower };
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* What the kernel gave once it does not refuse: somebody wants it to. */
static int remember(int rc)
{
	int fd;

	if (!access(MARK, F_OK))
		return rc == ERR_UNAVAILABLE ? ERR_FAILED : rc;
	if (rc)
		return rc;
	fd = open(MARK, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return 0;
}

/* The limit on how many there are says so, too, where it is 0. */
static int refused(void)
{
	int rc = err_sys("cannot make namespaces");

	return errno == ENOSPC ? ERR_UNAVAILABLE : judge(rc, errno);
}

int box_spaces_run(struct box_settings *s, int tree, long parent, int *status)
{
	bool stay = parent == getpid();
	struct start st;
	sigset_t set, before;
	pid_t init;
	int rc = prepare(&st, s, tree, parent);

	*status = 0;
	if (rc) {
		rc = remember(judge(rc, errno));
		goto done;
	}
	/* Nothing that comes meanwhile is lost to it. */
	init_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &before);
	leave_terminal();
	init = make_init(stay);
	if (!init) {
		close(st.talk[0]);
		*status = be_init(s, &st);
		return 0;
	}
	close(st.talk[1]);
	st.talk[1] = -1;
	rc = remember(init < 0 ? refused() : let_go(s, &st, init));
	if (!rc && stay)
		*status = await(init);
	/* What the init was sent is not for who waited, and ends now. */
	if (rc)
		sigprocmask(SIG_SETMASK, &before, NULL);
done:
	release(&st);
	return rc;
}
