/* SPDX-License-Identifier: ISC */
#include "launch.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "change.h"
#include "clock.h"
#include "err.h"
#include "formation.h"
#include "log.h"
#include "mem.h"
#include "runnable.h"
#include "supervisor.h"
#include "traffic.h"

#define SOON_MS 20

/*
 * What a failed launch says fits into an error of common/err.h with the
 * words before it.
 */
#define TAIL_MAX 1500

/* Requests that wait for one launch. */
#define MAX_WAITERS 16

enum launch_step {
	LAUNCH_WAITING, /* for another helper */
	LAUNCH_UNPACKING,
	LAUNCH_RELEASING, /* its release command runs */
	LAUNCH_STARTING,
	LAUNCH_TRIAL,    /* its web processes are up: waiting for the order */
	LAUNCH_FAILING,  /* waiting for its processes to be gone */
	LAUNCH_CLEANING, /* waiting for its folder to be gone */
};

struct launch {
	struct release *release;
	enum launch_step step;
	bool trial; /* the web processes alone, so far */
	struct process *command;
	int64_t deadline; /* of the release command, or the trial */
	struct http_request *waiter[MAX_WAITERS];
	size_t nr_waiters;
	struct http_request *ender[MAX_WAITERS]; /* who wants its end */
	size_t nr_enders;
	char *error;
	int code;
};

struct release *launch_release(const struct supervisor *s)
{
	return s->launch ? s->launch->release : NULL;
}

const struct release *launch_trial(const struct supervisor *s)
{
	const struct launch *l = s->launch;

	return l && l->step == LAUNCH_TRIAL ? l->release : NULL;
}

bool launch_is_busy(const struct supervisor *s)
{
	return s->launch && s->launch->step != LAUNCH_TRIAL;
}

/* The process that it waits for; NULL: none. */
static const struct process *not_up(const struct launch *l)
{
	const struct process *p;

	for (p = TAILQ_FIRST(&l->release->processes); p;
	     p = TAILQ_NEXT(p, link))
		if (process_counts(p) && (p->web || !l->trial) &&
		    p->state != PROCESS_UP)
			return p;
	return NULL;
}

static char *waiting_for_start(const struct launch *l)
{
	const struct process *p = not_up(l);
	const char *check = l->release->check;

	if (!p)
		return NULL;
	if (!p->web || !p->port.port)
		return xasprintf("%s to start", p->name);
	if (check)
		return xasprintf("%s to answer GET %s on port %u", p->name,
				 check, p->port.port);
	return xasprintf("%s to answer on port %u", p->name, p->port.port);
}

char *launch_waiting(const struct supervisor *s)
{
	const struct launch *l = s->launch;

	if (!l)
		return NULL;
	switch (l->step) {
	case LAUNCH_WAITING:
	case LAUNCH_UNPACKING:
		return xstrdup("the slug to be unpacked");
	case LAUNCH_RELEASING:
		return xstrdup("the release command to end");
	case LAUNCH_STARTING:
		return waiting_for_start(l);
	case LAUNCH_FAILING:
	case LAUNCH_CLEANING:
		return xstrdup("what was started to end");
	case LAUNCH_TRIAL:
		break;
	}
	return NULL;
}

/* Answer all who wait, who may read the log then: status, or the error. */
static void answer(struct supervisor *s, struct launch *l, const char *status)
{
	struct http_request *req;
	int rc = 0;

	applog_flush(&s->log);
	while (l->nr_waiters) {
		req = l->waiter[--l->nr_waiters];
		if (l->error)
			rc = err_set(l->code, "%s", l->error);
		else
			req->reply = json_make("{s:I, s:s}", "version",
					       (json_int_t)l->release->version,
					       "status", status);
		http_finish(req, rc);
	}
	while (l->nr_enders) {
		req = l->ender[--l->nr_enders];
		req->reply = json_make("{s:s}", "status", "ended");
		http_finish(req, 0);
	}
}

static struct launch *launch_new(struct release *r, struct http_request *req)
{
	struct launch *l = xcalloc(1, sizeof(*l));

	l->release = r;
	l->trial = r->trial;
	l->waiter[l->nr_waiters++] = req;
	return l;
}

/* Its processes bind no port of slugd's but their own, where that is to be
   had: root's apps have users of their own then. */
