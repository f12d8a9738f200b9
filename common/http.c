/* SPDX-License-Identifier: ISC */
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "err.h"
#include "etag.h"
#include "http-parts.h"
#include "http-private.h"
#include "ids.h"
#include "log.h"
#include "mem.h"

/* How long http_stop() waits for the last answers to be read. */
#define STOP_MS 1000

/* Connections at a time: of 1,024 descriptors, others are for the work. */
#define MAX_CONNECTIONS 600U

/* Seconds after which a connection that says nothing is ended. */
#define IDLE_S 600U

void http_add_header(struct http_request *req, const char *name,
		     const char *value)
{
	struct http_private *priv = req->priv;
	size_t n = priv->nr_headers;

	if (n == sizeof(priv->header) / sizeof(priv->header[0]))
		abort();
	priv->header[n][0] = xstrdup(name);
	priv->header[n][1] = xstrdup(value);
	priv->nr_headers++;
}

const char *http_get_header(struct http_request *req, const char *name)
{
	return MHD_lookup_connection_value(req->priv->connection,
					   MHD_HEADER_KIND, name);
}

const char *http_get_query(struct http_request *req, const char *name)
{
	return MHD_lookup_connection_value(req->priv->connection,
					   MHD_GET_ARGUMENT_KIND, name);
}

static bool is_get(const struct http_request *req)
{
	return !strcmp(req->method, "GET") || !strcmp(req->method, "HEAD");
}

/* A reply as it goes over the wire, and its entity tag. Caller frees. */
static char *body_text(const json_t *reply, char etag[ETAG_SIZE])
{
	char *text = json_text(reply), *line = xasprintf("%s\n", text);

	etag_make(etag, line);
	free(text);
	return line;
}

/*
 * The good answer to a GET has an entity tag; a client that has the same
 * already gets 304 and nothing else.
 */
static struct MHD_Response *tagged_response(struct http_request *req,
					    const json_t *reply)
{
	const char *known = http_get_header(req, MHD_HTTP_HEADER_IF_NONE_MATCH);
	char etag[ETAG_SIZE], *line = body_text(reply, etag);

	http_add_header(req, MHD_HTTP_HEADER_ETAG, etag);
	if (known && etag_is_in(known, etag)) {
		req->status = MHD_HTTP_NOT_MODIFIED;
		free(line);
		return MHD_create_response_from_buffer(0, NULL,
						       MHD_RESPMEM_PERSISTENT);
	}
	return MHD_create_response_from_buffer(strlen(line), line,
					       MHD_RESPMEM_MUST_FREE);
}

static struct MHD_Response *json_response(struct http_request *req)
{
	struct http_private *priv = req->priv;
	json_t *v = req->reply;
	struct MHD_Response *response;
	char etag[ETAG_SIZE], *line;

	if (priv->rc < 0) {
		req->status = http_error_status(priv->rc);
		v = json_pack("{s:s, s:s}", "id", http_error_id(priv->rc),
			      "message", priv->message);
		if (!v) /* a message that is not UTF-8 */
			v = json_make("{s:s, s:s}", "id",
				      http_error_id(priv->rc), "message",
				      "bad input");
		json_decref(req->reply);
	}
	req->reply = NULL;
	if (!v)
		return MHD_create_response_from_buffer(0, NULL,
						       MHD_RESPMEM_PERSISTENT);
	if (priv->rc >= 0 && is_get(req)) {
		response = tagged_response(req, v);
	} else {
		line = body_text(v, etag);
		response = MHD_create_response_from_buffer(
			strlen(line), line, MHD_RESPMEM_MUST_FREE);
	}
	json_decref(v);
	return response;
}

/* The response to req, with the headers that it has by itself. */
static struct MHD_Response *response_to(struct http_request *req)
{
	bool good = req->priv->rc >= 0, stream = good && req->source;
	struct MHD_Response *r;

	if (good && req->priv->take)
		return http_upgrade_response(req);
	r = stream ? http_stream_response(req) : json_response(req);
	if (r)
		MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE,
					stream ? req->content_type
					       : "application/json");
	return r;
}

static enum MHD_Result answer(struct http_request *req)
{
	struct http_private *priv = req->priv;
	struct MHD_Response *r = response_to(req);
	char id[ID_SIZE];
	enum MHD_Result result;
	size_t i;

	if (!r)
		return MHD_NO;
	id_random(id);
	MHD_add_response_header(r, "Request-Id", id);
	for (i = 0; i < priv->nr_headers; i++)
		MHD_add_response_header(r, priv->header[i][0],
					priv->header[i][1]);
	result = MHD_queue_response(priv->connection,
				    (unsigned)(req->status ? req->status : 200),
				    r);
	MHD_destroy_response(r);
	return result;
}

