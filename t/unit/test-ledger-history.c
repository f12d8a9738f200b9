/* SPDX-License-Identifier: ISC */
/*
 * The ledger over long histories: against a plain model of its rules, under
 * eight writers at once, and under kill -9.
 */
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"
#include "ledger-kit.h"
#include "mem.h"

/* --- a model: the rules of ledger.h again, as plainly as can be --- */

#define MAX_RELEASES 200
#define NR_KEYS      3
#define NR_ADDONS    2

/* Which deploy's slug (0: none), what each key has (0: unset), add-ons. */
struct model_release {
	int slug, key[NR_KEYS];
	unsigned addons;
	bool failed;
	int target; /* of a rollback */
};

struct model {
	struct model_release v[MAX_RELEASES + 2]; /* v[1] is v1 */
	int n, deploys;
	unsigned seed;
};

static int chance(struct model *m, int n)
{
	m->seed = m->seed * 1103515245U + 12345U;
	return (int)(m->seed >> 16) % n;
}

static struct model_release today(const struct model *m)
{
	struct model_release r;
	int i = m->n;

	while (m->v[i].failed)
		i--;
	r = m->v[i];
	r.addons = m->v[m->n].addons;
	r.failed = false;
	r.target = 0;
	return r;
}

static int current(const struct model *m)
{
	int i = m->n;

	while (m->v[i].failed)
		i--;
	return i;
}

static bool eligible(const struct model *m, int version)
{
	const struct model_release *r = &m->v[version];

	return r->slug && !r->failed && r->addons == m->v[m->n].addons;
}

/* The target of a rollback without a name, 0 for none. */
static int default_of(const struct model *m, enum rollback_part part)
{
	const struct model_release now = today(m);
	int at = m->n;

	while (at > 0) {
		const struct model_release *r = &m->v[at];

		bool code = r->slug != now.slug;
		bool config = memcmp(r->key, now.key, sizeof(now.key)) != 0;

		if (eligible(m, at) && ((code && part != ROLLBACK_CONFIG) ||
					(config && part != ROLLBACK_CODE)))
			return at;
		at = r->target && !r->failed ? r->target : at - 1;
	}
	return 0;
}

static void push_release(struct model *m, const struct model_release *r)
{
	m->v[++m->n] = *r;
}

/* --- the same operation on both --- */

static void op_config(struct kit *k, struct model *m)
{
	struct model_release r = today(m);
	int key = chance(m, NR_KEYS), value = chance(m, 3);
	char json[40];
	int64_t made;

	if (value)
		snprintf(json, sizeof(json), "{\"K%d\": \"%d\"}", key, value);
	else
		snprintf(json, sizeof(json), "{\"K%d\": null}", key);
	made = kit_config(k, json);
	if (r.key[key] == value) {
		assert_int_equal(made, 0);
		return;
	}
	r.key[key] = value;
	push_release(m, &r);
	assert_int_equal(made, m->n);
}

static void op_addon(struct kit *k, struct model *m)
{
	struct model_release r = today(m);
	int nr = chance(m, NR_ADDONS);
	const char *name = nr ? "redis" : "memcachier";
	int64_t made;

	if (r.addons & (1U << nr))
		made = kit_addon_remove(k, name);
	else
		made = kit_addon_add(k, name, "free", "{}");
	r.addons ^= 1U << nr;
	push_release(m, &r);
	assert_int_equal(made, m->n);
}

static void op_deploy(struct kit *k, struct model *m)
{
	struct model_release r = today(m);

	r.slug = ++m->deploys;
	push_release(m, &r);
	assert_int_equal(kit_deploy(k), m->n);
}

static void op_rollback(struct kit *k, struct model *m)
{
	bool named = chance(m, 2);
	enum rollback_part part = (enum rollback_part)chance(m, 3);
	int version = named ? chance(m, m->n + 2) : default_of(m, part);
	struct model_release r = today(m);
	char name[16];
	int64_t made;

	snprintf(name, sizeof(name), "v%d", version);
	made = kit_rollback_part(k, named ? name : NULL, part);
	if (version < 1 || version > m->n) {
		assert_int_equal(made, named ? ERR_NOTFOUND : ERR_INVALID);
		return;
	}
	if (!eligible(m, version) || version == current(m)) {
		assert_int_equal(made, ERR_INVALID);
		return;
	}
	if (part != ROLLBACK_CONFIG)
		r.slug = m->v[version].slug;
	if (part != ROLLBACK_CODE)
		memcpy(r.key, m->v[version].key, sizeof(r.key));
	r.target = version;
	push_release(m, &r);
	assert_int_equal(made, m->n);
}

