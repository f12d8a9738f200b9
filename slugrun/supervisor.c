/* SPDX-License-Identifier: ISC */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture.h"
#include "cgroup.h"
#include "change.h"
#include "clock.h"
#include "err.h"
#include "launch.h"
#include "log.h"
#include "mem.h"
#include "sock.h"
#include "strays.h"
#include "traffic.h"

#define TICK_MS  20
#define CHECK_MS 60000 /* between looks at the folder, beside inotify */
#define MAX_BODY (4 * 1024 * 1024)

/* The processes of all releases, one after the other; NULL at the end. */
struct walk {
	struct supervisor *s;
	struct release *r;
	struct process *p;
	int stage;
};

static struct process *walk_next(struct walk *w)
{
	if (w->p)
		w->p = TAILQ_NEXT(w->p, link);
	while (!w->p) {
		if (w->stage < 2)
			w->r = w->stage == 0 ? w->s->running
					     : launch_release(w->s);
		else if (w->stage == 2)
			w->r = TAILQ_FIRST(&w->s->leaving);
		else
			w->r = w->r ? TAILQ_NEXT(w->r, link) : NULL;
		if (w->stage < 3)
			w->stage++;
		else if (!w->r)
			return NULL;
		if (w->r)
			w->p = TAILQ_FIRST(&w->r->processes);
	}
	return w->p;
}

/* Called on the HTTP server's thread. */
static void queue(void *ctx, int lane, struct http_request *req)
{
	struct command *c = xcalloc(1, sizeof(*c));
	struct supervisor *s = ctx;
	uint64_t one = 1;

	(void)lane;
	c->req = req;
	pthread_mutex_lock(&s->lock);
	TAILQ_INSERT_TAIL(&s->commands, c, link);
	pthread_mutex_unlock(&s->lock);
	if (write(s->event_fd, &one, sizeof(one)) < 0) {
		/* Its counter is full: it will be looked at. */
	}
}

static void run_commands(struct supervisor *s)
{
	struct command *c;
	uint64_t n;

	if (read(s->event_fd, &n, sizeof(n)) < 0) {
		/* Nothing was written; to look does no harm. */
	}
	for (;;) {
		pthread_mutex_lock(&s->lock);
		c = TAILQ_FIRST(&s->commands);
		if (c)
			TAILQ_REMOVE(&s->commands, c, link);
		pthread_mutex_unlock(&s->lock);
		if (!c)
			return;
		http_run(c->req);
		free(c);
	}
}

static void stop_all(struct supervisor *s,
		     void (*end)(struct process *, struct applog *))
{
	struct walk w = { .s = s };
	struct process *p;

	s->stopping = true;
	launch_abort(s, "slugrun is stopping");
	change_end(s, "slugrun is stopping");
	if (s->route)
		route_refuse(s->route);
	while ((p = walk_next(&w)))
		end(p, &s->log);
}

void supervisor_stop(struct supervisor *s)
{
	if (!s->stopping)
		log_line("stopping");
	stop_all(s, process_stop);
}

/* One child ended: whose is it? */
static void child_ended(struct supervisor *s, siginfo_t *info)
{
	struct walk w = { .s = s };
	struct process *p;

	if (info->si_pid == s->helper.pid) {
		helper_ended(&s->helper, info);
		return;
	}
	if (info->si_pid == s->guard.pid) {
		guard_ended(&s->guard);
		log_line("the guard ended");
		return;
	}
	while ((p = walk_next(&w))) {
		if (process_is(p, info->si_pid)) {
			process_ended(p, &s->log, info);
			route_refresh(s);
			return;
		}
	}
	/* A process that lost its parent, and became ours. */
	waitpid(info->si_pid, NULL, 0);
}

static void take_signals(struct supervisor *s)
{
	struct signalfd_siginfo got;
	siginfo_t info;

	while (read(s->signal_fd, &got, sizeof(got)) == sizeof(got))
		if (got.ssi_signo == SIGTERM || got.ssi_signo == SIGINT)
			supervisor_stop(s);
	for (;;) {
		memset(&info, 0, sizeof(info));
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) ||
		    !info.si_pid)
			return;
		child_ended(s, &info);
	}
}

/* The guard knows every group that may have a process, and no init. */
static void tell_guard(struct supervisor *s)
{
	struct walk w = { .s = s };
	pid_t *groups = NULL;
	struct process *p;
	size_t n = 0;

	while ((p = walk_next(&w))) {
		if (!process_needs_guard(p))
			continue;
		groups = xrealloc(groups, n + 1, sizeof(*groups));
		groups[n++] = p->pid;
	}
	guard_tell(&s->guard, s->dir, groups, n);
	free(groups);
}

