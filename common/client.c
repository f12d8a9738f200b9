/* SPDX-License-Identifier: ISC */
#include "client.h"

#include <ctype.h>
#include <errno.h>
#include <http_parser.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "sock.h"
#include "text.h"

#define MAX_ANSWER (256UL << 20)

struct header {
	char *name, *value;
};

struct client {
	int fd;
	http_parser parser;
	bool complete, in_value;
	bool broken; /* nothing can be asked any more */
	bool away;   /* as slugd went away */
	struct header *headers;
	size_t nr_headers;
	char *extra; /* header lines for the next request */
	char *early; /* what came behind 101 */
	size_t early_len;
	char *body;
	size_t body_len;
	int (*sink)(void *ctx, const char *data, size_t len);
	void *sink_ctx;
	int sink_rc;
	void (*slow)(void *ctx); /* the next answer takes long */
	void *slow_ctx;
	int slow_ms;
	int timeout; /* ms; 0: none */
	int cancel;  /* a descriptor, or -1 */
};

/* The error that a status stands for (RFC 9110; Heroku's error ids). */
static const struct {
	int status, code;
} status_codes[] = {
	{ 400, ERR_BADREQUEST }, { 401, ERR_FORBIDDEN },
	{ 403, ERR_FORBIDDEN },  { 404, ERR_NOTFOUND },
	{ 409, ERR_CONFLICT },   { 413, ERR_TOOBIG },
	{ 412, ERR_STALE },      { 416, ERR_RANGE },
	{ 422, ERR_INVALID },    { 503, ERR_UNAVAILABLE },
};

static void clear_answer(struct client *c)
{
	size_t i;

	for (i = 0; i < c->nr_headers; i++) {
		free(c->headers[i].name);
		free(c->headers[i].value);
	}
	free(c->headers);
	c->headers = NULL;
	c->nr_headers = 0;
	free(c->body);
	c->body = NULL;
	c->body_len = 0;
	c->complete = c->in_value = false;
	c->sink_rc = 0;
}

static void append(char **s, const char *at, size_t len)
{
	size_t old = *s ? strlen(*s) : 0;

	*s = xrealloc(*s, old + len + 1, 1);
	memcpy(*s + old, at, len);
	(*s)[old + len] = '\0';
}

static int on_header_field(http_parser *p, const char *at, size_t len)
{
	struct client *c = p->data;

	if (c->in_value || !c->nr_headers) {
		c->headers = xrealloc(c->headers, c->nr_headers + 1,
				      sizeof(*c->headers));
		c->headers[c->nr_headers].name = NULL;
		c->headers[c->nr_headers++].value = NULL;
		c->in_value = false;
	}
	append(&c->headers[c->nr_headers - 1].name, at, len);
	return 0;
}

static int on_header_value(http_parser *p, const char *at, size_t len)
{
	struct client *c = p->data;

	c->in_value = true;
	if (c->nr_headers)
		append(&c->headers[c->nr_headers - 1].value, at, len);
	return 0;
}

static int on_body(http_parser *p, const char *at, size_t len)
{
	struct client *c = p->data;

	if (c->sink && p->status_code < 300) {
		c->sink_rc = c->sink(c->sink_ctx, at, len);
		return c->sink_rc < 0;
	}
	if (c->body_len + len > MAX_ANSWER)
		return 1;
	c->body = xrealloc(c->body, c->body_len + len + 1, 1);
	memcpy(c->body + c->body_len, at, len);
	c->body_len += len;
	c->body[c->body_len] = '\0';
	return 0;
}

static int on_message_complete(http_parser *p)
{
	struct client *c = p->data;

	c->complete = true;
	http_parser_pause(p, 1);
	return 0;
}

