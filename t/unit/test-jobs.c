/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../../slugd/jobs.h"
#include "err.h"

static atomic_bool at_limit;
static struct jobs *jobs;
static atomic_int done;
static sem_t hold;

/* The linker has pthread_create() call these, see local.mk. */
int __real_pthread_create(pthread_t *, const pthread_attr_t *,
			  void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *,
			  void *(*)(void *), void *);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*fn)(void *), void *arg)
{
	return at_limit ? EAGAIN : __real_pthread_create(thread, attr, fn, arg);
}

static int set_up(void **state)
{
	(void)state;
	at_limit = false;
	done = 0;
	sem_init(&hold, 0, 0);
	return jobs_new(&jobs);
}

static int tear_down(void **state)
{
	(void)state;
	jobs_free(jobs);
	sem_destroy(&hold);
	return 0;
}

static void count(void *arg)
{
	(void)arg;
	done++;
}

static void wait_and_count(void *arg)
{
	sem_wait(&hold);
	count(arg);
}

static int answer(void *arg)
{
	count(arg);
	return 0;
}

/* Two levels of one job that waits for another one. */
static int ask_ledger(void *arg)
{
	return jobs_call(jobs, JOBS_LEDGER, answer, arg);
}

static void test_without_a_thread_what_is_asked_for_is_refused(void **state)
{
	(void)state;
	at_limit = true;
	assert_int_equal(jobs_try(jobs, "look a", count, NULL),
			 ERR_UNAVAILABLE);
	assert_non_null(strstr(err_msg(), "slugd cannot start a thread: "));
	jobs_drain(jobs);
	assert_int_equal(done, 0);
	at_limit = false;
	assert_int_equal(jobs_try(jobs, "look a", count, NULL), 0);
	jobs_drain(jobs);
	assert_int_equal(done, 1);
}

static void test_without_a_thread_what_is_owed_is_done(void **state)
{
	char key[16];
	int i;

	(void)state;
	at_limit = true;
	for (i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "launch %d", i);
		jobs_submit(jobs, key, count, NULL);
	}
	jobs_drain(jobs);
	assert_int_equal(done, 100);
}

static void test_the_ledger_is_written_whatever_else_waits(void **state)
{
	char key[16];
	int i;

	(void)state;
	at_limit = true;
	for (i = 0; i < 20; i++) {
		snprintf(key, sizeof(key), "launch %d", i);
		jobs_submit(jobs, key, wait_and_count, NULL);
	}
	assert_int_equal(jobs_call(jobs, JOBS_LEDGER, answer, NULL), 0);
	assert_int_equal(jobs_try(jobs, JOBS_LEDGER, count, NULL), 0);
	for (i = 0; i < 20; i++)
		sem_post(&hold);
	jobs_drain(jobs);
	assert_int_equal(done, 22);
}

static void test_a_job_without_a_thread_of_its_own_asks_the_ledger(void **state)
{
	(void)state;
	at_limit = true;
	assert_int_equal(jobs_call(jobs, "addons", ask_ledger, NULL), 0);
	assert_int_equal(done, 1);
}

static void test_work_of_a_key_that_has_some_is_taken(void **state)
{
	(void)state;
	assert_int_equal(jobs_try(jobs, "git a", wait_and_count, NULL), 0);
	at_limit = true;
	assert_int_equal(jobs_try(jobs, "git a", count, NULL), 0);
	sem_post(&hold);
	jobs_drain(jobs);
	assert_int_equal(done, 2);
}

static void test_there_are_none_where_no_thread_starts_at_all(void **state)
{
	struct jobs *none = jobs;

	(void)state;
	at_limit = true;
	assert_int_equal(jobs_new(&none), ERR_UNAVAILABLE);
	assert_null(none);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_without_a_thread_what_is_asked_for_is_refused),
		TEST(test_without_a_thread_what_is_owed_is_done),
		TEST(test_the_ledger_is_written_whatever_else_waits),
		TEST(test_a_job_without_a_thread_of_its_own_asks_the_ledger),
		TEST(test_work_of_a_key_that_has_some_is_taken),
		TEST(test_there_are_none_where_no_thread_starts_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
