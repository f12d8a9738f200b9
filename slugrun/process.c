/* SPDX-License-Identifier: ISC */
#include "process.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "mem.h"
#include "proc.h"
#include "release.h"
#include "sockets.h"

#define POLL_MS     20    /* between two looks at what does not tell */
#define BACKOFF_MAX 60    /* seconds */
#define STEADY_MS   60000 /* up so long, and the back-off begins anew */
#define KILLED_MS   1000  /* that long after SIGKILL a group is gone */
#define WATCH_MS    500   /* between two looks at who listens */
#define NEVER       INT64_MAX

static const char *const state_names[] = {
	[PROCESS_NEW] = "starting", [PROCESS_STARTING] = "starting",
	[PROCESS_UP] = "up",        [PROCESS_CRASHED] = "crashed",
	[PROCESS_ENDING] = "down",  [PROCESS_GONE] = "down",
};

static bool is_oneoff(const char *type)
{
	return !strcmp(type, PROCESS_RUN) || !strcmp(type, PROCESS_RELEASE);
}

struct process *process_new(const struct release *r, const char *type,
			    unsigned nth, const char *command)
{
	struct process *p = xcalloc(1, sizeof(*p));

	p->release = r;
	p->name = xasprintf("%s.%u", type, nth);
	p->type = xstrdup(type);
	p->command = xstrdup(command);
	p->nth = nth;
	p->web = !strcmp(type, "web");
	p->oneoff = is_oneoff(type);
	p->port.fd = p->probe.fd = p->client = -1;
	output_init(&p->out);
	box_init(&p->box);
	return p;
}

void process_free(struct process *p)
{
	if (!p)
		return;
	port_release(&p->port);
	probe_clear(&p->probe);
	output_release(&p->out);
	json_decref(p->env);
	if (p->client >= 0)
		close(p->client);
	box_close(&p->box);
	free(p->name);
	free(p->type);
	free(p->command);
	free(p->ending);
	free(p->instead);
	free(p);
}

static const char *state_name(const struct process *p, enum process_state state)
{
	if (state == PROCESS_GONE && p->oneoff && p->reaped)
		return "complete";
	return state_names[state];
}

static void move_to(struct process *p, struct applog *log,
		    enum process_state state)
{
	const char *from = state_names[p->state], *to = state_name(p, state);

	if (p->state != PROCESS_NEW && strcmp(from, to) != 0)
		applog_printf(log, p->name, "State changed from %s to %s", from,
			      to);
	p->state = state;
	p->since = clock_now();
}

static void crash(struct process *p, struct applog *log, char *ending)
{
	int64_t now = clock_mono_ms();

	if (p->state == PROCESS_UP && now - p->started_ms >= STEADY_MS)
		p->backoff = 0;
	p->backoff = p->backoff ? p->backoff * 2 : 1;
	if (p->backoff > BACKOFF_MAX)
		p->backoff = BACKOFF_MAX;
	p->due_ms = now + p->backoff * 1000;
	str_replace(&p->ending, ending);
	probe_clear(&p->probe);
	move_to(p, log, PROCESS_CRASHED);
}

/* Its output goes to the log; that of an attached one to its client. */
static int open_output(struct process *p, struct proc_spec *spec, int *out)
{
	int rc;

	if (p->attached) {
		spec->in = p->client;
		spec->err = PROC_INHERIT;
		return 0;
	}
	rc = output_open(&p->out, out);
	spec->out = spec->err = *out;
	return rc;
}

/*
 * Run "slugrun-box exec" for it, see exec.h, or "attach", see attach.h. The
 * name is for ps(1).
 */