/* Let time pass for all. */
static void tick(struct supervisor *s)
{
	launch_tick(s);
	if (s->running)
		release_tick(s, s->running);
	change_tick(s);
	leaving_tick(s);
	if (s->route)
		route_tick(s->route);
	if (s->want_prune && !s->helper.pid && !launch_is_busy(s))
		trees_prune(s);
}

static bool is_over(const struct supervisor *s)
{
	const struct process *p;

	if (!s->stopping || s->launch || !TAILQ_EMPTY(&s->leaving))
		return false;
	if (s->running)
		for (p = TAILQ_FIRST(&s->running->processes); p;
		     p = TAILQ_NEXT(p, link))
			if (p->state != PROCESS_GONE)
				return false;
	return true;
}

/* Milliseconds that the loop may sleep. */
static int nap(struct supervisor *s)
{
	int64_t now = clock_mono_ms(), due = now + CHECK_MS, at;
	struct walk w = { .s = s };
	struct process *p;

	if (s->stopping)
		return TICK_MS;
	at = launch_due(s);
	if (at < due)
		due = at;
	while ((p = walk_next(&w))) {
		at = process_due(p);
		if (at < due)
			due = at;
	}
	if (s->route && route_due(s->route) < due)
		due = route_due(s->route);
	return due > now ? (int)(due - now) : 0;
}

/* What to wait for: four descriptors of ours, and two of each process. */
enum { FD_SIGNAL, FD_EVENT, FD_HELPER, FD_WATCH, FD_PROCESSES };

/* Caller frees. */
static struct pollfd *collect(struct supervisor *s, size_t *n)
{
	struct walk w = { .s = s }, again = { .s = s };
	struct pollfd *fds;
	struct process *p;
	size_t i = FD_PROCESSES;

	*n = i;
	while (walk_next(&w))
		*n += 2;
	fds = xcalloc(*n, sizeof(*fds));
	fds[FD_SIGNAL].fd = s->signal_fd;
	fds[FD_EVENT].fd = s->event_fd;
	fds[FD_HELPER].fd = s->helper.pid ? s->helper.fd : -1;
	fds[FD_WATCH].fd = s->watch_fd;
	while ((p = walk_next(&again))) {
		fds[i++].fd = p->out.fd;
		fds[i++].fd = p->probe.fd;
	}
	for (i = 0; i < *n; i++)
		fds[i].events = POLLIN;
	return fds;
}

/* Sleep until something happens, and take what processes print. */
static void wait_and_read(struct supervisor *s)
{
	struct walk w = { .s = s };
	struct pollfd *fds;
	struct process *p;
	size_t n, i;

	applog_flush(&s->log);
	fds = collect(s, &n);
	if (poll(fds, n, nap(s)) > 0) {
		if (fds[FD_HELPER].revents)
			helper_read(&s->helper);
		for (i = FD_PROCESSES; (p = walk_next(&w)); i += 2)
			if (fds[i].revents &&
			    !output_read(&p->out, &s->log, p->name))
				output_finish(&p->out, &s->log, p->name);
		s->look = s->look || fds[FD_WATCH].revents;
	}
	free(fds);
}

/* Is the folder still there? Where not, all ends. */
static void look_after(struct supervisor *s, int64_t *last)
{
	char events[4096];
	int64_t now = clock_mono_ms();

	if (!s->look && now - *last < CHECK_MS)
		return;
	while (s->watch_fd >= 0 &&
	       read(s->watch_fd, events, sizeof(events)) > 0)
		;
	s->look = false;
	*last = now;
	if (s->stopping || !appdir_is_gone(s))
		return;
	log_line("%s is gone", s->dir);
	stop_all(s, process_kill);
}

static void loop(struct supervisor *s)
{
	int64_t last = clock_mono_ms();

	while (!is_over(s)) {
		wait_and_read(s);
		take_signals(s);
		run_commands(s);
		tick(s);
		tell_guard(s);
		look_after(s, &last);
	}
}

/* Know when the folder is removed: by the one that it lies in. */
static void watch_folder(struct supervisor *s)
{
	char *parent = xasprintf("%s/..", s->dir);

	s->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->watch_fd >= 0 &&
	    inotify_add_watch(s->watch_fd, parent,
			      IN_DELETE | IN_MOVED_FROM | IN_MOVE_SELF) < 0) {
		/* Without: it is looked at from time to time. */
		close(s->watch_fd);
		s->watch_fd = -1;
	}
	free(parent);
}

