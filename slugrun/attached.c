/* SPDX-License-Identifier: ISC */
#include "attached.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "err.h"
#include "proc.h"

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* A terminal: our end, and the process's. */
static int open_terminal(int *ours, int *theirs, unsigned columns,
			 unsigned rows)
{
	struct winsize size = { .ws_col = (unsigned short)columns,
				.ws_row = (unsigned short)rows };

	*ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*ours < 0 || grantpt(*ours) || unlockpt(*ours))
		return err_sys("no terminal is to be had");
	*theirs = ioctl(*ours, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*theirs < 0 || ioctl(*ours, TIOCSWINSZ, &size))
		return err_sys("no terminal is to be had");
	return 0;
}

/* In the child: the terminal becomes that of a session of its own. */
static void become(int terminal, char **argv)
{
	sigset_t none;
	int i;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	setsid();
	if (ioctl(terminal, TIOCSCTTY, 0))
		_exit(127);
	for (i = 0; i < 3; i++)
		dup2(terminal, i);
	execv("/proc/self/exe", argv);
	_exit(127);
}

static int start_on_terminal(struct attached *a, char **argv, unsigned columns,
			     unsigned rows)
{
	int terminal = -1, rc;

	a->terminal = true;
	rc = open_terminal(&a->out, &terminal, columns, rows);
	if (rc)
		goto done;
	a->in = fcntl(a->out, F_DUPFD_CLOEXEC, 0);
	a->pid = fork();
	if (a->pid == 0)
		become(terminal, argv);
	if (a->pid < 0 || a->in < 0)
		rc = err_sys("cannot start a process");
done:
	close_fd(&terminal);
	return rc;
}

static int start_on_pipes(struct attached *a, char **argv)
{
	/* The prototype of proc_spawn() is that of older times. */
	union {
		char **in;
		const char *const *out;
	} args = { argv };
	struct proc_spec spec = { .argv = args.out,
				  .extra = 3,
				  .session = true };
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
	int rc = 0;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ||
	    pipe2(err, O_CLOEXEC))
		rc = err_sys("pipe");
	spec.in = in[0];
	spec.out = out[1];
	spec.err = err[1];
	if (!rc)
		rc = proc_spawn(&a->pid, &spec);
	close_fd(&in[0]);
	close_fd(&out[1]);
	close_fd(&err[1]);
	a->in = in[1];
	a->out = out[0];
	a->err = err[0];
	return rc;
}

static void do_not_block(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int attached_start(struct attached *a, char **argv, unsigned columns,
		   unsigned rows)
{
	int rc;

	*a = (struct attached){ .in = -1, .out = -1, .err = -1 };
	rc = columns ? start_on_terminal(a, argv, columns, rows)
		     : start_on_pipes(a, argv);
	do_not_block(a->in);
	do_not_block(a->out);
	do_not_block(a->err);
	return rc;
}

void attached_resize(const struct attached *a, unsigned columns, unsigned rows)
{
	struct winsize size = { .ws_col = (unsigned short)columns,
				.ws_row = (unsigned short)rows };

	if (a->terminal && a->in >= 0)
		ioctl(a->in, TIOCSWINSZ, &size);
}

ssize_t attached_write(struct attached *a, const void *data, size_t len)
{
	ssize_t n = a->in >= 0 ? write(a->in, data, len) : -1;

	if (n >= 0)
		return n;
	if (a->in >= 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	close_fd(&a->in);
	return -1;
}

void attached_end_input(struct attached *a)
{
	struct termios t;

	if (!a->terminal) {
		close_fd(&a->in);
	} else if (a->in >= 0 && !tcgetattr(a->in, &t) &&
		   write(a->in, &t.c_cc[VEOF], 1) < 0) {
		/* It takes no input now, nor an end of it. */
	}
}

void attached_hang_up(struct attached *a)
{
	attached_signal(a, SIGHUP);
	attached_signal(a, SIGCONT);
	close_fd(&a->in);
	if (a->terminal)
		close_fd(&a->out);
}

void attached_close(struct attached *a)
{
	close_fd(&a->in);
	close_fd(&a->out);
	close_fd(&a->err);
}

void attached_signal(const struct attached *a, int sig)
{
	if (a->pid > 0)
		kill(-a->pid, sig);
}

int attached_reap(struct attached *a)
{
	siginfo_t info = { .si_pid = 0 };

	if (a->pid <= 0 ||
	    waitid(P_PID, (id_t)a->pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
	    !info.si_pid)
		return -1;
	/* Before its number is free for others. */
	attached_signal(a, SIGKILL);
	waitpid(a->pid, NULL, 0);
	a->pid = 0;
	return info.si_code == CLD_EXITED ? info.si_status
					  : 128 + info.si_status;
}
