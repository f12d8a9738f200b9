/* SPDX-License-Identifier: ISC */
/* The rules of ledger.h, one or some at a time. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "ledger-kit.h"
#include "mem.h"

#define COMMIT     "aaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define MEMCACHIER "memcachier", "free", "{\"MC\": \"here\"}"

static void assert_release(struct kit *k, int64_t version, const char *kind,
			   const char *description)
{
	struct release *r = kit_release(k, version);

	assert_string_equal(r->kind, kind);
	assert_string_equal(r->description, description);
	assert_string_equal(r->user, "ada");
	release_free(r);
}

static void assert_today(struct kit *k, const char *wanted)
{
	char *today = kit_today(k);

	assert_string_equal(today, wanted);
	free(today);
}

static void v1_is_the_initial_release(void **state)
{
	struct release *r = kit_release(*state, 1);

	assert_string_equal(r->kind, "initial");
	assert_string_equal(r->description, "Initial release");
	assert_string_equal(r->user, "ada");
	assert_int_equal(r->status, RELEASE_SUCCEEDED);
	assert_null(r->slug);
	assert_true(r->current);
	release_free(r);
}

static void each_change_is_one_release_in_the_article_s_words(void **state)
{
	struct kit *k = *state;

	assert_int_equal(kit_config(k, "{\"B\": \"2\", \"A\": \"1\"}"), 2);
	assert_release(k, 2, "config", "Config add B, A");
	assert_int_equal(kit_config(k, "{\"B\": null}"), 3);
	assert_release(k, 3, "config", "Config remove B");
	assert_int_equal(kit_addon_add(k, MEMCACHIER), 4);
	assert_release(k, 4, "addon", "Add-on add memcachier:free");
	assert_int_equal(kit_deploy(k), 5);
	assert_release(k, 5, "deploy", "Deploy 0000001");
	assert_int_equal(kit_deploy(k), 6);
	assert_int_equal(kit_rollback(k, "v5"), 7);
	assert_release(k, 7, "rollback", "Rollback to v5");
	assert_int_equal(kit_addon_remove(k, "memcachier"), 8);
	assert_release(k, 8, "addon", "Add-on remove memcachier:free");
	assert_int_equal(kit_last(k), 8);
	kit_check(k);
}

static void many_keys_are_one_release_added_and_removed_at_once(void **state)
{
	struct kit *k = *state;

	kit_config(k, "{\"A\": \"1\"}");
	assert_int_equal(kit_config(k, "{\"A\": null, \"B\": \"2\"}"), 3);
	assert_release(k, 3, "config", "Config add B; Config remove A");
	assert_today(k, "- {\"B\":\"2\"} []");
}

static void the_same_value_is_no_release(void **state)
{
	struct kit *k = *state;

	kit_config(k, "{\"A\": \"1\"}");
	assert_int_equal(kit_config(k, "{\"A\": \"1\"}"), 0);
	assert_int_equal(kit_config(k, "{\"NOT_SET\": null}"), 0);
	assert_int_equal(kit_config(k, "{}"), 0);
	assert_int_equal(kit_last(k), 2);
	assert_int_equal(kit_config(k, "{\"A\": \"1\", \"B\": \"\"}"), 3);
	assert_release(k, 3, "config", "Config add B");
}

static void a_bad_key_changes_nothing(void **state)
{
	static const char *const bad[] = { "",    "A-B",      "1A",
					   "A=B", "A\\nB",    "\\u00e9",
					   "A B", "HEROKU_X", "__X",
					   "PORT" };
	struct kit *k = *state;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *json =
			xasprintf("{\"GOOD\": \"1\", \"%s\": \"x\"}", bad[i]);

		assert_int_equal(kit_config(k, json), ERR_INVALID);
		free(json);
	}
	assert_int_equal(kit_last(k), 1);
	assert_today(k, "- {} []");
}

static void a_value_is_a_string_without_nul(void **state)
{
	struct kit *k = *state;
	json_t *patch = json_object();
	struct release *r = NULL;

	assert_int_equal(kit_config(k, "{\"A\": 1}"), ERR_INVALID);
	assert_string_equal(err_msg(), "the value of A is not a string");
	assert_int_equal(kit_config(k, "{\"A\": [\"x\"]}"), ERR_INVALID);
	assert_int_equal(kit_config(k, "{\"A\": true}"), ERR_INVALID);
	json_object_set_new(patch, "A", json_stringn("a\0b", 3));
	assert_int_equal(
		ledger_config_patch(k->ledger, k->app, patch, 1000, "ada", &r),
		ERR_INVALID);
	assert_string_equal(err_msg(), "the value of A has a NUL byte");
	assert_null(r);
	json_decref(patch);
	assert_int_equal(kit_last(k), 1);
}

static void config_has_a_limit_that_unsetting_passes(void **state)
{
	struct kit *k = *state;
	struct release *r = NULL;
	char value[991], *json;
	json_t *patch;

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	json = xasprintf("{\"TEN_BYTES_\": \"%s\"}", value);
	assert_int_equal(kit_config(k, json), 2);
	free(json);
	assert_int_equal(kit_config(k, "{\"A\": \"\"}"), ERR_INVALID);
	assert_string_equal(err_msg(), "the config vars would have 1001 bytes; "
				       "at most 1000 are allowed");
	assert_int_equal(kit_last(k), 2);
	/* The limit became smaller since: what makes less is no error. */
	assert_int_equal(kit_config(k, "{\"TEN_BYTES_\": \"y\", \"B\": \"\"}"),
			 3);
	patch = json_make("{s:n}", "B");
	assert_int_equal(
		ledger_config_patch(k->ledger, k->app, patch, 1, "ada", &r), 0);
	json_decref(patch);
	release_free(r);
	assert_int_equal(kit_last(k), 4);
}

