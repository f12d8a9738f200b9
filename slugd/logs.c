/* SPDX-License-Identifier: ISC */
#include "logs.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "jobs.h"
#include "mem.h"

#define SESSION_MS   300000
#define MAX_SESSIONS 1000
#define LOOK_MS      1000 /* where inotify says nothing, or cannot */
#define PAUSE_MS     20   /* what comes in between is taken together */
#define PIECE        32768

struct session {
	char id[ID_SIZE], *dir, *source, *dyno;
	int64_t lines;
	bool tail;
	int64_t until; /* by clock_mono_ms() */
};

struct reader {
	struct logs *logs;
	struct log_file *file;
	char *dir;
	bool tail, events;
	char *out; /* what is to be sent, from at on */
	size_t at, len, size;
	struct http_stream *waiting; /* until more is written, or NULL */
	TAILQ_ENTRY(reader) link;    /* of those with tail */
};

struct logs {
	pthread_mutex_t lock;
	pthread_cond_t over; /* no watcher any more */
	bool watched;
	int kick_fd; /* an eventfd: the watcher looks at the readers */
	struct session **sessions; /* the oldest first */
	size_t nr_sessions;
	TAILQ_HEAD(, reader) readers;
};

struct logs *logs_new(void)
{
	struct logs *l = xcalloc(1, sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->over, NULL);
	l->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	TAILQ_INIT(&l->readers);
	return l;
}

static void session_free(struct session *s)
{
	free(s->dir);
	free(s->source);
	free(s->dyno);
	free(s);
}

void logs_free(struct logs *l)
{
	size_t i;

	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	while (l->watched)
		pthread_cond_wait(&l->over, &l->lock);
	pthread_mutex_unlock(&l->lock);
	for (i = 0; i < l->nr_sessions; i++)
		session_free(l->sessions[i]);
	free(l->sessions);
	if (l->kick_fd >= 0)
		close(l->kick_fd);
	pthread_cond_destroy(&l->over);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* Under the lock: sessions that are over, and the oldest of too many, go. */
static void sweep(struct logs *l)
{
	int64_t now = clock_mono_ms();
	size_t old = 0, i;

	while (old < l->nr_sessions && (l->sessions[old]->until < now ||
					l->nr_sessions - old > MAX_SESSIONS))
		session_free(l->sessions[old++]);
	for (i = old; i < l->nr_sessions; i++)
		l->sessions[i - old] = l->sessions[i];
	l->nr_sessions -= old;
}

void logs_session(struct logs *l, const char *dir, const struct log_wish *wish,
		  bool tail, char id[ID_SIZE])
{
	struct session *s = xcalloc(1, sizeof(*s));

	id_random(s->id);
	memcpy(id, s->id, ID_SIZE);
	s->dir = xstrdup(dir);
	s->source = xstrdup(wish->source);
	s->dyno = xstrdup(wish->dyno);
	s->lines = wish->lines;
	s->tail = tail;
	s->until = clock_mono_ms() + SESSION_MS;
	pthread_mutex_lock(&l->lock);
	sweep(l);
	l->sessions = xrealloc(l->sessions, l->nr_sessions + 1,
			       sizeof(struct session *));
	l->sessions[l->nr_sessions++] = s;
	pthread_mutex_unlock(&l->lock);
}

static void kick(struct logs *l)
{
	uint64_t one = 1;

	if (write(l->kick_fd, &one, sizeof(one)) < 0) {
		/* It is kicked already. */
	}
}

/* Under the lock: let those go on for whom there is more, or nobody. */
static void wake_readers(struct logs *l, int inotify)
{
	struct http_stream *stream;
	struct reader *r;

	TAILQ_FOREACH(r, &l->readers, link) {
		/* For a folder that is watched already, it does nothing. */
		inotify_add_watch(inotify, r->dir,
				  IN_MODIFY | IN_CREATE | IN_MOVED_TO);
		stream = r->waiting;
		if (!stream || (!http_stream_is_dead(stream) &&
				!log_file_has_more(r->file)))
			continue;
		r->waiting = NULL;
		http_stream_wake(stream);
	}
}

/* Wait for a change, a kick or the time; what came is thrown away. */
static void wait_for_change(const struct logs *l, int inotify)
{
	const struct timespec pause = { 0, PAUSE_MS * 1000000L };
	struct pollfd fds[] = { { inotify, POLLIN, 0 },
				{ l->kick_fd, POLLIN, 0 } };
	char events[4096];
	size_t i;

	if (poll(fds, 2, LOOK_MS) <= 0)
		return;
	if (!fds[1].revents)
		nanosleep(&pause, NULL);
	for (i = 0; i < 2; i++)
		while (fds[i].fd >= 0 &&
		       read(fds[i].fd, events, sizeof(events)) > 0)
			;
}

/* A thread, as long as there are readers that wait for what comes. */
static void *watch(void *arg)
{
	struct logs *l = arg;
	int inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	pthread_mutex_lock(&l->lock);
	while (!TAILQ_EMPTY(&l->readers)) {
		wake_readers(l, inotify);
		pthread_mutex_unlock(&l->lock);
		wait_for_change(l, inotify);
		pthread_mutex_lock(&l->lock);
	}
	l->watched = false;
	pthread_cond_broadcast(&l->over);
	pthread_mutex_unlock(&l->lock);
	if (inotify >= 0)
		close(inotify);
	return NULL;
}

/* Errors: ERR_UNAVAILABLE, where nobody could watch. */
static int add_reader(struct logs *l, struct reader *r)
{
	pthread_t thread;
	int rc = 0;

	pthread_mutex_lock(&l->lock);
	TAILQ_INSERT_TAIL(&l->readers, r, link);
	kick(l);
	if (!l->watched) {
		rc = jobs_no_thread(pthread_create(&thread, NULL, watch, l));
		if (!rc)
			pthread_detach(thread);
		l->watched = !rc;
	}
	if (rc)
		TAILQ_REMOVE(&l->readers, r, link);
	pthread_mutex_unlock(&l->lock);
	return rc;
}

static void add_text(struct reader *r, const char *text, size_t len)
{
	if (r->len + len > r->size) {
		r->size = 2 * (r->len + len);
		r->out = xrealloc(r->out, r->size, 1);
	}
	memcpy(r->out + r->len, text, len);
	r->len += len;
}

/*
 * As it is, or as an event, see
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
static void add_line(struct reader *r, const char *line, size_t len)
{
	size_t start = r->len, i;

	if (r->events)
		add_text(r, "data: ", 6);
	add_text(r, line, len);
	add_text(r, "\n\n", r->events ? 2 : 1);
	/* That would end the event's line, too. */
	for (i = start; r->events && i < r->len; i++)
		if (r->out[i] == '\r')
			r->out[i] = ' ';
}

