/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "err.h"
#include "http.h"
#include "mem.h"
#include "sock.h"

/* A server with one lane, and a log that grows. */
static struct {
	char dir[32];
	char *path;
	int fd;
	struct http_server *http;
	pthread_t lane;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct http_request *queue[64];
	size_t queued;
	bool stop;
	struct http_request *later; /* what /later waits with */
	int number;                 /* what /number is */
	int taken_fd;               /* what /upgrade gave, with early */
	size_t nr_taken;
	char *early;
	/* The log of /stream, and its readers. */
	char log[65536];
	size_t log_len;
	bool log_ended;
	struct http_stream *readers[64];
	size_t nr_readers, opened, closed;
	int client_fd; /* of /lane/gone */
} s;

static int get_root(void *ctx, struct http_request *req)
{
	(void)ctx;
	req->reply = json_make("{s:s, s:s*, s:i}", "user", req->peer->user, "q",
			       http_get_query(req, "q"), "calls",
			       (int)req->peer->calls);
	http_add_header(req, "X-Test", "yes");
	return 0;
}

static int get_release(void *ctx, struct http_request *req)
{
	(void)ctx;
	req->reply = json_make("[s, s]", req->param[0], req->param[1]);
	return 0;
}

static int post_echo(void *ctx, struct http_request *req)
{
	(void)ctx;
	req->status = 201;
	req->reply = json_incref(req->body);
	return 0;
}

static int get_failure(void *ctx, struct http_request *req)
{
	(void)ctx;
	return err_set(-(int)strtol(req->param[0], NULL, 10), "failed with %s",
		       req->param[0]);
}

static int slow(void *ctx, struct http_request *req)
{
	const struct timespec pause = { .tv_nsec = 50000000 };

	(void)ctx;
	nanosleep(&pause, NULL);
	req->reply = json_string(req->param[0]);
	return 0;
}

static int get_later(void *ctx, struct http_request *req)
{
	(void)ctx;
	pthread_mutex_lock(&s.lock);
	s.later = req;
	pthread_cond_broadcast(&s.changed);
	pthread_mutex_unlock(&s.lock);
	return HTTP_LATER;
}

static ssize_t read_log(void *ctx, struct http_stream *stream, uint64_t pos,
			char *buf, size_t max)
{
	ssize_t n = 0;

	(void)ctx;
	pthread_mutex_lock(&s.lock);
	if (pos < s.log_len) {
		n = (ssize_t)(s.log_len - pos < max ? s.log_len - pos : max);
		memcpy(buf, s.log + pos, (size_t)n);
	} else if (s.log_ended) {
		n = -1;
	} else {
		size_t i;

		for (i = 0; i < s.nr_readers; i++)
			if (s.readers[i] == stream)
				break;
		if (i == s.nr_readers)
			s.readers[s.nr_readers++] = stream;
		http_stream_wait(stream);
		pthread_cond_broadcast(&s.changed);
	}
	pthread_mutex_unlock(&s.lock);
	return n;
}

static void close_log(void *ctx, struct http_stream *stream)
{
	size_t i;

	(void)ctx;
	pthread_mutex_lock(&s.lock);
	for (i = 0; i < s.nr_readers; i++)
		if (s.readers[i] == stream)
			s.readers[i--] = s.readers[--s.nr_readers];
	s.closed++;
	pthread_cond_broadcast(&s.changed);
	pthread_mutex_unlock(&s.lock);
}

static int get_stream(void *ctx, struct http_request *req)
{
	static const struct http_source source = { read_log, close_log };

	(void)ctx;
	http_reply_stream(req, &source, NULL);
	return 0;
}

/* The client goes away meanwhile. */
static int get_gone(void *ctx, struct http_request *req)
{
	close(s.client_fd);
	pthread_mutex_lock(&s.lock);
	s.opened++;
	pthread_cond_broadcast(&s.changed);
	pthread_mutex_unlock(&s.lock);
	return get_stream(ctx, req);
}

static int put_number(void *ctx, struct http_request *req)
{
	(void)ctx;
	s.number = (int)json_integer_value(json_array_get(req->body, 0));
	return 0;
}