static void fence_ports(struct supervisor *s, struct release *r)
{
	if (r->uid < 0 || !r->port_first)
		return;
	if (bind_fence_guard(&s->fence, r->port_first, r->port_last))
		log_line("ports are not fenced: %s", err_msg());
	if (bind_fence_holds(&s->fence))
		r->fence = &s->fence;
}

static void begin(struct supervisor *s, struct launch *l)
{
	struct release *r = l->release;

	s->launch = l;
	fence_ports(s, r);
	applog_limit(&s->log, r->log_size);
	capture_free(s->capture);
	s->capture = capture_new(r->version, s->dir_fd);
	if (!r->release_command)
		capture_end(s->capture);
	log_line("%s v%" PRId64, l->trial ? "trying" : "launching", r->version);
}

/* It is over, and who waits has been answered: on with the next. */
static void finish(struct supervisor *s)
{
	struct launch *l = s->launch, *next = s->next;

	s->launch = s->next = NULL;
	free(l->error);
	free(l);
	/* An order is large, and may be the last one for long. */
	malloc_trim(0);
	if (next)
		begin(s, next);
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
	capture_end(s->capture);
	l->command = NULL;
	for (p = TAILQ_FIRST(&l->release->processes); p;
	     p = TAILQ_NEXT(p, link)) {
		process_leave(p);
		process_stop(p, &s->log);
	}
	l->step = LAUNCH_FAILING;
}

/* The same with these words, and with what p said last. */
static void fail_with(struct supervisor *s, const struct process *p,
		      char *words)
{
	char *tail = lines_text(&p->out.lines, TAIL_MAX);
	size_t len = strlen(tail);

	if (len)
		tail[len - 1] = '\0';
	err_set(ERR_INVALID, "%s%s%s", words, len ? "\n" : "", tail);
	free(tail);
	free(words);
	fail(s, ERR_INVALID);
}

static void fail_by(struct supervisor *s, const struct process *p)
{
	const char *when =
		p->web ? " before it answered" : " right after its start";
	char *hint = NULL;

	if (p->late || !p->reaped)
		when = "";
	if (!p->web && p->reaped && !p->status)
		hint = xasprintf("; it is to run until it is stopped. To have "
				 "none: git heroku ps:scale %s=0",
				 p->type);
	fail_with(s, p,
		  xasprintf("%s %s%s%s", p->name,
			    p->ending ? p->ending : "failed", when,
			    hint ? hint : ""));
	free(hint);
}

/* Start what is to be started and is not yet. */
static void start_all(struct supervisor *s)
{
	struct launch *l = s->launch;
	struct process *p;

	l->step = LAUNCH_STARTING;
	for (p = TAILQ_FIRST(&l->release->processes); p;
	     p = TAILQ_NEXT(p, link)) {
		if (p->state != PROCESS_NEW || p->leaving ||
		    (l->trial && !p->web))
			continue;
		if (process_start(p, &s->log)) {
			fail_by(s, p);
			return;
		}
	}
}

/* Is one of the processes sure not to start? */
static int check_processes(const struct release *r)
{
	const struct process *p;
	int rc = 0;

	for (p = TAILQ_FIRST(&r->processes); p && !rc; p = TAILQ_NEXT(p, link))
		if (p->state == PROCESS_NEW && !p->leaving)
			rc = runnable_check(r->dir, p->name, p->command);
	return rc;
}

/* The tree is there: the release command, or at once the processes. */
static void prepare(struct supervisor *s)
{
	struct launch *l = s->launch;
	struct release *r = l->release;

	if (check_processes(r)) {
		fail(s, ERR_INVALID);
		return;
	}
	if (!r->release_command) {
		start_all(s);
		return;
	}
	l->step = LAUNCH_RELEASING;
	l->deadline = clock_mono_ms() + r->release_timeout * 1000;
	l->command = process_new(r, PROCESS_RELEASE, 1, r->release_command);
	l->command->out.copy = s->capture;
	TAILQ_INSERT_HEAD(&r->processes, l->command, link);
	if (process_start(l->command, &s->log))
		fail_by(s, l->command);
}

