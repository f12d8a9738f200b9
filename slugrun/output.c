/* SPDX-License-Identifier: ISC */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "clock.h"
#include "err.h"
#include "journal.h"
#include "log.h"
#include "mem.h"
#include "text.h"

void applog_init(struct applog *log, const char *app, const char *path)
{
	log->journal = journal_open(app);
	log->path = xstrdup(path);
	log->fd = -1;
	log->size = 0;
	log->len = 0;
	log->sec = -1;
	applog_limit(log, 0);
}

void applog_release(struct applog *log)
{
	if (log->path)
		applog_flush(log);
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
	journal_close(log->journal);
	log->journal = NULL;
	free(log->path);
	log->path = NULL;
}

void applog_limit(struct applog *log, int64_t max)
{
	log->max = max ? max : APPLOG_MAX;
}

static void applog_open(struct applog *log)
{
	struct stat st;

	log->fd = open(log->path,
		       O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
			       O_NONBLOCK,
		       0600);
	log->size = 0;
	if (log->fd < 0 || fstat(log->fd, &st))
		return;
	log->size = st.st_size;
	/* slugd reads it, which may be another account's. */
	if (log->owner && st.st_uid != log->owner &&
	    fchown(log->fd, log->owner, (gid_t)-1))
		log_line("%s: %s", log->path, strerror(errno));
}

static void applog_rotate(struct applog *log)
{
	char *old = xasprintf("%s.1", log->path);

	close(log->fd);
	log->fd = -1;
	if (rename(log->path, old))
		unlink(log->path);
	free(old);
}

void applog_flush(struct applog *log)
{
	ssize_t n;

	if (!log->len)
		return;
	if (log->fd < 0)
		applog_open(log);
	if (log->fd >= 0 && log->size &&
	    log->size + (int64_t)log->len > log->max / 2) {
		applog_rotate(log);
		applog_open(log);
	}
	n = log->fd < 0 ? 0 : write(log->fd, log->buf, log->len);
	if (n > 0)
		log->size += n;
	log->len = 0;
}

static void put(struct applog *log, const char *data, size_t len)
{
	size_t room;

	while (len) {
		room = sizeof(log->buf) - log->len;
		if (room > len)
			room = len;
		memcpy(log->buf + log->len, data, room);
		log->len += room;
		data += room;
		len -= room;
		if (len)
			applog_flush(log);
	}
}

/* "2015-05-07T09:00:00.123456+00:00 app[web.1]: " */
static void put_head(struct applog *log, const char *source, const char *name)
{
	int64_t now = clock_now();
	char micro[] = ".000000+00:00 ";
	struct timespec t;
	long us;
	int i;

	clock_gettime(CLOCK_REALTIME, &t);
	if (t.tv_sec != now)
		t.tv_nsec = 0; /* the clock is held, or just moved on */
	if (now != log->sec) {
		text_iso(log->iso, now);
		log->iso[strcspn(log->iso, "Z")] = '\0';
		log->sec = now;
	}
	us = t.tv_nsec / 1000;
	for (i = 6; i > 0; i--, us /= 10)
		micro[i] = (char)('0' + us % 10);
	put(log, log->iso, strlen(log->iso));
	put(log, micro, strlen(micro));
	put(log, source, strlen(source));
	put(log, "[", 1);
	put(log, name, strlen(name));
	put(log, "]: ", 3);
}

void applog_write(struct applog *log, const char *source, const char *name,
		  const char *line, size_t len)
{
	journal_write(log->journal, source, name, line, len);
	if (log->len + len > sizeof(log->buf) / 2)
		applog_flush(log);
	put_head(log, source, name);
	put(log, line, len);
	put(log, "\n", 1);
}

void applog_printf(struct applog *log, const char *name, const char *fmt, ...)
{
	char *line, *p;
	va_list ap;

	va_start(ap, fmt);
	line = xvasprintf(fmt, ap);
	va_end(ap);
	for (p = line; (p = strpbrk(p, "\r\n")); p++)
		*p = ' ';
	applog_write(log, "heroku", name, line, strlen(line));
	free(line);
}

