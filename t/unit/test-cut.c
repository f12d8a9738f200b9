/* SPDX-License-Identifier: ISC */
/* Where slugs are cut: the promises of cut.h, on made items. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../slugpack/cut.h"
#include "../../slugpack/entry.h"

#define NR  4000
#define ROW 50 /* items of a short run */

static unsigned char ids[NR][ENTRY_ID_SIZE];
static uint32_t dice = 1;

static uint32_t roll(uint32_t below)
{
	dice = dice * 1664525 + 1013904223;
	return (dice >> 8) % below;
}

static const struct cut_scale *small_scale(void)
{
	return cut_scale_for(1);
}

/* A run of n items of at most that weight, in blocks of tar. */
static void make_run(struct cut_item *v, size_t n, uint32_t most)
{
	char name[32];
	size_t i;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "f%zu", i);
		memset(ids[i], 0, ENTRY_ID_SIZE);
		memcpy(ids[i], &i, sizeof(i));
		v[i].weight = 1024 + 512 * (uint64_t)roll(most / 512);
		v[i].hash = cut_hash(name);
		v[i].id = ids[i];
	}
}

/* begins[i]: does a segment begin at item i? Returns how many there are. */
static size_t cut_all(const struct cut_scale *s, const struct cut_item *v,
		      size_t n, bool *begins)
{
	size_t at = 0, nr = 0, end;

	memset(begins, 0, n * sizeof(*begins));
	for (; at < n; at = end, nr++) {
		begins[at] = true;
		end = cut_end(s, v, n, at);
		assert_true(end > at && end <= n);
	}
	return nr;
}

/* Bytes of tar from item a up to item b. */
static uint64_t far(const struct cut_item *v, size_t a, size_t b)
{
	uint64_t sum = 0;

	for (; a < b; a++)
		sum += v[a].weight;
	return sum;
}

static void a_hash_is_what_it_always_was(void **state)
{
	(void)state;
	/* Segments in stores are named by cuts that follow from these. */
	assert_true(cut_hash("") == UINT64_C(0xefd01f60ba992926));
	assert_true(cut_hash("Procfile") == UINT64_C(0x46d79be5ddbbe986));
	assert_true(cut_hash("a") != cut_hash("b"));
}

static void one_item_is_one_segment(void **state)
{
	struct cut_item v[1];

	(void)state;
	make_run(v, 1, 2048);
	assert_int_equal(cut_end(small_scale(), v, 1, 0), 1);
}

static void a_short_run_is_one_segment(void **state)
{
	struct cut_item v[ROW];

	(void)state;
	make_run(v, ROW, 512);
	/* 50 of 1 KB, less than a window on either side of all of them. */
	assert_true(far(v, 0, ROW) < 2 * small_scale()->window);
	assert_int_equal(cut_end(small_scale(), v, ROW, 0), ROW);
}

static void check_sizes(const struct cut_scale *s, size_t n, uint32_t most)
{
	static struct cut_item v[NR];
	static bool begins[NR];
	size_t at = 0, end, large = 0, nr;

	make_run(v, n, most);
	nr = cut_all(s, v, n, begins);
	assert_true(nr > 3);
	for (; at < n; at = end) {
		uint64_t bytes;

		end = cut_end(s, v, n, at);
		bytes = far(v, at, end);
		assert_true(bytes >= s->window);
		assert_true(bytes < 12 * s->window);
		large += bytes > 4 * s->window;
	}
	assert_true(large * 10 <= nr);
}

static void segments_are_neither_small_nor_large(void **state)
{
	const struct cut_scale *large = cut_scale_for(CUT_LARGE_TREE);

	(void)state;
	check_sizes(small_scale(), NR, 1024);
	check_sizes(small_scale(), NR, 8000);
	check_sizes(small_scale(), NR, 100000);
	check_sizes(large, NR, 8000);
	check_sizes(large, NR, 500000);
}

static void a_large_tree_has_larger_ones(void **state)
{
	const struct cut_scale *large = cut_scale_for(CUT_LARGE_TREE);

	(void)state;
	assert_ptr_equal(cut_scale_for(CUT_LARGE_TREE - 1), small_scale());
	assert_true(large->window > small_scale()->window);
	assert_true(large->large > small_scale()->large);
	assert_true(small_scale()->large > small_scale()->window);
	assert_true(large->large > large->window);
}

