/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "json.h"

static void reads_any_value(void **state)
{
	json_t *v = NULL;

	(void)state;
	assert_int_equal(json_read(&v, "{\"a\": 1}garbage", 8), 0);
	assert_int_equal(json_int(v, "a", 0), 1);
	json_decref(v);
	assert_int_equal(json_read(&v, "null", 4), 0);
	assert_true(json_is_null(v));
	json_decref(v);
}

static void says_what_is_wrong_and_where(void **state)
{
	static const char *const bad[] = {
		"", "{", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "\"\xff\"", "[1] 2",
	};
	json_t *v = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(json_read(&v, bad[i], strlen(bad[i])),
				 ERR_BADREQUEST);
		assert_non_null(strstr(err_msg(), "invalid JSON: "));
		assert_non_null(strstr(err_msg(), "(line 1)"));
	}
	assert_int_equal(json_read(&v, "\n\n{]", 4), ERR_BADREQUEST);
	assert_non_null(strstr(err_msg(), "(line 3)"));
}

static void text_is_one_line_with_keys_sorted(void **state)
{
	json_t *v = json_make("{s:i, s:[s, n]}", "b", 1, "a", "x\n");
	char *s = json_text(v);

	(void)state;
	assert_string_equal(s, "{\"a\":[\"x\\n\",null],\"b\":1}");
	free(s);
	json_decref(v);
}

static void pretty_keeps_the_order(void **state)
{
	json_t *v = json_make("{s:i, s:i}", "b", 1, "a", 2);
	char *s = json_pretty(v);

	(void)state;
	assert_string_equal(s, "{\n  \"b\": 1,\n  \"a\": 2\n}");
	free(s);
	json_decref(v);
}

static void getters_fall_back(void **state)
{
	json_t *v = json_make("{s:s, s:i, s:b}", "s", "x", "i", 7, "b", 1);

	(void)state;
	assert_string_equal(json_str(v, "s", "-"), "x");
	assert_string_equal(json_str(v, "i", "-"), "-");
	assert_string_equal(json_str(NULL, "s", "-"), "-");
	assert_int_equal(json_int(v, "i", 0), 7);
	assert_int_equal(json_int(v, "s", -1), -1);
	assert_true(json_bool(v, "b", 0));
	assert_false(json_bool(v, "none", 0));
	json_decref(v);
}

static void strings_that_are_none_are_null(void **state)
{
	json_t *v;

	(void)state;
	v = json_str_or_null(NULL);
	assert_true(json_is_null(v));
	json_decref(v);
	v = json_str_or_null("\xff");
	assert_true(json_is_null(v));
	json_decref(v);
	v = json_str_or_null("x");
	assert_string_equal(json_string_value(v), "x");
	json_decref(v);
}

static void times_are_strings_and_0_is_null(void **state)
{
	json_t *v = json_time(1284330737);

	(void)state;
	assert_string_equal(json_string_value(v), "2010-09-12T22:32:17Z");
	json_decref(v);
	v = json_time(0);
	assert_true(json_is_null(v));
	json_decref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_any_value),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(text_is_one_line_with_keys_sorted),
		cmocka_unit_test(pretty_keeps_the_order),
		cmocka_unit_test(getters_fall_back),
		cmocka_unit_test(strings_that_are_none_are_null),
		cmocka_unit_test(times_are_strings_and_0_is_null),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
