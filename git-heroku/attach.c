/* SPDX-License-Identifier: ISC */
#include "attach.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "err.h"
#include "frames.h"
#include "mem.h"
#include "terminal.h"

/* A pipe that can be written to takes so much without waiting: pipe(7). */
#define PIECE 4096U

/* Who interrupts so often wants to end, whatever the process does. */
#define IMPATIENT 3

struct session {
	int conn, signals;
	bool terminal, input; /* there is more input */
	struct frames_in from;
	struct frames_out to;
	size_t credit;     /* bytes of input that may be sent */
	struct frame show; /* what is to be written out, and how much was */
	size_t shown;
	char *words; /* what slugrun has to say */
	int interrupts;
	int status; /* -1: it runs */
};

/* Signals that come while a process is attached. */
static void choose_signals(const struct session *s, sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGQUIT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	if (!s->terminal)
		return;
	sigaddset(set, SIGWINCH);
	sigaddset(set, SIGTSTP);
	sigaddset(set, SIGCONT);
}

/* Be ended by a signal, as if it had not been caught. */
static void die(int sig)
{
	sigset_t set;

	terminal_restore();
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	kill(getpid(), sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void send_size(struct session *s)
{
	unsigned columns = 0, rows = 0;

	if (s->terminal)
		terminal_size(&columns, &rows);
	frames_put_window(&s->to, columns, rows);
}

/* With a terminal: the signals are ours. */
static int take_own_signal(struct session *s, int sig)
{
	switch (sig) {
	case SIGTSTP:
		terminal_restore();
		kill(getpid(), SIGSTOP);
		return 0;
	case SIGCONT:
		send_size(s);
		return terminal_raw();
	case SIGWINCH:
		send_size(s);
		return 0;
	default:
		die(sig);
		return 0;
	}
}

static int take_signals(struct session *s)
{
	struct signalfd_siginfo got;
	int sig, rc = 0;

	while (!rc && read(s->signals, &got, sizeof(got)) == sizeof(got)) {
		sig = (int)got.ssi_signo;
		if (s->terminal)
			rc = take_own_signal(s, sig);
		else if (++s->interrupts >= IMPATIENT)
			die(sig);
		else
			frames_put_byte(&s->to, FRAME_SIGNAL, sig);
	}
	return rc;
}

static void take_input(struct session *s)
{
	char buf[FRAME_MAX];
	size_t max = s->credit < sizeof(buf) ? s->credit : sizeof(buf);
	ssize_t n = read(STDIN_FILENO, buf, max);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		n = 0;
	s->input = n > 0;
	s->credit -= (size_t)n;
	frames_put(&s->to, FRAME_INPUT, buf, (size_t)n);
}

static void take_frame(struct session *s, const struct frame *f)
{
	switch (f->type) {
	case FRAME_OUTPUT:
	case FRAME_ERROR:
		s->show = *f;
		s->shown = 0;
		break;
	case FRAME_TAKEN:
		if (f->len == 4)
			s->credit += frame_number(f->data, 4);
		break;
	case FRAME_WORDS:
		str_replace(&s->words, xstrndup((const char *)f->data, f->len));
		break;
	case FRAME_EXIT:
		s->status = f->len ? f->data[0] : 1;
		break;
	default: /* of a later slugrun */
		break;
	}
}

static bool is_showing(const struct session *s)
{
	return s->shown < s->show.len;
}

/* What has come, up to something that must be written out first. */
static int take_frames(struct session *s)
{
	struct frame f;
	int rc = 0;

	while (s->status < 0 && !is_showing(s) &&
	       (rc = frames_next(&s->from, &f)) > 0)
		take_frame(s, &f);
	return rc < 0 ? rc : 0;
}

static int show_to(const struct session *s)
{
	return s->show.type == FRAME_ERROR ? STDERR_FILENO : STDOUT_FILENO;
}

static int show(struct session *s)
{
	size_t left = s->show.len - s->shown;
	ssize_t n = write(show_to(s), s->show.data + s->shown,
			  left < PIECE ? left : PIECE);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return err_sys("cannot write the output");
	if (n > 0)
		s->shown += (size_t)n;
	return 0;
}

/* Sleep until something can be done, and do it. */
static int step(struct session *s)
{
	bool unsent = frames_waiting(&s->to) > 0;
	struct pollfd p[] = {
		{ s->signals, POLLIN, 0 },
		{ is_showing(s) && !unsent ? -1 : s->conn,
		  (short)((is_showing(s) ? 0 : POLLIN) |
			  (unsent ? POLLOUT : 0)),
		  0 },
		{ s->input && s->credit && !unsent ? STDIN_FILENO : -1, POLLIN,
		  0 },
		{ is_showing(s) ? show_to(s) : -1, POLLOUT, 0 },
	};
	int rc = 0;

	if (poll(p, 4, -1) < 0)
		return errno == EINTR ? 0 : err_sys("poll");
	if (p[0].revents)
		rc = take_signals(s);
	if (!rc && p[2].revents)
		take_input(s);
	if (!rc && p[3].revents)
		rc = show(s);
	if (!rc && p[1].revents && !is_showing(s) &&
	    frames_in_read(&s->from, s->conn) == 0)
		rc = err_set(ERR_UNAVAILABLE,
			     "The connection to the process broke.");
	if (!rc)
		rc = take_frames(s);
	/* That it is gone shows when it is read from: it may have said why. */
	if (!rc && frames_flush(&s->to, s->conn))
		frames_out_release(&s->to);
	return rc;
}

static int run(struct session *s)
{
	int rc = take_frames(s);

	while (!rc && (s->status < 0 || is_showing(s)))
		rc = step(s);
	return rc;
}

int attach(int conn, const char *early, size_t len, bool terminal, int *status)
{
	struct session s = { .conn = conn,
			     .signals = -1,
			     .terminal = terminal,
			     .input = true,
			     .credit = FRAME_CREDIT,
			     .status = -1 };
	sigset_t set, before;
	int rc = 0;

	choose_signals(&s, &set);
	sigprocmask(SIG_BLOCK, &set, &before);
	s.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s.signals < 0)
		rc = err_sys("signalfd");
	if (!rc && terminal)
		rc = terminal_raw();
	frames_in_take(&s.from, early, len);
	send_size(&s);
	if (!rc)
		rc = run(&s);
	terminal_restore();
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (s.words)
		rc = err_set(ERR_FAILED, "%s", s.words);
	*status = s.status;
	free(s.words);
	frames_in_release(&s.from);
	frames_out_release(&s.to);
	if (s.signals >= 0)
		close(s.signals);
	return rc;
}
