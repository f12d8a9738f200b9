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

#include "clock.h"
#include "err.h"
#include "mem.h"
#include "text.h"

void applog_init(struct applog *log, const char *path)
{
	log->path = xstrdup(path);
	log->fd = -1;
	log->size = 0;
}

void applog_release(struct applog *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
	free(log->path);
	log->path = NULL;
}

static void applog_open(struct applog *log)
{
	struct stat st;

	log->fd = open(log->path,
		       O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
			       O_NONBLOCK,
		       0600);
	log->size = 0;
	if (log->fd >= 0 && !fstat(log->fd, &st))
		log->size = st.st_size;
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

void applog_write(struct applog *log, const char *source, const char *name,
		  const char *line)
{
	int64_t when = clock_now();
	char iso[TEXT_TIME_SIZE], *text;
	struct timespec t;
	ssize_t n;

	if (log->fd < 0)
		applog_open(log);
	if (log->fd < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	if (t.tv_sec != when)
		t.tv_nsec = 0; /* the clock is held, or just moved on */
	text_iso(iso, when);
	iso[strcspn(iso, "Z")] = '\0';
	text = xasprintf("%s.%06ld+00:00 %s[%s]: %s\n", iso, t.tv_nsec / 1000,
			 source, name, line);
	n = write(log->fd, text, strlen(text));
	free(text);
	if (n > 0)
		log->size += n;
	if (log->size > APPLOG_MAX)
		applog_rotate(log);
}

void applog_printf(struct applog *log, const char *name, const char *fmt, ...)
{
	char *line;
	va_list ap;

	va_start(ap, fmt);
	line = xvasprintf(fmt, ap);
	va_end(ap);
	applog_write(log, "heroku", name, line);
	free(line);
}

void output_init(struct output *o)
{
	memset(o, 0, sizeof(*o));
	o->fd = -1;
}

void output_release(struct output *o)
{
	size_t i;

	if (o->fd >= 0)
		close(o->fd);
	for (i = 0; i < OUTPUT_TAIL; i++)
		free(o->tail[i]);
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
	*child = fds[1];
	return 0;
}

static void end_line(struct output *o, struct applog *log, const char *name)
{
	o->line[o->len] = '\0';
	if (o->len && o->line[o->len - 1] == '\r')
		o->line[--o->len] = '\0';
	applog_write(log, "app", name, o->line);
	str_replace(&o->tail[o->next++ % OUTPUT_TAIL],
		    xstrndup(o->line, OUTPUT_LINE));
	o->len = 0;
}

static void take(struct output *o, struct applog *log, const char *name,
		 const char *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (data[i] == '\n') {
			end_line(o, log, name);
			continue;
		}
		if (o->len == OUTPUT_LINE)
			end_line(o, log, name);
		o->line[o->len++] = data[i];
		if (!data[i])
			o->line[o->len - 1] = ' ';
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

char *output_tail(const struct output *o, size_t max)
{
	char *out = xstrdup(""), *line, *more;
	unsigned i;

	for (i = 1; i <= OUTPUT_TAIL && i <= o->next; i++) {
		line = text_escape(o->tail[(o->next - i) % OUTPUT_TAIL]);
		if (strlen(line) + strlen(out) + 1 > max) {
			free(line);
			break;
		}
		more = xasprintf("%s\n%s", line, out);
		free(line);
		str_replace(&out, more);
	}
	return out;
}
