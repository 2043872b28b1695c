/* SPDX-License-Identifier: Apache-2.0
 *
 * dedupe: compared with a list that is searched from end to end; its bound, and its blocks.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dedupe.h"
#include "mem.h"
#include "seed.h"

#define HOUR_MS INT64_C(3600000)
#define NOW_MS INT64_C(1795428000000)
#define ID_BYTES 12

/* The rule itself: new, unless the id was counted at most a window away. */
struct naive {
	struct {
		uint64_t fingerprint;
		int64_t time_ms;
	} * counted;
	size_t count, capacity;
	int64_t window_ms;
};

static bool naive_add(struct naive *naive, uint64_t fingerprint, int64_t time_ms)
{
	for (size_t i = 0; i < naive->count; i++) {
		__int128 apart = (__int128)naive->counted[i].time_ms - time_ms;

		if (naive->counted[i].fingerprint == fingerprint && apart <= naive->window_ms &&
		    -apart <= naive->window_ms)
			return false;
	}
	if (naive->count == naive->capacity) {
		naive->capacity = naive->capacity ? 2 * naive->capacity : 64;
		naive->counted =
		    xrealloc_array(naive->counted, naive->capacity, sizeof *naive->counted);
	}
	naive->counted[naive->count].fingerprint = fingerprint;
	naive->counted[naive->count++].time_ms = time_ms;
	return true;
}

static void naive_release(struct naive *naive)
{
	free(naive->counted);
}

static uint64_t fingerprint_of(uint64_t number)
{
	return dedupe_fingerprint((struct span){ (const char *)&number, sizeof number });
}

/* Mostly near each other, some at the ends of all time. */
static int64_t random_time(int64_t window_ms)
{
	switch (seed_below(50)) {
	case 0:
		return INT64_MIN + 1 + seed_below(2 * window_ms + 1);
	case 1:
		return INT64_MAX - seed_below(2 * window_ms + 1);
	case 2:
		return -seed_below(5 * window_ms + 5);
	default:
		return NOW_MS + seed_below(40 * (window_ms + 1));
	}
}

static void compare_with_naive(int64_t window_ms, size_t messages, int64_t ids)
{
	struct dedupe *dedupe = dedupe_new(window_ms, messages);
	struct naive naive = { .window_ms = window_ms };

	for (size_t i = 0; i < messages; i++) {
		uint64_t fingerprint = fingerprint_of((uint64_t)seed_below(ids));
		int64_t time_ms = random_time(window_ms);

		assert_int_equal(dedupe_add(dedupe, fingerprint, time_ms),
				 naive_add(&naive, fingerprint, time_ms));
		assert_int_equal(dedupe_count(dedupe), naive.count);
	}
	assert_int_equal(dedupe_evicted(dedupe), 0);
	naive_release(&naive);
	dedupe_free(dedupe);
}

static void answers_as_a_searched_list_does(void **state)
{
	static const int64_t windows[] = { 0, 1, 2, 1000, HOUR_MS };

	(void)state;
	seed_start(__func__);
	for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
		compare_with_naive(windows[i], 4000, 30);
		compare_with_naive(windows[i], 4000, 2000);
	}
}

/* Messages may be late by up to a window behind the time given to dedupe_expire: no answer changes.
 */
static void expiry_changes_no_answer(void **state)
{
	struct dedupe *dedupe = dedupe_new(1000, 1 << 20);
	struct naive naive = { .window_ms = 1000 };
	int64_t now = NOW_MS;

	(void)state;
	seed_start(__func__);
	for (int i = 0; i < 15000; i++) {
		uint64_t fingerprint = fingerprint_of((uint64_t)seed_below(300));
		int64_t time_ms = now - 1000 + seed_below(3000);

		assert_int_equal(dedupe_add(dedupe, fingerprint, time_ms),
				 naive_add(&naive, fingerprint, time_ms));
		now += seed_below(6);
		if (seed_below(20) == 0)
			dedupe_expire(dedupe, now);
	}
	assert_true(dedupe_count(dedupe) < naive.count / 2);
	assert_int_equal(dedupe_evicted(dedupe), 0);
	naive_release(&naive);
	dedupe_free(dedupe);
}

