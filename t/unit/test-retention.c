/* SPDX-License-Identifier: ISC */
/* Which slugs are let go: the rule alone, and with the ledger. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../slugd/ledger-internal.h"
#include "../../slugd/retention.h"
#include "err.h"
#include "ledger-kit.h"
#include "mem.h"

/* --- the rule: a slug is a letter, a capital where it is needed --- */

/* Each has ten bytes of its own, and five that all share. */
static uint64_t ten_bytes(void *ctx, const char *uuid)
{
	uint64_t *common = ctx, bytes = 10 + *common;

	(void)uuid;
	*common = 0;
	return bytes;
}

/* Those that stay, of these, the newest first. */
static void stays(const char *slugs, int64_t keep, uint64_t keep_bytes,
		  const char *wanted)
{
	struct kept_slug v[16] = { { .size = 0 } };
	uint64_t common = 5;
	struct retention rule = { keep, keep_bytes, ten_bytes, &common };
	size_t n = strlen(slugs), i, left = 0;
	char got[17] = "";

	for (i = 0; i < n; i++) {
		v[i].uuid[0] = slugs[i];
		v[i].needed = slugs[i] < 'a';
		v[i].goes = true;
	}
	i = retention_choose(v, n, &rule);
	for (size_t j = 0; j < n; j++)
		if (!v[j].goes)
			got[left++] = v[j].uuid[0];
	assert_string_equal(got, wanted);
	assert_int_equal(i, n - left);
}

static void the_newest_stay(void **state)
{
	(void)state;
	stays("", 3, 0, "");
	stays("Abc", 3, 0, "Abc");
	stays("Abcdef", 3, 0, "Abc");
	stays("Abcdef", 1, 0, "A");
}

static void nought_keeps_all(void **state)
{
	(void)state;
	stays("Abcdef", 0, 0, "Abcdef");
}

static void what_is_needed_stays_however_old(void **state)
{
	(void)state;
	stays("AbcdEf", 2, 0, "AbE");
	stays("abcdEF", 1, 0, "aEF");
	stays("abC", 1, 1, "C");
}

static void as_many_as_fit_stay(void **state)
{
	(void)state;
	stays("Abcdef", 0, 35, "Abc");
	stays("Abcdef", 0, 34, "Ab");
	stays("Abcdef", 2, 35, "Ab");
	stays("Abcdef", 0, 1000, "Abcdef");
}

static void what_is_needed_counts_for_the_bytes(void **state)
{
	(void)state;
	stays("AbcdeF", 0, 35, "AbF");
	stays("AbcDEF", 0, 20, "ADEF");
}

/* --- with the ledger --- */

/* Let these go; how many releases expired. */
static int64_t expire_all(struct kit *k, const struct kept_slug *v, size_t n)
{
	int64_t releases = 0;
	size_t at = 0;

	while (at < n)
		assert_int_equal(
			ledger_expire(k->ledger, k->app, v, n, &at, &releases),
			0);
	return releases;
}

/* Let go what a keep of that says; how many releases expired. */
static int64_t expire(struct kit *k, int64_t keep)
{
	struct retention rule = { .keep = keep };
	struct kept_slug *v = NULL;
	int64_t releases;
	size_t n = 0;

	assert_int_equal(ledger_slugs(k->ledger, k->app, &v, &n), 0);
	retention_choose(v, n, &rule);
	releases = expire_all(k, v, n);
	free(v);
	kit_check(k);
	return releases;
}

/* "v4 v5": the releases that are expired. */
static void expired_are(struct kit *k, const char *wanted)
{
	const struct release_range all = { .max = INT64_MAX };
	struct release **v = NULL;
	char *got = xstrdup("");
	size_t n = 0, i;

	assert_int_equal(ledger_releases(k->ledger, k->app, &all, &v, &n), 0);
	for (i = 0; i < n; i++)
		if (v[i]->status == RELEASE_EXPIRED)
			str_replace(&got,
				    xasprintf("%s%sv%d", got, *got ? " " : "",
					      (int)v[i]->version));
	assert_string_equal(got, wanted);
	releases_free(v, n);
	free(got);
}