static void op(struct kit *k, struct model *m)
{
	static void (*const ops[])(struct kit *, struct model *) = {
		op_config, op_config, op_config,   op_addon,
		op_deploy, op_deploy, op_rollback, op_rollback,
	};
	int before = m->n;

	ops[chance(m, 8)](k, m);
	assert_int_equal(kit_last(k), m->n);
	if (m->n == before || !m->v[m->n].slug)
		return;
	m->v[m->n].failed = chance(m, 5) == 0;
	kit_finish(k, m->n,
		   m->v[m->n].failed ? RELEASE_FAILED : RELEASE_SUCCEEDED);
}

/* --- and the same answers --- */

static void compare_today(struct kit *k, const struct model *m)
{
	const struct model_release r = today(m);
	char wanted[200], commit[16] = "-", *got = kit_today(k);
	char keys[64] = "", plans[64];
	int i;

	if (r.slug)
		snprintf(commit, sizeof(commit), "%07x", (unsigned)r.slug);
	for (i = 0; i < NR_KEYS; i++)
		if (r.key[i])
			snprintf(keys + strlen(keys),
				 sizeof(keys) - strlen(keys),
				 "%s\"K%d\":\"%d\"", *keys ? "," : "", i,
				 r.key[i]);
	snprintf(wanted, sizeof(wanted), "%s {%s} ", commit, keys);
	assert_int_equal(strncmp(got, wanted, strlen(wanted)), 0);
	snprintf(plans, sizeof(plans), "%s", got + strlen(wanted));
	assert_int_equal(strstr(plans, "memcachier:free") != NULL,
			 r.addons & 1U);
	assert_int_equal(strstr(plans, "redis:free") != NULL,
			 (r.addons & 2U) != 0);
	free(got);
}

static void compare_releases(struct kit *k, const struct model *m)
{
	const struct release_range all = { .max = INT64_MAX };
	struct release **v = NULL, *now = NULL;
	size_t n = 0, i;

	assert_int_equal(ledger_today(k->ledger, k->app, &now), 0);
	assert_int_equal(ledger_releases(k->ledger, k->app, &all, &v, &n), 0);
	assert_int_equal(n, m->n);
	for (i = 0; i < n; i++) {
		int version = (int)i + 1;

		assert_int_equal(v[i]->version, version);
		assert_int_equal(v[i]->status, m->v[version].failed
						       ? RELEASE_FAILED
						       : RELEASE_SUCCEEDED);
		assert_int_equal(v[i]->current, version == current(m));
		assert_int_equal(!ledger_rollback_check(v[i], now),
				 eligible(m, version));
	}
	releases_free(v, n);
	release_free(now);
}

static void a_random_history_is_as_the_rules_say(void **state)
{
	struct kit *k = *state;
	struct model m = { .n = 1 };
	const char *given = getenv("SLUGD_TEST_SEED");

	m.seed = given ? (unsigned)strtoul(given, NULL, 0) : (unsigned)getpid();
	print_message("# SLUGD_TEST_SEED=%u\n", m.seed);
	ledger_set_launch(k->ledger, true);
	while (m.n < MAX_RELEASES) {
		op(k, &m);
		compare_today(k, &m);
		compare_releases(k, &m);
	}
	kit_check(k);
}

/* --- writers at once --- */

#define NR_WRITERS 8
#define NR_CHANGES 25

struct writer {
	struct kit kit; /* its ledger may be shared */
	int nr, failed;
	int64_t version[NR_CHANGES];
};

static void *write_some(void *arg)
{
	struct writer *w = arg;
	struct release *r;
	int i;

	for (i = 0; i < NR_CHANGES; i++) {
		json_t *patch = json_object();
		char key[16], value[16];

		snprintf(key, sizeof(key), "K%d", w->nr);
		snprintf(value, sizeof(value), "%d", i);
		json_object_set_new(patch, key, json_string(value));
		r = NULL;
		if (ledger_config_patch(w->kit.ledger, w->kit.app, patch, 1000,
					"ada", &r))
			w->failed++;
		else
			w->version[i] = r->version;
		json_decref(patch);
		release_free(r);
	}
	return NULL;
}

/* Each number from 2 on was given once, rising for each writer. */
static void check_writers(struct kit *k, const struct writer *w)
{
	bool given[NR_WRITERS * NR_CHANGES + 2] = { false };
	int i, j;

	for (i = 0; i < NR_WRITERS; i++) {
		assert_int_equal(w[i].failed, 0);
		for (j = 0; j < NR_CHANGES; j++) {
			int64_t version = w[i].version[j];

			assert_in_range(version, 2,
					NR_WRITERS * NR_CHANGES + 1);
			assert_false(given[version]);
			given[version] = true;
			assert_true(!j || version > w[i].version[j - 1]);
		}
	}
	assert_int_equal(kit_last(k), NR_WRITERS * NR_CHANGES + 1);
	kit_check(k);
}