void output_init(struct output *o)
{
	memset(o, 0, sizeof(*o));
	o->fd = -1;
}

void output_release(struct output *o)
{
	if (o->fd >= 0)
		close(o->fd);
	lines_release(&o->lines);
	output_init(o);
}

int output_open(struct output *o, int *child)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return err_sys("pipe");
	/* Our end alone: the app's must wait where it writes too much. */
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK)) {
		close(fds[0]);
		close(fds[1]);
		return err_sys("pipe");
	}
	if (o->fd >= 0)
		close(o->fd);
	o->fd = fds[0];
	o->len = 0;
	lines_release(&o->lines);
	*child = fds[1];
	return 0;
}

/* line, len bytes, as UTF-8 without a NUL. Caller frees. */
static char *escaped(const char *line, size_t len)
{
	char *out = xcalloc(4 * len + 1, 1), *end = out, *piece;
	size_t at = 0, part;

	while (at < len) {
		if (line[at]) {
			part = strlen(line + at);
			piece = text_escape(line + at);
			end = stpcpy(end, piece);
			free(piece);
			at += part;
		} else {
			end = stpcpy(end, "\\x00");
			at++;
		}
	}
	return out;
}

/* Note the first len bytes of the line begun as a line. */
static void note(struct output *o, struct applog *log, const char *name,
		 size_t len)
{
	char *text, end = o->line[len];

	o->line[len] = '\0';
	if (strlen(o->line) == len && text_is_utf8(o->line))
		text = xstrndup(o->line, len);
	else
		text = escaped(o->line, len);
	o->line[len] = end;
	applog_write(log, "app", name, text, strlen(text));
	lines_add(&o->lines, text);
}

static void end_line(struct output *o, struct applog *log, const char *name)
{
	if (o->len && o->line[o->len - 1] == '\r')
		o->len--;
	note(o, log, name, o->len);
	o->len = 0;
}

static bool is_inner(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* The line begun is full: note it, but for a character that goes on. */
static void cut_line(struct output *o, struct applog *log, const char *name)
{
	size_t at = o->len;

	while (at > o->len - 3 && is_inner(o->line[at - 1]))
		at--;
	if ((unsigned char)o->line[at - 1] >= 0xC0)
		at--;
	else
		at = o->len;
	note(o, log, name, at);
	memmove(o->line, o->line + at, o->len - at);
	o->len -= at;
}

static void take(struct output *o, struct applog *log, const char *name,
		 const char *data, size_t len)
{
	const char *end;
	size_t n;

	capture_write(o->copy, data, len);
	while (len) {
		end = memchr(data, '\n', len);
		n = end ? (size_t)(end - data) : len;
		if (o->len + n > OUTPUT_LINE)
			n = OUTPUT_LINE - o->len;
		memcpy(o->line + o->len, data, n);
		o->len += n;
		data += n;
		len -= n;
		if (len && *data == '\n') {
			end_line(o, log, name);
			data++;
			len--;
		} else if (len) {
			cut_line(o, log, name);
		}
	}
}

bool output_read(struct output *o, struct applog *log, const char *name)
{
	char buf[16384];
	ssize_t n;

	if (o->fd < 0)
		return false;
	n = read(o->fd, buf, sizeof(buf));
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	take(o, log, name, buf, (size_t)n);
	return n > 0;
}

void output_finish(struct output *o, struct applog *log, const char *name)
{
	char buf[16384];
	ssize_t n;
	int i;

	/* No more than a full pipe: another process may hold and fill it. */
	for (i = 0; o->fd >= 0 && i < 8; i++) {
		n = read(o->fd, buf, sizeof(buf));
		if (n <= 0)
			break;
		take(o, log, name, buf, (size_t)n);
	}
	if (o->len)
		end_line(o, log, name);
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
}
