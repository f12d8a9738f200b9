/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "err.h"
#include "mem.h"

/* The other end: takes one request, gives canned pieces, goes away. */
struct canned {
	int fd;
	const char *const *pieces; /* ends with NULL */
	bool stay;                 /* until the client hangs up */
	char *request;
	pthread_t thread;
};

static bool is_whole(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n");
	const char *len = strstr(request, "Content-Length: ");

	return end && len && strlen(end + 4) >= strtoul(len + 16, NULL, 10);
}

static void *serve(void *arg)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	struct canned *s = arg;
	char buf[65536] = "";
	size_t len = 0, i;
	ssize_t n;

	while (!is_whole(buf)) {
		n = read(s->fd, buf + len, sizeof(buf) - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
		buf[len] = '\0';
	}
	s->request = xstrdup(buf);
	for (i = 0; s->pieces[i]; i++) {
		send(s->fd, s->pieces[i], strlen(s->pieces[i]), MSG_NOSIGNAL);
		nanosleep(&pause, NULL);
	}
	while (s->stay && read(s->fd, buf, sizeof(buf)) > 0)
		continue;
	close(s->fd);
	return NULL;
}

/* A client whose server answers with pieces. */
static struct client *talk_to(struct canned *s, const char *const *pieces)
{
	struct client *c = NULL;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd),
			 0);
	s->fd = fd[1];
	s->pieces = pieces;
	s->request = NULL;
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	assert_int_equal(client_open_fd(&c, fd[0]), 0);
	return c;
}

static void end_talk(struct canned *s, struct client *c)
{
	client_free(c);
	pthread_join(s->thread, NULL);
	free(s->request);
}

/* One GET that answers with pieces; its code, its JSON into *out. */
static int get(const char *const *pieces, json_t **out)
{
	struct canned s = { .stay = false };
	struct client *c = talk_to(&s, pieces);
	int rc = client_call(c, "GET", "/apps", NULL, out);

	end_talk(&s, c);
	return rc;
}

#define STREAM "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static void a_request_is_http_1_1_and_json(void **state)
{
	const char *const pieces[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", NULL
	};
	struct canned s = { .stay = true };
	struct client *c = talk_to(&s, pieces);
	json_t *body = json_make("{s:s}", "a", "b"), *out = NULL;

	(void)state;
	client_set_header(c, "Range", "version ..; max=1");
	client_set_header(c, "X-Test", "1");
	assert_int_equal(
		client_call(c, "PATCH", "/apps/a/config-vars", body, &out), 0);
	assert_string_equal(s.request,
			    "PATCH /apps/a/config-vars HTTP/1.1\r\n"
			    "Host: slugd\r\n"
			    "Accept: application/vnd.heroku+json; version=3\r\n"
			    "Range: version ..; max=1\r\n"
			    "X-Test: 1\r\n"
			    "Content-Type: application/json\r\n"
			    "Content-Length: 9\r\n\r\n{\"a\":\"b\"}");
	json_decref(body);
	json_decref(out);
	end_talk(&s, c);
}

static void an_answer_has_status_headers_and_json(void **state)
{
	const char *const pieces[] = { "HTTP/1.1 201 Created\r\n"
				       "Slugd-Release: v3\r\n"
				       "Empty:\r\n"
				       "Content-Length: 8\r\n\r\n"
				       "{\"a\": 1}",
				       NULL };
	struct canned s = { .stay = true };
	struct client *c = talk_to(&s, pieces);
	json_t *out = NULL;

	(void)state;
	assert_int_equal(client_status(c), 0);
	assert_int_equal(client_call(c, "POST", "/", NULL, &out), 0);
	assert_int_equal(json_int(out, "a", 0), 1);
	assert_int_equal(client_status(c), 201);
	assert_string_equal(client_header(c, "slugd-release"), "v3");
	assert_null(client_header(c, "None"));
	json_decref(out);
	end_talk(&s, c);
}

static void chunks_and_split_bytes_are_put_together(void **state)
{
	const char *const pieces[] = { "H",
				       "TTP/1.1 2",
				       "00 OK\r",
				       "\nTransfer-",
				       "Encoding: chu",
				       "nked\r\n\r\n",
				       "4",
				       "\r\n[\"a",
				       "b\r",
				       "\n3\r\nc\"]",
				       "\r\n0\r",
				       "\n\r",
				       "\n",
				       NULL };
	json_t *out = NULL;

	(void)state;
	assert_int_equal(get(pieces, &out), 0);
	assert_string_equal(json_string_value(json_array_get(out, 0)), "abc");
	json_decref(out);
}