static void write_at_once(struct kit *k, bool shared)
{
	struct writer *w = xcalloc(NR_WRITERS, sizeof(*w));
	pthread_t threads[NR_WRITERS];
	int i;

	for (i = 0; i < NR_WRITERS; i++) {
		w[i].kit = *k;
		w[i].nr = i;
		if (!shared)
			assert_int_equal(ledger_open(&w[i].kit.ledger, k->path),
					 0);
		assert_int_equal(
			pthread_create(&threads[i], NULL, write_some, &w[i]),
			0);
	}
	for (i = 0; i < NR_WRITERS; i++) {
		pthread_join(threads[i], NULL);
		if (!shared)
			ledger_close(w[i].kit.ledger);
	}
	check_writers(k, w);
	free(w);
}

static void eight_threads_of_one_ledger_leave_no_gap(void **state)
{
	write_at_once(*state, true);
}

static void eight_ledgers_of_one_file_leave_no_gap(void **state)
{
	write_at_once(*state, false);
}

struct remover {
	struct kit kit;
	pthread_barrier_t *start;
	atomic_int *removed;
};

static void *remove_addon(void *arg)
{
	struct remover *r = arg;

	pthread_barrier_wait(r->start);
	if (kit_addon_remove(&r->kit, "memcachier") > 0)
		atomic_fetch_add(r->removed, 1);
	return NULL;
}

static void an_add_on_is_removed_once_under_eight_threads(void **state)
{
	struct kit *k = *state;
	struct remover r[NR_WRITERS];
	pthread_t threads[NR_WRITERS];
	pthread_barrier_t start;
	atomic_int removed;
	int round, i;

	pthread_barrier_init(&start, NULL, NR_WRITERS);
	for (round = 0; round < 10; round++) {
		atomic_init(&removed, 0);
		kit_addon_add(k, "memcachier", "free", "{}");
		for (i = 0; i < NR_WRITERS; i++) {
			r[i] = (struct remover){ *k, &start, &removed };
			assert_int_equal(pthread_create(&threads[i], NULL,
							remove_addon, &r[i]),
					 0);
		}
		for (i = 0; i < NR_WRITERS; i++)
			pthread_join(threads[i], NULL);
		assert_int_equal(removed, 1);
	}
	pthread_barrier_destroy(&start);
	assert_int_equal(kit_last(k), 21);
	kit_check(k);
}

/* --- kill -9 --- */

#define NR_KILLS 50

/* Make releases for ever; each version goes to fd once it is committed. */
static void write_until_killed(const struct kit *k, int fd)
{
	struct kit mine = *k;
	char json[40];
	unsigned i = 0;

	mine.ledger = NULL;
	if (ledger_open(&mine.ledger, k->path))
		_exit(1);
	for (;;) {
		int64_t version;

		snprintf(json, sizeof(json), "{\"K\": \"%d %u\"}",
			 (int)getpid(), i++);
		version = kit_config(&mine, json);
		if (version < 1 ||
		    write(fd, &version, sizeof(version)) != sizeof(version))
			_exit(1);
	}
}

/* One writer, killed some time after its first release; what it said last. */
static int64_t kill_a_writer(const struct kit *k, useconds_t after)
{
	int64_t version = 0, last = 0;
	int fds[2], status = 0;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(fds[0]);
		write_until_killed(k, fds[1]);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &version, sizeof(version)),
			 sizeof(version));
	usleep(after);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	do
		last = version;
	while (read(fds[0], &version, sizeof(version)) == sizeof(version));
	close(fds[0]);
	return last;
}

static void what_was_said_to_be_there_is_there_after_kill_9(void **state)
{
	struct kit *k = *state;
	int i;

	for (i = 0; i < NR_KILLS; i++) {
		int64_t said, is;

		ledger_close(k->ledger);
		k->ledger = NULL;
		/* Over a commit's length, so that it ends at each step. */
		said = kill_a_writer(k, (useconds_t)(i * 211 % 5000));
		assert_int_equal(ledger_open(&k->ledger, k->path), 0);
		is = kit_last(k);
		assert_in_range(is, said, said + 1);
		kit_check(k);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_random_history_is_as_the_rules_say),
		T(eight_threads_of_one_ledger_leave_no_gap),
		T(eight_ledgers_of_one_file_leave_no_gap),
		T(an_add_on_is_removed_once_under_eight_threads),
		T(what_was_said_to_be_there_is_there_after_kill_9),
	};

	return cmocka_run_group_tests_name("ledger-history", tests, NULL, NULL);
}
