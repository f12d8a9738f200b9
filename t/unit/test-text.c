/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "err.h"
#include "text.h"

/* 2010-09-12 15:32:17 -0700, the article's. */
#define ARTICLE 1284330737

static void iso_is_what_the_api_writes(void **state)
{
	char buf[TEXT_TIME_SIZE];

	(void)state;
	text_iso(buf, ARTICLE);
	assert_string_equal(buf, "2010-09-12T22:32:17Z");
	text_iso(buf, 0);
	assert_string_equal(buf, "1970-01-01T00:00:00Z");
}

static void iso_reads_back(void **state)
{
	int64_t when = 0;

	(void)state;
	assert_int_equal(text_parse_iso(&when, "2010-09-12T22:32:17Z"), 0);
	assert_int_equal(when, ARTICLE);
}

static void iso_refuses_other_forms(void **state)
{
	static const char *const bad[] = {
		"",
		"2010-09-12",
		"2010-09-12T22:32:17",
		"2010-09-12T22:32:17Z ",
		"2010-09-12T22:32:17+00:00",
		"2010-13-12T22:32:17Z",
		"now",
	};
	int64_t when;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(text_parse_iso(&when, bad[i]), ERR_INVALID);
}

static void a_shell_word_is_quoted_where_it_must_be(void **state)
{
	static const char *const words[][2] = {
		{ "/srv/slugd", "/srv/slugd" },
		{ "/srv/my slugd", "'/srv/my slugd'" },
		{ "it's $5", "'it'\\''s $5'" },
		{ "", "''" },
	};
	char *word;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		word = text_shell_word(words[i][0]);
		assert_string_equal(word, words[i][1]);
		free(word);
	}
}

static void assert_when(int64_t age, const char *wanted)
{
	char buf[TEXT_TIME_SIZE];

	text_when(buf, ARTICLE, ARTICLE + age);
	assert_string_equal(buf, wanted);
}

static void when_counts_in_the_articles_words(void **state)
{
	(void)state;
	assert_when(0, "0 seconds ago");
	assert_when(1, "1 second ago");
	assert_when(59, "59 seconds ago");
	assert_when(60, "1 minute ago");
	assert_when(119, "1 minute ago");
	assert_when(7 * 60, "7 minutes ago");
	assert_when(3599, "59 minutes ago");
	assert_when(3600, "1 hour ago");
	assert_when(3 * 3600, "3 hours ago");
	assert_when(86399, "23 hours ago");
}

static void when_past_a_day_is_in_the_readers_zone(void **state)
{
	(void)state;
	setenv("TZ", "America/Los_Angeles", 1);
	tzset();
	assert_when(86400, "2010-09-12 15:32:17 -0700");
	setenv("TZ", "UTC", 1);
	tzset();
	assert_when(86400, "2010-09-12 22:32:17 +0000");
}

static void when_ahead_is_now(void **state)
{
	(void)state;
	assert_when(-100, "0 seconds ago");
}

static void assert_size(uint64_t bytes, const char *wanted)
{
	char *s = text_size(bytes);

	assert_string_equal(s, wanted);
	free(s);
}

static void size_is_as_the_slug_compiler_has_it(void **state)
{
	(void)state;
	assert_size(0, "0B");
	assert_size(1023, "1023B");
	assert_size(1024, "1.0K");
	assert_size(421888, "412.0K");
	assert_size(8703181, "8.3MB");
	assert_size(1ULL << 30, "1.0GB");
	assert_size(UINT64_MAX, "17179869184.0GB");
}

static void assert_escape(const char *s, const char *wanted)
{
	char *safe = text_escape(s);

	assert_string_equal(safe, wanted);
	free(safe);
}

static void escape_leaves_text_alone(void **state)
{
	(void)state;
	assert_escape("", "");
	assert_escape("plain ~ text \\x1b", "plain ~ text \\x1b");
	assert_escape("Größe 日本 🚀", "Größe 日本 🚀");
}

static void escape_disarms_controls(void **state)
{
	(void)state;
	assert_escape("\033[31m\a\r\n\t", "\\x1b[31m\\x07\\x0d\\x0a\\x09");
	assert_escape("\177", "\\x7f");
	assert_escape("\xc2\x9b", "\\xc2\\x9b");          /* C1's CSI */
	assert_escape("\xe2\x80\xae", "\\xe2\\x80\\xae"); /* right to left */
	assert_escape("\xe2\x81\xa6", "\\xe2\\x81\\xa6"); /* isolate */
}