static void an_id_counted_twice_is_known_near_both_times(void **state)
{
	struct dedupe *dedupe = dedupe_new(HOUR_MS, 1000);
	uint64_t id = dedupe_fingerprint(SPAN("call-1"));

	(void)state;
	assert_true(dedupe_add(dedupe, id, NOW_MS));
	assert_false(dedupe_add(dedupe, id, NOW_MS + HOUR_MS));
	assert_false(dedupe_add(dedupe, id, NOW_MS - HOUR_MS));
	assert_true(dedupe_add(dedupe, id, NOW_MS + HOUR_MS + 1));
	assert_false(dedupe_add(dedupe, id, NOW_MS - HOUR_MS));
	assert_false(dedupe_add(dedupe, id, NOW_MS + 2 * HOUR_MS + 1));
	assert_true(dedupe_add(dedupe, id, NOW_MS - HOUR_MS - 1));
	assert_true(dedupe_add(dedupe, dedupe_fingerprint(SPAN("call-2")), NOW_MS));
	dedupe_free(dedupe);
}

static int compare_times(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* One more than fits: a sixteenth leaves, and exactly the oldest. */
static void a_full_set_forgets_the_oldest(void **state)
{
	enum { IDS = 1000, LEAVE = IDS / 16 + 1 };
	struct dedupe *dedupe = dedupe_new(0, IDS);
	int64_t times[IDS], sorted[IDS];

	(void)state;
	seed_start(__func__);
	for (int i = 0; i < IDS; i++) {
		times[i] = sorted[i] =
		    NOW_MS + seed_below(INT64_C(1) << (seed_below(40) + 1)) * 1000 + i;
		assert_true(dedupe_add(dedupe, fingerprint_of((uint64_t)i), times[i]));
	}
	assert_int_equal(dedupe_count(dedupe), IDS);
	assert_int_equal(dedupe_evicted(dedupe), 0);
	assert_true(dedupe_add(dedupe, fingerprint_of(IDS), INT64_MAX));
	assert_int_equal(dedupe_evicted(dedupe), LEAVE);
	assert_int_equal(dedupe_count(dedupe), IDS - LEAVE + 1);
	qsort(sorted, IDS, sizeof sorted[0], compare_times);
	/* Those that stay first: adding one that left changes the set. */
	for (int i = 0; i < IDS; i++)
		if (times[i] >= sorted[LEAVE])
			assert_false(dedupe_add(dedupe, fingerprint_of((uint64_t)i), times[i]));
	for (int i = 0; i < LEAVE - 1; i++)
		if (times[i] < sorted[LEAVE])
			assert_true(dedupe_add(dedupe, fingerprint_of((uint64_t)i), times[i]));
	dedupe_free(dedupe);
}

static void ids_of_one_time_do_not_all_leave_at_once(void **state)
{
	struct dedupe *dedupe = dedupe_new(HOUR_MS, 1000);

	(void)state;
	for (uint64_t i = 0; i <= 1000; i++)
		assert_true(dedupe_add(dedupe, fingerprint_of(i), NOW_MS));
	assert_int_equal(dedupe_evicted(dedupe), 63);
	assert_int_equal(dedupe_count(dedupe), 938);
	dedupe_free(dedupe);
}

static void the_bound_holds_for_many_ids(void **state)
{
	enum { IDS = 300000 };
	struct dedupe *dedupe = dedupe_new(HOUR_MS, IDS);
	uint64_t added = 0;

	(void)state;
	for (uint64_t i = 0; i < 3 * IDS; i++) {
		added += dedupe_add(dedupe, fingerprint_of(i), NOW_MS + (int64_t)i);
		assert_true(dedupe_count(dedupe) <= IDS);
	}
	assert_int_equal(added, 3 * IDS);
	assert_int_equal(dedupe_count(dedupe) + dedupe_evicted(dedupe), added);
	assert_true(dedupe_count(dedupe) >= IDS / 10 * 9);
	for (uint64_t i = 3 * IDS - IDS / 10 * 9; i < 3 * IDS; i++)
		assert_false(dedupe_add(dedupe, fingerprint_of(i), NOW_MS + (int64_t)i));
	assert_true(dedupe_bytes(dedupe) <= 20 * IDS + 64 * 1024);
	dedupe_free(dedupe);
}

/* Would take hours if all entries of an id stood in one chain. */
static void one_id_with_ever_new_times_is_no_trap(void **state)
{
	struct dedupe *dedupe = dedupe_new(1000, 1 << 20);
	uint64_t id = dedupe_fingerprint(SPAN("the same"));

	(void)state;
	alarm(60);
	for (int64_t i = 0; i < 1 << 20; i++)
		assert_true(dedupe_add(dedupe, id, NOW_MS + i * 1001));
	alarm(0);
	dedupe_free(dedupe);
}

static void a_wrong_clock_does_not_stop_remembering(void **state)
{
	struct dedupe *dedupe = dedupe_new(HOUR_MS, 1000);

	(void)state;
	dedupe_expire(dedupe, INT64_MAX);
	dedupe_expire(dedupe, NOW_MS);
	assert_true(dedupe_add(dedupe, 1, NOW_MS));
	dedupe_expire(dedupe, NOW_MS);
	assert_false(dedupe_add(dedupe, 1, NOW_MS));
	dedupe_expire(dedupe, INT64_MIN);
	assert_false(dedupe_add(dedupe, 1, NOW_MS));
	dedupe_free(dedupe);
}

static void clear_forgets_all(void **state)
{
	struct dedupe *dedupe = dedupe_new(HOUR_MS, 1000);

	(void)state;
	assert_true(dedupe_add(dedupe, 1, NOW_MS));
	dedupe_clear(dedupe);
	assert_int_equal(dedupe_count(dedupe), 0);
	assert_true(dedupe_add(dedupe, 1, NOW_MS));
	dedupe_free(dedupe);
	dedupe_free(NULL);
}

static void load_block(struct dedupe *dedupe, struct dedupe_block block)
{
	struct span ids = { (const char *)block.ids, (size_t)block.count * ID_BYTES };

	assert_true(dedupe_load(dedupe, block.base_ms, ids));
}

/* What was logged and loaded answers as what was added, and loading it twice changes nothing. */
static void blocks_carry_a_set(void **state)
{
	struct dedupe *added = dedupe_new(HOUR_MS, 1 << 20), *loaded = dedupe_new(HOUR_MS, 1 << 20);
	struct dedupe_log *log = dedupe_log_new();

	(void)state;
	seed_start(__func__);
	for (int i = 0; i < 20000; i++) {
		uint64_t fingerprint = fingerprint_of((uint64_t)seed_below(5000));
		int64_t time_ms = random_time(HOUR_MS);

		if (dedupe_add(added, fingerprint, time_ms))
			dedupe_log_add(log, fingerprint, time_ms);
	}
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < dedupe_log_blocks(log); i++)
			load_block(loaded, dedupe_log_block(log, i));
	assert_int_equal(dedupe_count(loaded), dedupe_count(added));
	for (int i = 0; i < 20000; i++) {
		uint64_t fingerprint = fingerprint_of((uint64_t)seed_below(5000));
		int64_t time_ms = random_time(HOUR_MS);

		assert_int_equal(dedupe_add(added, fingerprint, time_ms),
				 dedupe_add(loaded, fingerprint, time_ms));
	}
	dedupe_log_free(log);
	dedupe_free(added);
	dedupe_free(loaded);
}