void http_finish(struct http_request *req, int rc)
{
	struct http_private *priv = req->priv;
	struct http_server *s = req->server;

	priv->rc = rc;
	if (rc < 0)
		priv->message = xstrdup(err_msg());
	if (rc < 0 && http_error_status(rc) == 500)
		log_line("%s %s: %s", req->method, req->path, err_msg());
	http_lock(s);
	priv->finished = true;
	if (!req->source || rc < 0) {
		priv->unsent = true;
		s->unsent++;
	}
	http_rest_end(s, &priv->rest);
	/* Once the lock is free the request may be answered, and gone. */
	http_unlock(s);
}

static void clear_headers(struct http_private *priv)
{
	size_t i;

	for (i = 0; i < priv->nr_headers; i++) {
		free(priv->header[i][0]);
		free(priv->header[i][1]);
	}
	priv->nr_headers = 0;
}

/* The entity tag of what a GET of the same path answers now. */
static int current_etag(struct http_request *req, char etag[ETAG_SIZE])
{
	struct http_private priv = { .connection = req->priv->connection };
	struct http_request get = *req;
	const struct http_route *r = req->server->config.routes;
	int rc;

	while (r->method && (strcmp(r->method, "GET") != 0 ||
			     strcmp(r->pattern, req->priv->route->pattern)))
		r++;
	if (!r->method)
		return err_set(ERR_STALE, "%s has no state to match",
			       req->path);
	get.method = r->method;
	get.priv = &priv;
	get.body = NULL;
	rc = r->handle(req->server->config.ctx, &get);
	if (!rc && get.reply)
		free(body_text(get.reply, etag));
	json_decref(get.reply);
	clear_headers(&priv);
	return rc;
}

/*
 * A change that comes with If-Match is made only to what the client has
 * seen. Called on the lane of the change, so that no other comes between.
 */
static int check_if_match(struct http_request *req)
{
	const char *seen = http_get_header(req, MHD_HTTP_HEADER_IF_MATCH);
	char etag[ETAG_SIZE] = "";
	int rc;

	if (!seen || is_get(req))
		return 0;
	rc = current_etag(req, etag);
	if (!rc && !etag_is_in(seen, etag))
		rc = err_set(ERR_STALE, "%s has changed since it was read",
			     req->path);
	return rc;
}

static int handle(struct http_request *req)
{
	int rc = check_if_match(req);

	return rc ? rc : req->priv->route->handle(req->server->config.ctx, req);
}

void http_run(struct http_request *req)
{
	int rc = handle(req);

	if (rc != HTTP_LATER)
		http_finish(req, rc);
}

/*
 * Hand the request to its lane, whose thread may finish it at any time.
 * http_close() waits for one that is on its way there.
 */
static void hand_over(struct http_request *req)
{
	struct http_server *s = req->server;
	bool refused;

	http_rest_begin(s, &req->priv->rest);
	http_lock(s);
	refused = s->closing;
	s->handing_over = !refused;
	http_unlock(s);
	if (refused) {
		http_finish(req,
			    err_set(ERR_UNAVAILABLE, "the server is stopping"));
		return;
	}
	s->config.defer(s->config.ctx, req->priv->route->lane, req);
	http_lock(s);
	s->handing_over = false;
	pthread_cond_signal(&s->sent);
	http_unlock(s);
}

/* How long a body may be. */
static size_t body_limit(const struct http_request *req)
{
	size_t own = req->priv->route->max_body;

	return own ? own : req->server->config.max_body;
}

static int read_body(struct http_request *req)
{
	struct http_private *priv = req->priv;

	if (priv->too_big)
		return err_set(ERR_TOOBIG,
			       "the request's body is over %zu bytes",
			       body_limit(req));
	if (!priv->text_len)
		return 0;
	return json_read(&req->body, priv->text, priv->text_len);
}

/* Is the request to be answered at once? Else its connection rests. */
static bool dispatch(struct http_request *req)
{
	struct http_private *priv = req->priv;
	int rc;

	if (priv->refused)
		rc = err_set(priv->refused, "%s", priv->refusal);
	else
		rc = read_body(req);
	if (!rc && priv->route->lane) {
		hand_over(req);
		return false;
	}
	if (!rc)
		rc = handle(req);
	if (rc == HTTP_LATER) {
		http_rest_begin(req->server, &priv->rest);
		return false;
	}
	http_finish(req, rc);
	return true;
}

static void clear_text(struct http_private *priv)
{
	if (priv->text)
		explicit_bzero(priv->text, priv->text_len);
	free(priv->text);
	priv->text = NULL;
	priv->text_len = 0;
}

