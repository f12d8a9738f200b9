/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../slugrun/ports.h"

/* A socket that is bound to a port of the loopback; the port into *port. */
static int bound(uint16_t *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

static void who_accepts_is_seen_at_the_first_look(void **state)
{
	struct probe p = { .fd = -1 };
	uint16_t port;
	int fd = bound(&port);

	(void)state;
	assert_false(probe_answers(&p, port, NULL, 0));
	assert_int_equal(p.fd, -1); /* and the next look is a new attempt */
	assert_int_equal(listen(fd, 1), 0);
	assert_true(probe_answers(&p, port, NULL, 1));
	assert_int_equal(p.fd, -1);
	close(fd);
}

static void an_answer_is_waited_for(void **state)
{
	static const char good[] = "HTTP/1.1 200 OK\r\n\r\n";
	struct probe p = { .fd = -1 };
	uint16_t port;
	int fd = bound(&port), client;

	(void)state;
	assert_int_equal(listen(fd, 1), 0);
	assert_false(probe_answers(&p, port, "/up", 0));
	assert_true(p.fd >= 0);
	client = accept(fd, NULL, NULL);
	assert_true(client >= 0);
	assert_false(probe_answers(&p, port, "/up", 1));
	assert_int_equal(write(client, good, sizeof(good) - 1),
			 sizeof(good) - 1);
	assert_true(probe_answers(&p, port, "/up", 2));
	assert_int_equal(p.fd, -1);
	close(client);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_accepts_is_seen_at_the_first_look),
		cmocka_unit_test(an_answer_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
