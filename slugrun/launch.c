/* SPDX-License-Identifier: ISC */
#include "supervisor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "err.h"
#include "log.h"
#include "mem.h"
#include "strays.h"

/*
 * What a failed launch says fits into an error of common/err.h with the
 * words before it.
 */
#define TAIL_MAX 1500

/*
 *	waiting -> unpacking -> starting -> (up)
 *	any of them -> failing -> cleaning -> (failed)
 */
enum launch_step {
	LAUNCH_WAITING, /* for another helper */
	LAUNCH_UNPACKING,
	LAUNCH_STARTING,
	LAUNCH_FAILING,  /* waiting for its processes to be gone */
	LAUNCH_CLEANING, /* waiting for its folder to be gone */
};

struct launch {
	struct release *release;
	struct http_request *req;
	enum launch_step step;
	char *error;
	int code;
};

struct release *launch_release(const struct supervisor *s)
{
	return s->launch ? s->launch->release : NULL;
}

int launch_begin(struct supervisor *s, struct release *r,
		 struct http_request *req)
{
	if (s->stopping)
		return err_set(ERR_UNAVAILABLE, "slugrun is stopping");
	if (s->launch)
		return err_set(ERR_CONFLICT, "v%" PRId64 " is being launched",
			       s->launch->release->version);
	s->launch = xcalloc(1, sizeof(*s->launch));
	s->launch->release = r;
	s->launch->req = req;
	log_line("launching v%" PRId64, r->version);
	return 0;
}

/* End the launch; req is answered. */
static void finish(struct supervisor *s)
{
	struct launch *l = s->launch;
	int rc = 0;

	s->launch = NULL;
	if (l->error)
		rc = err_set(l->code, "%s", l->error);
	http_finish(l->req, rc);
	free(l->error);
	free(l);
}

/* The launch failed, with the message of this thread. */
static void fail(struct supervisor *s, int code)
{
	struct launch *l = s->launch;
	struct process *p;

	l->code = code;
	str_replace(&l->error, xstrdup(err_msg()));
	log_line("v%" PRId64 " failed: %.*s", l->release->version,
		 (int)strcspn(l->error, "\n"), l->error);
	for (p = TAILQ_FIRST(&l->release->processes); p;
	     p = TAILQ_NEXT(p, link))
		process_kill(p, &s->log);
	l->step = LAUNCH_FAILING;
}

/* The same for its process p, with what that said last. */
static void fail_by(struct supervisor *s, const struct process *p)
{
	char *tail = output_tail(&p->out, TAIL_MAX);
	const char *when =
		p->web ? " before it answered" : " right after its start";
	size_t len = strlen(tail);

	if (len)
		tail[len - 1] = '\0';
	if (p->late || !p->reaped)
		when = "";
	err_set(ERR_INVALID, "%s %s%s%s%s", p->name,
		p->ending ? p->ending : "failed", when, len ? "\n" : "", tail);
	free(tail);
	fail(s, ERR_INVALID);
}

/* All processes of r are gone but such as left their groups. */
static void end_strays(const struct supervisor *s, const struct release *r)
{
	unsigned n = 0;

	if (!s->running || s->running->version != r->version)
		n = strays_kill(s->dir, r->version);
	if (n)
		log_line("v%" PRId64 " left %u processes: killed", r->version,
			 n);
}

static void start_all(struct supervisor *s)
{
	struct launch *l = s->launch;
	struct process *p;

	l->step = LAUNCH_STARTING;
	for (p = TAILQ_FIRST(&l->release->processes); p;
	     p = TAILQ_NEXT(p, link)) {
		if (process_start(p, &s->log)) {
			fail_by(s, p);
			return;
		}
	}
}

static void unpacked(void *ctx, int rc)
{
	struct supervisor *s = ctx;

	if (!s->launch || s->launch->step != LAUNCH_UNPACKING)
		return;
	if (rc)
		fail(s, ERR_INVALID);
	else
		start_all(s);
}

static void unpack(struct supervisor *s)
{
	struct launch *l = s->launch;
	bool there;
	int rc;

	l->step = LAUNCH_UNPACKING;
	rc = trees_get(s, l->release, &there, unpacked);
	if (rc)
		fail(s, rc);
	else if (there)
		start_all(s);
}

void route_refresh(struct supervisor *s)
{
	struct route_server *v = NULL;
	struct process *p;
	size_t n = 0;

	if (!s->route || !s->running)
		return;
	for (p = TAILQ_FIRST(&s->running->processes); p;
	     p = TAILQ_NEXT(p, link)) {
		if (!p->web || p->state != PROCESS_UP)
			continue;
		v = xrealloc(v, n + 1, sizeof(*v));
		v[n].name = p->name;
		v[n].pid = p->pid;
		v[n++].port = p->port.port;
	}
	route_point(s->route, v, n);
	free(v);
}