static void a_block_is_twelve_bytes_an_id(void **state)
{
	static const unsigned char expected[] = { 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
						  0,	0,    0,    0,	  0xff, 0,    0,    0,
						  0,	0,    0,    0,	  0xfe, 0xff, 0xff, 0xff };
	struct dedupe_log *log = dedupe_log_new();
	struct dedupe_block block;

	(void)state;
	assert_int_equal(dedupe_log_blocks(log), 0);
	dedupe_log_add(log, UINT64_C(0x1122334455667788), NOW_MS);
	dedupe_log_add(log, 0xff, NOW_MS - 2);
	assert_int_equal(dedupe_log_blocks(log), 1);
	block = dedupe_log_block(log, 0);
	assert_int_equal(block.base_ms, NOW_MS);
	assert_int_equal(block.t_min_ms, NOW_MS - 2);
	assert_int_equal(block.t_max_ms, NOW_MS);
	assert_int_equal(block.count, 2);
	assert_memory_equal(block.ids, expected, sizeof expected);
	dedupe_log_clear(log);
	assert_int_equal(dedupe_log_blocks(log), 0);
	dedupe_log_free(log);
	dedupe_log_free(NULL);
}

static void far_times_take_more_blocks_but_few(void **state)
{
	struct dedupe_log *log = dedupe_log_new();
	const int64_t far = INT64_C(1) << 31;

	(void)state;
	dedupe_log_add(log, 1, NOW_MS);
	dedupe_log_add(log, 2, NOW_MS + far - 1);
	dedupe_log_add(log, 3, NOW_MS - far);
	assert_int_equal(dedupe_log_blocks(log), 1);
	for (uint64_t i = 0; i < 1000; i++)
		dedupe_log_add(log, i, NOW_MS + (int64_t)(i % 4) * 2 * far);
	assert_int_equal(dedupe_log_blocks(log), 4);
	dedupe_log_add(log, 4, INT64_MIN);
	dedupe_log_add(log, 5, INT64_MAX);
	assert_int_equal(dedupe_log_blocks(log), 6);
	dedupe_log_free(log);
}

