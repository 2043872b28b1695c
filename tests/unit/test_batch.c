/* SPDX-License-Identifier: Apache-2.0
 *
 * batch: positions from one batch to the next, dead letters and their folding, and that a frozen
 * batch does not change while the next one fills.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "batch.h"

#define KEEP_BYTES ((size_t)1 << 20)
#define PAYLOAD_MAX 10

static const struct batch_start starts[] = { { "a", 0, 5, -1, -1, 0 }, { "a", 7, 0, -1, -1, 0 }, { "b", 0, 900, -1, -1, 0 } };

static struct batch *begun(void)
{
	struct batch *batch = batch_new();

	batch_begin(batch, starts, 3, KEEP_BYTES);
	return batch;
}

static void add_dead(struct batch *batch, size_t index, int64_t offset, enum dead_reason reason,
		     const char *raw, bool fold)
{
	struct record record = { .kind = RECORD_DEAD, .index = 3, .reason = reason };

	snprintf(record.detail, sizeof record.detail, "what is wrong at %lld", (long long)offset);
	record.raw = span_of(raw);
	batch_add_dead(batch, index, offset, &record, 1000 + offset, PAYLOAD_MAX, fold);
}

static void add_event(struct batch *batch, const char *user)
{
	const struct event event = { .user = span_of(user), .model = SPAN("m"), .session = SPAN("s"),
				     .measures = { [M_CALLS] = 1 },
				     .duration_class = LATENCY_CLASS_NONE, .ttft_class = LATENCY_CLASS_NONE };

	assert_true(window_add(batch->window, &event));
}

static void the_next_batch_knows_the_message_before_it(void **state)
{
	static const struct batch_start start = { "a", 0, 5, 4, 400, 44 };
	struct batch *first = batch_new(), *second = batch_new(), *third = batch_new();

	(void)state;
	batch_begin(first, &start, 1, 0);
	assert_int_equal(first->progress[0].base_offset, 4);
	first->progress[0].to_offset = 8;
	first->progress[0].last_offset = 6; /* and a transaction marker */
	first->progress[0].last_time_ms = 600;
	first->progress[0].last_crc = 66;
	batch_continue(second, first, 0);
	assert_int_equal(second->progress[0].base_offset, 6);
	assert_int_equal(second->progress[0].base_time_ms, 600);
	assert_int_equal(second->progress[0].base_crc, 66);
	batch_continue(third, second, 0);
	assert_int_equal(third->progress[0].base_offset, 6);
	assert_int_equal(third->progress[0].base_crc, 66);
	batch_free(first);
	batch_free(second);
	batch_free(third);
}

static void a_batch_begins_empty_at_the_given_positions(void **state)
{
	struct batch *batch = begun();

	(void)state;
	assert_int_equal(batch->progress_count, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct batch_progress *progress = &batch->progress[i];

		assert_ptr_equal(progress->topic, starts[i].topic);
		assert_int_equal(progress->partition, starts[i].partition);
		assert_int_equal(progress->from_offset, starts[i].next_offset);
		assert_int_equal(progress->to_offset, starts[i].next_offset);
		assert_int_equal(progress->last_offset, -1);
		assert_int_equal(progress->last_time_ms, -1);
		assert_int_equal(progress->log_end_offset, -1);
		assert_true(progress->event_time_max_us == INT64_MIN);
		assert_true(progress->time_min_ms == INT64_MAX);
	}
	assert_true(batch_is_empty(batch));
	assert_int_equal(batch_rows(batch), 0);
	assert_int_equal(batch->opened_ms, 0);
	assert_true(batch->dedupe_before_ms == INT64_MIN);
	batch_free(batch);
	batch_free(NULL);
}

static void a_moved_position_makes_it_not_empty(void **state)
{
	struct batch *batch = begun();

	(void)state;
	batch->progress[2].to_offset++; /* past a record that is no message */
	assert_false(batch_is_empty(batch));
	batch_begin(batch, NULL, 0, KEEP_BYTES);
	assert_true(batch_is_empty(batch));
	assert_int_equal(batch->progress_count, 0);
	batch_free(batch);
}