static int get_number(void *ctx, struct http_request *req)
{
	(void)ctx;
	http_add_header(req, "X-Number", "yes");
	req->reply = json_make("[i]", s.number);
	return 0;
}

/* A connection that was taken over, for the test. */
static void take_over(void *ctx, int fd, const char *early, size_t len)
{
	(void)ctx;
	pthread_mutex_lock(&s.lock);
	s.taken_fd = fd;
	s.nr_taken++;
	s.early = xstrndup(len ? early : "", len);
	pthread_cond_broadcast(&s.changed);
	pthread_mutex_unlock(&s.lock);
}

static int post_upgrade(void *ctx, struct http_request *req)
{
	if (!http_wants_upgrade(req, "test"))
		return err_set(ERR_INVALID, "no upgrade");
	http_reply_upgrade(req, "test", take_over, ctx);
	http_add_header(req, "X-Test", "yes");
	if (json_array_size(req->body))
		return err_set(ERR_CONFLICT, "not after all");
	return 0;
}

/* Who may ask only once it says so. */
static int may_ask(void *ctx, const struct http_request *req)
{
	(void)ctx;
	if (http_get_header((struct http_request *)(uintptr_t)req, "X-May"))
		return 0;
	return err_set(ERR_FORBIDDEN, "not you");
}

static const struct http_route routes[] = {
	{ "GET", "/", get_root, 0, 0, NULL },
	{ "GET", "/number", get_number, 0, 0, NULL },
	{ "POST", "/number", put_number, 0, 0, NULL },
	{ "PATCH", "/number", put_number, 1, 0, NULL },
	{ "GET", "/apps/:app/releases/:release", get_release, 0, 0, NULL },
	{ "POST", "/echo", post_echo, 0, 0, NULL },
	{ "POST", "/lane/echo", post_echo, 1, 0, NULL },
	{ "GET", "/fail/:code", get_failure, 0, 0, NULL },
	{ "GET", "/lane/fail/:code", get_failure, 1, 0, NULL },
	{ "GET", "/lane/slow/:name", slow, 1, 0, NULL },
	{ "GET", "/later", get_later, 0, 0, NULL },
	{ "POST", "/upgrade", post_upgrade, 0, 0, NULL },
	{ "POST", "/lane/upgrade", post_upgrade, 1, 0, NULL },
	{ "GET", "/stream", get_stream, 0, 0, NULL },
	{ "GET", "/lane/stream", get_stream, 1, 0, NULL },
	{ "GET", "/lane/gone", get_gone, 1, 0, NULL },
	{ "POST", "/private", post_echo, 0, 0, may_ask },
	{ "POST", "/lane/large", post_echo, 1, 100000, NULL },
	{ NULL, NULL, NULL, 0, 0, NULL },
};

static void defer(void *ctx, int lane, struct http_request *req)
{
	(void)ctx;
	(void)lane;
	pthread_mutex_lock(&s.lock);
	s.queue[s.queued++] = req;
	pthread_cond_broadcast(&s.changed);
	pthread_mutex_unlock(&s.lock);
}

static void *run_lane(void *arg)
{
	pthread_mutex_lock(&s.lock);
	while (!s.stop) {
		struct http_request *req = s.queue[0];

		if (!s.queued) {
			pthread_cond_wait(&s.changed, &s.lock);
			continue;
		}
		memmove(s.queue, s.queue + 1,
			--s.queued * sizeof(struct http_request *));
		pthread_mutex_unlock(&s.lock);
		http_run(req);
		pthread_mutex_lock(&s.lock);
	}
	pthread_mutex_unlock(&s.lock);
	return arg;
}

static int start(void **state)
{
	static const struct http_config config = { .routes = routes,
						   .defer = defer,
						   .max_body = 1000 };

	(void)state;
	memset(&s, 0, sizeof(s));
	strcpy(s.dir, "http-test-XXXXXX");
	if (!mkdtemp(s.dir))
		return -1;
	s.path = xasprintf("%s/sock", s.dir);
	pthread_mutex_init(&s.lock, NULL);
	pthread_cond_init(&s.changed, NULL);
	return sock_listen_unix(&s.fd, s.path, 0600) ||
	       http_start(&s.http, s.fd, &config) ||
	       pthread_create(&s.lane, NULL, run_lane, NULL);
}

