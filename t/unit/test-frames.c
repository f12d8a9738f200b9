/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "err.h"
#include "frames.h"

static struct {
	int fd[2]; /* what goes into 0 comes out of 1 */
	struct frames_in in;
	struct frames_out out;
} s;

static int start(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s.fd);
}

static int stop(void **state)
{
	(void)state;
	close(s.fd[0]);
	close(s.fd[1]);
	frames_in_release(&s.in);
	frames_out_release(&s.out);
	return 0;
}

static struct frame next(void)
{
	struct frame f = { 0, 0, NULL };
	int rc;

	while ((rc = frames_next(&s.in, &f)) == 0)
		assert_true(frames_in_read(&s.in, s.fd[1]) > 0);
	assert_int_equal(rc, 1);
	return f;
}

static void what_goes_in_comes_out(void **state)
{
	struct frame f;

	(void)state;
	frames_put(&s.out, FRAME_INPUT, "hello", 5);
	frames_put(&s.out, FRAME_INPUT, NULL, 0);
	frames_put_byte(&s.out, FRAME_EXIT, 255);
	frames_put_number(&s.out, FRAME_TAKEN, 65536);
	frames_put_window(&s.out, 80, 65535);
	assert_int_equal(frames_waiting(&s.out), 5 * 5 + 5 + 1 + 4 + 4);
	assert_int_equal(frames_flush(&s.out, s.fd[0]), 0);
	assert_int_equal(frames_waiting(&s.out), 0);
	f = next();
	assert_int_equal(f.type, FRAME_INPUT);
	assert_int_equal(f.len, 5);
	assert_memory_equal(f.data, "hello", 5);
	f = next();
	assert_int_equal(f.len, 0);
	f = next();
	assert_int_equal(f.type, FRAME_EXIT);
	assert_int_equal(f.data[0], 255);
	f = next();
	assert_int_equal(frame_number(f.data, f.len), 65536);
	f = next();
	assert_int_equal(f.type, FRAME_WINDOW);
	assert_int_equal(frame_number(f.data, 2), 80);
	assert_int_equal(frame_number(f.data + 2, 2), 65535);
	assert_int_equal(frames_next(&s.in, &f), 0);
	assert_int_equal(frames_in_read(&s.in, s.fd[1]), -1);
	shutdown(s.fd[0], SHUT_WR);
	assert_int_equal(frames_in_read(&s.in, s.fd[1]), 0);
}

static void a_frame_may_come_byte_by_byte(void **state)
{
	static const char bytes[] = "o\0\0\0\3abco\0\0\0\1d";
	struct frame f;
	size_t i;
	int n = 0;

	(void)state;
	for (i = 0; i < sizeof(bytes) - 1; i++) {
		frames_in_take(&s.in, bytes + i, 1);
		n += frames_next(&s.in, &f);
		assert_int_equal(n, (i >= 7) + (i >= 13));
	}
	assert_int_equal(f.data[0], 'd');
}

/* One side fills what the other empties a little at a time. */
static void much_goes_through_in_bounded_memory(void **state)
{
	static unsigned char data[FRAME_MAX];
	struct frame f;
	size_t sent = 0, got = 0, i;

	(void)state;
	while (got < 1000) {
		while (sent < 1000 && frames_waiting(&s.out) < FRAME_CREDIT) {
			memset(data, (int)(sent++ % 251), sizeof(data));
			frames_put(&s.out, FRAME_OUTPUT, data, sizeof(data));
		}
		assert_int_equal(frames_flush(&s.out, s.fd[0]), 0);
		frames_in_read(&s.in, s.fd[1]);
		while (frames_next(&s.in, &f)) {
			assert_int_equal(f.len, FRAME_MAX);
			for (i = 0; i < f.len; i++)
				if (f.data[i] != got % 251)
					fail_msg("frame %zu byte %zu", got, i);
			got++;
		}
	}
	assert_true(s.out.size <= 4 * FRAME_CREDIT);
}

static void what_is_too_long_is_no_frame(void **state)
{
	struct frame f;

	(void)state;
	frames_in_take(&s.in, "GET / HTTP/1.1", 14);
	assert_int_equal(frames_next(&s.in, &f), ERR_BADREQUEST);
}

static void one_who_is_gone_is_noticed(void **state)
{
	(void)state;
	close(s.fd[1]);
	s.fd[1] = dup(s.fd[0]);
	frames_put_byte(&s.out, FRAME_EXIT, 0);
	assert_int_equal(frames_flush(&s.out, s.fd[0]), ERR_UNAVAILABLE);
}

static void a_socket_goes_with_a_frame(void **state)
{
	char data[16], control[64];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int other[2], fd = -1;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, other), 0);
	assert_int_equal(frames_send_socket(s.fd[0], other[0]), 0);
	close(other[0]);
	assert_int_equal(recvmsg(s.fd[1], &msg, 0), 5);
	assert_memory_equal(data, "c\0\0\0", 5);
	c = CMSG_FIRSTHDR(&msg);
	assert_non_null(c);
	if (c)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	assert_true(fd >= 0);
	if (fd < 0)
		return;
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read(other[1], data, sizeof(data)), 1);
	close(fd);
	close(other[1]);
}

#define each(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each(what_goes_in_comes_out),
		each(a_frame_may_come_byte_by_byte),
		each(much_goes_through_in_bounded_memory),
		each(what_is_too_long_is_no_frame),
		each(one_who_is_gone_is_noticed),
		each(a_socket_goes_with_a_frame),
	};

	return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