static void an_add_on_s_key_is_the_add_on_s(void **state)
{
	struct kit *k = *state;
	struct release *r;
	json_t *env;

	kit_addon_add(k, MEMCACHIER);
	assert_int_equal(kit_config(k, "{\"MC\": \"mine\"}"), ERR_INVALID);
	assert_string_equal(err_msg(), "MC is provided by the add-on memcachier"
				       " and cannot be changed");
	assert_int_equal(kit_config(k, "{\"MC\": null}"), ERR_INVALID);
	assert_int_equal(kit_last(k), 2);
	r = kit_release(k, 2);
	env = release_environment(r);
	assert_string_equal(json_str(env, "MC", ""), "here");
	assert_int_equal(json_object_size(r->config), 0);
	json_decref(env);
	release_free(r);
}

static void an_add_on_with_a_key_that_is_set_is_refused(void **state)
{
	struct kit *k = *state;
	struct addon **v = NULL;
	size_t n = 0;

	kit_config(k, "{\"MC\": \"mine\"}");
	assert_int_equal(kit_addon_add(k, MEMCACHIER), ERR_CONFLICT);
	assert_string_equal(err_msg(), "MC is set already; unset it first: "
				       "git heroku config:unset MC");
	assert_int_equal(kit_last(k), 2);
	assert_int_equal(ledger_addons(k->ledger, k->app, &v, &n), 0);
	assert_int_equal(n, 0);
	kit_config(k, "{\"MC\": null}");
	assert_int_equal(kit_addon_add(k, MEMCACHIER), 4);
	assert_int_equal(kit_addon_add(k, "other", "free", "{\"MC\": \"x\"}"),
			 ERR_CONFLICT);
	assert_string_equal(err_msg(),
			    "MC is provided by the add-on memcachier");
	kit_check(k);
}

static void an_add_on_is_added_once(void **state)
{
	struct kit *k = *state;

	assert_int_equal(kit_addon_add(k, MEMCACHIER), 2);
	assert_int_equal(kit_addon_add(k, "memcachier", "100", "{}"),
			 ERR_CONFLICT);
	assert_string_equal(err_msg(),
			    "memcachier is already added (memcachier:free)");
	assert_int_equal(kit_addon_remove(k, "nope"), ERR_NOTFOUND);
	assert_int_equal(kit_last(k), 2);
	assert_int_equal(kit_addon_remove(k, "memcachier"), 3);
	assert_int_equal(kit_addon_remove(k, "memcachier"), ERR_NOTFOUND);
	assert_int_equal(kit_addon_add(k, MEMCACHIER), 4);
	kit_check(k);
}