static int stop(void **state)
{
	(void)state;
	pthread_mutex_lock(&s.lock);
	s.stop = true;
	pthread_cond_broadcast(&s.changed);
	pthread_mutex_unlock(&s.lock);
	pthread_join(s.lane, NULL);
	http_stop(s.http);
	close(s.fd);
	unlink(s.path);
	rmdir(s.dir);
	free(s.path);
	free(s.early);
	pthread_cond_destroy(&s.changed);
	pthread_mutex_destroy(&s.lock);
	return 0;
}

/* --- what the tests do with it --- */

static struct client *connect_to_server(void)
{
	struct client *c = NULL;

	assert_int_equal(client_open(&c, s.path), 0);
	client_set_timeout(c, 10000);
	return c;
}

static int get(const char *path, json_t **out)
{
	struct client *c = connect_to_server();
	int rc = client_call(c, "GET", path, NULL, out);

	client_free(c);
	return rc;
}

/* Wait, 10 seconds, for a number to become wanted. */
static void wait_for(const size_t *n, size_t wanted)
{
	struct timespec end;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 10;
	pthread_mutex_lock(&s.lock);
	while (*n != wanted && !rc)
		rc = pthread_cond_timedwait(&s.changed, &s.lock, &end);
	pthread_mutex_unlock(&s.lock);
	assert_int_equal(rc, 0);
}

static void write_log(const char *text, bool end)
{
	size_t i;

	pthread_mutex_lock(&s.lock);
	memcpy(s.log + s.log_len, text, strlen(text));
	s.log_len += strlen(text);
	s.log_ended = end;
	for (i = 0; i < s.nr_readers; i++)
		http_stream_wake(s.readers[i]);
	pthread_mutex_unlock(&s.lock);
}

static void a_route_answers_with_json(void **state)
{
	struct client *c = connect_to_server();
	json_t *out = NULL;

	(void)state;
	assert_int_equal(client_call(c, "GET", "/?q=a%20b&x", NULL, &out), 0);
	assert_string_equal(json_str(out, "q", ""), "a b");
	assert_string_equal(client_header(c, "Content-Type"),
			    "application/json");
	assert_string_equal(client_header(c, "X-Test"), "yes");
	assert_int_equal(strlen(client_header(c, "Request-Id")), 36);
	json_decref(out);
	client_free(c);
}

static void the_peer_is_known(void **state)
{
	struct client *c = connect_to_server();
	json_t *out = NULL;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(client_call(c, "GET", "/", NULL, &out), 0);
		assert_true(*json_str(out, "user", ""));
		assert_int_equal(json_int(out, "calls", -1), i);
		json_decref(out);
	}
	client_free(c);
}

static void params_are_cut_out_and_decoded(void **state)
{
	json_t *out = NULL;

	(void)state;
	assert_int_equal(get("/apps/my%20app/releases/v3", &out), 0);
	assert_string_equal(json_string_value(json_array_get(out, 0)),
			    "my app");
	assert_string_equal(json_string_value(json_array_get(out, 1)), "v3");
	json_decref(out);
	/* A slash is one, however it is written. */
	assert_int_equal(get("/apps/my%2fapp/releases/v3", NULL), ERR_NOTFOUND);
}

static void what_has_no_route_is_not_found(void **state)
{
	static const char *const paths[] = {
		"/none",
		"/apps",
		"/apps/x/releases",
		"/apps/",
		"/apps//releases/v1",
		"/apps/x/releases/v1/y",
		"//",
		"/apps/x/releases/",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (get(paths[i], NULL) != ERR_NOTFOUND)
			fail_msg("found: %s", paths[i]);
		assert_non_null(strstr(err_msg(), paths[i]));
	}
	assert_int_equal(get("/echo", NULL), ERR_NOTFOUND);
	assert_string_equal(err_msg(), "GET is not a method of /echo");
}

static int post(const char *path, size_t len, json_t **out)
{
	struct client *c = connect_to_server();
	char *text = xcalloc(len + 1, 1);
	json_t *body;
	int rc;

	memset(text, 'x', len);
	body = json_make("[s]", text);
	rc = client_call(c, "POST", path, body, out);
	json_decref(body);
	free(text);
	client_free(c);
	return rc;
}

