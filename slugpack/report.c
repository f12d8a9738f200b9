/* SPDX-License-Identifier: ISC */
#include "report.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "output.h"
#include "stuck.h"
#include "text.h"

static const char *error_id(int code)
{
	static const struct {
		int code;
		const char *id;
	} ids[] = {
		{ ERR_NOTFOUND, "not_found" },
		{ ERR_INVALID, "invalid_params" },
		{ ERR_TOOBIG, "too_large" },
	};
	size_t i;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (ids[i].code == code)
			return ids[i].id;
	return "internal_server_error";
}

static json_t *slug_json(const struct slug *s)
{
	return json_make("{s:s, s:s, s:O, s:I, s:I, s:I, s:I, s:O}", "commit",
			 s->commit, "commit_description", s->subject,
			 "process_types", s->types, "size", (json_int_t)s->size,
			 "tree_size", (json_int_t)s->tree_size, "entries",
			 (json_int_t)s->entries, "stored",
			 (json_int_t)s->stored, "notices", s->notices);
}

static json_t *error_json(int code)
{
	/* A message may have a file's name, which need not be UTF-8. */
	char *message = text_escape(err_msg());
	json_t *v = json_make("{s:{s:s, s:s}}", "error", "id", error_id(code),
			      "message", message);

	free(message);
	return v;
}

int report_write(int fd, int rc, const struct slug *s)
{
	json_t *v = rc ? error_json(rc) : slug_json(s);
	char *text = json_text(v), *line = xasprintf("%s\n", text);

	rc = write_all(fd, line, strlen(line), "the report");
	free(line);
	free(text);
	json_decref(v);
	return rc;
}

/* What a signal handler can do without is made before. */
#define STUCK                                                                  \
 "an object of the repository is cut off; git fsck --full says "               \
 "which one"

#define LATE "slugpack took longer than max_time allows"

static int stuck_fd = -1;

static void say(int fd, const char *line)
{
	ssize_t n = write(fd, line, strlen(line));

	(void)n;
}

static void end_with(const char *plain, const char *json)
{
	say(STDERR_FILENO, plain);
	if (stuck_fd >= 0)
		say(stuck_fd, json);
	_exit(EXIT_FAILURE);
}

#define REPORT(id, message)                                                    \
 "{\"error\": {\"id\": \"" id "\", \"message\": \"" message "\"}}\n"

static void on_late(int sig)
{
	(void)sig;
	end_with(" !    " LATE "\n", REPORT("too_large", LATE));
}

static void on_stuck(int sig)
{
	(void)sig;
	/* It reads atomic numbers. NOLINTNEXTLINE(*-signal-handler,*-sig30-c) */
	if (!stuck_is())
		return;
	end_with(" !    " STUCK "\n", REPORT("internal_server_error", STUCK));
}

void report_when_stuck(int fd)
{
	stuck_fd = fd;
	signal(SIGVTALRM, on_stuck);
}

void report_when_late(unsigned seconds)
{
	sigset_t set;

	/* Whoever started slugpack may have blocked it. */
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGALRM, on_late);
	alarm(seconds);
}
