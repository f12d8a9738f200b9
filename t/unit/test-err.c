/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "err.h"

static void set_keeps_code_and_message(void **state)
{
	(void)state;
	assert_int_equal(err_set(ERR_NOTFOUND, "no release v%d", 9),
			 ERR_NOTFOUND);
	assert_string_equal(err_msg(), "no release v9");
}

static void sys_appends_the_reason(void **state)
{
	(void)state;
	errno = ENOENT;
	assert_int_equal(err_sys("%s", "/nowhere"), ERR_SYSTEM);
	assert_string_equal(err_msg(), "/nowhere: No such file or directory");
	assert_int_equal(errno, ENOENT);
}

static void prefix_goes_in_front(void **state)
{
	(void)state;
	err_set(ERR_INVALID, "bad");
	assert_int_equal(err_prefix(ERR_INVALID, "line %d", 3), ERR_INVALID);
	assert_string_equal(err_msg(), "line 3: bad");
}

static void prefix_of_no_error_is_none(void **state)
{
	(void)state;
	err_set(ERR_INVALID, "old");
	assert_int_equal(err_prefix(0, "line 3"), 0);
	assert_string_equal(err_msg(), "old");
}

static void message_may_quote_itself(void **state)
{
	(void)state;
	err_set(ERR_INVALID, "inner");
	err_set(ERR_FAILED, "outer (%s)", err_msg());
	assert_string_equal(err_msg(), "outer (inner)");
}

static void long_message_is_cut(void **state)
{
	char big[8192];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(ERR_INVALID, "%s", big);
	assert_int_equal(strlen(err_msg()), 2047);
	errno = ENOENT;
	err_sys("%s", big);
	err_prefix(ERR_SYSTEM, "%s", big);
	assert_int_equal(strlen(err_msg()), 2047);
}

static void *other_thread(void *arg)
{
	err_set(ERR_FAILED, "of the other thread");
	return arg;
}

static void each_thread_has_its_own(void **state)
{
	pthread_t thread;

	(void)state;
	err_set(ERR_INVALID, "mine");
	assert_int_equal(pthread_create(&thread, NULL, other_thread, NULL), 0);
	pthread_join(thread, NULL);
	assert_string_equal(err_msg(), "mine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_keeps_code_and_message),
		cmocka_unit_test(sys_appends_the_reason),
		cmocka_unit_test(prefix_goes_in_front),
		cmocka_unit_test(prefix_of_no_error_is_none),
		cmocka_unit_test(message_may_quote_itself),
		cmocka_unit_test(long_message_is_cut),
		cmocka_unit_test(each_thread_has_its_own),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