static void deploy(struct kit *k, int n)
{
	while (n--)
		kit_deploy(k);
}

static int pin(struct kit *k, const char *name, bool on)
{
	struct release *r = NULL;
	int rc = ledger_pin(k->ledger, k->app, name, on, "ada", &r);

	if (!rc)
		assert_int_equal(r->pinned, on);
	release_free(r);
	return rc;
}

static void the_oldest_expire(void **state)
{
	struct kit *k = *state;
	int64_t n = 0;

	deploy(k, 6); /* v2 to v7 */
	assert_int_equal(expire(k, 3), 3);
	expired_are(k, "v2 v3 v4");
	assert_int_equal(expire(k, 3), 0);
	assert_int_equal(ledger_slug_count(k->ledger, k->app, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(kit_rollback(k, "v4"), ERR_INVALID);
	assert_string_equal(err_msg(), "Cannot roll back to v4: it is expired");
	assert_int_equal(kit_rollback(k, "v5"), 8);
	kit_reopen(k);
	expired_are(k, "v2 v3 v4");
}

static void the_way_back_stays(void **state)
{
	struct kit *k = *state;

	deploy(k, 4); /* v2 to v5 */
	assert_int_equal(expire(k, 1), 2);
	expired_are(k, "v2 v3");
	assert_int_equal(kit_rollback(k, NULL), 6);
	expire(k, 1); /* now that of v4, and no way back from there */
	expired_are(k, "v2 v3 v5");
	assert_int_equal(kit_rollback(k, NULL), ERR_INVALID);
}

static void the_way_back_of_each_part_stays(void **state)
{
	struct kit *k = *state;

	kit_deploy(k);
	kit_deploy(k);
	kit_config(k, "{\"A\": \"1\"}"); /* v4 */
	kit_config(k, "{\"A\": \"2\"}");
	assert_int_equal(expire(k, 1), 0);
	assert_int_equal(kit_rollback_part(k, NULL, ROLLBACK_CODE), 6);
}

static void all_releases_of_a_slug_expire_with_it(void **state)
{
	struct kit *k = *state;

	deploy(k, 2);
	kit_rollback(k, "v2"); /* v4 */
	deploy(k, 3);          /* v5 to v7 */
	assert_int_equal(expire(k, 2), 4);
	expired_are(k, "v2 v3 v4 v5");
	/* A slug is as new as its newest release. */
	kit_rollback(k, "v6"); /* v8 */
	kit_deploy(k);         /* v9 */
	assert_int_equal(expire(k, 2), 1);
	expired_are(k, "v2 v3 v4 v5 v7");
}

static void pinned_ones_stay(void **state)
{
	struct kit *k = *state;

	deploy(k, 6); /* v2 to v7 */
	assert_int_equal(pin(k, "v3", true), 0);
	assert_int_equal(pin(k, "v3", true), 0);
	assert_int_equal(expire(k, 2), 3);
	expired_are(k, "v2 v4 v5");
	assert_int_equal(kit_rollback(k, "v3"), 8);
	assert_int_equal(kit_rollback(k, "v7"), 9);
	assert_int_equal(pin(k, "v3", false), 0);
	deploy(k, 3);
	expire(k, 2);
	assert_int_equal(kit_rollback(k, "v3"), ERR_INVALID);
}

static void what_cannot_be_pinned_says_why(void **state)
{
	struct kit *k = *state;

	ledger_set_launch(k->ledger, true);
	assert_int_equal(pin(k, "v1", true), ERR_INVALID);
	assert_string_equal(err_msg(), "Cannot pin v1: nothing was deployed "
				       "yet then");
	deploy(k, 4);
	kit_finish(k, 2, RELEASE_SUCCEEDED);
	kit_finish(k, 3, RELEASE_FAILED);
	kit_finish(k, 4, RELEASE_SUCCEEDED);
	kit_finish(k, 5, RELEASE_SUCCEEDED);
	assert_int_equal(pin(k, "v3", true), ERR_INVALID);
	assert_string_equal(err_msg(), "Cannot pin v3: it failed");
	expire(k, 1);
	expired_are(k, "v2");
	assert_int_equal(pin(k, "v2", true), ERR_INVALID);
	assert_string_equal(err_msg(), "Cannot pin v2: it is expired, its "
				       "slug is gone");
	assert_int_equal(pin(k, "v9", true), ERR_NOTFOUND);
	assert_int_equal(pin(k, "v2", false), 0);
	assert_int_equal(pin(k, "current", true), 0);
	kit_check(k);
}

/* If the launch fails, the way back starts from the release before. */
static void the_way_back_of_a_launch_that_fails_stays(void **state)
{
	struct kit *k = *state;

	deploy(k, 3); /* v2 to v4 */
	ledger_set_launch(k->ledger, true);
	kit_deploy(k); /* v5 */
	assert_int_equal(expire(k, 1), 1);
	expired_are(k, "v2");
	kit_finish(k, 5, RELEASE_FAILED);
	assert_int_equal(expire(k, 1), 0);
	assert_int_equal(kit_rollback(k, NULL), 6);
}

/* Nobody can go back to a release that failed. */
static void failed_ones_go_first(void **state)
{
	struct kit *k = *state;
	int i;

	deploy(k, 3); /* v2 to v4 */
	ledger_set_launch(k->ledger, true);
	for (i = 5; i < 9; i++) {
		kit_deploy(k);
		kit_finish(k, i, RELEASE_FAILED);
	}
	assert_int_equal(expire(k, 3), 0);
	expired_are(k, "");
	assert_int_equal(kit_rollback(k, "v2"), 9);
}

static void an_intents_slug_stays(void **state)
{
	struct kit *k = *state;
	struct intent *intent;
	struct release *r = NULL;

	deploy(k, 3);
	intent = kit_accept(k, "feed000000000000000000000000000000000000");
	assert_int_equal(expire(k, 1), 1);
	assert_int_equal(ledger_deploy(k->ledger, intent, &r), 0);
	assert_int_equal(r->status, RELEASE_SUCCEEDED);
	release_free(r);
	intent_free(intent);
	kit_check(k);
}

/* What became needed after it was chosen is not let go. */
static void the_choice_is_looked_at_again(void **state)
{
	struct kit *k = *state;
	struct retention rule = { .keep = 1 };
	struct kept_slug *v = NULL;
	int64_t releases;
	size_t n = 0;

	deploy(k, 5); /* v2 to v6 */
	assert_int_equal(ledger_slugs(k->ledger, k->app, &v, &n), 0);
	assert_int_equal(retention_choose(v, n, &rule), 3);
	assert_int_equal(pin(k, "v2", true), 0);
	assert_int_equal(kit_rollback(k, "v3"), 7);
	releases = expire_all(k, v, n);
	free(v);
	assert_int_equal(releases, 1);
	expired_are(k, "v4");
	kit_check(k);
}

/* --- what it takes: calls of the back end, which are counted --- */

static const struct backend_ops *real;
static unsigned walked, begun;

static int no_begin(struct backend *b)
{
	(void)b;
	return 0;
}

static int count_begin(struct backend *b)
{
	begun++;
	return real->begin(b);
}

static int count_other(struct backend *b, const struct release *now,
		       const struct release_wish *wish, struct release **out)
{
	walked++;
	return real->release_other(b, now, wish, out);
}

static int count_version(struct backend *b, int64_t app, int64_t version,
			 struct release **out)
{
	walked++;
	return real->release_by_version(b, app, version, out);
}

/* As deploy(), all in one transaction. */
static void deploy_many(struct kit *k, int n)
{
	struct backend *b = k->ledger->backend;
	struct backend_ops ops = *b->ops;

	real = b->ops;
	ops.begin = no_begin;
	ops.commit = no_begin;
	assert_int_equal(real->begin(b), 0);
	b->ops = &ops;
	deploy(k, n);
	b->ops = real;
	assert_int_equal(real->commit(b), 0);
}

/* Let go to a keep of that, and count. */
static int64_t counted_expire(struct kit *k, int64_t keep)
{
	struct backend *b = k->ledger->backend;
	struct backend_ops ops = *b->ops;
	int64_t releases;

	real = b->ops;
	ops.begin = count_begin;
	ops.release_other = count_other;
	ops.release_by_version = count_version;
	walked = begun = 0;
	b->ops = &ops;
	releases = expire(k, keep);
	b->ops = real;
	return releases;
}

static void a_long_history_of_one_config_is_not_walked(void **state)
{
	struct kit *k = *state;

	deploy_many(k, 20000); /* v2 to v20001 */
	assert_int_equal(counted_expire(k, 0), 0);
	assert_in_range(walked, 1, 5);
	assert_int_equal(begun, 0);
	kit_addon_add(k, "memcachier", "free", "{\"A\": \"1\"}");
	kit_deploy(k); /* v20003; the way back ends at once */
	assert_int_equal(counted_expire(k, 0), 0);
	assert_in_range(walked, 1, 10);
}

static void many_go_in_batches(void **state)
{
	struct kit *k = *state;

	deploy_many(k, 2502); /* v2 to v2503 */
	assert_int_equal(counted_expire(k, 1), 2500);
	assert_int_equal(begun, 3);
	assert_int_equal(counted_expire(k, 1), 0);
	assert_int_equal(kit_rollback(k, NULL), 2504);
}

/* Another writes between two batches. */
static void each_batch_looks_again(void **state)
{
	struct kit *k = *state;
	struct retention rule = { .keep = 1 };
	struct kept_slug *v = NULL;
	int64_t releases = 0;
	size_t n = 0, at = 0;

	deploy_many(k, 1502); /* v2 to v1503; v2 and v3 go last */
	assert_int_equal(ledger_slugs(k->ledger, k->app, &v, &n), 0);
	assert_int_equal(retention_choose(v, n, &rule), 1500);
	assert_int_equal(ledger_expire(k->ledger, k->app, v, n, &at, &releases),
			 0);
	assert_int_equal(releases, 1000);
	assert_int_equal(pin(k, "v2", true), 0);
	assert_int_equal(kit_rollback(k, "v3"), 1504);
	assert_int_equal(ledger_expire(k->ledger, k->app, v, n, &at, &releases),
			 0);
	assert_int_equal(at, n);
	assert_int_equal(releases, 1498);
	free(v);
	kit_check(k);
}

static void the_way_back_of_config_stays(void **state)
{
	struct kit *k = *state;

	kit_deploy(k);
	kit_config(k, "{\"A\": \"1\"}"); /* v3 */
	deploy(k, 4);                    /* v4 to v7 */
	assert_int_equal(expire(k, 1), 2);
	expired_are(k, "v4 v5");
}

static void only_slugs_that_are_there_are_named(void **state)
{
	struct kit *k = *state;
	char **v = NULL;
	size_t n = 0, i;

	deploy(k, 5);
	expire(k, 2);
	assert_int_equal(ledger_slugs_there(k->ledger, &v, &n), 0);
	assert_int_equal(n, 2);
	for (i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_stay),
		cmocka_unit_test(nought_keeps_all),
		cmocka_unit_test(what_is_needed_stays_however_old),
		cmocka_unit_test(as_many_as_fit_stay),
		cmocka_unit_test(what_is_needed_counts_for_the_bytes),
		T(the_oldest_expire),
		T(the_way_back_stays),
		T(the_way_back_of_each_part_stays),
		T(all_releases_of_a_slug_expire_with_it),
		T(pinned_ones_stay),
		T(what_cannot_be_pinned_says_why),
		T(the_way_back_of_a_launch_that_fails_stays),
		T(failed_ones_go_first),
		T(an_intents_slug_stays),
		T(the_choice_is_looked_at_again),
		T(the_way_back_of_config_stays),
		T(a_long_history_of_one_config_is_not_walked),
		T(many_go_in_batches),
		T(each_batch_looks_again),
		T(only_slugs_that_are_there_are_named),
	};

	return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