static void no_body_is_no_json(void **state)
{
	const char *const pieces[] = { "HTTP/1.1 204 No Content\r\n\r\n",
				       NULL };
	json_t *out = NULL;

	(void)state;
	assert_int_equal(get(pieces, &out), 0);
	assert_null(out);
}

static void errors_keep_their_message(void **state)
{
	static const struct {
		const char *line;
		int code;
	} cases[] = {
		{ "400 Bad Request", ERR_BADREQUEST },
		{ "403 Forbidden", ERR_FORBIDDEN },
		{ "404 Not Found", ERR_NOTFOUND },
		{ "409 Conflict", ERR_CONFLICT },
		{ "413 Too Large", ERR_TOOBIG },
		{ "416 Range", ERR_RANGE },
		{ "422 Unprocessable", ERR_INVALID },
		{ "500 Internal", ERR_FAILED },
		{ "503 Unavailable", ERR_UNAVAILABLE },
	};
	const char *pieces[] = { NULL, NULL };
	json_t *out = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *answer = xasprintf("HTTP/1.1 %s\r\nContent-Length: 36"
					 "\r\n\r\n{\"id\": \"x\", "
					 "\"message\": \"No such v9\"}",
					 cases[i].line);

		pieces[0] = answer;
		assert_int_equal(get(pieces, &out), cases[i].code);
		assert_string_equal(err_msg(), "No such v9");
		assert_null(out);
		free(answer);
	}
}

static void an_error_without_json_says_its_status(void **state)
{
	const char *const pieces[] = {
		"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops",
		NULL
	};

	(void)state;
	assert_int_equal(get(pieces, NULL), ERR_FAILED);
	assert_string_equal(err_msg(), "slugd answered with status 502");
}

static void an_early_end_is_unavailable(void **state)
{
	static const char *const answers[][2] = {
		{ NULL, NULL },
		{ "HTTP/1.1 200 OK\r\nConte", NULL },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		assert_int_equal(get(answers[i], NULL), ERR_UNAVAILABLE);
		assert_string_equal(err_msg(),
				    "slugd went away before it answered");
	}
}

static void what_is_no_http_is_refused(void **state)
{
	const char *const pieces[] = { "SSH-2.0-OpenSSH_9.2\r\n", NULL };

	(void)state;
	assert_int_equal(get(pieces, NULL), ERR_FAILED);
	assert_string_equal(err_msg(), "slugd's answer is not HTTP");
}