static void escape_shows_bytes_that_are_no_utf8(void **state)
{
	(void)state;
	assert_escape("a\xff"
		      "b",
		      "a\\xffb");
	assert_escape("\xc3", "\\xc3");
	assert_escape("\xc0\xaf", "\\xc0\\xaf");          /* overlong */
	assert_escape("\xe0\x80\xaf", "\\xe0\\x80\\xaf"); /* overlong */
	assert_escape("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* surrogate */
	assert_escape("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	assert_escape("\xe2\x82", "\\xe2\\x82");
}

static void assert_cell(const char *s, size_t max, const char *wanted)
{
	char *cell = text_cell(s, max);

	assert_string_equal(cell, wanted);
	free(cell);
}

static void cell_is_cut_by_characters(void **state)
{
	(void)state;
	assert_cell("abcdef", 6, "abcdef");
	assert_cell("abcdefg", 6, "abcd..");
	assert_cell("äöüßäöü", 6, "äöüß..");
	assert_cell("ab\ncdef", 6, "ab\\x..");
}

static void width_counts_characters(void **state)
{
	(void)state;
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("äöü🚀"), 4);
}

static void pad_fills_up_and_never_cuts(void **state)
{
	char *s = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&s, &len);

	(void)state;
	assert_non_null(f);
	text_pad(f, "äb", 4);
	text_pad(f, "abcde", 4);
	fclose(f);
	assert_string_equal(s, "äb  abcde");
	free(s);
}

static void sizes_read_with_their_units(void **state)
{
	uint64_t n = 0;

	(void)state;
	assert_int_equal(text_parse_size(&n, "512"), 0);
	assert_int_equal(n, 512);
	assert_int_equal(text_parse_size(&n, "64K"), 0);
	assert_int_equal(n, 65536);
	assert_int_equal(text_parse_size(&n, "500M"), 0);
	assert_int_equal(n, 500ULL << 20);
	assert_int_equal(text_parse_size(&n, "2G"), 0);
	assert_int_equal(n, 2ULL << 30);
}

static void wrong_sizes_are_refused(void **state)
{
	static const char *const bad[] = {
		"",     "-1",           "M",  "1T",
		"1k",   "1KB",          "1 ", "18446744073709551616",
		"1.5M", "17179869184G",
	};
	uint64_t n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(text_parse_size(&n, bad[i]), ERR_INVALID);
		assert_non_null(strstr(err_msg(), bad[i]));
	}
	/* strtoull() takes both for numbers. */
	assert_int_equal(text_parse_size(&n, " -1"), ERR_INVALID);
	assert_int_equal(text_parse_size(&n, " 1"), ERR_INVALID);
}

static void numbers_keep_to_their_limits(void **state)
{
	int64_t n = 0;

	(void)state;
	assert_int_equal(text_parse_int(&n, "19", 1, 19), 0);
	assert_int_equal(n, 19);
	assert_int_equal(text_parse_int(&n, "-3", -5, 19), 0);
	assert_int_equal(n, -3);
	assert_int_equal(text_parse_int(&n, "20", 1, 19), ERR_INVALID);
	assert_string_equal(err_msg(), "'20' is not a number from 1 to 19");
	assert_int_equal(text_parse_int(&n, "0", 1, 19), ERR_INVALID);
	assert_int_equal(text_parse_int(&n, "", 0, 19), ERR_INVALID);
	assert_int_equal(text_parse_int(&n, "1x", 0, 19), ERR_INVALID);
	assert_int_equal(text_parse_int(&n, " 1", 0, 19), ERR_INVALID);
	assert_int_equal(text_parse_int(&n, "+1", 0, 19), ERR_INVALID);
	assert_int_equal(text_parse_int(&n, "-", -9, 19), ERR_INVALID);
	assert_int_equal(text_parse_int(&n, "99999999999999999999", INT64_MIN,
					INT64_MAX),
			 ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(iso_is_what_the_api_writes),
		cmocka_unit_test(iso_reads_back),
		cmocka_unit_test(iso_refuses_other_forms),
		cmocka_unit_test(a_shell_word_is_quoted_where_it_must_be),
		cmocka_unit_test(when_counts_in_the_articles_words),
		cmocka_unit_test(when_past_a_day_is_in_the_readers_zone),
		cmocka_unit_test(when_ahead_is_now),
		cmocka_unit_test(size_is_as_the_slug_compiler_has_it),
		cmocka_unit_test(escape_leaves_text_alone),
		cmocka_unit_test(escape_disarms_controls),
		cmocka_unit_test(escape_shows_bytes_that_are_no_utf8),
		cmocka_unit_test(cell_is_cut_by_characters),
		cmocka_unit_test(width_counts_characters),
		cmocka_unit_test(pad_fills_up_and_never_cuts),
		cmocka_unit_test(sizes_read_with_their_units),
		cmocka_unit_test(wrong_sizes_are_refused),
		cmocka_unit_test(numbers_keep_to_their_limits),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
