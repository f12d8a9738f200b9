/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../slugd/lease.h"
#include "err.h"

static pid_t child;
static int hold; /* the child lives until this is closed */

static int set_up(void **state)
{
	int fds[2];
	char c;

	(void)state;
	if (pipe(fds))
		return -1;
	child = fork();
	if (!child) {
		close(fds[1]);
		_exit(read(fds[0], &c, 1) < 0 ? 1 : 0);
	}
	close(fds[0]);
	hold = fds[1];
	return child < 0 ? -1 : 0;
}

static void end_child(void)
{
	if (hold >= 0)
		close(hold);
	hold = -1;
}

static int tear_down(void **state)
{
	(void)state;
	end_child();
	waitpid(child, NULL, 0);
	return 0;
}

static char *text_of_child(void)
{
	struct lease l;
	char *text = NULL;

	assert_int_equal(lease_child(&l, child), 0);
	assert_int_equal(lease_text(&l, &text), 0);
	lease_release(&l);
	return text;
}

/* The text, with another start time. Caller frees. */
static char *with_start(const char *text, long more)
{
	size_t size = strlen(text) + 32;
	char *s = malloc(size), *end;
	unsigned long long start =
		strtoull(strchr(text, ' '), &end, 10) + (unsigned long)more;

	assert_non_null(s);
	snprintf(s, size, "%d %llu%s", (int)child, start, end);
	return s;
}

static void it_lasts_as_long_as_its_process(void **state)
{
	char *text = text_of_child();
	struct lease l;

	(void)state;
	lease_restore(&l, text);
	assert_false(lease_is_over(&l));
	end_child();
	while (!lease_is_over(&l))
		usleep(1000);
	lease_release(&l);
	waitpid(child, NULL, 0);
	lease_restore(&l, text);
	assert_true(lease_is_over(&l));
	lease_release(&l);
	free(text);
}

static void a_pid_that_was_reused_is_another_process(void **state)
{
	char *text = text_of_child(), *same = with_start(text, 0);
	char *other = with_start(text, 1);
	struct lease l;

	(void)state;
	assert_string_equal(same, text);
	lease_restore(&l, other);
	assert_true(lease_is_over(&l));
	lease_release(&l);
	free(other);
	free(same);
	free(text);
}

static void a_lease_of_another_boot_is_over(void **state)
{
	char *text = text_of_child();
	struct lease l;

	(void)state;
	text[strlen(text) - 1] ^= 1;
	lease_restore(&l, text);
	assert_true(lease_is_over(&l));
	free(text);
}

static void what_cannot_be_looked_at_is_asked_again(void **state)
{
	char *text = text_of_child();
	struct rlimit before, none;
	struct lease l;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	lease_restore(&l, text);
	assert_false(lease_is_over(&l));
	assert_true(l.unknown);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_false(lease_is_over(&l));
	assert_false(l.unknown);
	end_child();
	while (!lease_is_over(&l))
		usleep(1000);
	lease_release(&l);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(it_lasts_as_long_as_its_process),
		T(a_pid_that_was_reused_is_another_process),
		T(a_lease_of_another_boot_is_over),
		T(what_cannot_be_looked_at_is_asked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