static int spawn(struct process *p)
{
	char *grace = xasprintf("%" PRId64, p->release->grace);
	char *parent = xasprintf("%ld", (long)getpid());
	char *name = xasprintf("%s/%s", p->release->app, p->name);
	char *helper = proc_helper("slugrun-box");
	const char *exec[] = { helper, "exec", parent, name, NULL };
	const char *attach[] = { helper, "attach", grace,  "exec",
				 parent, name,     "stay", NULL };
	struct proc_spec spec = { .argv = p->attached ? attach : exec,
				  .session = true };
	int env = -1, out = -1, rc;

	rc = release_environment(&env, p->release, p);
	if (!rc)
		rc = box_open(&p->box, p->release, p->name, p->command, env);
	if (!rc)
		rc = open_output(p, &spec, &out);
	if (!rc) {
		spec.extra = env;
		rc = proc_spawn(&p->pid, &spec);
	}
	if (env >= 0)
		close(env);
	if (out >= 0)
		close(out);
	if (p->client >= 0)
		close(p->client);
	p->client = -1;
	if (rc)
		box_close(&p->box);
	free(grace);
	free(helper);
	free(name);
	free(parent);
	return rc;
}

int process_start(struct process *p, struct applog *log)
{
	const struct release *r = p->release;
	struct port_wish wish = { r->store, r->port_first, r->port_last,
				  p->port.port, r->fence };
	int rc = 0;

	p->reaped = p->late = p->leaving = p->stays = p->taken = false;
	p->killed_ms = 0;
	p->listener = 0;
	port_release(&p->port);
	if (p->web)
		rc = port_take(&p->port, &wish);
	if (!rc)
		rc = spawn(p);
	if (rc) {
		applog_printf(log, p->name, "Cannot be started: %s", err_msg());
		crash(p, log, xasprintf("was not started: %s", err_msg()));
		if (p->oneoff)
			p->state = PROCESS_GONE;
		return rc;
	}
	applog_printf(log, p->name, "Starting process with command `%s`",
		      p->command);
	p->started_ms = clock_mono_ms();
	p->ready_ms = 0;
	p->due_ms = p->started_ms + 1;
	p->probe.reached = false;
	p->probe.status = 0;
	str_replace(&p->instead, NULL);
	move_to(p, log, PROCESS_STARTING);
	if (p->oneoff)
		move_to(p, log, PROCESS_UP);
	return 0;
}

void process_leave(struct process *p)
{
	if (!p->leaving)
		p->left_ms = clock_mono_ms();
	p->leaving = true;
}

bool process_counts(const struct process *p)
{
	return !p->oneoff && (!p->leaving || p->stays);
}

static void signal_group(const struct process *p, int sig)
{
	if (p->pid > 0)
		kill(-p->pid, sig);
}

/*
 * A zombie that nobody reaps, as its parent left the group, would keep the
 * group for ever.
 */
static bool group_is_gone(const struct process *p, int64_t now)
{
	return p->reaped && (kill(-p->pid, 0) ||
			     (p->killed_ms && now - p->killed_ms > KILLED_MS));
}

/*
 * It is asked soon after its start, and then less and less often: it is known
 * to be up an eighth later than it is, at most.
 */
static bool answers(struct process *p, int64_t now)
{
	const struct release *r = p->release;
	int64_t pause = (now - p->started_ms) / 8;

	if (p->probe.fd < 0 && now < p->due_ms)
		return false;
	p->due_ms = now + (pause < 1 ? 1 : pause > POLL_MS ? POLL_MS : pause);
	return probe_answers(&p->probe, p->port.port, r->check, now) &&
	       (r->uid < 0 ? !port_is_taken(p->port.port, -1, &p->listener)
			   : port_is_of(p->port.port, r->uid));
}

/* Has its command lived long enough? What the box takes is not its time. */
static bool has_settled(struct process *p, int64_t now)
{
	if (!p->ready_ms && box_is_ready(&p->box))
		p->ready_ms = now;
	p->due_ms = p->ready_ms ? p->ready_ms + PROCESS_SETTLE_MS
				: now + POLL_MS / 4;
	return (p->ready_ms && now >= p->due_ms) ||
	       now - p->started_ms >= p->release->timeout * 1000;
}