static void bodies_go_both_ways(void **state)
{
	json_t *out = NULL;

	(void)state;
	assert_int_equal(post("/echo", 900, &out), 0);
	assert_int_equal(json_string_length(json_array_get(out, 0)), 900);
	json_decref(out);
	assert_int_equal(post("/lane/echo", 900, &out), 0);
	assert_int_equal(json_string_length(json_array_get(out, 0)), 900);
	json_decref(out);
}

static void a_body_too_big_is_refused(void **state)
{
	(void)state;
	assert_int_equal(post("/echo", 996, NULL), 0);
	assert_int_equal(post("/echo", 997, NULL), ERR_TOOBIG);
	assert_string_equal(err_msg(), "the request's body is over 1000 "
				       "bytes");
	assert_int_equal(post("/echo", 500000, NULL), ERR_TOOBIG);
	assert_int_equal(post("/lane/echo", 500000, NULL), ERR_TOOBIG);
}

static void a_route_may_have_its_own_limit(void **state)
{
	(void)state;
	assert_int_equal(post("/lane/large", 99996, NULL), 0);
	assert_int_equal(post("/lane/large", 99997, NULL), ERR_TOOBIG);
	assert_string_equal(err_msg(),
			    "the request's body is over 100000 bytes");
}

static void errors_cross_the_wire(void **state)
{
	static const int codes[] = { ERR_BADREQUEST,  ERR_INVALID,
				     ERR_NOTFOUND,    ERR_CONFLICT,
				     ERR_FORBIDDEN,   ERR_RANGE,
				     ERR_UNAVAILABLE, ERR_TOOBIG,
				     ERR_STALE };
	char path[64], message[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		snprintf(message, sizeof(message), "failed with %d", -codes[i]);
		snprintf(path, sizeof(path), "/fail/%d", -codes[i]);
		assert_int_equal(get(path, NULL), codes[i]);
		assert_string_equal(err_msg(), message);
		snprintf(path, sizeof(path), "/lane/fail/%d", -codes[i]);
		assert_int_equal(get(path, NULL), codes[i]);
		assert_string_equal(err_msg(), message);
	}
	assert_int_equal(http_error_status(ERR_SYSTEM), 500);
	assert_string_equal(http_error_id(ERR_NOTFOUND), "not_found");
	assert_string_equal(http_error_id(ERR_INVALID), "invalid_params");
	assert_string_equal(http_error_id(ERR_FAILED), "internal_server_error");
}

static int raw_status(const char *request)
{
	char buf[4096] = "";
	int fd = -1, status = 0;

	assert_int_equal(sock_connect_unix(&fd, s.path), 0);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	if (read(fd, buf, sizeof(buf) - 1) > 0)
		status = (int)strtol(buf + strcspn(buf, " "), NULL, 10);
	close(fd);
	return status;
}

