/* SPDX-License-Identifier: ISC */
#include "helper.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"
#include "log.h"
#include "proc.h"

int helper_start(struct helper *h, const char *const *argv,
		 void (*done)(void *ctx, int rc), void *ctx)
{
	struct proc_spec spec = { .argv = argv, .session = true };
	int fds[2], rc;

	if (pipe2(fds, O_CLOEXEC))
		return err_sys("pipe");
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	spec.err = fds[1];
	rc = proc_spawn(&h->pid, &spec);
	close(fds[1]);
	if (rc) {
		close(fds[0]);
		h->pid = 0;
		return rc;
	}
	h->fd = fds[0];
	h->len = 0;
	h->done = done;
	h->ctx = ctx;
	return 0;
}

void helper_read(struct helper *h)
{
	char more[1024];
	size_t room;
	ssize_t n;

	while (h->fd >= 0 && (n = read(h->fd, more, sizeof(more))) >= 0) {
		room = sizeof(h->text) - 1 - h->len;
		if ((size_t)n < room)
			room = (size_t)n;
		memcpy(h->text + h->len, more, room);
		h->len += room;
		if (n == 0) {
			close(h->fd);
			h->fd = -1;
		}
	}
}

static void reap(struct helper *h)
{
	helper_read(h);
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
	waitpid(h->pid, NULL, 0);
	h->pid = 0;
}

/*
 * What it said goes to the log; but the last line, where it failed, comes
 * back, borrowed from h.
 */
static const char *tell(struct helper *h, bool failed)
{
	char *line, *next = h->text, *words;

	h->text[h->len] = '\0';
	while ((line = next) && *line) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		words = strstr(line, ": ");
		words = words ? words + 2 : line;
		if (failed && (!next || !*next))
			return words;
		log_line("%s", words);
	}
	return "it said nothing";
}

void helper_ended(struct helper *h, const siginfo_t *info)
{
	bool failed = info->si_code == CLD_EXITED && info->si_status;
	const char *words;
	int rc = 0;

	reap(h);
	words = tell(h, failed);
	if (info->si_code != CLD_EXITED)
		rc = err_set(ERR_FAILED, "the helper was ended by signal %d",
			     info->si_status);
	else if (failed)
		rc = err_set(ERR_FAILED, "%s", words);
	h->done(h->ctx, rc);
}

void helper_kill(struct helper *h)
{
	if (!h->pid)
		return;
	kill(h->pid, SIGKILL);
	reap(h);
}