static void changes_before_the_first_push_have_nothing_to_launch(void **state)
{
	struct kit *k = *state;
	struct release **v = NULL, *r;
	size_t n = 0;

	ledger_set_launch(k->ledger, true);
	kit_config(k, "{\"A\": \"1\"}");
	kit_addon_add(k, MEMCACHIER);
	assert_int_equal(ledger_releases_pending(k->ledger, &v, &n), 0);
	assert_int_equal(n, 0);
	r = kit_release(k, 3);
	assert_int_equal(r->status, RELEASE_SUCCEEDED);
	assert_null(r->slug);
	assert_null(r->output);
	assert_true(r->current);
	release_free(r);
	kit_deploy(k);
	r = kit_release(k, 4);
	assert_int_equal(r->status, RELEASE_PENDING);
	assert_non_null(r->output);
	assert_false(r->current);
	release_free(r);
}

static void rollback_takes_slug_and_config_and_leaves_add_ons(void **state)
{
	struct kit *k = *state;
	struct release *r;
	json_t *env;

	kit_config(k, "{\"A\": \"old\"}");
	kit_addon_add(k, MEMCACHIER);
	kit_deploy(k); /* v4 */
	kit_config(k, "{\"A\": \"new\", \"B\": \"1\"}");
	kit_deploy(k); /* v6 */
	/* The same plan again, with another value: v7, v8. */
	kit_addon_remove(k, "memcachier");
	kit_addon_add(k, "memcachier", "free", "{\"MC\": \"today\"}");
	assert_int_equal(kit_rollback(k, "v4"), 9);
	r = kit_release(k, 9);
	assert_int_equal(r->target, 4);
	assert_string_equal(r->commit,
			    "0000001000000000000000000000000000000000");
	env = release_environment(r);
	assert_int_equal(json_object_size(env), 2);
	assert_string_equal(json_str(env, "A", ""), "old");
	assert_string_equal(json_str(env, "MC", ""), "today");
	json_decref(env);
	release_free(r);
	assert_today(k, "0000001 {\"A\":\"old\"} [\"memcachier:free\"]");
	kit_check(k);
}

static void rollback_of_a_part_leaves_the_other(void **state)
{
	struct kit *k = *state;

	kit_config(k, "{\"A\": \"old\"}");
	kit_deploy(k); /* v3 */
	kit_config(k, "{\"A\": \"new\"}");
	kit_deploy(k); /* v5 */
	assert_int_equal(kit_rollback_part(k, "v3", ROLLBACK_CONFIG), 6);
	assert_release(k, 6, "rollback", "Rollback config to v3");
	assert_today(k, "0000002 {\"A\":\"old\"} []");
	kit_config(k, "{\"A\": \"new\"}"); /* v7 */
	assert_int_equal(kit_rollback_part(k, "v3", ROLLBACK_CODE), 8);
	assert_release(k, 8, "rollback", "Rollback code to v3");
	assert_today(k, "0000001 {\"A\":\"new\"} []");
	kit_check(k);
}

static void rollback_across_add_ons_is_refused_in_words(void **state)
{
	struct kit *k = *state;

	kit_deploy(k); /* v2 */
	kit_addon_add(k, MEMCACHIER);
	assert_int_equal(kit_rollback(k, "v2"), ERR_INVALID);
	assert_string_equal(err_msg(),
			    "Cannot roll back to v2: it would change add-ons "
			    "(memcachier:free would be removed)");
	kit_deploy(k); /* v4 */
	kit_addon_remove(k, "memcachier");
	kit_addon_add(k, "redis", "big", "{}");
	assert_int_equal(kit_rollback(k, "v4"), ERR_INVALID);
	assert_string_equal(err_msg(),
			    "Cannot roll back to v4: it would change add-ons "
			    "(redis:big would be removed, memcachier:free "
			    "would be added)");
	assert_int_equal(kit_last(k), 6);
}