static void broken_json_is_a_bad_request(void **state)
{
	(void)state;
	assert_int_equal(raw_status("POST /echo HTTP/1.1\r\nHost: x\r\n"
				    "Content-Length: 2\r\n\r\n{]"),
			 400);
	assert_int_equal(raw_status("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
	assert_int_equal(raw_status("nonsense\r\n\r\n"), 0);
}

static void a_slow_lane_holds_up_nobody(void **state)
{
	struct client *slow_one = connect_to_server();
	int fd = -1;
	char buf[4096];

	(void)state;
	assert_int_equal(sock_connect_unix(&fd, s.path), 0);
	assert_int_equal(write(fd,
			       "GET /lane/slow/a HTTP/1.1\r\nHost: x"
			       "\r\n\r\n",
			       38),
			 38);
	assert_int_equal(client_call(slow_one, "GET", "/", NULL, NULL), 0);
	/* Nothing of the slow one yet; then it comes. */
	assert_int_equal(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), -1);
	assert_true(read(fd, buf, sizeof(buf)) > 0);
	close(fd);
	client_free(slow_one);
}

/* GET path with that header; the ETag of the answer. Caller frees. */
static char *get_etag(const char *path, const char *name, const char *value,
		      int status)
{
	struct client *c = connect_to_server();
	char *etag;

	if (name)
		client_set_header(c, name, value);
	assert_int_equal(client_call(c, "GET", path, NULL, NULL), 0);
	assert_int_equal(client_status(c), status);
	etag = xstrdup(client_header(c, "ETag"));
	client_free(c);
	return etag;
}

static void what_the_client_has_is_not_sent_again(void **state)
{
	char *etag = get_etag("/number", NULL, NULL, 200), *list, *again;

	(void)state;
	assert_non_null(etag);
	assert_int_equal(strlen(etag), 38);
	again = get_etag("/number", "If-None-Match", etag, 304);
	assert_string_equal(again, etag);
	free(again);
	list = xasprintf("\"x\" , W/%s", etag);
	free(get_etag("/number", "If-None-Match", list, 304));
	free(get_etag("/number", "If-None-Match", "*", 304));
	free(get_etag("/number", "If-None-Match", "\"x\"", 200));
	free(get_etag("/number", "If-None-Match", "", 200));
	list[strlen(list) - 1] = '\0';
	free(get_etag("/number", "If-None-Match", list, 200));
	free(list);
	s.number++;
	again = get_etag("/number", "If-None-Match", etag, 200);
	assert_string_not_equal(again, etag);
	free(again);
	free(etag);
}

/* A change with If-Match; 0 or its ERR_*. */
static int change(const char *method, const char *path, int number,
		  const char *seen)
{
	struct client *c = connect_to_server();
	json_t *body = json_make("[i]", number);
	int rc;

	client_set_header(c, "If-Match", seen);
	rc = client_call(c, method, path, body, NULL);
	assert_null(client_header(c, "X-Number"));
	assert_null(client_header(c, "ETag"));
	json_decref(body);
	client_free(c);
	return rc;
}

static void what_changed_unseen_is_not_changed(void **state)
{
	char *etag = get_etag("/number", NULL, NULL, 200);

	(void)state;
	assert_int_equal(change("POST", "/number", 7, "\"x\""), ERR_STALE);
	assert_string_equal(err_msg(), "/number has changed since it was read");
	assert_int_equal(change("PATCH", "/number", 7, "\"x\""), ERR_STALE);
	assert_int_equal(s.number, 0);
	assert_int_equal(change("POST", "/number", 7, etag), 0);
	assert_int_equal(s.number, 7);
	assert_int_equal(change("PATCH", "/number", 8, etag), ERR_STALE);
	assert_int_equal(s.number, 7);
	assert_int_equal(change("PATCH", "/number", 8, "*"), 0);
	assert_int_equal(s.number, 8);
	free(etag);
	/* What cannot be read cannot have been seen. */
	assert_int_equal(change("POST", "/echo", 1, "*"), ERR_STALE);
}

static void head_has_the_headers_of_get(void **state)
{
	static const char request[] = "HEAD /number HTTP/1.1\r\nHost: x\r\n"
				      "Connection: close\r\n\r\n";
	char *etag = get_etag("/number", NULL, NULL, 200);
	char buf[4096] = "", *end;
	size_t len = 0;
	ssize_t n;
	int fd = -1;

	(void)state;
	assert_int_equal(sock_connect_unix(&fd, s.path), 0);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	end = strstr(buf, "\r\n\r\n");
	assert_non_null(end);
	assert_string_equal(end, "\r\n\r\n");
	assert_non_null(strstr(buf, etag));
	assert_non_null(strstr(buf, "Content-Length: 4\r\n"));
	assert_non_null(strstr(buf, "X-Number: yes\r\n"));
	free(etag);
}

static void *call_later(void *arg)
{
	json_t **out = arg;

	return get("/later", out) ? arg : NULL;
}

static void an_answer_can_come_later(void **state)
{
	json_t *out = NULL;
	pthread_t thread;
	void *failed = NULL;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, call_later, &out), 0);
	pthread_mutex_lock(&s.lock);
	while (!s.later)
		pthread_cond_wait(&s.changed, &s.lock);
	pthread_mutex_unlock(&s.lock);
	s.later->reply = json_string("done");
	http_finish(s.later, 0);
	pthread_join(thread, &failed);
	assert_null(failed);
	assert_string_equal(json_string_value(out), "done");
	json_decref(out);
}

