/* SPDX-License-Identifier: ISC */
#include "change.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "formation.h"
#include "launch.h"
#include "mem.h"
#include "supervisor.h"
#include "traffic.h"

/* As in launch.c. */
#define TAIL_MAX 1500

/* Is there something to change, and nothing in the way? */
static int may_change(const struct supervisor *s)
{
	if (s->stopping)
		return err_set(ERR_UNAVAILABLE, "slugrun is stopping");
	if (!s->running)
		return err_set(ERR_NOTFOUND, "no release runs");
	if (launch_is_busy(s))
		return err_set(ERR_CONFLICT, "a release is being launched");
	if (s->change_req)
		return err_set(ERR_CONFLICT, "the processes are being changed");
	return 0;
}

/* The name in a body, or NULL for none into *name. Errors: ERR_INVALID. */
static int parse_name(const json_t *body, const char **name)
{
	const json_t *v = json_object_get(body, "name");

	*name = json_string_value(v);
	if (v && !json_is_null(v) && !*name)
		return err_set(ERR_INVALID, "name is no string");
	return 0;
}

/* Does that name (NULL: of all), a type's or a process's, mean p? */
static bool is_meant(const struct process *p, const char *name)
{
	return !name || !strcmp(p->name, name) || !strcmp(p->type, name);
}

static void start(struct supervisor *s, struct process *p)
{
	p->fresh = true;
	/* Where it fails it is crashed, which change_tick() sees. */
	process_start(p, &s->log);
}

void change_start(struct supervisor *s)
{
	struct process *p;

	for (p = TAILQ_FIRST(&s->running->processes); p;
	     p = TAILQ_NEXT(p, link))
		if (p->state == PROCESS_NEW && !p->leaving)
			start(s, p);
	route_refresh(s);
}

int change_scale(struct supervisor *s, struct http_request *req)
{
	const json_t *types = json_object_get(req->body, "processes");
	struct release *wanted = NULL;
	int rc = may_change(s);

	if (!rc)
		rc = release_parse_formation(&wanted, types, s->running);
	if (!rc)
		rc = formation_check(s->running, wanted, types);
	if (!rc)
		rc = traffic_open(s, wanted);
	if (!rc) {
		formation_adopt(s->running, wanted, types);
		s->change_req = req;
		change_start(s);
		rc = HTTP_LATER;
	}
	release_free(wanted);
	return rc;
}

/* Another process in place of p, of the running release. */
static void restart(struct supervisor *s, struct process *p)
{
	struct process *twin;

	switch (p->state) {
	case PROCESS_UP:
	case PROCESS_ENDING: /* it was stopped */
		p->stays = false;
		twin = process_new(p->release, p->type, p->nth, p->command);
		TAILQ_INSERT_AFTER(&s->running->processes, p, twin, link);
		break;
	case PROCESS_CRASHED:
	case PROCESS_GONE:
		start(s, p);
		break;
	case PROCESS_NEW:
	case PROCESS_STARTING:
		p->fresh = true;
		break;
	}
}

int change_restart(struct supervisor *s, struct http_request *req)
{
	const json_t *fences = json_object_get(req->body, "fences");
	const char *name = NULL;
	struct process *p, *next;
	bool any = false;
	int rc = may_change(s);

	if (!rc)
		rc = parse_name(req->body, &name);
	if (!rc && json_is_object(fences))
		rc = release_change_fences(s->running, fences);
	if (rc)
		return rc;
	applog_limit(&s->log, s->running->log_size);
	for (p = TAILQ_FIRST(&s->running->processes); p; p = next) {
		next = TAILQ_NEXT(p, link);
		if (!process_counts(p) || !is_meant(p, name))
			continue;
		any = true;
		restart(s, p);
	}
	if (!any && name)
		return err_set(ERR_NOTFOUND, "no process %s", name);
	s->change_req = req;
	change_start(s);
	return HTTP_LATER;
}

static bool stop_in(struct release *r, const char *name)
{
	struct process *p;
	bool any = false;

	for (p = TAILQ_FIRST(&r->processes); p; p = TAILQ_NEXT(p, link)) {
		if (!is_meant(p, name) || (!p->oneoff && !process_counts(p)))
			continue;
		p->stays = !p->oneoff;
		process_leave(p);
		any = true;
	}
	return any;
}

int change_stop(struct supervisor *s, struct http_request *req)
{
	const char *name = NULL;
	struct release *r;
	bool any = false;
	int rc = parse_name(req->body, &name);

	if (!rc && !name)
		rc = err_set(ERR_INVALID, "no name");
	if (rc)
		return rc;
	if (s->running)
		any = stop_in(s->running, name);
	/* One-off processes alone are left there. */
	for (r = TAILQ_FIRST(&s->leaving); r; r = TAILQ_NEXT(r, link))
		any = stop_in(r, name) || any;
	if (!any)
		return err_set(ERR_NOTFOUND, "no process %s", name);
	route_refresh(s);
	req->reply = json_make("{s:s}", "status", "stopping");
	return 0;
}

/* A fresh process is up: the one in whose place it is goes. */
static void came_up(struct supervisor *s, struct process *p)
{
	struct process *old = formation_find(s->running, p->name, p);

	p->fresh = false;
	if (old)
		process_leave(old);
	route_refresh(s);
}

/* A fresh one could not. Without another one of its name it is tried on. */
static void failed(struct supervisor *s, struct process *p)
{
	char *tail = lines_text(&p->out.lines, TAIL_MAX);
	size_t len = strlen(tail);

	p->fresh = false;
	if (len)
		tail[len - 1] = '\0';
	str_replace(&s->change_error, xasprintf("%s %s%s%s", p->name, p->ending,
						len ? "\n" : "", tail));
	free(tail);
	if (formation_find(s->running, p->name, p))
		process_leave(p);
}

void change_end(struct supervisor *s, const char *why)
{
	struct http_request *req = s->change_req;
	int rc = 0;

	s->change_req = NULL;
	if (why)
		rc = err_set(ERR_CONFLICT, "%s", why);
	else if (s->change_error)
		rc = err_set(ERR_INVALID, "%s", s->change_error);
	str_replace(&s->change_error, NULL);
	if (!req)
		return;
	if (!rc)
		req->reply = json_make("{s:s}", "status", "up");
	http_finish(req, rc);
}

void change_tick(struct supervisor *s)
{
	bool waiting = false;
	struct process *p;

	if (!s->running)
		return;
	for (p = TAILQ_FIRST(&s->running->processes); p;
	     p = TAILQ_NEXT(p, link)) {
		if (!p->fresh)
			continue;
		if (p->leaving || p->state == PROCESS_GONE)
			p->fresh = false; /* something else came of it */
		else if (p->state == PROCESS_UP)
			came_up(s, p);
		else if (p->state == PROCESS_CRASHED)
			failed(s, p);
		else
			waiting = true;
	}
	if (!waiting && s->change_req)
		change_end(s, NULL);
}