/* Signals through a descriptor, orphans to us, no end by a lost reader. */
static int take_charge(struct supervisor *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		return err_sys("cannot prepare");
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	watch_folder(s);
	if (s->signal_fd < 0 || s->event_fd < 0)
		return err_sys("cannot prepare");
	return 0;
}

static int serve(struct supervisor *s)
{
	struct http_config config = { .routes = api_routes,
				      .ctx = s,
				      .defer = queue,
				      .max_body = MAX_BODY };
	char *path = xasprintf("%s/slugrun.sock", s->dir);
	int rc;

	rc = sock_listen_unix(&s->listen_fd, path, 0600);
	if (!rc && s->owner &&
	    fchownat(s->dir_fd, "slugrun.sock", s->owner, (gid_t)-1,
		     AT_SYMLINK_NOFOLLOW))
		rc = err_sys("%s", path);
	if (!rc)
		rc = http_start(&s->http, s->listen_fd, &config);
	free(path);
	return rc;
}

/* Answer who waits for the end, and whoever came late. */
static void close_shop(struct supervisor *s)
{
	size_t i;

	if (!s->http)
		return;
	unlinkat(s->dir_fd, "slugrun.sock", 0);
	s->stopping = true;
	run_commands(s);
	for (i = 0; i < s->nr_stop_req; i++) {
		s->stop_req[i]->reply = json_make("{s:s}", "status", "stopped");
		http_finish(s->stop_req[i], 0);
	}
	http_stop(s->http);
}

static void release_all(struct supervisor *s)
{
	struct command *c;

	helper_kill(&s->helper);
	guard_release(&s->guard);
	route_close(s->route);
	bind_fence_close(&s->fence);
	free(s->group);
	release_free(s->running);
	capture_free(s->capture);
	while ((c = TAILQ_FIRST(&s->commands))) {
		TAILQ_REMOVE(&s->commands, c, link);
		free(c);
	}
	if (s->signal_fd >= 0)
		close(s->signal_fd);
	if (s->event_fd >= 0)
		close(s->event_fd);
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	if (s->watch_fd >= 0)
		close(s->watch_fd);
	pthread_mutex_destroy(&s->lock);
	appdir_close(s);
}

/* Each process takes some; the processes have a limit of their own. */
static void raise_descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l))
		return;
	l.rlim_cur = l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l))
		log_line("the limit of descriptors: %s", strerror(errno));
}

/*
 * Before there are processes: into the control group that is the app's alone,
 * with the fence of its ports around it.
 */
static void join_group(struct supervisor *s)
{
	char *own = bind_fence_try() ? NULL : box_group(s->dir);

	s->group = cgroup_prepare(own);
	if (own && s->group && bind_fence_open(&s->fence, s->group))
		log_line("ports are not fenced: %s", err_msg());
	free(own);
}

static void leave_group(struct supervisor *s)
{
	char *own = box_group(s->dir);

	bind_fence_close(&s->fence);
	if (own)
		cgroup_leave(s->group, own);
	free(own);
}

int supervise(const char *dir)
{
	struct supervisor s = { .dir_fd = -1,
				.lock_fd = -1,
				.listen_fd = -1,
				.signal_fd = -1,
				.event_fd = -1,
				.watch_fd = -1,
				.helper.fd = -1,
				.guard.fd = -1,
				.log.fd = -1 };
	int rc;

	mallopt(M_ARENA_MAX, 1); /* three threads, which mostly sleep */
	raise_descriptors();
	bind_fence_init(&s.fence);
	pthread_mutex_init(&s.lock, NULL);
	TAILQ_INIT(&s.commands);
	TAILQ_INIT(&s.leaving);
	rc = appdir_open(&s, dir);
	if (rc)
		goto done;
	rc = take_charge(&s);
	if (rc)
		goto done;
	join_group(&s);
	/* Of one that was killed, and its guard with it. */
	strays_kill(s.dir, 0);
	trees_sweep(&s);
	box_sweep(s.dir);
	rc = serve(&s);
	if (rc)
		goto done;
	log_line("supervising %s", s.name);
	loop(&s);
	strays_kill(s.dir, 0);
	guard_release(&s.guard);
	strays_end();
	box_sweep(s.dir);
	leave_group(&s);
	close_shop(&s);
	log_line("stopped");
done:
	release_all(&s);
	return rc;
}