static void the_next_batch_begins_where_this_one_ends(void **state)
{
	struct batch *batch = begun(), *next = batch_new();

	(void)state;
	batch->progress[1].to_offset = 44;
	batch->progress[1].log_end_offset = 50;
	batch->progress[1].accepted = 9;
	batch_continue(next, batch, KEEP_BYTES);
	assert_int_equal(next->progress_count, 3);
	assert_int_equal(next->progress[0].from_offset, 5);
	assert_int_equal(next->progress[1].from_offset, 44);
	assert_int_equal(next->progress[1].to_offset, 44);
	assert_int_equal(next->progress[1].log_end_offset, 50);
	assert_int_equal(next->progress[1].accepted, 0);
	assert_int_equal(next->progress[2].partition, 0);
	assert_true(batch_is_empty(next));
	batch_free(batch);
	batch_free(next);
}

static void a_frozen_batch_stays_as_it_is_while_the_next_fills(void **state)
{
	struct batch *frozen = begun(), *live = batch_new();
	size_t names;

	(void)state;
	add_event(frozen, "alice");
	add_dead(frozen, 0, 5, DEAD_NOT_JSON, "frozen", false);
	dedupe_log_add(frozen->progress[0].ids, 1, 2);
	frozen->progress[0].to_offset = 6;
	for (int round = 0; round < 3; round++) {
		batch_continue(live, frozen, KEEP_BYTES);
		add_event(live, "bob");
		add_event(live, "carol");
		add_dead(live, 0, 6, DEAD_BAD_TYPE, "live", false);
		dedupe_log_add(live->progress[0].ids, 7, 8);
		live->progress[0].to_offset = 8;
	}
	assert_int_equal(frozen->progress[0].from_offset, 5);
	assert_int_equal(frozen->progress[0].to_offset, 6);
	assert_int_equal(frozen->progress[0].dead, 1);
	assert_int_equal(frozen->dead_count, 1);
	assert_memory_equal(frozen->dead[0].payload, "frozen", 6);
	assert_int_equal(dedupe_log_blocks(frozen->progress[0].ids), 1);
	assert_int_equal(dedupe_log_block(frozen->progress[0].ids, 0).count, 1);
	assert_true(span_is(window_names(frozen->window, NAME_PERSON, &names)[0].text, "alice"));
	assert_int_equal(names, 1);
	/* And what the live one had from earlier rounds is gone. */
	assert_int_equal(live->dead_count, 1);
	assert_int_equal(dedupe_log_block(live->progress[0].ids, 0).count, 1);
	window_names(live->window, NAME_PERSON, &names);
	assert_int_equal(names, 2);
	batch_free(live);
	batch_free(frozen);
}

static void a_dead_letter_keeps_what_is_needed_to_find_it(void **state)
{
	struct batch *batch = begun();
	const struct batch_dead *row;

	(void)state;
	add_dead(batch, 2, 901, DEAD_BAD_TIME, "short", false);
	row = &batch->dead[0];
	assert_int_equal(row->progress, 2);
	assert_int_equal(row->offset, 901);
	assert_int_equal(row->record, 3);
	assert_int_equal(row->reason, DEAD_BAD_TIME);
	assert_int_equal(row->received_us, 1901);
	assert_int_equal(row->count, 1);
	assert_string_equal(row->detail, "what is wrong at 901");
	assert_int_equal(row->payload_len, 5);
	assert_memory_equal(row->payload, "short", 5);
	assert_int_equal(batch->progress[2].dead, 1);
	assert_int_equal(batch_rows(batch), 1);
	batch_free(batch);
}