static enum log_found fill(struct reader *r)
{
	enum log_found found = LOG_LINE;
	const char *line;
	size_t len;

	r->at = r->len = 0;
	while (r->len < PIECE &&
	       (found = log_file_next(r->file, &line, &len)) == LOG_LINE)
		add_line(r, line, len);
	return found;
}

static ssize_t read_some(void *ctx, struct http_stream *stream, uint64_t pos,
			 char *buf, size_t max)
{
	enum log_found found = LOG_LINE;
	struct reader *r = ctx;
	ssize_t n = -1;

	(void)pos;
	pthread_mutex_lock(&r->logs->lock);
	if (r->at == r->len)
		found = fill(r);
	if (r->at < r->len) {
		n = (ssize_t)(max < r->len - r->at ? max : r->len - r->at);
		memcpy(buf, r->out + r->at, (size_t)n);
		r->at += (size_t)n;
	} else if (found == LOG_LATER || r->tail) {
		http_stream_wait(stream);
		n = 0;
		/* Later is after whatever else the server has to do. */
		if (found == LOG_LATER)
			http_stream_wake(stream);
		else
			r->waiting = stream;
	}
	pthread_mutex_unlock(&r->logs->lock);
	return n;
}

static void close_reader(void *ctx, struct http_stream *stream)
{
	struct reader *r = ctx;

	(void)stream;
	pthread_mutex_lock(&r->logs->lock);
	if (r->tail)
		TAILQ_REMOVE(&r->logs->readers, r, link);
	kick(r->logs);
	pthread_mutex_unlock(&r->logs->lock);
	log_file_close(r->file);
	free(r->dir);
	free(r->out);
	free(r);
}

static const struct http_source source = {
	.read = read_some,
	.close = close_reader,
};

/* Under the lock. */
static const struct session *find(const struct logs *l, const char *id)
{
	size_t i;

	for (i = 0; i < l->nr_sessions; i++)
		if (!strcmp(l->sessions[i]->id, id))
			return l->sessions[i];
	return NULL;
}

/* A reader as the session of that id has it; NULL where there is none. */
static struct reader *new_reader(struct logs *l, const char *id)
{
	const struct session *s;
	struct reader *r = NULL;

	pthread_mutex_lock(&l->lock);
	sweep(l);
	s = find(l, id);
	if (s) {
		r = xcalloc(1, sizeof(*r));
		r->logs = l;
		r->dir = xstrdup(s->dir);
		r->tail = s->tail;
		r->file = log_file_open(
			s->dir,
			&(struct log_wish){ s->lines, s->source, s->dyno });
	}
	pthread_mutex_unlock(&l->lock);
	return r;
}

int logs_serve(struct logs *l, const char *id, struct http_request *req)
{
	const char *accept = http_get_header(req, "Accept");
	struct reader *r = new_reader(l, id);

	if (!r)
		return err_set(ERR_NOTFOUND,
			       "There is no such log session, any more.");
	if (r->tail && add_reader(l, r)) {
		r->tail = false;
		close_reader(r, NULL);
		return ERR_UNAVAILABLE;
	}
	r->events = accept && strstr(accept, "text/event-stream");
	if (r->events)
		req->content_type = "text/event-stream";
	http_reply_stream(req, &source, r);
	return 0;
}