static void *many_calls(void *arg)
{
	uintptr_t failures = 0;
	int i;

	for (i = 0; i < 50; i++) {
		failures += get(i % 2 ? "/" : "/lane/fail/5", NULL) !=
			    (i % 2 ? 0 : ERR_NOTFOUND);
		failures += post("/lane/echo", 100, NULL) != 0;
	}
	(void)arg;
	return (void *)failures;
}

static void many_connections_are_served(void **state)
{
	pthread_t threads[8];
	void *failures = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < 8; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, many_calls, NULL), 0);
	for (i = 0; i < 8; i++) {
		pthread_join(threads[i], &failures);
		assert_null(failures);
	}
}

static int keep(void *ctx, const char *data, size_t len)
{
	char *all = ctx;

	strncat(all, data, len);
	return 0;
}

static void *follow(void *arg)
{
	char *path = arg, *all = xcalloc(100000, 1);
	struct client *c = NULL;

	if (client_open(&c, s.path) || client_stream(c, path, keep, all))
		str_replace(&all, xasprintf("(failed: %s)", err_msg()));
	client_free(c);
	return all;
}

static void assert_follows(const char *path)
{
	char copy[32];
	pthread_t thread;
	void *all = NULL;

	snprintf(copy, sizeof(copy), "%s", path);
	write_log("one ", false);
	assert_int_equal(pthread_create(&thread, NULL, follow, copy), 0);
	wait_for(&s.nr_readers, 1);
	write_log("two ", false);
	write_log("three", true);
	pthread_join(thread, &all);
	assert_string_equal(all, "one two three");
	free(all);
	wait_for(&s.closed, 1);
}

static void a_stream_waits_and_is_woken(void **state)
{
	(void)state;
	assert_follows("/stream");
}

static void a_stream_may_start_in_a_lane(void **state)
{
	(void)state;
	assert_follows("/lane/stream");
}

static void a_waiting_stream_costs_no_time(void **state)
{
	const struct timespec pause = { .tv_nsec = 300000000 };
	struct rusage before, after;
	pthread_t thread;
	void *all = NULL;
	char path[] = "/stream";

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, follow, path), 0);
	wait_for(&s.nr_readers, 1);
	getrusage(RUSAGE_SELF, &before);
	nanosleep(&pause, NULL);
	getrusage(RUSAGE_SELF, &after);
	assert_true((after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
			    after.ru_utime.tv_usec - before.ru_utime.tv_usec <
		    100000);
	write_log("", true);
	pthread_join(thread, &all);
	free(all);
}

static void many_streams_end_together(void **state)
{
	char path[] = "/stream";
	pthread_t threads[20];
	void *all = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < 20; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, follow, path), 0);
	wait_for(&s.nr_readers, 20);
	write_log("x", true);
	for (i = 0; i < 20; i++) {
		pthread_join(threads[i], &all);
		assert_string_equal(all, "x");
		free(all);
	}
	wait_for(&s.closed, 20);
}

static void a_client_that_vanishes_ends_its_stream(void **state)
{
	static const char request[] = "GET /stream HTTP/1.1\r\n"
				      "Host: x\r\n\r\n";
	int fd = -1;

	(void)state;
	assert_int_equal(sock_connect_unix(&fd, s.path), 0);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	wait_for(&s.nr_readers, 1);
	assert_false(http_stream_is_dead(s.readers[0]));
	close(fd);
	assert_true(http_stream_is_dead(s.readers[0]));
	/* A heartbeat: wake it, and it is found out. */
	write_log("x", false);
	wait_for(&s.closed, 1);
	assert_int_equal(get("/", NULL), 0);
}

