/* SPDX-License-Identifier: ISC */
#include "init.h"

#include <errno.h>
#include <linux/close_range.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "box-settings.h"
#include "err.h"
#include "mem.h"

/* What it passes on. */
static const int forwarded[] = { SIGTERM, SIGINT,  SIGHUP,  SIGQUIT,
				 SIGUSR1, SIGUSR2, SIGWINCH };

#define NR_FORWARDED (sizeof(forwarded) / sizeof(forwarded[0]))

struct init {
	pid_t command; /* and its process group's */
	siginfo_t end; /* how it ended; si_pid 0: it did not */
	bool stopping; /* it was told to */
};

void init_signals(sigset_t *set)
{
	size_t i;

	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	for (i = 0; i < NR_FORWARDED; i++)
		sigaddset(set, forwarded[i]);
}

int init_exec(const char *command, char **env, int leader)
{
	char sh[] = "/bin/sh", c[] = "-c", *copy = xstrdup(command);
	char *argv[] = { sh, c, copy, NULL };
	sigset_t none;
	int rc;

	if (leader)
		setsid();
	if (isatty(STDIN_FILENO))
		ioctl(STDIN_FILENO, TIOCSCTTY, 0);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(sh, argv, env);
	rc = err_sys("%s", sh);
	free(copy);
	return rc;
}

static void forward(struct init *in, int sig)
{
	if (sig == SIGTERM || sig == SIGINT)
		in->stopping = true;
	/* It may not have its group yet. */
	if (kill(-in->command, sig) && !in->end.si_pid)
		kill(in->command, sig);
}

static void reap(struct init *in)
{
	siginfo_t info;

	for (;;) {
		memset(&info, 0, sizeof(info));
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) || !info.si_pid)
			return;
		if (info.si_pid == in->command)
			in->end = info;
	}
}

static bool is_over(const struct init *in)
{
	return in->end.si_pid && (!in->stopping || kill(-in->command, 0));
}

int init_run(const char *command, char **env, int report)
{
	/* For members of the group whose end nobody tells us. */
	static const struct timespec moment = { 0, 50000000 };
	struct init in = { .command = 0 };
	struct box_end end;
	sigset_t set;
	int sig;

	init_signals(&set);
	in.command = fork();
	if (in.command < 0)
		return err_sys("fork");
	if (!in.command) {
		init_exec(command, env, 1);
		fprintf(stderr, "slugrun: %s\n", err_msg());
		_exit(126);
	}
	prctl(PR_SET_NAME, "slugrun-init");
	while (!is_over(&in)) {
		sig = in.end.si_pid ? sigtimedwait(&set, NULL, &moment)
				    : sigwaitinfo(&set, NULL);
		if (sig > 0 && sig != SIGCHLD)
			forward(&in, sig);
		reap(&in);
	}
	end.code = in.end.si_code;
	end.status = in.end.si_status;
	if (pwrite(report, &end, sizeof(end),
		   offsetof(struct box_report, end)) < 0) {
		/* The status that it exits with says nearly as much. */
	}
	return end.code == CLD_EXITED ? end.status : 128 + end.status;
}
