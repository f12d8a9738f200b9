/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "procfile.h"

static int parse(json_t **out, const char *text)
{
	return procfile_parse(out, text, strlen(text));
}

static void assert_types(const char *text, const char *wanted)
{
	json_t *types = NULL;
	char *got;

	assert_int_equal(parse(&types, text), 0);
	got = json_text(types);
	assert_string_equal(got, wanted);
	free(got);
	json_decref(types);
}

static void types_and_commands(void **state)
{
	(void)state;
	assert_types("web: exec perl server.pl\n",
		     "{\"web\":\"exec perl server.pl\"}");
	assert_types("a: b: c", "{\"a\":\"b: c\"}");
	assert_types("  web  :  x y  \r\n", "{\"web\":\"x y\"}");
	assert_types("# web: no\n\n \t\nworker:x\n", "{\"worker\":\"x\"}");
	assert_types("", "{}");
	assert_types("\n\n", "{}");
	assert_types("\xef\xbb\xbfweb: x\n", "{\"web\":\"x\"}");
	assert_types("\xef\xbb\xbf", "{}");
	assert_types("web: x\rworker: y\r", "{\"web\":\"x\",\"worker\":\"y\"}");
	assert_types("web: x\r\n\r\nworker: y",
		     "{\"web\":\"x\",\"worker\":\"y\"}");
}

static void order_is_the_files(void **state)
{
	json_t *types = NULL;
	char *names;

	(void)state;
	assert_int_equal(parse(&types, "web: a\nclock: b\nrelease: c\n"), 0);
	names = procfile_names(types);
	assert_string_equal(names, "web, clock, release");
	free(names);
	json_decref(types);
}

static void no_types_read_none(void **state)
{
	json_t *types = NULL;
	char *names;

	(void)state;
	assert_int_equal(parse(&types, ""), 0);
	names = procfile_names(types);
	assert_string_equal(names, "(none)");
	free(names);
	json_decref(types);
}

static void assert_bad(const char *text, const char *message)
{
	json_t *types = NULL;

	assert_int_equal(parse(&types, text), ERR_INVALID);
	assert_null(types);
	if (!strstr(err_msg(), message))
		fail_msg("'%s' is not in '%s'", message, err_msg());
}

static void mistakes_name_their_line(void **state)
{
	(void)state;
	assert_bad("web: a\n\nnonsense\n",
		   "Procfile line 3: expected 'TYPE: COMMAND'");
	assert_bad("web: a\nweb: b\n",
		   "Procfile line 2: 'web' stands there twice");
	assert_bad("web:\n", "Procfile line 1: no command for 'web'");
	assert_bad("web:   \n", "Procfile line 1: no command for 'web'");
	assert_bad("w b: x\n", "Procfile line 1: process type 'w b'");
	assert_bad(": x\n", "Procfile line 1: process type ''");
	assert_bad("#\nweb: \xff\n",
		   "Procfile line 2: the command of 'web' is not UTF-8");
}

static void a_binary_is_refused(void **state)
{
	json_t *types = NULL;

	(void)state;
	assert_int_equal(procfile_parse(&types, "web: a\0b\n", 9), ERR_INVALID);
	assert_string_equal(err_msg(), "Procfile: is not a text file");
}

static void only_len_bytes_are_read(void **state)
{
	json_t *types = NULL;

	(void)state;
	assert_int_equal(procfile_parse(&types, "web: a\nbroken", 7), 0);
	json_decref(types);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_and_commands),
		cmocka_unit_test(order_is_the_files),
		cmocka_unit_test(no_types_read_none),
		cmocka_unit_test(mistakes_name_their_line),
		cmocka_unit_test(a_binary_is_refused),
		cmocka_unit_test(only_len_bytes_are_read),
	};

	return cmocka_run_group_tests_name("procfile", tests, NULL, NULL);
}