static void a_stream_ends_though_it_never_began(void **state)
{
	static const char request[] = "GET /lane/gone HTTP/1.1\r\n"
				      "Host: x\r\n\r\n";
	size_t i;

	(void)state;
	for (i = 1; i <= 200; i++) {
		assert_int_equal(sock_connect_unix(&s.client_fd, s.path), 0);
		assert_int_equal(write(s.client_fd, request, strlen(request)),
				 strlen(request));
		wait_for(&s.opened, i);
		/* If it began after all, it waits, and is woken. */
		assert_int_not_equal(get("/lane/fail/5", NULL), 0);
		write_log("x", false);
		wait_for(&s.closed, i);
	}
}

static void a_client_that_vanishes_harms_no_lane(void **state)
{
	static const char request[] = "GET /lane/slow/a HTTP/1.1\r\n"
				      "Host: x\r\n\r\n";
	int fd = -1, i;

	(void)state;
	for (i = 0; i < 5; i++) {
		assert_int_equal(sock_connect_unix(&fd, s.path), 0);
		assert_int_equal(write(fd, request, strlen(request)),
				 strlen(request));
		close(fd);
	}
	assert_int_equal(get("/lane/slow/b", NULL), 0);
}

/* Bytes go through both ways, to the end of the connection. */
static void ping_pong(int a, int b)
{
	char buf[8] = "";

	assert_int_equal(write(a, "ping", 4), 4);
	assert_int_equal(read(b, buf, sizeof(buf)), 4);
	assert_memory_equal(buf, "ping", 4);
	assert_int_equal(write(b, "pong", 4), 4);
	assert_int_equal(read(a, buf, sizeof(buf)), 4);
	assert_memory_equal(buf, "pong", 4);
}

static void a_connection_is_taken_over(void **state)
{
	static const char *const paths[] = { "/upgrade", "/lane/upgrade" };
	struct client_upgraded u = { -1, NULL, 1 };
	size_t i;
	char c;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct client *client = connect_to_server();

		assert_int_equal(
			client_upgrade(client, paths[i], NULL, "test", &u), 0);
		assert_int_equal(client_status(client), 101);
		assert_string_equal(client_header(client, "X-Test"), "yes");
		assert_int_equal(u.len, 0);
		wait_for(&s.nr_taken, i + 1);
		client_free(client);
		ping_pong(u.fd, s.taken_fd);
		/* The server has let go, and others are served meanwhile. */
		assert_int_equal(get("/", NULL), 0);
		ping_pong(s.taken_fd, u.fd);
		close(s.taken_fd);
		assert_int_equal(read(u.fd, &c, 1), 0);
		close(u.fd);
		free(u.early);
		free(s.early);
		s.early = NULL;
	}
}

static void one_taken_over_outlives_the_server(void **state)
{
	struct client *client = connect_to_server();
	struct client_upgraded u = { -1, NULL, 0 };

	(void)state;
	assert_int_equal(client_upgrade(client, "/upgrade", NULL, "test", &u),
			 0);
	wait_for(&s.nr_taken, 1);
	http_stop(s.http);
	s.http = NULL;
	ping_pong(u.fd, s.taken_fd);
	close(s.taken_fd);
	close(u.fd);
	free(u.early);
	client_free(client);
}

static void who_speaks_early_is_heard(void **state)
{
	static const char request[] = "POST /upgrade HTTP/1.1\r\n"
				      "Host: x\r\nConnection: upgrade\r\n"
				      "Upgrade: TEST\r\n"
				      "Content-Length: 0\r\n\r\nearly";
	int fd = -1;

	(void)state;
	assert_int_equal(sock_connect_unix(&fd, s.path), 0);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	wait_for(&s.nr_taken, 1);
	assert_string_equal(s.early, "early");
	close(s.taken_fd);
	close(fd);
}

static void what_is_not_upgraded_is_told(void **state)
{
	struct client *c = connect_to_server();
	json_t *body = json_make("[i]", 1);
	struct client_upgraded u = { -1, NULL, 0 };

	(void)state;
	/* The server does not know the route; the connection stays good. */
	assert_int_equal(client_upgrade(c, "/none", NULL, "test", &u),
			 ERR_NOTFOUND);
	/* It knows no such thing there. */
	assert_int_equal(client_upgrade(c, "/echo", NULL, "test", &u),
			 ERR_FAILED);
	assert_int_equal(client_upgrade(c, "/upgrade", NULL, "other", &u),
			 ERR_INVALID);
	assert_int_equal(client_call(c, "POST", "/upgrade", NULL, NULL),
			 ERR_INVALID);
	assert_int_equal(s.nr_taken, 0);
	/* It meant to, and failed: whoever would take it knows. */
	assert_int_equal(client_upgrade(c, "/upgrade", body, "test", &u),
			 ERR_CONFLICT);
	wait_for(&s.nr_taken, 1);
	assert_int_equal(s.taken_fd, -1);
	assert_int_equal(u.fd, -1);
	assert_int_equal(client_call(c, "GET", "/", NULL, NULL), 0);
	json_decref(body);
	client_free(c);
}

