/* SPDX-License-Identifier: ISC */
#include "attach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attached.h"
#include "clock.h"
#include "err.h"
#include "frames.h"
#include "mem.h"
#include "text.h"

#define CLIENT_MS 30000 /* for the client to come */
#define OUT_MAX   (8 * FRAME_MAX)
#define QUIET_MS  300 /* of a terminal whose process has ended */
#define EARLY_MS  200 /* before slugrun itself kills what stays */
#define NEVER     INT64_MAX

struct attach {
	int conn, signals;
	struct frames_in from;
	struct frames_out to;
	struct attached process;
	unsigned char *input; /* FRAME_CREDIT bytes */
	size_t input_len;
	bool input_ends;
	int64_t grace;    /* ms */
	int64_t kill_at;  /* clock_mono_ms() */
	int64_t quiet_at; /* it ended, and this is the end of its output */
	int status;       /* -1: it runs */
	bool gone;        /* the client is */
	bool stopping;    /* it was told to */
};

/* The descriptor that comes with a message, or -1. */
static int descriptor_in(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* One read of the connection, before it is known whose it is. */
static int first_read(struct attach *a)
{
	char data[64], control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(a->conn, &msg, MSG_CMSG_CLOEXEC);
	int fd = n > 0 ? descriptor_in(&msg) : -1;

	if (n <= 0)
		return err_set(ERR_UNAVAILABLE, "the client did not come");
	if (fd < 0)
		frames_in_take(&a->from, data, (size_t)n);
	else
		dup3(fd, a->conn, O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return 0;
}

/* Wait for the client: its first frame, the size of its terminal. */
static int await_client(struct attach *a, struct frame *f)
{
	struct pollfd p[2] = { { a->conn, POLLIN, 0 },
			       { a->signals, POLLIN, 0 } };
	int rc;

	while (!(rc = frames_next(&a->from, f))) {
		if (poll(p, 2, CLIENT_MS) <= 0 || p[1].revents)
			return err_set(ERR_UNAVAILABLE,
				       "the client did not come");
		rc = first_read(a);
		if (rc)
			return rc;
	}
	if (rc > 0 && (f->type != FRAME_WINDOW || f->len != 4))
		rc = err_set(ERR_BADREQUEST, "the client begins wrongly");
	return rc > 0 ? 0 : rc;
}

static void schedule_kill(struct attach *a)
{
	int64_t at = clock_mono_ms() + a->grace;

	if (at < a->kill_at)
		a->kill_at = at;
}

static void lose_client(struct attach *a)
{
	if (a->gone)
		return;
	a->gone = true;
	frames_out_release(&a->to);
	attached_hang_up(&a->process);
	schedule_kill(a);
}

static void take_input(struct attach *a, const struct frame *f)
{
	if (a->input_len + f->len > FRAME_CREDIT) {
		lose_client(a);
		return;
	}
	if (f->len)
		memcpy(a->input + a->input_len, f->data, f->len);
	else
		a->input_ends = true;
	a->input_len += f->len;
}

static void take_signal(struct attach *a, const struct frame *f)
{
	static const int known[] = { SIGHUP,  SIGINT,  SIGQUIT,
				     SIGTERM, SIGUSR1, SIGUSR2 };
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (f->len == 1 && f->data[0] == known[i])
			attached_signal(&a->process, known[i]);
}

/* What the client sent. */
static void take_frames(struct attach *a)
{
	struct frame f;
	int rc = 0;

	while (!a->gone && (rc = frames_next(&a->from, &f)) > 0) {
		if (f.type == FRAME_INPUT)
			take_input(a, &f);
		else if (f.type == FRAME_SIGNAL)
			take_signal(a, &f);
		else if (f.type == FRAME_WINDOW && f.len == 4)
			attached_resize(&a->process, frame_number(f.data, 2),
					frame_number(f.data + 2, 2));
	}
	if (rc < 0)
		lose_client(a);
}

/* Input to the process; what it will not read counts as taken. */
static void feed(struct attach *a)
{
	ssize_t n;

	if (a->input_len) {
		n = attached_write(&a->process, a->input, a->input_len);
		if (n < 0)
			n = (ssize_t)a->input_len;
		a->input_len -= (size_t)n;
		memmove(a->input, a->input + n, a->input_len);
		if (n)
			frames_put_number(&a->to, FRAME_TAKEN, (uint32_t)n);
	}
	if (!a->input_len && a->input_ends) {
		attached_end_input(&a->process);
		a->input_ends = false;
	}
}

/* A piece of its output. False where none is there now. */
static bool take_output(struct attach *a, int *fd, enum frame_type type)
{
	char buf[FRAME_MAX];
	ssize_t n;

	if (*fd < 0)
		return false;
	n = read(*fd, buf, sizeof(buf));
	if (n > 0) {
		if (!a->gone)
			frames_put(&a->to, type, buf, (size_t)n);
		return true;
	}
	/* A terminal that nobody has open any more is an error, EIO. */
	if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		close(*fd);
		*fd = -1;
	}
	return false;
}

/* Told to end: so is the process. */
static void stop(struct attach *a)
{
	static const char words[] = "The process was told to end: it was "
				    "stopped, or the app, or its time is over.";

	if (a->stopping)
		return;
	a->stopping = true;
	frames_put(&a->to, FRAME_WORDS, words, strlen(words));
	/* A shell at a terminal takes no notice of the one. */
	attached_signal(&a->process, SIGTERM);
	if (a->process.terminal)
		attached_signal(&a->process, SIGHUP);
	schedule_kill(a);
}

static void take_signals(struct attach *a)
{
	struct signalfd_siginfo got;
	int status;

	while (read(a->signals, &got, sizeof(got)) == sizeof(got))
		if (got.ssi_signo == SIGTERM)
			stop(a);
	status = attached_reap(&a->process);
	if (status >= 0)
		a->status = status;
}

static bool has_room(const struct attach *a)
{
	return frames_waiting(&a->to) < OUT_MAX;
}

static bool has_output(const struct attach *a)
{
	return a->process.out >= 0 || a->process.err >= 0;
}

/*
 * It ended: what it left in its pipes, no more, since others may hold these.
 * A terminal passes on what was written a little later.
 */
static void drain(struct attach *a)
{
	struct attached *ps = &a->process;
	int64_t now = clock_mono_ms();
	bool some = false;

	while (has_room(a) && (take_output(a, &ps->out, FRAME_OUTPUT) ||
			       take_output(a, &ps->err, FRAME_ERROR)))
		some = true;
	if (!a->quiet_at || (some && ps->terminal))
		a->quiet_at = now + (ps->terminal ? QUIET_MS : 0);
	if (has_room(a) && now >= a->quiet_at)
		attached_close(ps);
}

static int nap(const struct attach *a)
{
	int64_t at = a->kill_at, left;

	if (a->status >= 0 && has_output(a) && has_room(a) && a->quiet_at < at)
		at = a->quiet_at;
	left = at - clock_mono_ms();
	if (at == NEVER)
		return -1;
	return left < 0 ? 0 : (int)left;
}

/* The grace is over for the process, and for a client that reads nothing. */
static void end_grace(struct attach *a)
{
	attached_signal(&a->process, SIGKILL);
	a->gone = a->gone || a->status >= 0;
	a->kill_at = NEVER;
}

/* Sleep until something can be done, and do it. */
static void step(struct attach *a)
{
	struct attached *ps = &a->process;
	bool room = has_room(a), unsent = frames_waiting(&a->to) > 0;
	struct pollfd p[] = {
		{ a->signals, POLLIN, 0 },
		{ a->gone ? -1 : a->conn,
		  (short)(unsent ? POLLIN | POLLOUT : POLLIN), 0 },
		{ room ? ps->out : -1, POLLIN, 0 },
		{ room ? ps->err : -1, POLLIN, 0 },
		{ a->input_len ? ps->in : -1, POLLOUT, 0 },
	};

	if (poll(p, 5, nap(a)) < 0)
		return;
	if (p[0].revents)
		take_signals(a);
	if (p[1].revents && frames_in_read(&a->from, a->conn) == 0)
		lose_client(a);
	take_frames(a);
	if (p[2].revents)
		take_output(a, &ps->out, FRAME_OUTPUT);
	if (p[3].revents)
		take_output(a, &ps->err, FRAME_ERROR);
	feed(a);
	if (a->status >= 0 && has_output(a))
		drain(a);
	if (!a->gone && frames_flush(&a->to, a->conn))
		lose_client(a);
	if (clock_mono_ms() >= a->kill_at)
		end_grace(a);
}

static void run(struct attach *a)
{
	/* What came with the first frame. */
	take_frames(a);
	feed(a);
	while (a->status < 0 ||
	       (!a->gone && (has_output(a) || frames_waiting(&a->to))))
		step(a);
}

/* The last word: how it ended, or why it did not begin. */
static void say_end(struct attach *a, int rc)
{
	struct pollfd p = { a->conn, POLLOUT, 0 };

	if (a->gone)
		return;
	if (rc)
		frames_put(&a->to, FRAME_WORDS, err_msg(), strlen(err_msg()));
	frames_put_byte(&a->to, FRAME_EXIT, rc ? 1 : a->status);
	while (!frames_flush(&a->to, a->conn) && frames_waiting(&a->to) &&
	       poll(&p, 1, CLIENT_MS) > 0)
		;
	shutdown(a->conn, SHUT_WR);
}

/* Signals through a descriptor; an end with the supervisor. */
static int take_charge(struct attach *a, const char *supervisor)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL))
		return err_sys("cannot prepare");
	if (getppid() != strtol(supervisor, NULL, 10))
		return err_set(ERR_UNAVAILABLE, "the supervisor is gone");
	a->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return a->signals < 0 ? err_sys("signalfd") : 0;
}

int attach_run(const char *grace, char **argv)
{
	struct attach a = { .conn = 0,
			    .kill_at = NEVER,
			    .status = -1,
			    .input = xcalloc(FRAME_CREDIT, 1) };
	char *parent = xasprintf("%ld", (long)getpid()),
	     name[] = "/proc/self/exe";
	char *args[32] = { name, argv[0], parent };
	struct frame f;
	size_t i;
	int rc;

	for (i = 2; i < 30 && argv[i]; i++)
		args[i + 1] = argv[i];
	rc = text_parse_int(&a.grace, grace, 0, 86400);
	a.grace = a.grace ? a.grace * 1000 - EARLY_MS : 0;
	if (!rc)
		rc = take_charge(&a, argv[1]);
	if (!rc)
		rc = await_client(&a, &f);
	if (!rc)
		rc = attached_start(&a.process, args, frame_number(f.data, 2),
				    frame_number(f.data + 2, 2));
	close(3);
	if (!rc)
		run(&a);
	say_end(&a, rc);
	if (!rc)
		rc = a.status;
	frames_in_release(&a.from);
	frames_out_release(&a.to);
	free(a.input);
	free(parent);
	return rc;
}
