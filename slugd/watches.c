/* SPDX-License-Identifier: ISC */
#include "watches.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "jobs.h"
#include "launch.h"
#include "mem.h"
#include "slugd.h"
#include "sock.h"

#define PAUSE_MS 500 /* for another to be there; and before the next try */

struct watch {
	int fd; /* a pidfd */
	pid_t pid;
	int64_t app;
	char *socket;
};

/* An app whose current release is to be launched again. */
struct retry {
	int64_t app, due_ms;
	int pause;
};

struct watches {
	struct slugd *slugd;
	pthread_t thread;
	int wake; /* an eventfd: look at what is below */
	pthread_mutex_t lock;
	struct watch *v;
	size_t n;
	struct retry *retries;
	size_t nr_retries;
	bool over;
};

static void watch_release(struct watch *w)
{
	close(w->fd);
	free(w->socket);
}

/* The process that listens at the socket. */
static bool find_process(struct watch *w)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int fd = -1;

	if (sock_connect_unix(&fd, w->socket))
		return false;
	w->pid = 0;
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		w->pid = cred.pid;
	/* Before the connection goes: the process may go with it. */
	w->fd = w->pid ? (int)syscall(SYS_pidfd_open, w->pid, 0) : -1;
	close(fd);
	return w->fd >= 0;
}

static void wake(struct watches *w)
{
	eventfd_write(w->wake, 1);
}

void watches_add(struct watches *w, const struct app *app)
{
	struct watch fresh = { .fd = -1, .app = app->id };
	bool known = false;
	size_t i;

	fresh.socket =
		xasprintf("%s/apps/%s/slugrun.sock", w->slugd->dir, app->name);
	if (!find_process(&fresh)) {
		free(fresh.socket);
		return;
	}
	pthread_mutex_lock(&w->lock);
	for (i = 0; i < w->n; i++)
		known |= w->v[i].app == app->id && w->v[i].pid == fresh.pid;
	if (!known) {
		w->v = xrealloc(w->v, w->n + 1, sizeof(*w->v));
		w->v[w->n++] = fresh;
	}
	pthread_mutex_unlock(&w->lock);
	if (known)
		watch_release(&fresh);
	else
		wake(w);
}

void watches_retry(struct watches *w, const struct app *app, int ms)
{
	size_t i = 0;

	pthread_mutex_lock(&w->lock);
	while (i < w->nr_retries && w->retries[i].app != app->id)
		i++;
	if (i == w->nr_retries)
		w->retries = xrealloc(w->retries, ++w->nr_retries,
				      sizeof(*w->retries));
	w->retries[i].app = app->id;
	w->retries[i].pause = ms;
	w->retries[i].due_ms = clock_mono_ms() + ms;
	pthread_mutex_unlock(&w->lock);
	wake(w);
}

void watches_hurry(struct watches *w)
{
	size_t i;

	pthread_mutex_lock(&w->lock);
	for (i = 0; i < w->nr_retries; i++)
		w->retries[i].due_ms = 0;
	pthread_mutex_unlock(&w->lock);
	wake(w);
}

/* Milliseconds until the first retry; -1: there is none. With the lock. */
static int time_left(const struct watches *w)
{
	int64_t now = clock_mono_ms(), due = INT64_MAX;
	size_t i;

	for (i = 0; i < w->nr_retries; i++)
		if (w->retries[i].due_ms < due)
			due = w->retries[i].due_ms;
	if (due == INT64_MAX)
		return -1;
	return due > now ? (int)(due - now) : 0;
}

/* Sleep until one has ended, there is another to watch, or time is up. */
static void wait_for_all(struct watches *w)
{
	struct pollfd *fds;
	eventfd_t n;
	size_t i, nr;
	int ms;

	pthread_mutex_lock(&w->lock);
	nr = w->n + 1;
	fds = xcalloc(nr, sizeof(*fds));
	for (i = 0; i < w->n; i++)
		fds[i].fd = w->v[i].fd;
	ms = time_left(w);
	pthread_mutex_unlock(&w->lock);
	fds[nr - 1].fd = w->wake;
	for (i = 0; i < nr; i++)
		fds[i].events = POLLIN;
	poll(fds, nr, ms);
	if (fds[nr - 1].revents)
		eventfd_read(w->wake, &n);
	free(fds);
}

/* Move one that has ended into *out. */
static bool take_ended(struct watches *w, struct watch *out)
{
	struct pollfd fd = { .events = POLLIN };
	bool found = false;
	size_t i;

	pthread_mutex_lock(&w->lock);
	for (i = 0; i < w->n && !found; i++) {
		fd.fd = w->v[i].fd;
		found = poll(&fd, 1, 0) > 0;
		if (found) {
			*out = w->v[i];
			w->v[i] = w->v[--w->n];
		}
	}
	pthread_mutex_unlock(&w->lock);
	return found;
}

static bool is_over(struct watches *w)
{
	bool over;

	pthread_mutex_lock(&w->lock);
	over = w->over;
	pthread_mutex_unlock(&w->lock);
	return over;
}

/* Those that ended in one pause. */
static void see_to_ended(struct watches *w)
{
	const struct timespec pause = { 0, PAUSE_MS * 1000000L };
	bool paused = false;
	struct watch gone;

	while (take_ended(w, &gone)) {
		if (!paused)
			nanosleep(&pause, NULL);
		paused = true;
		if (!access(gone.socket, F_OK) && !w->slugd->stopping)
			launch_again(w->slugd, gone.app, 0);
		watch_release(&gone);
	}
}

/* Move one that is due into *out. */
static bool take_due(struct watches *w, struct retry *out)
{
	bool found = false;
	size_t i;

	pthread_mutex_lock(&w->lock);
	for (i = 0; i < w->nr_retries && !found; i++) {
		found = w->retries[i].due_ms <= clock_mono_ms();
		if (found) {
			*out = w->retries[i];
			w->retries[i] = w->retries[--w->nr_retries];
		}
	}
	pthread_mutex_unlock(&w->lock);
	return found;
}

static void see_to_due(struct watches *w)
{
	struct retry r;

	while (take_due(w, &r))
		if (!w->slugd->stopping)
			launch_again(w->slugd, r.app, r.pause);
}

static void *watch_all(void *arg)
{
	struct watches *w = arg;

	while (!is_over(w)) {
		wait_for_all(w);
		see_to_ended(w);
		see_to_due(w);
	}
	return NULL;
}

int watches_new(struct slugd *d, struct watches **out)
{
	struct watches *w = xcalloc(1, sizeof(*w));
	int rc;

	w->slugd = d;
	w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&w->lock, NULL);
	rc = w->wake < 0 ? err_sys("eventfd")
			 : jobs_no_thread(pthread_create(&w->thread, NULL,
							 watch_all, w));
	if (!rc) {
		*out = w;
		return 0;
	}
	if (w->wake >= 0)
		close(w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return rc;
}

void watches_free(struct watches *w)
{
	size_t i;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->over = true;
	pthread_mutex_unlock(&w->lock);
	wake(w);
	pthread_join(w->thread, NULL);
	for (i = 0; i < w->n; i++)
		watch_release(&w->v[i]);
	free(w->v);
	free(w->retries);
	close(w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