static void rollback_to_what_cannot_be_is_refused(void **state)
{
	static const char *const nowhere[] = { "v0", "v999", "foo", "",  "-1",
					       "v",  "v2x",  "v 2", "+2" };
	struct kit *k = *state;
	size_t i;

	kit_deploy(k); /* v2 */
	kit_deploy(k); /* v3 */
	for (i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		assert_int_equal(kit_rollback(k, nowhere[i]), ERR_NOTFOUND);
	kit_rollback(k, "foo");
	assert_string_equal(err_msg(), "Couldn't find that release: foo");
	assert_int_equal(kit_rollback(k, "v3"), ERR_INVALID);
	assert_string_equal(err_msg(), "v3 is the current release");
	assert_int_equal(kit_rollback(k, "v1"), ERR_INVALID);
	assert_string_equal(err_msg(), "Cannot roll back to v1: nothing was "
				       "deployed yet then");
	assert_int_equal(kit_last(k), 3);
	assert_int_equal(kit_rollback(k, "2"), 4);
}

static void the_default_target_differs_and_is_good(void **state)
{
	struct kit *k = *state;

	ledger_set_launch(k->ledger, true);
	kit_finish(k, kit_deploy(k), RELEASE_SUCCEEDED); /* v2 */
	kit_finish(k, kit_deploy(k), RELEASE_FAILED);    /* v3 */
	kit_finish(k, kit_config(k, "{\"A\": \"1\"}"), RELEASE_SUCCEEDED);
	kit_finish(k, kit_config(k, "{\"A\": null}"), RELEASE_SUCCEEDED);
	kit_finish(k, kit_config(k, "{\"A\": \"1\"}"), RELEASE_SUCCEEDED);
	/* v6 is as v4; v5 is as v2; v3 failed. */
	assert_int_equal(kit_rollback(k, NULL), 7);
	assert_release(k, 7, "rollback", "Rollback to v5");
}

static void the_default_target_is_another_commit(void **state)
{
	struct kit *k = *state;

	kit_deploy(k); /* v2 */
	kit_deploy(k); /* v3 */
	k->deploys--;
	kit_deploy(k); /* v4, with v3's commit once more */
	assert_int_equal(kit_rollback(k, NULL), 5);
	assert_release(k, 5, "rollback", "Rollback to v2");
	assert_int_equal(kit_rollback(k, NULL), ERR_INVALID);
}

static void the_default_never_goes_back_into_what_was_escaped(void **state)
{
	struct kit *k = *state;

	kit_deploy(k); /* v2 */
	kit_deploy(k); /* v3 */
	kit_deploy(k); /* v4, bad */
	assert_int_equal(kit_rollback(k, NULL), 5);
	assert_release(k, 5, "rollback", "Rollback to v3");
	assert_int_equal(kit_rollback(k, NULL), 6);
	assert_release(k, 6, "rollback", "Rollback to v2");
	assert_int_equal(kit_rollback(k, NULL), ERR_INVALID);
	assert_string_equal(err_msg(),
			    "There is no older release to roll back to");
	kit_deploy(k); /* v7 */
	assert_int_equal(kit_rollback(k, NULL), 8);
	assert_release(k, 8, "rollback", "Rollback to v6");
	assert_int_equal(kit_rollback(k, NULL), ERR_INVALID);
	kit_check(k);
}

static void a_failed_rollback_is_not_followed(void **state)
{
	struct kit *k = *state;

	ledger_set_launch(k->ledger, true);
	kit_finish(k, kit_deploy(k), RELEASE_SUCCEEDED); /* v2 */
	kit_finish(k, kit_deploy(k), RELEASE_SUCCEEDED); /* v3 */
	kit_finish(k, kit_deploy(k), RELEASE_SUCCEEDED); /* v4 */
	kit_finish(k, kit_rollback(k, "v2"), RELEASE_FAILED);
	assert_today(k, "0000003 {} []");
	assert_int_equal(kit_rollback(k, NULL), 6);
	assert_release(k, 6, "rollback", "Rollback to v3");
}

static void the_default_stays_within_todays_add_ons(void **state)
{
	struct kit *k = *state;

	kit_deploy(k); /* v2 */
	kit_deploy(k); /* v3 */
	kit_addon_add(k, MEMCACHIER);
	assert_int_equal(kit_rollback(k, NULL), ERR_INVALID);
	kit_deploy(k); /* v5 */
	assert_int_equal(kit_rollback(k, NULL), 6);
	assert_release(k, 6, "rollback", "Rollback to v4");
}

static void v1_is_never_the_default(void **state)
{
	struct kit *k = *state;

	assert_int_equal(kit_rollback(k, NULL), ERR_INVALID);
	kit_config(k, "{\"A\": \"1\"}");
	assert_int_equal(kit_rollback(k, NULL), ERR_INVALID);
	kit_deploy(k); /* v3 */
	assert_int_equal(kit_rollback(k, NULL), ERR_INVALID);
	assert_int_equal(kit_last(k), 3);
}

static void a_failed_release_keeps_its_number_and_changes_nothing(void **state)
{
	struct kit *k = *state;
	struct release *r = NULL;

	ledger_set_launch(k->ledger, true);
	kit_finish(k, kit_deploy(k), RELEASE_SUCCEEDED); /* v2 */
	kit_finish(k, kit_config(k, "{\"A\": \"bad\"}"), RELEASE_FAILED);
	r = kit_release(k, 3);
	assert_int_equal(r->status, RELEASE_FAILED);
	assert_string_equal(r->description, "Config add A");
	release_free(r);
	assert_today(k, "0000001 {} []");
	kit_finish(k, kit_deploy(k), RELEASE_FAILED); /* v4 */
	assert_today(k, "0000001 {} []");
	assert_int_equal(ledger_release_current(k->ledger, k->app, &r), 0);
	assert_int_equal(r->version, 2);
	assert_true(r->current);
	release_free(r);
	/* So the same can be tried again. */
	assert_int_equal(kit_config(k, "{\"A\": \"bad\"}"), 5);
	assert_int_equal(kit_rollback(k, "v4"), ERR_INVALID);
	assert_string_equal(err_msg(), "Cannot roll back to v4: it failed");
	kit_check(k);
}

static void a_release_that_is_being_launched_is_no_target(void **state)
{
	struct kit *k = *state;
	struct release *r;

	ledger_set_launch(k->ledger, true);
	kit_finish(k, kit_deploy(k), RELEASE_SUCCEEDED); /* v2 */
	kit_deploy(k);                                   /* v3 */
	kit_deploy(k);                                   /* v4 */
	assert_int_equal(kit_rollback(k, "v3"), ERR_INVALID);
	assert_string_equal(err_msg(),
			    "Cannot roll back to v3: it is being launched");
	assert_int_equal(kit_last(k), 4);
	assert_int_equal(kit_rollback(k, NULL), 5);
	r = kit_release(k, 5);
	assert_string_equal(r->description, "Rollback to v2");
	release_free(r);
	kit_check(k);
}

static void an_add_on_outlives_its_failed_release(void **state)
{
	struct kit *k = *state;

	ledger_set_launch(k->ledger, true);
	kit_finish(k, kit_deploy(k), RELEASE_SUCCEEDED); /* v2 */
	kit_finish(k, kit_addon_add(k, MEMCACHIER), RELEASE_FAILED);
	assert_today(k, "0000001 {} [\"memcachier:free\"]");
	assert_int_equal(kit_rollback(k, "v2"), ERR_INVALID);
	kit_finish(k, kit_addon_remove(k, "memcachier"), RELEASE_FAILED);
	assert_today(k, "0000001 {} []");
	kit_check(k);
}

static void a_push_becomes_one_release(void **state)
{
	struct kit *k = *state;
	struct intent *intent = kit_accept(k, COMMIT), *open = NULL;
	struct release *r = NULL, *again = NULL;
	struct build *b = NULL;

	assert_int_equal(kit_last(k), 1); /* an intent has no number */
	assert_int_equal(ledger_intent(k->ledger, k->app, &open), 0);
	assert_string_equal(open->push, intent->push);
	intent_free(open);
	assert_int_equal(ledger_deploy(k->ledger, intent, &r), 0);
	assert_string_equal(r->description, "Deploy aaaaaaa");
	assert_int_equal(ledger_deploy(k->ledger, intent, &again),
			 ERR_CONFLICT);
	assert_int_equal(kit_last(k), 2);
	assert_int_equal(
		ledger_release_by_push(k->ledger, intent->push, &again), 0);
	assert_int_equal(again->version, 2);
	assert_int_equal(ledger_build(k->ledger, intent->build, &b), 0);
	assert_int_equal(b->release, 2);
	build_free(b);
	release_free(r);
	release_free(again);
	intent_free(intent);
	assert_int_equal(ledger_intent(k->ledger, k->app, &open), ERR_NOTFOUND);
	kit_check(k);
}

static void a_dropped_push_takes_no_number(void **state)
{
	struct kit *k = *state;
	struct intent *intent = kit_accept(k, COMMIT);
	struct slug *slug = NULL;

	assert_int_equal(ledger_drop(k->ledger, intent), 0);
	assert_int_equal(ledger_slug(k->ledger, intent->slug, &slug),
			 ERR_NOTFOUND);
	intent_free(intent);
	assert_int_equal(kit_deploy(k), 2);
	kit_check(k);
}

static void apps_have_names_repositories_and_numbers_of_their_own(void **state)
{
	struct kit *k = *state;
	struct release *r = NULL;
	struct app *a = NULL;

	assert_int_equal(
		ledger_app_create(k->ledger, "myapp", "/r/x.git", 0, "ada", &a),
		ERR_CONFLICT);
	assert_string_equal(err_msg(), "Name myapp is already taken");
	assert_int_equal(ledger_app_create(k->ledger, "other", "/r/myapp.git",
					   0, "ada", &a),
			 ERR_CONFLICT);
	assert_string_equal(err_msg(),
			    "/r/myapp.git is the repository of app myapp");
	kit_deploy(k);
	assert_int_equal(
		ledger_app_create(k->ledger, "other", "/r/o.git", 0, "ada", &a),
		0);
	assert_int_equal(ledger_release_last(k->ledger, a->id, &r), 0);
	assert_int_equal(r->version, 1);
	release_free(r);
	app_free(a);
	assert_true(ledger_port_is_taken(k->ledger, 5100));
	assert_false(ledger_port_is_taken(k->ledger, 5101));
	kit_check(k);
}

static void all_of_it_is_there_after_a_restart(void **state)
{
	struct kit *k = *state;

	kit_deploy(k);
	kit_config(k, "{\"A\": \"\\u00e9\\n\\\"\"}");
	kit_addon_add(k, MEMCACHIER);
	kit_reopen(k);
	assert_int_equal(kit_last(k), 4);
	assert_today(k, "0000001 {\"A\":\"\xc3\xa9\\n\\\"\"} "
			"[\"memcachier:free\"]");
	kit_check(k);
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(v1_is_the_initial_release),
		T(each_change_is_one_release_in_the_article_s_words),
		T(many_keys_are_one_release_added_and_removed_at_once),
		T(the_same_value_is_no_release),
		T(a_bad_key_changes_nothing),
		T(a_value_is_a_string_without_nul),
		T(config_has_a_limit_that_unsetting_passes),
		T(an_add_on_s_key_is_the_add_on_s),
		T(an_add_on_with_a_key_that_is_set_is_refused),
		T(an_add_on_is_added_once),
		T(changes_before_the_first_push_have_nothing_to_launch),
		T(rollback_takes_slug_and_config_and_leaves_add_ons),
		T(rollback_of_a_part_leaves_the_other),
		T(rollback_across_add_ons_is_refused_in_words),
		T(rollback_to_what_cannot_be_is_refused),
		T(the_default_target_differs_and_is_good),
		T(the_default_target_is_another_commit),
		T(the_default_never_goes_back_into_what_was_escaped),
		T(a_failed_rollback_is_not_followed),
		T(the_default_stays_within_todays_add_ons),
		T(v1_is_never_the_default),
		T(a_failed_release_keeps_its_number_and_changes_nothing),
		T(a_release_that_is_being_launched_is_no_target),
		T(an_add_on_outlives_its_failed_release),
		T(a_push_becomes_one_release),
		T(a_dropped_push_takes_no_number),
		T(apps_have_names_repositories_and_numbers_of_their_own),
		T(all_of_it_is_there_after_a_restart),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
