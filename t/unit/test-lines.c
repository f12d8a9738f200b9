/* SPDX-License-Identifier: ISC */
/* Which lines of a process's output are shown where it failed. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "../../slugrun/lines.h"
#include "mem.h"

/* What is shown of the lines, in max bytes, is wanted. Empties l. */
static void assert_shown(struct lines *l, size_t max, const char *wanted)
{
	char *text = lines_text(l, max);

	assert_string_equal(text, wanted);
	free(text);
	lines_release(l);
}

static void add(struct lines *l, const char *fmt, int from, int to)
{
	int i;

	for (i = from; i <= to; i++)
		lines_add(l, xasprintf("%s%d", fmt, i));
}

static void few_lines_are_all_shown(void **state)
{
	struct lines l = { .nr = 0 };

	(void)state;
	assert_shown(&l, 1500, "");
	add(&l, "", 1, 3);
	assert_shown(&l, 1500, "1\n2\n3\n");
}

static void a_line_that_repeats_is_counted(void **state)
{
	struct lines l = { .nr = 0 };
	int i;

	(void)state;
	lines_add(&l, xstrdup("begin"));
	for (i = 0; i < 40; i++)
		lines_add(&l, xstrdup("no database\033"));
	lines_add(&l, xstrdup("end"));
	assert_shown(&l, 1500,
		     "begin\nno database\\x1b (repeated 40 times)\nend\n");
}

/* n lines, forty times, and the first of them once more. */
static void assert_block(int n)
{
	struct lines l = { .nr = 0 };
	char *wanted = xstrdup("");
	int i;

	for (i = 0; i < 40; i++)
		add(&l, "refused ", 1, n);
	add(&l, "refused ", 1, 1);
	lines_add(&l, xstrdup("end"));
	for (i = 1; i <= n; i++)
		str_replace(&wanted, xasprintf("%srefused %d\n", wanted, i));
	str_replace(&wanted, xasprintf("%s(these %d lines repeated 40 times)\n"
				       "refused 1\nend\n",
				       wanted, n));
	assert_shown(&l, 1500, wanted);
	free(wanted);
}

static void lines_that_repeat_as_a_block_are_counted(void **state)
{
	int n;

	(void)state;
	for (n = 2; n <= 5; n++)
		assert_block(n);
}

/* Whatever is folded, nothing is read that is not there. */
static void any_lines_do(void **state)
{
	struct lines l = { .nr = 0 };
	unsigned seed = 1;
	int i;

	(void)state;
	for (i = 0; i < 200000; i++) {
		seed = seed * 1103515245 + 12345;
		lines_add(&l, xasprintf("%serror %u", seed >> 30 ? "" : "no ",
					(seed >> 16) % 3));
		if (i % 1000 == 0) {
			char *text = lines_text(&l, 1500);

			assert_true(strlen(text) <= 1500);
			free(text);
		}
		if (i % 7777 == 0)
			lines_release(&l);
	}
	lines_release(&l);
}

static void the_first_and_the_last_lines_are_shown(void **state)
{
	struct lines l = { .nr = 0 };

	(void)state;
	add(&l, "", 1, 100);
	assert_shown(&l, 1500,
		     "1\n2\n3\n4\n5\n(75 lines left out)\n81\n82\n83\n84\n85\n"
		     "86\n87\n88\n89\n90\n91\n92\n93\n94\n95\n96\n97\n98\n99\n"
		     "100\n");
}

static void an_error_amid_is_shown_with_what_follows(void **state)
{
	struct lines l = { .nr = 0 };
	char *text;

	(void)state;
	add(&l, "banner ", 1, 50);
	lines_add(&l, xstrdup("Exception in thread main: no such table"));
	add(&l, "	at frame ", 1, 200);
	text = lines_text(&l, 1500);
	assert_non_null(strstr(text, "banner 5\n(45 lines left out)\n"
				     "Exception in thread main: no such table\n"
				     "\\x09at frame 1\n"));
	assert_non_null(strstr(text, "frame 7\n(173 lines left out)\n"));
	assert_string_equal(text + strlen(text) - 10, "frame 200\n");
	free(text);
	lines_release(&l);
}

/* All that fits does, whatever the length of lines. */
static void it_fits(void **state)
{
	struct lines l = { .nr = 0 };
	size_t max;
	int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		char *line = xcalloc(8193, 1);

		memset(line, i % 2 ? 'x' : '\001', (size_t)(i * 37 % 8192));
		lines_add(&l, line);
		if (i % 7 == 3)
			lines_add(&l, xasprintf("error %d", i));
	}
	lines_add(&l, xstrdup("the end"));
	for (max = 0; max < 3000; max++) {
		char *text = lines_text(&l, max);

		assert_true(strlen(text) <= max);
		if (max > 130)
			assert_non_null(strstr(text, "the end\n"));
		free(text);
	}
	lines_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_lines_are_all_shown),
		cmocka_unit_test(a_line_that_repeats_is_counted),
		cmocka_unit_test(lines_that_repeat_as_a_block_are_counted),
		cmocka_unit_test(any_lines_do),
		cmocka_unit_test(the_first_and_the_last_lines_are_shown),
		cmocka_unit_test(an_error_amid_is_shown_with_what_follows),
		cmocka_unit_test(it_fits),
	};

	return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
