/* SPDX-License-Identifier: ISC */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "lease.h"
#include "mem.h"
#include "proc.h"

#define MAX_COMPLAINT 4096UL
#define PIPE_READS    32 /* of 4 KiB: more than a pipe holds */
#define END_MS        10000

/* What a program says on one of its outputs: the first or last max bytes. */
struct ear {
	int fd; /* -1: closed */
	char *text;
	size_t len, max;
	bool last;
	bool over; /* it said more */
};

/* A program that runs. */
struct run {
	const struct program *program;
	pid_t pid;
	struct lease lease;
	struct ear answer, complaint;
	int in, out[2], errs[2];
	bool told; /* it may have got its order */
};

static void keep(struct ear *e, const char *buf, size_t n)
{
	size_t room = e->max - e->len;

	if (n > room) {
		e->over = true;
		if (e->last) {
			memmove(e->text, e->text + (n - room),
				e->len - (n - room));
			e->len -= n - room;
		} else {
			n = room;
		}
	}
	memcpy(e->text + e->len, buf, n);
	e->len += n;
	e->text[e->len] = '\0';
}

/* Read what is there; false where nothing is, now or ever. */
static bool hear(struct ear *e)
{
	char buf[4096];
	ssize_t n = e->fd < 0 ? 0 : read(e->fd, buf, sizeof(buf));

	if (n > 0)
		keep(e, buf, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		e->fd = -1;
	return n > 0;
}

static int is_over(const struct run *r)
{
	if (!r->answer.over)
		return 0;
	return err_set(ERR_FAILED, "it answered with more than %zu bytes",
		       r->answer.max);
}

/* Listen until the program has ended. */
static int listen_to(struct run *r)
{
	int64_t end = clock_mono_ms() + r->program->timeout * 1000;
	int i;

	for (;;) {
		struct pollfd p[] = { { r->lease.fd, POLLIN, 0 },
				      { r->answer.fd, POLLIN, 0 },
				      { r->complaint.fd, POLLIN, 0 } };
		int64_t left = end - clock_mono_ms();

		if (left <= 0)
			return err_set(ERR_FAILED,
				       "it did not end within %" PRId64
				       " seconds",
				       r->program->timeout);
		if (poll(p, 3, (int)(left < 1000 ? left : 1000)) <= 0)
			continue;
		if (p[1].revents)
			hear(&r->answer);
		if (p[2].revents)
			hear(&r->complaint);
		if (is_over(r))
			return ERR_FAILED;
		if (p[0].revents)
			break;
	}
	/* What else is in the pipes, whoever still has their other ends. */
	for (i = 0; i < PIPE_READS && hear(&r->answer); i++)
		;
	for (i = 0; i < PIPE_READS && hear(&r->complaint); i++)
		;
	return is_over(r);
}

/* Write down who runs. */
static int write_record(const struct run *r)
{
	char *text = NULL;
	int rc = lease_text(&r->lease, &text);
	FILE *f = rc ? NULL : fopen(r->program->record, "we");

	if (rc)
		return rc;
	if (!f)
		rc = err_sys("%s", r->program->record);
	if (f && (fputs(text, f) < 0) | fclose(f))
		rc = err_sys("%s", r->program->record);
	free(text);
	return rc;
}

/*
 * The order goes into the pipe in one piece, so that nobody waits for
 * anybody; a program that does not read it, is none the worse for that.
 */
static int give_order(const struct run *r)
{
	const char *order = r->program->order;
	size_t len = strlen(order);

	if (len > 65536 && fcntl(r->in, F_SETPIPE_SZ, (int)len) < 0)
		return err_sys("the order for it");
	if (write(r->in, order, len) != (ssize_t)len && errno != EPIPE)
		return err_sys("the order for it");
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Start it, with nothing on its standard input yet. */
static int start(struct run *r)
{
	const struct program *p = r->program;
	const char *argv[] = { p->path, p->argument, NULL };
	struct proc_spec spec = {
		.argv = argv, .env = p->env, .dir = p->dir, .session = true
	};
	int in[2], rc;

	if (pipe2(in, O_CLOEXEC))
		return err_sys("pipe");
	r->in = in[1];
	if (pipe2(r->out, O_CLOEXEC) || pipe2(r->errs, O_CLOEXEC) ||
	    fcntl(r->out[0], F_SETFL, O_NONBLOCK) ||
	    fcntl(r->errs[0], F_SETFL, O_NONBLOCK) ||
	    fcntl(r->in, F_SETFL, O_NONBLOCK)) {
		rc = err_sys("pipe");
	} else {
		spec.in = in[0];
		spec.out = r->out[1];
		spec.err = r->errs[1];
		r->answer.fd = r->out[0];
		r->complaint.fd = r->errs[0];
		rc = proc_spawn(&r->pid, &spec);
	}
	close(in[0]);
	close_fd(&r->out[1]);
	close_fd(&r->errs[1]);
	return rc;
}

/*
 * Wait for it; where something went wrong, before or now, what is left of
 * its session ends with it.
 */
static int end(struct run *r, int rc)
{
	siginfo_t info = { 0 };
	char *why = xstrdup(err_msg());
	int ended;

	if (rc || waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOWAIT) ||
	    info.si_code != CLD_EXITED || info.si_status)
		kill(-r->pid, SIGKILL);
	ended = proc_wait(r->pid, "it");
	if (rc)
		err_set(rc, "%s", why);
	free(why);
	return rc ? rc : ended;
}

/* It gets its order only once it can be found again. */
static int converse(struct run *r)
{
	int rc = lease_child(&r->lease, r->pid);

	if (!rc)
		rc = write_record(r);
	if (!rc) {
		r->told = true;
		rc = give_order(r);
	}
	close_fd(&r->in);
	if (!rc)
		rc = listen_to(r);
	return end(r, rc);
}

int program_run(const struct program *p, struct program_said *said)
{
	struct run r = {
		.program = p,
		.lease = { .fd = -1 },
		.answer = { .fd = -1, .max = p->max_answer },
		.complaint = { .fd = -1, .max = MAX_COMPLAINT, .last = true },
		.in = -1,
		.out = { -1, -1 },
		.errs = { -1, -1 },
	};
	size_t i;
	int rc;

	r.answer.text = xcalloc(1, r.answer.max + 1);
	r.complaint.text = xcalloc(1, r.complaint.max + 1);
	rc = program_end(p->record);
	if (!rc) {
		rc = start(&r);
		if (!rc)
			rc = converse(&r);
		unlink(p->record);
	}
	close_fd(&r.in);
	close_fd(&r.out[0]);
	close_fd(&r.errs[0]);
	lease_release(&r.lease);
	for (i = 0; i < r.complaint.len; i++)
		if (!r.complaint.text[i])
			r.complaint.text[i] = ' ';
	said->told = r.told;
	said->answer = r.answer.text;
	said->len = r.answer.len;
	said->complaint = r.complaint.text;
	return rc;
}

void program_said_clear(struct program_said *said)
{
	if (said->answer)
		explicit_bzero(said->answer, said->len);
	free(said->answer);
	free(said->complaint);
	memset(said, 0, sizeof(*said));
}

/* The process that record tells of, into *l; over where there is none. */
static int read_record(const char *record, struct lease *l)
{
	char text[256] = "";
	FILE *f = fopen(record, "re");
	bool failed;

	if (!f)
		return errno == ENOENT ? 0 : err_sys("%s", record);
	failed = !fgets(text, sizeof(text), f) && ferror(f);
	fclose(f);
	if (failed)
		return err_set(ERR_SYSTEM, "%s: cannot be read", record);
	lease_restore(l, text);
	return 0;
}

int program_end(const char *record)
{
	struct lease l = { .fd = -1 };
	struct pollfd p;
	int rc = read_record(record, &l);

	/* The pid stands for its session as long as it lives. */
	if (!rc && !lease_is_over(&l)) {
		p = (struct pollfd){ l.fd, POLLIN, 0 };
		if (l.unknown)
			rc = err_set(ERR_SYSTEM,
				     "it may still run for the order before: "
				     "process %d cannot be looked at",
				     (int)l.pid);
		else if (!kill(-l.pid, SIGKILL))
			(void)!poll(&p, 1, END_MS);
	}
	lease_release(&l);
	if (!rc)
		unlink(record);
	return rc;
}