static void a_broken_connection_stays_broken(void **state)
{
	static const struct {
		const char *pieces[2];
		int rc;
		const char *words; /* of the second call */
	} ways[] = {
		{ { NULL },
		  ERR_UNAVAILABLE,
		  "slugd went away before it answered" },
		{ { "SSH-2.0-OpenSSH_9.2\r\n", NULL },
		  ERR_FAILED,
		  "the connection is broken" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct canned s = { .stay = false };
		struct client *c = talk_to(&s, ways[i].pieces);

		assert_int_equal(client_call(c, "GET", "/", NULL, NULL),
				 ways[i].rc);
		assert_int_equal(client_call(c, "GET", "/", NULL, NULL),
				 ERR_UNAVAILABLE);
		assert_string_equal(err_msg(), ways[i].words);
		end_talk(&s, c);
	}
}

static void patience_ends_at_the_time_limit(void **state)
{
	const char *const pieces[] = { "HTTP/1.1 200 OK\r\n", NULL };
	struct canned s = { .stay = true };
	struct client *c = talk_to(&s, pieces);

	(void)state;
	client_set_timeout(c, 50);
	assert_int_equal(client_call(c, "GET", "/", NULL, NULL),
			 ERR_UNAVAILABLE);
	assert_string_equal(err_msg(), "slugd went away before it answered "
				       "(time limit)");
	end_talk(&s, c);
}

static void who_waits_can_be_called_off(void **state)
{
	const char *const pieces[] = { "HTTP/1.1 200 OK\r\n", NULL };
	struct canned s = { .stay = true };
	struct client *c = talk_to(&s, pieces);
	int fd = eventfd(0, EFD_CLOEXEC);

	(void)state;
	client_set_cancel(c, fd);
	assert_return_code(eventfd_write(fd, 1), errno);
	assert_int_equal(client_call(c, "GET", "/", NULL, NULL),
			 ERR_UNAVAILABLE);
	assert_string_equal(err_msg(), "slugd went away before it answered");
	close(fd);
	end_talk(&s, c);
}

static int keep(void *ctx, const char *data, size_t len)
{
	char *all = ctx;

	strncat(all, data, len);
	return strstr(all, "stop") ? err_set(ERR_FAILED, "enough") : 0;
}

static int stream(const char *const *pieces, char *all)
{
	struct canned s = { .stay = false };
	struct client *c = talk_to(&s, pieces);
	int rc = client_stream(c, "http://slugd/streams/1", keep, all);

	assert_memory_equal(s.request ? s.request : "GET /streams/1 ",
			    "GET /streams/1 ", 15);
	end_talk(&s, c);
	return rc;
}

static void a_stream_comes_in_pieces(void **state)
{
	const char *const pieces[] = { STREAM, "3\r\none\r\n", "3\r\ntwo\r\n",
				       "0\r\n\r\n", NULL };
	char all[100] = "";

	(void)state;
	assert_int_equal(stream(pieces, all), 0);
	assert_string_equal(all, "onetwo");
}

static void a_stream_cut_off_is_an_error(void **state)
{
	const char *const pieces[] = { STREAM, "3\r\none\r\n", NULL };
	char all[100] = "";

	(void)state;
	assert_int_equal(stream(pieces, all), ERR_UNAVAILABLE);
	assert_string_equal(all, "one");
}

static void a_sink_can_end_a_stream(void **state)
{
	const char *const pieces[] = { STREAM, "4\r\nstop\r\n", "3\r\ntwo\r\n",
				       "0\r\n\r\n", NULL };
	char all[100] = "";

	(void)state;
	assert_int_equal(stream(pieces, all), ERR_FAILED);
	assert_string_equal(err_msg(), "enough");
}

static void a_streams_error_is_not_its_text(void **state)
{
	const char *const pieces[] = { "HTTP/1.1 404 Not Found\r\n"
				       "Content-Length: 16\r\n\r\n"
				       "{\"message\":\"no\"}",
				       NULL };
	char all[100] = "";

	(void)state;
	assert_int_equal(stream(pieces, all), ERR_NOTFOUND);
	assert_string_equal(err_msg(), "no");
	assert_string_equal(all, "");
}

static void nobody_there_says_how_to_start(void **state)
{
	struct client *c = NULL;

	(void)state;
	assert_int_equal(client_open(&c, "/no/such/slugd.sock"),
			 ERR_UNAVAILABLE);
	assert_null(c);
	assert_non_null(strstr(err_msg(), "/no/such/slugd.sock"));
	assert_non_null(strstr(err_msg(), "slugd -d /no/such"));
}

static void path_segments_are_encoded(void **state)
{
	char *s = client_path_segment("a/b?c d\303\244-._~%");

	(void)state;
	assert_string_equal(s, "a%2Fb%3Fc%20d%C3%A4-._~%25");
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_http_1_1_and_json),
		cmocka_unit_test(an_answer_has_status_headers_and_json),
		cmocka_unit_test(chunks_and_split_bytes_are_put_together),
		cmocka_unit_test(no_body_is_no_json),
		cmocka_unit_test(errors_keep_their_message),
		cmocka_unit_test(an_error_without_json_says_its_status),
		cmocka_unit_test(an_early_end_is_unavailable),
		cmocka_unit_test(what_is_no_http_is_refused),
		cmocka_unit_test(a_broken_connection_stays_broken),
		cmocka_unit_test(patience_ends_at_the_time_limit),
		cmocka_unit_test(who_waits_can_be_called_off),
		cmocka_unit_test(a_stream_comes_in_pieces),
		cmocka_unit_test(a_stream_cut_off_is_an_error),
		cmocka_unit_test(a_sink_can_end_a_stream),
		cmocka_unit_test(a_streams_error_is_not_its_text),
		cmocka_unit_test(nobody_there_says_how_to_start),
		cmocka_unit_test(path_segments_are_encoded),
	};

	unsetenv("SLUGD_USER");
	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
