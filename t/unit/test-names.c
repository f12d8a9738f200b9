/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <string.h>

#include "err.h"
#include "names.h"

typedef int (*check_fn)(const char *name);

/* Each name of a list that ends with NULL is refused, and shown. */
static void assert_bad(check_fn check, const char *const *names)
{
	for (; *names; names++) {
		if (check(*names) != ERR_INVALID)
			fail_msg("taken: '%s'", *names);
		assert_non_null(strchr(err_msg(), '\''));
	}
}

static void assert_good(check_fn check, const char *const *names)
{
	for (; *names; names++)
		if (check(*names))
			fail_msg("refused: %s", err_msg());
}

/* n times the letter a, in a buffer that the next call takes again. */
static const char *letters(const char *start, size_t n)
{
	static char buf[512];

	memset(buf, 'a', sizeof(buf));
	memcpy(buf, start, strlen(start));
	buf[n] = '\0';
	return buf;
}

static void apps(void **state)
{
	static const char *const good[] = { "myapp", "abc", "a-1", "a1b2",
					    NULL };
	static const char *const bad[] = {
		"",     "ab",    "-x",        "x-",  "1app", "MyApp",
		"a/b",  "..",    "a..b",      "a_b", "app ", "\303\244pp",
		"a\nb", "a.git", "../../etc", NULL,
	};

	(void)state;
	assert_good(name_check_app, good);
	assert_bad(name_check_app, bad);
	assert_int_equal(name_check_app(letters("", 30)), 0);
	assert_int_equal(name_check_app(letters("", 31)), ERR_INVALID);
	assert_int_equal(name_check_app(letters("", 200)), ERR_INVALID);
	assert_true(strlen(err_msg()) < 200);
}

static void a_bad_name_is_shown_harmless(void **state)
{
	(void)state;
	assert_int_equal(name_check_app("a\033[31m"), ERR_INVALID);
	assert_null(strchr(err_msg(), '\033'));
	assert_non_null(strstr(err_msg(), "\\x1b"));
}

static void config_keys(void **state)
{
	static const char *const good[] = { "MYVAR",  "_x",     "a1",
					    "PORTAL", "HEROKU", NULL };
	static const char *const bad[] = {
		"",     "A-B",  "1A",  "A B",        "A=B", "\303\204", "PORT",
		"DYNO", "HOME", "__X", "HEROKU_APP", "A\n", NULL,
	};

	(void)state;
	assert_good(name_check_config_key, good);
	assert_bad(name_check_config_key, bad);
	assert_int_equal(name_check_config_key(letters("", 200)), 0);
	assert_int_equal(name_check_config_key(letters("", 201)), ERR_INVALID);
}

static void process_types(void **state)
{
	static const char *const good[] = { "web", "Worker-2", "a_b", "1",
					    NULL };
	static const char *const bad[] = { "", "a b", "a/b", "a.b", NULL };

	(void)state;
	assert_good(name_check_process_type, good);
	assert_bad(name_check_process_type, bad);
	assert_int_equal(name_check_process_type(letters("", 30)), 0);
	assert_int_equal(name_check_process_type(letters("", 31)), ERR_INVALID);
}

static void refs(void **state)
{
	static const char *const good[] = {
		"refs/heads/master",
		"refs/heads/feature/x-1",
		"refs/heads/a@b",
		"refs/tags/v1.0",
		"refs/heads/gr\303\266\303\237e",
		NULL,
	};
	static const char *const bad[] = {
		"master",
		"HEAD",
		"refs/heads/",
		"refs/heads",
		"refs/replace/0123",
		"refs/releases/v1",
		"refs/heads/-x",
		"refs/heads/a/-x",
		"refs/heads/.x",
		"refs/heads/a..b",
		"refs/heads/../../x",
		"refs/heads/a.lock",
		"refs/heads/a.lock/b",
		"refs/heads/a//b",
		"refs/heads/a/",
		"refs/heads/a.",
		"refs/heads/a@{1}",
		"refs/heads/a b",
		"refs/heads/a\nb",
		"refs/heads/a\033b",
		"refs/heads/a\377",
		"refs/heads/$(x)",
		NULL,
	};

	(void)state;
	assert_good(name_check_ref, good);
	assert_bad(name_check_ref, bad);
	assert_int_equal(name_check_ref(letters("refs/heads/", 200)), 0);
	assert_int_equal(name_check_ref(letters("refs/heads/", 201)),
			 ERR_INVALID);
}

static void object_ids(void **state)
{
	static const char *const good[] = {
		"de63889c20a96347679af2c5160c390727fa6749", NAME_ZERO_OID, NULL
	};
	static const char *const bad[] = {
		"",
		"de63889",
		"DE63889C20A96347679AF2C5160C390727FA6749",
		"ge63889c20a96347679af2c5160c390727fa6749",
		"de63889c20a96347679af2c5160c390727fa67490",
		NULL,
	};

	(void)state;
	assert_good(name_check_oid, good);
	assert_bad(name_check_oid, bad);
}

static void users(void **state)
{
	static const char *const good[] = { "ada@example.com",
					    "J\303\274rgen K", NULL };
	static const char *const bad[] = { "", "a\nb", "a\033", "\377", NULL };

	(void)state;
	assert_good(name_check_user, good);
	assert_bad(name_check_user, bad);
	assert_int_equal(name_check_user(letters("", 100)), 0);
	assert_int_equal(name_check_user(letters("", 101)), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(apps),
		cmocka_unit_test(a_bad_name_is_shown_harmless),
		cmocka_unit_test(config_keys),
		cmocka_unit_test(process_types),
		cmocka_unit_test(refs),
		cmocka_unit_test(object_ids),
		cmocka_unit_test(users),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