static void unpacked(void *ctx, int rc)
{
	struct supervisor *s = ctx;

	if (!s->launch || s->launch->step != LAUNCH_UNPACKING)
		return;
	if (rc)
		fail(s, ERR_INVALID);
	else
		prepare(s);
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
		prepare(s);
}

/* Is the release command done? */
static void step_releasing(struct supervisor *s)
{
	struct launch *l = s->launch;
	struct process *p = l->command;
	const struct release *r = l->release;

	if (p->state == PROCESS_GONE && p->status) {
		fail_with(s, p, xasprintf("the release command %s", p->ending));
	} else if (p->state == PROCESS_GONE) {
		capture_end(s->capture);
		l->command = NULL;
		TAILQ_REMOVE(&l->release->processes, p, link);
		process_free(p);
		start_all(s);
	} else if (clock_mono_ms() >= l->deadline) {
		fail_with(s, p,
			  xasprintf("the release command did not end within "
				    "%" PRId64 " second%s",
				    r->release_timeout,
				    r->release_timeout == 1 ? "" : "s"));
	}
}

/* What the order has for the log. */
static void note_events(struct supervisor *s, const struct release *r)
{
	const char *line;
	size_t i;

	for (i = 0; i < json_array_size(r->events); i++) {
		line = json_string_value(json_array_get(r->events, i));
		if (line)
			applog_printf(&s->log, "api", "%s", line);
	}
}

/* All of its processes are up: it becomes the running release. */
static void take_over(struct supervisor *s)
{
	struct launch *l = s->launch;
	struct release *old = s->running;

	if (traffic_move(s, l->release)) {
		fail(s, ERR_INVALID);
		return;
	}
	change_end(s, "another release took over");
	if (old && strcmp(old->dir, s->running->dir) != 0)
		trees_note_before(s, old);
	s->want_prune = true;
	note_events(s, s->running);
	log_line("v%" PRId64 " is up", s->running->version);
	answer(s, l, "up");
	finish(s);
}

static void rest(struct supervisor *s)
{
	struct launch *l = s->launch;

	l->step = LAUNCH_TRIAL;
	l->deadline = clock_mono_ms() + l->release->trial_timeout * 1000;
	log_line("v%" PRId64 " is up, on trial", l->release->version);
	answer(s, l, "trial");
}

static void step_starting(struct supervisor *s)
{
	struct launch *l = s->launch;
	struct process *p;
	bool all_up = true;

	release_tick(s, l->release);
	for (p = TAILQ_FIRST(&l->release->processes); p;
	     p = TAILQ_NEXT(p, link)) {
		if (p->state == PROCESS_CRASHED) {
			fail_by(s, p);
			return;
		}
		if (process_counts(p) && (p->web || !l->trial))
			all_up = all_up && p->state == PROCESS_UP;
	}
	if (all_up && l->trial)
		rest(s);
	else if (all_up)
		take_over(s);
}

static void step_trial(struct supervisor *s)
{
	struct launch *l = s->launch;

	release_tick(s, l->release);
	if (clock_mono_ms() < l->deadline)
		return;
	err_set(ERR_UNAVAILABLE, "nobody confirmed the trial");
	fail(s, ERR_UNAVAILABLE);
}

static void step_failing(struct supervisor *s)
{
	struct launch *l = s->launch;

	release_tick(s, l->release);
	if (!TAILQ_EMPTY(&l->release->processes) || s->helper.pid)
		return;
	release_end_strays(s, l->release);
	release_free(l->release);
	/* So its tree is none of those that are kept. */
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
	case LAUNCH_RELEASING:
		step_releasing(s);
		break;
	case LAUNCH_STARTING:
		step_starting(s);
		break;
	case LAUNCH_TRIAL:
		step_trial(s);
		break;
	case LAUNCH_FAILING:
		step_failing(s);
		break;
	case LAUNCH_CLEANING:
		if (s->helper.pid)
			break;
		answer(s, s->launch, "failed");
		finish(s);
		break;
	}
}

int64_t launch_due(const struct supervisor *s)
{
	if (!s->launch)
		return INT64_MAX;
	switch (s->launch->step) {
	case LAUNCH_RELEASING:
	case LAUNCH_TRIAL:
		return s->launch->deadline;
	case LAUNCH_UNPACKING: /* its end is an event */
		return INT64_MAX;
	case LAUNCH_STARTING: /* there may be no process that has a say */
	case LAUNCH_WAITING:
	case LAUNCH_FAILING:
	case LAUNCH_CLEANING:
		break;
	}
	return clock_mono_ms() + SOON_MS;
}