static const http_parser_settings settings = {
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

int client_open_fd(struct client **out, int fd)
{
	struct client *c = xcalloc(1, sizeof(*c));
	const char *user = getenv("SLUGD_USER");
	json_t *claim;
	int rc;

	c->fd = fd;
	c->cancel = -1;
	*out = c;
	if (!user || !*user)
		return 0;
	claim = json_pack("{s:s}", "user", user);
	if (!claim)
		rc = err_set(ERR_INVALID, "SLUGD_USER is not UTF-8");
	else
		rc = client_call(c, "POST", "/session", claim, NULL);
	json_decref(claim);
	if (rc) {
		client_free(c);
		*out = NULL;
	}
	return rc;
}

static int refuse_closed(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir =
		slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");
	char *word = text_shell_word(dir);

	err_set(ERR_UNAVAILABLE,
		"slugd is not running: nothing answers at %s. Start it with: "
		"slugd -d %s",
		path, word);
	free(word);
	free(dir);
	return ERR_UNAVAILABLE;
}

int client_open(struct client **out, const char *path)
{
	int fd;

	*out = NULL;
	if (sock_connect_unix(&fd, path))
		return refuse_closed(path);
	return client_open_fd(out, fd);
}

void client_free(struct client *c)
{
	if (!c)
		return;
	clear_answer(c);
	free(c->extra);
	free(c->early);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

void client_set_timeout(struct client *c, int ms)
{
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };

	c->timeout = ms;
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

void client_set_cancel(struct client *c, int fd)
{
	c->cancel = fd;
}

void client_set_slow(struct client *c, int ms, void (*fn)(void *ctx), void *ctx)
{
	c->slow = fn;
	c->slow_ctx = ctx;
	c->slow_ms = ms;
}

void client_set_header(struct client *c, const char *name, const char *value)
{
	str_replace(&c->extra,
		    xasprintf("%s%s: %s\r\n", c->extra ? c->extra : "", name,
			      value));
}

static int went_away(struct client *c)
{
	c->broken = c->away = true;
	return err_set(ERR_UNAVAILABLE, "slugd went away before it answered%s",
		       errno == EAGAIN ? " (time limit)" : "");
}

static int send_request(struct client *c, const char *method, const char *path,
			const json_t *body)
{
	char *text = body ? json_text(body) : xstrdup("");
	char *req =
		xasprintf("%s %s HTTP/1.1\r\n"
			  "Host: slugd\r\n"
			  "Accept: application/vnd.heroku+json; version=3\r\n"
			  "%s%sContent-Length: %zu\r\n\r\n%s",
			  method, path, c->extra ? c->extra : "",
			  body ? "Content-Type: application/json\r\n" : "",
			  strlen(text), text);
	size_t len = strlen(req), done = 0;
	int rc = 0;

	str_replace(&c->extra, NULL);
	while (done < len) {
		ssize_t n = send(c->fd, req + done, len - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		/* It may have answered already, and read no further. */
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			break;
		if (n < 0) {
			rc = went_away(c);
			break;
		}
		done += (size_t)n;
	}
	/* The body may be a secret. */
	explicit_bzero(text, strlen(text));
	explicit_bzero(req, len);
	free(req);
	free(text);
	return rc;
}

/* The connection leaves HTTP; data came after the answer's end. */
static void keep_early(struct client *c, const char *data, size_t len)
{
	if (!c->parser.upgrade)
		return;
	c->early = xrealloc(c->early, len + 1, 1);
	memcpy(c->early, data, len);
	c->early_len = len;
}

/* Tell whoever wants to know that nothing came for so long. */
static void await_answer(struct client *c)
{
	struct pollfd p = { c->fd, POLLIN, 0 };

	if (c->slow && !poll(&p, 1, c->slow_ms))
		c->slow(c->slow_ctx);
	c->slow = NULL;
}

/* As recv(2), within the timeout, and until it is cancelled. */
static ssize_t receive(struct client *c, char *buf, size_t size)
{
	struct pollfd p[] = { { c->fd, POLLIN, 0 }, { c->cancel, POLLIN, 0 } };
	int n = poll(p, 2, c->timeout ? c->timeout : -1);

	if (n > 0 && !p[1].revents)
		return recv(c->fd, buf, size, 0);
	if (n >= 0)
		errno = n ? ECANCELED : EAGAIN;
	return -1;
}

static int read_answer(struct client *c)
{
	char buf[16384];

	await_answer(c);
	clear_answer(c);
	http_parser_init(&c->parser, HTTP_RESPONSE);
	c->parser.data = c;
	while (!c->complete) {
		size_t used;
		ssize_t n = receive(c, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return went_away(c);
		used = http_parser_execute(&c->parser, &settings, buf,
					   (size_t)n);
		if (c->sink_rc < 0) {
			c->broken = true;
			return c->sink_rc;
		}
		if (c->complete)
			keep_early(c, buf + used, (size_t)n - used);
		if (c->complete)
			break;
		errno = 0;
		if (n == 0)
			return went_away(c);
		if (used != (size_t)n) {
			c->broken = true;
			return err_set(ERR_FAILED,
				       "slugd's answer is not HTTP");
		}
	}
	return 0;
}

/* The error that an answer of 400 and above stands for. */
static int answer_error(const struct client *c)
{
	int status = client_status(c), code = ERR_FAILED;
	json_t *v = NULL;
	size_t i;

	for (i = 0; i < sizeof(status_codes) / sizeof(status_codes[0]); i++)
		if (status_codes[i].status == status)
			code = status_codes[i].code;
	if (c->body && !json_read(&v, c->body, c->body_len))
		err_set(code, "%s", json_str(v, "message", "no message"));
	else
		err_set(code, "slugd answered with status %d", status);
	json_decref(v);
	return code;
}

static int exchange(struct client *c, const char *method, const char *path,
		    const json_t *body)
{
	int rc;

	errno = 0;
	if (c->away)
		return went_away(c);
	if (c->broken)
		return err_set(ERR_UNAVAILABLE, "the connection is broken");
	rc = send_request(c, method, path, body);
	if (!rc)
		rc = read_answer(c);
	if (!rc && client_status(c) >= 400)
		rc = answer_error(c);
	return rc;
}

int client_call(struct client *c, const char *method, const char *path,
		const json_t *body, json_t **out)
{
	int rc;

	if (out)
		*out = NULL;
	rc = exchange(c, method, path, body);
	if (!rc && out && c->body_len)
		rc = json_read(out, c->body, c->body_len);
	return rc;
}

int client_stream(struct client *c, const char *path,
		  int (*sink)(void *ctx, const char *data, size_t len),
		  void *ctx)
{
	int rc;

	/* An absolute URL names a host that this connection has already. */
	if (!strncmp(path, "http://", 7))
		path = strchrnul(path + 7, '/');
	c->sink = sink;
	c->sink_ctx = ctx;
	rc = exchange(c, "GET", path, NULL);
	c->sink = NULL;
	return rc;
}

int client_upgrade(struct client *c, const char *path, const json_t *body,
		   const char *protocol, struct client_upgraded *out)
{
	int rc;

	client_set_header(c, "Connection", "Upgrade");
	client_set_header(c, "Upgrade", protocol);
	rc = exchange(c, "POST", path, body);
	if (!rc && !c->parser.upgrade)
		rc = err_set(ERR_FAILED, "slugd does not speak %s", protocol);
	if (rc)
		return rc;
	client_set_timeout(c, 0);
	out->fd = c->fd;
	out->early = c->early;
	out->len = c->early_len;
	c->fd = -1;
	c->broken = true;
	c->early = NULL;
	return 0;
}

int client_status(const struct client *c)
{
	return (int)c->parser.status_code;
}

const char *client_header(const struct client *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->nr_headers; i++)
		if (!strcasecmp(c->headers[i].name, name))
			return c->headers[i].value;
	return NULL;
}

char *client_path_segment(const char *s)
{
	char *out = xcalloc(strlen(s) * 3 + 1, 1), *q = out;

	for (; *s; s++)
		if (isalnum((unsigned char)*s) || strchr("-._~", *s))
			*q++ = *s;
		else
			q += sprintf(q, "%%%02X", (unsigned char)*s);
	return out;
}