/* It did not answer: what does it do instead? NULL: unknown. */
static char *instead_of(const struct process *p)
{
	const struct probe *probe = &p->probe;

	if (probe->status > 0)
		return xasprintf("it answers with status %d", probe->status);
	if (probe->status < 0)
		return xstrdup("what it answers is not HTTP");
	if (probe->reached && p->release->check)
		return xstrdup("it takes connections, but answers nothing");
	if (probe->reached)
		return xstrdup("another program listens there");
	return sockets_describe(box_pid(&p->box, p->pid), p->port.port);
}

static void note_late(struct process *p, struct applog *log)
{
	const struct release *r = p->release;

	p->late = true;
	str_replace(&p->instead, instead_of(p));
	applog_printf(log, p->name,
		      "Error R10 (Boot timeout) -> Web process failed to bind "
		      "to $PORT within %" PRId64 " seconds of launch",
		      r->timeout);
	if (p->instead)
		applog_printf(log, p->name, "Not on port %u ($PORT): %s",
			      p->port.port, p->instead);
}

static void tick_starting(struct process *p, struct applog *log, int64_t now)
{
	bool up = p->web ? answers(p, now) : has_settled(p, now);

	if (up) {
		move_to(p, log, PROCESS_UP);
	} else if (p->web && !p->late &&
		   now - p->started_ms >= p->release->timeout * 1000) {
		note_late(p, log);
		signal_group(p, SIGKILL);
	}
}

/* Is it to be asked now and then who listens on its port? */
static bool is_watched(const struct process *p)
{
	return p->state == PROCESS_UP && p->web && p->pid && !p->taken &&
	       !p->port.fence;
}

/* Another app took its port: it is to be somewhere else. */
static void watch_port(struct process *p, struct applog *log, int64_t now)
{
	p->due_ms = now + WATCH_MS;
	if (!port_is_taken(p->port.port, p->release->uid, &p->listener))
		return;
	p->taken = true;
	applog_printf(log, p->name,
		      "Another app listens on its port %u: killing it",
		      p->port.port);
	signal_group(p, SIGKILL);
}

static void tick_ending(struct process *p, struct applog *log, int64_t now)
{
	if (group_is_gone(p, now)) {
		output_finish(&p->out, log, p->name);
		port_release(&p->port);
		box_close(&p->box);
		p->pid = 0;
		p->state = PROCESS_GONE;
	} else if (now >= p->due_ms) {
		applog_printf(log, p->name,
			      "Error R12 (Exit timeout) -> At least one "
			      "process failed to exit within %" PRId64
			      " seconds of SIGTERM",
			      p->release->grace);
		applog_printf(log, p->name,
			      "Stopping remaining processes with SIGKILL");
		signal_group(p, SIGKILL);
		p->killed_ms = now;
		p->due_ms = NEVER;
	}
}

/* When a one-off process has lived long enough. */
static int64_t limit_of(const struct process *p)
{
	return p->time_to_live ? p->started_ms + p->time_to_live * 1000 : NEVER;
}

bool process_tick(struct process *p, struct applog *log)
{
	int64_t now = clock_mono_ms();

	if (p->state == PROCESS_STARTING) {
		tick_starting(p, log, now);
		return p->state == PROCESS_UP;
	}
	if (p->state == PROCESS_ENDING)
		tick_ending(p, log, now);
	else if (p->state == PROCESS_CRASHED && now >= p->due_ms)
		process_start(p, log);
	else if (p->state == PROCESS_UP && now >= limit_of(p))
		process_leave(p);
	else if (is_watched(p) && now >= p->due_ms)
		watch_port(p, log, now);
	return false;
}

static char *words(const struct process *p, const siginfo_t *info)
{
	const struct release *r = p->release;

	if (p->late)
		return xasprintf(
			"did not answer %s%s%son port %u ($PORT) "
			"within %" PRId64 " second%s%s%s",
			r->check ? "GET " : "", r->check ? r->check : "",
			r->check ? " " : "", p->port.port, r->timeout,
			r->timeout == 1 ? "" : "s", p->instead ? "; " : "",
			p->instead ? p->instead : "");
	if (info->si_code == CLD_EXITED)
		return xasprintf("exited with status %d", info->si_status);
	return xasprintf("was ended by signal %d (%s)", info->si_status,
			 strsignal(info->si_status));
}