/* The traffic's way to release r: *out, which may be the one there is. */
static int route_for(struct supervisor *s, const struct release *r,
		     struct route **out)
{
	*out = NULL;
	if (!r->listen)
		return 0;
	if (s->route && route_fits(s->route, r->route, r->listen)) {
		*out = s->route;
		return 0;
	}
	return route_open(out, r->route, r->listen);
}

/* All of its processes are up: it becomes the running release. */
static void take_over(struct supervisor *s)
{
	struct launch *l = s->launch;
	struct release *old = s->running;
	struct route *route;

	if (route_for(s, l->release, &route)) {
		fail(s, ERR_INVALID);
		return;
	}
	s->running = l->release;
	if (old)
		old->left_at = clock_mono_ms();
	if (old && s->route && s->route != route) {
		route_refuse(s->route);
		old->old_route = s->route;
	}
	s->route = route;
	route_refresh(s);
	if (old) {
		TAILQ_INSERT_TAIL(&s->leaving, old, link);
		if (strcmp(old->dir, s->running->dir) != 0)
			trees_note_before(s, old);
	}
	s->want_prune = true;
	log_line("v%" PRId64 " is up", s->running->version);
	l->req->reply =
		json_make("{s:I, s:s}", "version",
			  (json_int_t)s->running->version, "status", "up");
	finish(s);
}

static void step_starting(struct supervisor *s)
{
	struct launch *l = s->launch;
	struct process *p;
	bool all_up = true;

	for (p = TAILQ_FIRST(&l->release->processes); p;
	     p = TAILQ_NEXT(p, link)) {
		if (p->state == PROCESS_STARTING)
			process_tick(p, &s->log);
		if (p->state == PROCESS_CRASHED) {
			fail_by(s, p);
			return;
		}
		all_up = all_up && p->state == PROCESS_UP;
	}
	if (all_up)
		take_over(s);
}

static void step_failing(struct supervisor *s)
{
	struct launch *l = s->launch;
	struct process *p;
	bool gone = true;

	for (p = TAILQ_FIRST(&l->release->processes); p;
	     p = TAILQ_NEXT(p, link)) {
		process_tick(p, &s->log);
		gone = gone && p->state == PROCESS_GONE;
	}
	if (!gone || s->helper.pid)
		return;
	end_strays(s, l->release);
	release_free(l->release);
	l->release = NULL;
	l->step = LAUNCH_CLEANING;
	trees_prune(s);
}

void launch_tick(struct supervisor *s)
{
	if (!s->launch)
		return;
	switch (s->launch->step) {
	case LAUNCH_WAITING:
		if (!s->helper.pid)
			unpack(s);
		break;
	case LAUNCH_UNPACKING:
		break;
	case LAUNCH_STARTING:
		step_starting(s);
		break;
	case LAUNCH_FAILING:
		step_failing(s);
		break;
	case LAUNCH_CLEANING:
		if (!s->helper.pid)
			finish(s);
		break;
	}
}

void launch_abort(struct supervisor *s, const char *why)
{
	if (!s->launch || s->launch->step >= LAUNCH_FAILING)
		return;
	err_set(ERR_UNAVAILABLE, "%s", why);
	if (s->launch->step == LAUNCH_UNPACKING)
		helper_kill(&s->helper);
	fail(s, ERR_UNAVAILABLE);
}

/* May the old web process p be told to end, as to its connections? */
static bool is_drained(struct supervisor *s, const struct release *r,
		       const struct process *p)
{
	struct route *route = r->old_route ? r->old_route : s->route;

	return s->stopping || !p->web || !route ||
	       clock_mono_ms() - r->left_at >=
		       route_drain_ms(route, r->grace) ||
	       !route_is_busy(route, p->port.port);
}

void leaving_tick(struct supervisor *s)
{
	struct release *r, *next;
	struct process *p;
	bool gone;

	for (r = TAILQ_FIRST(&s->leaving); r; r = next) {
		next = TAILQ_NEXT(r, link);
		gone = true;
		for (p = TAILQ_FIRST(&r->processes); p;
		     p = TAILQ_NEXT(p, link)) {
			if (p->state < PROCESS_ENDING && is_drained(s, r, p))
				process_stop(p, &s->log);
			if (p->state == PROCESS_ENDING)
				process_tick(p, &s->log);
			gone = gone && p->state == PROCESS_GONE;
		}
		if (!gone)
			continue;
		TAILQ_REMOVE(&s->leaving, r, link);
		end_strays(s, r);
		release_free(r);
		s->want_prune = true;
	}
}