static void a_stop_ends_what_waits(void **state)
{
	char path[] = "/stream";
	pthread_t thread;
	void *all = NULL;

	(void)state;
	write_log("x", false);
	assert_int_equal(pthread_create(&thread, NULL, follow, path), 0);
	wait_for(&s.nr_readers, 1);
	http_stop(s.http);
	s.http = NULL;
	pthread_join(thread, &all);
	assert_non_null(strstr(all, "(failed: slugd went away"));
	free(all);
	assert_int_equal(s.closed, 1);
}

/* 64 MiB are announced, and never sent. */
#define LARGE "Host: x\r\nContent-Length: 67108864\r\n"

static void who_may_not_ask_is_told_before_the_body(void **state)
{
	(void)state;
	assert_int_equal(raw_status("POST /private HTTP/1.1\r\n" LARGE "\r\n"),
			 403);
	assert_int_equal(raw_status("POST /nothing HTTP/1.1\r\n" LARGE "\r\n"),
			 404);
	assert_int_equal(raw_status("POST /private HTTP/1.1\r\nHost: x\r\n"
				    "Transfer-Encoding: chunked\r\n\r\n"),
			 403);
	assert_int_equal(raw_status("POST /private HTTP/1.1\r\nHost: x\r\n"
				    "X-May: yes\r\nContent-Length: 2\r\n\r\n"
				    "[]"),
			 201);
	/* The client reads the answer, though it could not send all. */
	assert_int_equal(post("/private", 8000000, NULL), ERR_FORBIDDEN);
	assert_string_equal(err_msg(), "not you");
}

static void after_a_small_body_the_connection_goes_on(void **state)
{
	struct client *c = connect_to_server();
	json_t *body = json_pack("[s]", "x"), *out = NULL;

	(void)state;
	assert_int_equal(client_call(c, "POST", "/private", body, NULL),
			 ERR_FORBIDDEN);
	assert_int_equal(client_call(c, "GET", "/", NULL, &out), 0);
	assert_int_equal(json_integer_value(json_object_get(out, "calls")), 1);
	json_decref(out);
	json_decref(body);
	client_free(c);
}

#define each(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each(a_route_answers_with_json),
		each(the_peer_is_known),
		each(params_are_cut_out_and_decoded),
		each(what_has_no_route_is_not_found),
		each(bodies_go_both_ways),
		each(a_body_too_big_is_refused),
		each(a_route_may_have_its_own_limit),
		each(who_may_not_ask_is_told_before_the_body),
		each(after_a_small_body_the_connection_goes_on),
		each(errors_cross_the_wire),
		each(broken_json_is_a_bad_request),
		each(a_slow_lane_holds_up_nobody),
		each(what_the_client_has_is_not_sent_again),
		each(what_changed_unseen_is_not_changed),
		each(head_has_the_headers_of_get),
		each(an_answer_can_come_later),
		each(many_connections_are_served),
		each(a_stream_waits_and_is_woken),
		each(a_stream_may_start_in_a_lane),
		each(a_waiting_stream_costs_no_time),
		each(many_streams_end_together),
		each(a_client_that_vanishes_ends_its_stream),
		each(a_stream_ends_though_it_never_began),
		each(a_client_that_vanishes_harms_no_lane),
		each(a_connection_is_taken_over),
		each(one_taken_over_outlives_the_server),
		each(who_speaks_early_is_heard),
		each(what_is_not_upgraded_is_told),
		each(a_stop_ends_what_waits),
	};

	unsetenv("SLUGD_USER");
	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