static void take_upload(struct http_request *req, const char *data, size_t len)
{
	struct http_private *priv = req->priv;

	if (priv->refused || priv->too_big)
		return;
	if (len > body_limit(req) - priv->text_len) {
		priv->too_big = true;
		clear_text(priv);
		return;
	}
	priv->text = xrealloc(priv->text, priv->text_len + len, 1);
	memcpy(priv->text + priv->text_len, data, len);
	priv->text_len += len;
}

static struct http_peer *peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info->socket_context;
}

/*
 * The head of a request has come. Who is refused is told at once, without its
 * body, and the connection ends; after a small body it goes on.
 */
static enum MHD_Result begin(struct http_request *req)
{
	struct http_private *priv = req->priv;

	priv->refused = http_admit(req);
	if (!priv->refused)
		return MHD_YES;
	priv->refusal = xstrdup(err_msg());
	if (http_has_small_body(req))
		return MHD_YES;
	priv->dispatched = true;
	dispatch(req);
	return answer(req);
}

static bool is_finished(struct http_request *req)
{
	bool is;

	http_lock(req->server);
	is = req->priv->finished;
	http_unlock(req->server);
	return is;
}

/* The parameters are libmicrohttpd's. */
/* NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *c,
				  const char *url, const char *method,
				  const char *version, const char *data,
				  size_t *len, void **state)
{
	struct http_request *req = *state;

	(void)version;
	if (!req) {
		req = xcalloc(1, sizeof(*req));
		req->priv = xcalloc(1, sizeof(*req->priv));
		req->priv->connection = req->priv->rest.connection = c;
		req->server = cls;
		req->peer = peer_of(c);
		req->path = xstrdup(url);
		req->method = method;
		*state = req;
		return begin(req);
	}
	if (*len) {
		take_upload(req, data, *len);
		*len = 0;
		return MHD_YES;
	}
	if (!req->priv->dispatched) {
		req->priv->dispatched = true;
		return dispatch(req) ? answer(req) : MHD_YES;
	}
	/* It rested. Where the server stops, it may not be finished. */
	return is_finished(req) ? answer(req) : MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *c, void **state,
			 enum MHD_RequestTerminationCode code)
{
	struct http_request *req = *state;
	struct http_server *s = cls;
	struct http_private *priv;

	(void)c;
	(void)code;
	if (!req)
		return;
	priv = req->priv;
	http_stream_end(req);
	http_upgrade_end(req);
	if (priv->unsent) {
		http_lock(s);
		s->unsent--;
		pthread_cond_signal(&s->sent);
		http_unlock(s);
	}
	req->peer->calls++;
	clear_headers(priv);
	clear_text(priv);
	free(priv->params);
	free(priv->message);
	free(priv->refusal);
	free(priv);
	json_decref(req->body);
	json_decref(req->reply);
	free(req->path);
	free(req);
	*state = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *c, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info;
	struct http_peer *peer = *context;

	(void)cls;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(
			c, MHD_CONNECTION_INFO_CONNECTION_FD);
		*context = http_peer_of(info->connect_fd);
	} else if (peer) {
		free(peer->user);
		free(peer);
		*context = NULL;
	}
}

static void on_log(void *cls, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void on_log(void *cls, const char *fmt, va_list ap)
{
	char *s = xvasprintf(fmt, ap);

	(void)cls;
	s[strcspn(s, "\n")] = '\0';
	log_line("http: %s", s);
	free(s);
}

static void http_free(struct http_server *s)
{
	pthread_cond_destroy(&s->sent);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int http_start(struct http_server **out, int fd,
	       const struct http_config *config)
{
	struct http_server *s = xcalloc(1, sizeof(*s));

	s->config = *config;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->sent, NULL);
	if (http_rest_start(s)) {
		http_free(s);
		return ERR_SYSTEM;
	}
	s->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
			MHD_ALLOW_UPGRADE | MHD_USE_ITC | MHD_USE_ERROR_LOG,
		0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER,
		on_log, s, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
		MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_END);
	if (!s->daemon) {
		http_rest_stop(s);
		http_free(s);
		return err_set(ERR_SYSTEM, "cannot start the HTTP server");
	}
	*out = s;
	return 0;
}

void http_close(struct http_server *s)
{
	if (!s)
		return;
	http_lock(s);
	s->closing = true;
	while (s->handing_over)
		pthread_cond_wait(&s->sent, &s->lock);
	http_unlock(s);
}

void http_stop(struct http_server *s)
{
	struct timespec until = clock_deadline(STOP_MS);

	if (!s)
		return;
	MHD_quiesce_daemon(s->daemon);
	http_lock(s);
	while (s->unsent && !pthread_cond_clockwait(&s->sent, &s->lock,
						    CLOCK_MONOTONIC, &until))
		;
	http_unlock(s);
	http_rest_stop(s);
	MHD_stop_daemon(s->daemon);
	http_free(s);
}