static void a_large_item_stands_alone(void **state)
{
	static struct cut_item v[NR];
	size_t i;

	(void)state;
	for (i = 0; i < 200; i++) {
		size_t at = 1 + roll(NR - 2);

		make_run(v, NR, 8000);
		v[at].weight = small_scale()->large + 512 * roll(9999);
		/* Whoever comes to it ends there, and it ends behind itself. */
		assert_true(cut_end(small_scale(), v, NR, at - 1) == at);
		assert_true(cut_end(small_scale(), v, NR, at) == at + 1);
	}
}

static void twins_share_a_segment(void **state)
{
	const struct cut_scale *s = small_scale();
	struct cut_item v[4];
	size_t i;

	(void)state;
	make_run(v, 4, 512);
	for (i = 0; i < 4; i++)
		v[i].weight = s->large;
	v[2].id = v[1].id;
	assert_int_equal(cut_end(s, v, 4, 0), 1);
	assert_int_equal(cut_end(s, v, 4, 1), 3);
	assert_int_equal(cut_end(s, v, 4, 3), 4);
	assert_true(cut_is_twin(s, &v[1], &v[2]));
	v[1].weight = v[2].weight = CUT_TWIN + 512;
	assert_int_equal(cut_end(s, v, 4, 1), 2);
	v[1].weight = v[2].weight = s->large - 512;
	assert_false(cut_is_twin(s, &v[1], &v[2]));
}

static void the_same_items_are_cut_the_same(void **state)
{
	static struct cut_item v[NR];
	static bool one[NR], other[NR];
	size_t at;

	(void)state;
	make_run(v, NR, 8000);
	cut_all(small_scale(), v, NR, one);
	cut_all(small_scale(), v, NR, other);
	assert_memory_equal(one, other, sizeof(one));
	/* From wherever it is looked for, the next cut is where it is. */
	for (at = 0; at + 1 < NR; at++) {
		size_t end = cut_end(small_scale(), v, NR, at), i;

		assert_true(end == NR || one[end]);
		for (i = at + 1; i < end; i++)
			assert_false(one[i]);
	}
}

/*
 * One item of a run is another now, by its hash and weight: cuts that are
 * further than a window from it, as it was and as it is, stay.
 */
static void check_local(const struct cut_scale *s, uint32_t most)
{
	static struct cut_item v[NR];
	static bool before[NR], after[NR];
	size_t at = 1 + roll(NR - 2), i, moved = 0;
	uint64_t old;

	make_run(v, NR, most);
	cut_all(s, v, NR, before);
	old = v[at].weight;
	v[at].hash = roll(2) ? roll(1000) : UINT64_MAX - roll(1000);
	v[at].weight = roll(9) ? old : s->large;
	cut_all(s, v, NR, after);
	for (i = 0; i < NR; i++) {
		uint64_t away = i < at ? far(v, i, at) : far(v, at + 1, i);

		if (away >= s->window)
			assert_int_equal(before[i], after[i]);
		moved += before[i] != after[i];
	}
	assert_true(moved <= 4);
}

static void a_change_moves_only_cuts_nearby(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 50; i++) {
		check_local(small_scale(), 1024);
		check_local(small_scale(), 20000);
		check_local(cut_scale_for(CUT_LARGE_TREE), 20000);
	}
}

static void an_item_more_moves_only_cuts_nearby(void **state)
{
	const struct cut_scale *s = small_scale();
	static struct cut_item v[NR], w[NR - 1];
	static bool before[NR], after[NR];
	int times;

	(void)state;
	for (times = 0; times < 50; times++) {
		size_t at = 1 + roll(NR - 2), i;

		make_run(v, NR, 8000);
		memcpy(w, v, at * sizeof(*v));
		memcpy(w + at, v + at + 1, (NR - 1 - at) * sizeof(*v));
		cut_all(s, w, NR - 1, before);
		cut_all(s, v, NR, after);
		for (i = 0; i < at; i++)
			if (far(v, i, at) >= s->window)
				assert_int_equal(before[i], after[i]);
		for (i = at + 1; i < NR; i++)
			if (far(v, at + 1, i) >= s->window)
				assert_int_equal(before[i - 1], after[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_is_what_it_always_was),
		cmocka_unit_test(one_item_is_one_segment),
		cmocka_unit_test(a_short_run_is_one_segment),
		cmocka_unit_test(segments_are_neither_small_nor_large),
		cmocka_unit_test(a_large_tree_has_larger_ones),
		cmocka_unit_test(a_large_item_stands_alone),
		cmocka_unit_test(twins_share_a_segment),
		cmocka_unit_test(the_same_items_are_cut_the_same),
		cmocka_unit_test(a_change_moves_only_cuts_nearby),
		cmocka_unit_test(an_item_more_moves_only_cuts_nearby),
	};

	return cmocka_run_group_tests_name("cut", tests, NULL, NULL);
}
