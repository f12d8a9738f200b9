/* SPDX-License-Identifier: ISC */
#include "oneoff.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "err.h"
#include "frames.h"
#include "mem.h"
#include "names.h"
#include "supervisor.h"

/* Seconds that a one-off process may live: a day, as Heroku has it. */
#define MAX_TIME 86400

/* Processes of all releases, down or not. */
static size_t count(const struct supervisor *s)
{
	const struct release *r;
	const struct process *p;
	size_t n = 0;

	for (p = TAILQ_FIRST(&s->running->processes); p;
	     p = TAILQ_NEXT(p, link))
		n++;
	for (r = TAILQ_FIRST(&s->leaving); r; r = TAILQ_NEXT(r, link))
		for (p = TAILQ_FIRST(&r->processes); p; p = TAILQ_NEXT(p, link))
			n++;
	return n;
}

/* A size of a terminal, as the variable that programs know. */
static int parse_size(json_t *env, const json_t *body, const char *key,
		      const char *variable)
{
	int64_t n = json_int(body, key, 0);
	char *text;

	if (n < 0 || n > UINT16_MAX)
		return err_set(ERR_INVALID, "%s is not 0 to %d", key,
			       UINT16_MAX);
	if (!n)
		return 0;
	text = xasprintf("%d", (int)n);
	json_object_set_new(env, variable, json_string(text));
	free(text);
	return 0;
}

static int parse_env(json_t *env, const json_t *body)
{
	json_t *given = json_object_get(body, "env");
	int rc;

	if (given && !json_is_null(given)) {
		rc = release_check_env(given, "env");
		if (rc)
			return rc;
		json_object_update(env, given);
	}
	rc = parse_size(env, body, "columns", "COLUMNS");
	if (!rc)
		rc = parse_size(env, body, "lines", "LINES");
	return rc;
}

static int parse_kind(struct process *p, const json_t *body)
{
	const char *type = json_str(body, "type", NULL);

	p->time_to_live = json_int(body, "time_to_live", MAX_TIME);
	if (p->time_to_live < 1 || p->time_to_live > MAX_TIME)
		return err_set(ERR_INVALID, "time_to_live is not 1 to %d",
			       MAX_TIME);
	if (type && name_check_process_type(type))
		return ERR_INVALID;
	if (type)
		str_replace(&p->type, xstrdup(type));
	return 0;
}

int oneoff_new(struct supervisor *s, const json_t *body, struct process **out)
{
	const char *command = json_str(body, "command", "");
	json_t *env = json_object();
	struct process *p;
	int rc;

	if (s->stopping)
		rc = err_set(ERR_UNAVAILABLE, "slugrun is stopping");
	else if (!s->running)
		rc = err_set(ERR_NOTFOUND, "no release runs");
	else if (!*command)
		rc = err_set(ERR_INVALID, "no command");
	else if (count(s) >= MAX_PROCESSES)
		rc = err_set(ERR_CONFLICT, "%d processes run already",
			     MAX_PROCESSES);
	else
		rc = parse_env(env, body);
	if (rc) {
		json_decref(env);
		return rc;
	}
	p = process_new(s->running, PROCESS_RUN, appdir_next_run(s), command);
	p->env = env;
	rc = parse_kind(p, body);
	if (rc) {
		process_free(p);
		return rc;
	}
	TAILQ_INSERT_TAIL(&s->running->processes, p, link);
	*out = p;
	return 0;
}

int oneoff_attach(struct process *p, struct http_request *req)
{
	enum process_state before = p->state;
	int ends[2];

	p->state = PROCESS_GONE;
	if (!http_wants_upgrade(req, FRAMES_PROTOCOL))
		return err_set(ERR_BADREQUEST,
			       "to be attached, ask for an upgrade of the "
			       "connection to " FRAMES_PROTOCOL);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return err_sys("socketpair");
	p->state = before;
	p->attached = true;
	p->client = ends[0];
	http_add_header(req, "Slugd-Dyno", p->name);
	http_reply_upgrade(req, FRAMES_PROTOCOL, frames_hand_on,
			   frames_to(ends[1]));
	return 0;
}

int oneoff_start(struct supervisor *s, struct process *p)
{
	if (process_start(p, &s->log))
		return err_set(ERR_INVALID, "%s %s", p->name, p->ending);
	return 0;
}