static void a_payload_is_cut_and_an_empty_one_is_none(void **state)
{
	struct batch *batch = begun();
	size_t bytes = batch_bytes(batch);

	(void)state;
	add_dead(batch, 0, 5, DEAD_NOT_JSON, "0123456789abc", false);
	add_dead(batch, 0, 6, DEAD_EMPTY, "", false);
	assert_int_equal(batch->dead[0].payload_len, PAYLOAD_MAX);
	assert_memory_equal(batch->dead[0].payload, "0123456789", PAYLOAD_MAX);
	assert_null(batch->dead[1].payload);
	assert_int_equal(batch->dead_bytes, PAYLOAD_MAX);
	assert_true(batch_bytes(batch) >= bytes + 2 * sizeof(struct batch_dead) + PAYLOAD_MAX);
	batch_free(batch);
}

static void folded_dead_letters_are_one_row_a_partition_and_reason(void **state)
{
	struct batch *batch = begun();

	(void)state;
	add_dead(batch, 0, 1, DEAD_NOT_JSON, "whole", false);
	for (int64_t offset = 2; offset < 102; offset++)
		add_dead(batch, 0, offset, DEAD_NOT_JSON, "folded", true);
	add_dead(batch, 0, 102, DEAD_BAD_TYPE, "folded", true);
	add_dead(batch, 1, 103, DEAD_NOT_JSON, "folded", true);
	add_dead(batch, 0, 104, DEAD_NOT_JSON, "folded", true);
	assert_int_equal(batch->dead_count, 4);
	assert_int_equal(batch->dead[0].count, 1);
	assert_int_equal(batch->dead[1].count, 101);
	assert_int_equal(batch->dead[1].offset, 2); /* the first of them */
	assert_null(batch->dead[1].payload);
	assert_int_equal(batch->dead[2].count, 1);
	assert_int_equal(batch->dead[2].reason, DEAD_BAD_TYPE);
	assert_int_equal(batch->dead[3].progress, 1);
	assert_int_equal(batch->progress[0].dead, 103);
	assert_int_equal(batch->progress[1].dead, 1);
	/* The next batch has a row of its own. */
	batch_begin(batch, starts, 3, KEEP_BYTES);
	add_dead(batch, 0, 105, DEAD_NOT_JSON, "folded", true);
	assert_int_equal(batch->dead_count, 1);
	assert_int_equal(batch->dead[0].count, 1);
	batch_free(batch);
}

/* Or the batch after a flood would be full from the start, and nothing would be read any more. */
static void an_emptied_batch_holds_little_more_than_it_may_keep(void **state)
{
	struct batch *batch = begun();

	(void)state;
	for (int64_t offset = 0; offset < 40000; offset++)
		add_dead(batch, 0, offset, DEAD_EMPTY, "", false);
	for (int i = 0; i < 20000; i++) {
		char user[32];

		snprintf(user, sizeof user, "user %d", i);
		add_event(batch, user);
		dedupe_log_add(batch->progress[i % 3].ids, (uint64_t)i, i);
	}
	assert_true(batch_bytes(batch) > 4 * KEEP_BYTES);
	batch_begin(batch, starts, 3, KEEP_BYTES);
	assert_true(batch_bytes(batch) < KEEP_BYTES + KEEP_BYTES / 2);
	batch_begin(batch, starts, 3, 0);
	assert_true(batch_bytes(batch) < KEEP_BYTES / 2);
	batch_free(batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_begins_empty_at_the_given_positions),
		cmocka_unit_test(the_next_batch_knows_the_message_before_it),
		cmocka_unit_test(a_moved_position_makes_it_not_empty),
		cmocka_unit_test(the_next_batch_begins_where_this_one_ends),
		cmocka_unit_test(a_frozen_batch_stays_as_it_is_while_the_next_fills),
		cmocka_unit_test(a_dead_letter_keeps_what_is_needed_to_find_it),
		cmocka_unit_test(a_payload_is_cut_and_an_empty_one_is_none),
		cmocka_unit_test(folded_dead_letters_are_one_row_a_partition_and_reason),
		cmocka_unit_test(an_emptied_batch_holds_little_more_than_it_may_keep),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