static void the_log_knows_its_memory(void **state)
{
	struct dedupe_log *log = dedupe_log_new();
	size_t empty = dedupe_log_bytes(log);

	(void)state;
	for (uint64_t i = 0; i < 100000; i++)
		dedupe_log_add(log, i, NOW_MS);
	assert_in_range(dedupe_log_bytes(log), 100000 * ID_BYTES, 300000 * ID_BYTES);
	dedupe_log_clear(log);
	assert_true(dedupe_log_bytes(log) <= empty + 64 * 1024);
	dedupe_log_free(log);
}

static void a_block_of_odd_length_is_refused(void **state)
{
	struct dedupe *dedupe = dedupe_new(HOUR_MS, 1000);
	static const char bytes[25];

	(void)state;
	assert_false(dedupe_load(dedupe, NOW_MS, (struct span){ bytes, 25 }));
	assert_int_equal(dedupe_count(dedupe), 0);
	assert_true(dedupe_load(dedupe, INT64_MAX, (struct span){ bytes, 24 }));
	assert_int_equal(dedupe_count(dedupe), 1);
	assert_true(dedupe_load(dedupe, NOW_MS, (struct span){ NULL, 0 }));
	dedupe_free(dedupe);
}

/* Ten times as many ids as it holds, all with one time, as of a sender with a clock that stands. Those that are left must lie
 * evenly over the slots: if not, the full part of the table is searched from end to end for each id. */
static void ids_of_one_time_leave_evenly(void **state)
{
	enum { MAX = 40000, PARTS = 16, SAMPLE = 4000 };
	struct dedupe *dedupe = dedupe_new(HOUR_MS, MAX);
	unsigned left[PARTS] = { 0 };

	(void)state;
	for (uint64_t i = 0; i < UINT64_C(10) * MAX; i++)
		dedupe_add(dedupe, fingerprint_of(i), NOW_MS);
	for (uint64_t i = UINT64_C(10) * MAX - SAMPLE - MAX / 2; i < UINT64_C(10) * MAX - MAX / 2; i++)
		left[fingerprint_of(i) >> 60] += !dedupe_add(dedupe, fingerprint_of(i), NOW_MS);
	for (int i = 0; i < PARTS; i++)
		assert_in_range(left[i], SAMPLE / PARTS / 4, SAMPLE / PARTS);
	dedupe_free(dedupe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_as_a_searched_list_does),
		cmocka_unit_test(expiry_changes_no_answer),
		cmocka_unit_test(an_id_counted_twice_is_known_near_both_times),
		cmocka_unit_test(a_full_set_forgets_the_oldest),
		cmocka_unit_test(ids_of_one_time_do_not_all_leave_at_once),
		cmocka_unit_test(ids_of_one_time_leave_evenly),
		cmocka_unit_test(the_bound_holds_for_many_ids),
		cmocka_unit_test(one_id_with_ever_new_times_is_no_trap),
		cmocka_unit_test(a_wrong_clock_does_not_stop_remembering),
		cmocka_unit_test(clear_forgets_all),
		cmocka_unit_test(blocks_carry_a_set),
		cmocka_unit_test(a_block_is_twelve_bytes_an_id),
		cmocka_unit_test(far_times_take_more_blocks_but_few),
		cmocka_unit_test(the_log_knows_its_memory),
		cmocka_unit_test(a_block_of_odd_length_is_refused),
	};

	return cmocka_run_group_tests_name("dedupe", tests, NULL, NULL);
}
