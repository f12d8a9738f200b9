/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http-parts.h"

/*
 * Each test is a server and a client, two processes of one ordinary user:
 * root could look into any process. The server's status is what it saw.
 */
#define NOBODY 65534

enum { SEES_OURS, SEES_BOXED, SEES_UNKNOWN, SKIPPED = 77 };

/* The server's address: an abstract one, which needs no folder. */
static struct sockaddr_un address;
static socklen_t address_len;

static int start_listening(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sun_family = AF_UNIX;
	address_len = sizeof(address);
	/* Without a name the kernel picks one that is free; unix(7). */
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      sizeof(address.sun_family)),
			 0);
	assert_int_equal(
		getsockname(fd, (struct sockaddr *)&address, &address_len), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* How a client makes itself ready. */
typedef int prepare_fn(void);

static int as_it_is(void)
{
	return 0;
}

/* Nobody but root can read its namespaces. */
static int hidden(void)
{
	return prctl(PR_SET_DUMPABLE, 0);
}

static int in_user_space(void)
{
	return unshare(CLONE_NEWUSER);
}

/* As an app in its box, which goes on in a child. */
static int boxed(void)
{
	pid_t pid;
	int st;

	if (unshare(CLONE_NEWUSER | CLONE_NEWPID))
		return -1;
	pid = fork();
	if (pid <= 0)
		return pid;
	waitpid(pid, &st, 0);
	_exit(WEXITSTATUS(st));
}

static int boxed_and_hidden(void)
{
	return boxed() || hidden();
}

/* Connect, and stay until the server has looked. */
static void run_client(prepare_fn *prepare, int ready, int hold)
{
	char c = 'x';
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (prepare())
		c = 's';
	else if (connect(fd, (struct sockaddr *)&address, address_len))
		c = 'f';
	if (write(ready, &c, 1) != 1 || read(hold, &c, 1) != 0)
		_exit(1);
	_exit(0);
}

static int look(int fd)
{
	struct http_peer *peer = http_peer_of(fd);
	int seen = peer->is_boxed     ? SEES_BOXED
		   : peer->is_unknown ? SEES_UNKNOWN
				      : SEES_OURS;

	free(peer->user);
	free(peer);
	return seen;
}

static void run_server(int listener, prepare_fn *prepare, bool starve)
{
	const struct rlimit none = { 0, 0 };
	int ready[2], hold[2], fd, seen;
	char c;

	if (!geteuid() && (setresgid(NOBODY, NOBODY, NOBODY) ||
			   setresuid(NOBODY, NOBODY, NOBODY)))
		_exit(SKIPPED);
	prctl(PR_SET_DUMPABLE, 1);
	if (pipe(ready) || pipe(hold))
		_exit(99);
	if (!fork()) {
		close(ready[0]);
		close(hold[1]);
		close(listener);
		run_client(prepare, ready[1], hold[0]);
	}
	close(ready[1]);
	close(hold[0]);
	if (read(ready[0], &c, 1) != 1 || c != 'x')
		_exit(c == 's' ? SKIPPED : 98);
	fd = accept(listener, NULL, NULL);
	if (starve && setrlimit(RLIMIT_NOFILE, &none))
		_exit(97);
	seen = look(fd);
	close(hold[1]);
	_exit(seen);
}

static void sees(prepare_fn *prepare, bool starve, int wanted)
{
	int fd = start_listening(), st = 0;
	pid_t pid = fork();

	if (!pid)
		run_server(fd, prepare, starve);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	close(fd);
	assert_true(WIFEXITED(st));
	if (WEXITSTATUS(st) == SKIPPED)
		skip();
	assert_int_equal(WEXITSTATUS(st), wanted);
}

static void a_process_of_ours_is_no_app(void **state)
{
	(void)state;
	sees(as_it_is, false, SEES_OURS);
}

static void nor_is_one_that_is_not_dumpable(void **state)
{
	(void)state;
	sees(hidden, false, SEES_OURS);
}

static void a_user_namespace_makes_an_app(void **state)
{
	(void)state;
	sees(in_user_space, false, SEES_BOXED);
}

static void a_box_makes_an_app(void **state)
{
	(void)state;
	sees(boxed, false, SEES_BOXED);
}

static void an_app_cannot_hide_that_it_is_one(void **state)
{
	(void)state;
	sees(boxed_and_hidden, false, SEES_BOXED);
}

static void a_failed_look_says_nothing(void **state)
{
	(void)state;
	sees(as_it_is, true, SEES_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_of_ours_is_no_app),
		cmocka_unit_test(nor_is_one_that_is_not_dumpable),
		cmocka_unit_test(a_user_namespace_makes_an_app),
		cmocka_unit_test(a_box_makes_an_app),
		cmocka_unit_test(an_app_cannot_hide_that_it_is_one),
		cmocka_unit_test(a_failed_look_says_nothing),
	};

	return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