/* The launch is to end, for what err_msg() says. */
static void give_up(struct supervisor *s, int code)
{
	if (s->launch->step == LAUNCH_UNPACKING)
		helper_kill(&s->helper);
	fail(s, code);
}

void launch_abort(struct supervisor *s, const char *why)
{
	struct launch *next = s->next;

	s->next = NULL;
	if (next) {
		next->code = ERR_UNAVAILABLE;
		next->error = xstrdup(why);
		answer(s, next, "failed");
		release_free(next->release);
		free(next->error);
		free(next);
	}
	if (!s->launch || s->launch->step >= LAUNCH_FAILING)
		return;
	err_set(ERR_UNAVAILABLE, "%s", why);
	give_up(s, ERR_UNAVAILABLE);
}

/* The order r is the same as that of l, which has a way to go. */
static int join(struct supervisor *s, struct launch *l, struct release *r,
		struct http_request *req)
{
	if (l->nr_waiters == MAX_WAITERS)
		return err_set(ERR_CONFLICT, "too many wait for v%" PRId64,
			       r->version);
	l->waiter[l->nr_waiters++] = req;
	if (!r->trial) {
		l->trial = false;
		formation_adopt(l->release, r, NULL);
		release_take_fences(l->release, r);
		release_take_events(l->release, r);
	}
	release_free(r);
	if (l != s->launch)
		return 0;
	if (l->step == LAUNCH_TRIAL && l->trial)
		rest(s);
	else if (l->step == LAUNCH_TRIAL || l->step == LAUNCH_STARTING)
		start_all(s);
	return 0;
}

/* What runs already is ordered again. */
static int confirm(struct supervisor *s, struct release *r,
		   struct http_request *req)
{
	int rc = r->trial ? 0 : traffic_open(s, r);

	if (rc)
		return rc;
	if (!r->trial) {
		formation_adopt(s->running, r, NULL);
		release_take_fences(s->running, r);
		applog_limit(&s->log, r->log_size);
		change_start(s);
	}
	req->reply = json_make("{s:I, s:s}", "version", (json_int_t)r->version,
			       "status", "up");
	release_free(r);
	http_finish(req, 0);
	return 0;
}

/* Another release than the one on its way. */
static int replace(struct supervisor *s, struct release *r,
		   struct http_request *req)
{
	const struct launch *l = s->launch;

	if (s->next || (l->step < LAUNCH_FAILING && !l->trial))
		return err_set(ERR_CONFLICT, "another release is being "
					     "launched");
	s->next = launch_new(r, req);
	if (l->step < LAUNCH_FAILING) {
		err_set(ERR_STALE, "v%" PRId64 " is launched in its place",
			r->version);
		give_up(s, ERR_STALE);
	}
	return 0;
}

int launch_order(struct supervisor *s, struct release *r,
		 struct http_request *req)
{
	struct launch *l = s->launch;

	if (s->stopping)
		return err_set(ERR_UNAVAILABLE, "slugrun is stopping");
	if (l && l->step < LAUNCH_FAILING && release_is_same(l->release, r))
		return join(s, l, r, req);
	if (s->next && release_is_same(s->next->release, r))
		return join(s, s->next, r, req);
	if (s->running && release_is_same(s->running, r))
		return confirm(s, r, req);
	if (l)
		return replace(s, r, req);
	begin(s, launch_new(r, req));
	return 0;
}

int launch_end_trial(struct supervisor *s, struct http_request *req)
{
	struct launch *l = s->launch;

	if (!l || !l->trial) {
		req->reply = json_make("{s:s}", "status", "ended");
		return 0;
	}
	if (l->nr_enders == MAX_WAITERS)
		return err_set(ERR_CONFLICT, "the trial is being ended");
	l->ender[l->nr_enders++] = req;
	if (l->step < LAUNCH_FAILING) {
		err_set(ERR_STALE, "the trial was ended");
		give_up(s, ERR_STALE);
	}
	return HTTP_LATER;
}
