/* SPDX-License-Identifier: ISC */
#include "log-file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

#define BLOCK  65536
#define ENOUGH (4 * BLOCK)
#define HEAD   256 /* holds a line's time, source and process */

struct log_file {
	char *path, *old; /* "log", "log.1" */
	char *source, *dyno;
	int fd, next; /* what is read, and what comes then; -1: none */
	off_t pos;    /* so far it was read into buf */
	off_t start;  /* where next is begun with */
	char buf[BLOCK];
	size_t at, len; /* of buf: what was not given out is between */
	size_t seen;    /* bytes that were looked at in one go */
	/* While the last lines are looked for, of which pos is the first: */
	int64_t want; /* so many more, */
	off_t end;    /* before that of fd, */
	int before;   /* and in this file, which is older; -1: none */
};

static int open_file(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd >= 0 && (fstat(fd, st) || !S_ISREG(st->st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* Is name the process, or one of the type, that was asked for? */
static bool is_dyno(const char *asked, const char *name, size_t len)
{
	size_t n = strlen(asked);

	return len >= n && !strncmp(name, asked, n) &&
	       (len == n || name[n] == '.');
}

/* Is that line ("TIME SOURCE[NAME]: TEXT", perhaps cut off) wanted? */
static bool is_wanted(const struct log_file *f, const char *line, size_t len)
{
	const char *end = line + len, *source, *name, *close;

	if (!f->source && !f->dyno)
		return true;
	source = memchr(line, ' ', len);
	name = source ? memchr(source, '[', (size_t)(end - source)) : NULL;
	close = name ? memchr(name, ']', (size_t)(end - name)) : NULL;
	if (!close)
		return false;
	source++;
	if (f->source && (strlen(f->source) != (size_t)(name - source) ||
			  strncmp(f->source, source, (size_t)(name - source))))
		return false;
	name++;
	return !f->dyno || is_dyno(f->dyno, name, (size_t)(close - name));
}

/* How much of these len bytes is one line. */
static size_t line_length(const char *line, size_t len)
{
	const char *end = memchr(line, '\n', len);

	return end ? (size_t)(end - line) : len;
}

/* Does a line begin at pos of fd? */
static bool begins(int fd, off_t pos)
{
	char c = '\n';

	return !pos || (pread(fd, &c, 1, pos - 1) == 1 && c == '\n');
}

/* Is the line at pos of fd, which begins with these len bytes, wanted? */
static bool is_wanted_at(const struct log_file *f, int fd, off_t pos,
			 const char *line, size_t len)
{
	char head[HEAD];
	ssize_t n;

	if (len < HEAD && !memchr(line, '\n', len)) {
		n = pread(fd, head, sizeof(head), pos);
		line = head;
		len = n > 0 ? (size_t)n : 0;
	}
	return is_wanted(f, line, line_length(line, len));
}

/* The wanted ones of the lines that begin in the n bytes at fd's end. */
static void search_block(struct log_file *f, size_t n)
{
	off_t at = f->end - (off_t)n;
	size_t i;

	for (i = n; i-- && f->want;) {
		/* A line begins behind the end of another. */
		if (i ? f->buf[i - 1] != '\n' : !begins(f->fd, at))
			continue;
		if (!is_wanted_at(f, f->fd, at + (off_t)i, f->buf + i, n - i))
			continue;
		f->pos = at + (off_t)i;
		f->want--;
	}
	f->end = at;
}

static void close_before(struct log_file *f)
{
	if (f->before >= 0)
		close(f->before);
	f->before = -1;
}

/* There are too few lines in the file: go on in the one before, if any. */
static bool search_before(struct log_file *f)
{
	struct stat st = { 0 };

	if (f->before < 0)
		return false;
	fstat(f->before, &st);
	f->next = f->fd;
	f->start = f->pos;
	f->fd = f->before;
	f->before = -1;
	f->pos = f->end = st.st_size;
	return true;
}

/* Look for the last lines, a block further; false: it is done. */
static bool search(struct log_file *f)
{
	size_t n = (size_t)(f->end > BLOCK ? BLOCK : f->end);

	if (!f->want)
		close_before(f);
	if (!f->want || !n)
		return search_before(f);
	f->seen += n;
	if (pread(f->fd, f->buf, n, f->end - (off_t)n) == (ssize_t)n)
		search_block(f, n);
	else
		f->want = 0; /* somebody cut it off */
	return true;
}

struct log_file *log_file_open(const char *dir, const struct log_wish *wish)
{
	struct log_file *f = xcalloc(1, sizeof(*f));
	struct stat now = { 0 }, before;

	f->path = xasprintf("%s/log", dir);
	f->old = xasprintf("%s.1", f->path);
	f->want = wish->lines;
	f->source = xstrdup(wish->source);
	f->dyno = xstrdup(wish->dyno);
	f->next = -1;
	f->fd = open_file(f->path, &now);
	f->pos = f->end = now.st_size;
	f->before = open_file(f->old, &before);
	/* It was put away just now. */
	if (f->fd >= 0 && f->before >= 0 && same_file(&now, &before))
		close_before(f);
	return f;
}

void log_file_close(struct log_file *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	if (f->next >= 0)
		close(f->next);
	close_before(f);
	free(f->path);
	free(f->old);
	free(f->source);
	free(f->dyno);
	free(f);
}

static void turn_to(struct log_file *f, int fd)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = fd;
	f->pos = 0;
	/* What the file before ended with was its last line. */
	if (f->len)
		f->buf[f->len++] = '\n';
}

/* The log was put away: what comes after the file that was read. */
static bool turn_page(struct log_file *f, const struct stat *mine)
{
	struct stat st;
	int old, fd;

	old = f->fd >= 0 ? open_file(f->old, &st) : -1;
	fd = open_file(f->path, &st);
	if (old >= 0 && !fstat(old, &st) && !same_file(&st, mine)) {
		f->next = fd; /* ours is gone: there was one between */
		fd = old;
	} else if (old >= 0) {
		close(old);
	}
	if (fd < 0)
		return false;
	turn_to(f, fd);
	return true;
}

/* All of the file was read: is there more after all, or another one? */
static bool go_on(struct log_file *f)
{
	struct stat now, mine = { 0 };
	int fd = f->next;

	if (fd >= 0) {
		f->next = -1;
		turn_to(f, fd);
		f->pos = f->start;
		f->start = 0;
		return true;
	}
	if (stat(f->path, &now) || (f->fd >= 0 && fstat(f->fd, &mine)))
		return false;
	if (f->fd < 0)
		return turn_page(f, &mine);
	if (mine.st_size < f->pos) { /* somebody emptied it */
		f->pos = 0;
		return mine.st_size > 0;
	}
	/* What was put away is read to its end before. */
	return mine.st_size > f->pos ||
	       (!same_file(&now, &mine) && turn_page(f, &mine));
}

/* More into buf, behind what is left of it. */
static bool fill(struct log_file *f)
{
	ssize_t n = 0;

	memmove(f->buf, f->buf + f->at, f->len - f->at);
	f->len -= f->at;
	f->at = 0;
	/* Room for the end of a line is kept. */
	if (f->fd >= 0)
		n = pread(f->fd, f->buf + f->len, BLOCK - 1 - f->len, f->pos);
	if (n <= 0)
		return n == 0 && go_on(f);
	f->pos += n;
	f->len += (size_t)n;
	f->seen += (size_t)n;
	return true;
}

/* Was so much looked at that others are to have their turn? */
static bool is_enough(struct log_file *f)
{
	if (f->seen < ENOUGH)
		return false;
	f->seen = 0;
	return true;
}

enum log_found log_file_next(struct log_file *f, const char **line, size_t *len)
{
	const char *end;

	while (search(f))
		if (is_enough(f))
			return LOG_LATER;
	do {
		while (!(end = memchr(f->buf + f->at, '\n', f->len - f->at))) {
			if (f->at == 0 && f->len == BLOCK - 1)
				f->buf[f->len++] = '\n';
			else if (!fill(f))
				return LOG_NONE;
			else if (is_enough(f))
				return LOG_LATER;
		}
		*line = f->buf + f->at;
		*len = (size_t)(end - *line);
		f->at += *len + 1;
	} while (!is_wanted(f, *line, *len));
	return LOG_LINE;
}

bool log_file_has_more(const struct log_file *f)
{
	struct stat now, mine;

	if (stat(f->path, &now))
		return false;
	return f->fd < 0 || fstat(f->fd, &mine) || !same_file(&now, &mine) ||
	       mine.st_size != f->pos;
}