bool process_is(const struct process *p, pid_t pid)
{
	return !p->reaped && ((p->pid && p->pid == pid) ||
			      (!p->attached && box_has(&p->box, pid)));
}

bool process_needs_guard(const struct process *p)
{
	/* At first it is not known whether it gets its namespaces. */
	bool early = p->state == PROCESS_STARTING && p->release->namespaces;

	return p->pid && !early && box_pid(&p->box, p->pid) == p->pid;
}

void process_ended(struct process *p, struct applog *log, siginfo_t *info)
{
	bool over = p->attached || box_is_over(&p->box, p->pid, info);
	bool exited = info->si_code == CLD_EXITED;

	if (!over) {
		waitpid(info->si_pid, NULL, 0);
		return;
	}

	/* Before the pid is free for others: the rest of the group. */
	if (p->state != PROCESS_ENDING)
		signal_group(p, SIGKILL);
	waitpid(info->si_pid, NULL, 0);
	p->reaped = true;
	p->status = exited ? info->si_status : 128 + info->si_status;
	if (box_was_full(&p->box))
		applog_printf(log, p->name,
			      "Error R15 (Memory quota vastly exceeded)");
	applog_printf(log, p->name, "Process exited with status %d", p->status);
	if (p->state == PROCESS_ENDING)
		return;
	p->pid = 0;
	output_finish(&p->out, log, p->name);
	box_close(&p->box);
	if (p->oneoff || p->leaving) {
		str_replace(&p->ending, words(p, info));
		port_release(&p->port);
		move_to(p, log, PROCESS_GONE);
	} else {
		crash(p, log, words(p, info));
	}
}

static void end(struct process *p, struct applog *log, int sig)
{
	if (p->state == PROCESS_GONE)
		return;
	signal_group(p, sig);
	probe_clear(&p->probe);
	if (!p->pid)
		p->state = PROCESS_GONE;
	else if (p->state != PROCESS_ENDING)
		move_to(p, log, PROCESS_ENDING);
}

void process_stop(struct process *p, struct applog *log)
{
	if (p->state == PROCESS_ENDING || p->state == PROCESS_GONE)
		return;
	if (p->pid)
		applog_printf(log, p->name,
			      "Stopping all processes with SIGTERM");
	p->due_ms = clock_mono_ms() + p->release->grace * 1000;
	end(p, log, SIGTERM);
}

void process_kill(struct process *p, struct applog *log)
{
	p->due_ms = NEVER;
	if (!p->killed_ms)
		p->killed_ms = clock_mono_ms();
	end(p, log, SIGKILL);
}

int64_t process_due(const struct process *p)
{
	int64_t now = clock_mono_ms();

	switch (p->state) {
	case PROCESS_ENDING:
		return p->reaped ? now + POLL_MS : p->due_ms;
	case PROCESS_STARTING:
	case PROCESS_CRASHED:
		return p->due_ms;
	case PROCESS_UP:
		if (p->leaving)
			return now + POLL_MS + (now - p->left_ms) / 10;
		return is_watched(p) ? p->due_ms : limit_of(p);
	case PROCESS_NEW:
	case PROCESS_GONE:
		break;
	}
	return NEVER;
}

json_t *process_json(const struct process *p)
{
	bool alive = p->pid && !p->reaped;

	return json_make(
		"{s:s, s:s, s:o, s:s, s:o, s:o, s:o}", "name", p->name, "type",
		p->type, "command", json_str_or_null(p->command), "state",
		state_name(p, p->state), "pid",
		alive ? json_integer(box_pid(&p->box, p->pid)) : json_null(),
		"port",
		p->web && p->port.port ? json_integer(p->port.port)
				       : json_null(),
		"since", json_time(p->since));
}
