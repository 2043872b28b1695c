/* SPDX-License-Identifier: Apache-2.0
 *
 * sink_rows: a batch as arrays: which rows, in which order, and that each row has the fields that
 * sql/migrations (001-20-types.sql, shadows 001-76) has. The bytes of a field are test_pg_array's.
 */
#include "autoconf.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mem.h"
#include "period.h"
#include "seed.h"
#include "sink_rows.h"

#define NAMES_MAX 40
#define HOUR0 (INT64_C(498730) * US_PER_HOUR)
#define ARRAY_HEADER_BYTES 20

static const struct sink_types types = {
	.element_oid = { 100, 101, 102, 103, 104, 105, 106, 107 },
	.array_oid = { 200, 201, 202, 203, 204, 205, 206, 207 },
};

static uint32_t word_at(const struct pg_array *array, size_t at)
{
	uint32_t wire;

	assert_true(at + sizeof wire <= array->buf.len);
	memcpy(&wire, array->buf.data + at, sizeof wire);
	return be32toh(wire);
}

/* The bytes of a field; data NULL: SQL null. Walks from the start: for tests. */
static struct span field_of(const struct pg_array *array, int row, int field)
{
	size_t at = ARRAY_HEADER_BYTES;
	uint32_t len;

	while (row-- > 0)
		at += 4 + word_at(array, at);
	at += 8;
	while (field-- > 0) {
		len = word_at(array, at + 4);
		at += 8 + (len == UINT32_MAX ? 0 : len);
	}
	len = word_at(array, at + 4);
	return len == UINT32_MAX ? (struct span){ NULL, 0 } : (struct span){ array->buf.data + at + 8, len };
}

static int64_t number_of(const struct pg_array *array, int row, int field)
{
	struct span bytes = field_of(array, row, field);
	uint64_t value = 0;

	assert_in_range(bytes.len, 2, 8);
	for (size_t i = 0; i < bytes.len; i++)
		value = value << 8 | (unsigned char)bytes.data[i];
	return bytes.len == 8 ? (int64_t)value : bytes.len == 4 ? (int32_t)value : (int16_t)value;
}

static int64_t time_of(const struct pg_array *array, int row, int field)
{
	return number_of(array, row, field) + US_PG_EPOCH;
}

/* Names get ids in another order than they came in. */
struct made {
	struct batch *batch;
	struct name_ids ids;
	struct sink_arrays arrays;
	struct sink_rows rows;
};

static void add_event(struct batch *batch, int person, int team, int session, int64_t time_us)
{
	char names[3][16];
	struct event event = { .time_us = time_us, .model = SPAN("m"), .measures = { [M_CALLS] = 1 },
			       .price_class = (int16_t)(team % 3), .duration_class = (int16_t)(person % 5),
			       .ttft_class = LATENCY_CLASS_NONE };

	snprintf(names[0], sizeof names[0], "p%d", person);
	snprintf(names[1], sizeof names[1], "t%d", team);
	snprintf(names[2], sizeof names[2], "s%d", session);
	event.user = span_of(names[0]);
	event.team = span_of(names[1]);
	event.session = span_of(session < 0 ? "" : names[2]);
	assert_true(window_add(batch->window, &event));
}

static void add_shadow(struct batch *batch, int team, const char *source, int64_t time_us)
{
	struct event event = { .time_us = time_us, .model = SPAN("m"), .measures = { [M_CALLS] = 1 } };
	char name[16];

	snprintf(name, sizeof name, "t%d", team);
	event.team = span_of(name);
	assert_true(window_add_shadow(batch->window, &event, span_of(source)));
}

static void make_ids(struct made *made)
{
	for (enum name_kind kind = NAME_PERSON; kind < NAME_SESSION; kind++) {
		made->ids.ids[kind] = xcalloc(NAMES_MAX, sizeof(int64_t));
		for (int i = 0; i < NAMES_MAX; i++)
			made->ids.ids[kind][i] = 1000 * (kind + 1) - i;
	}
	made->ids.sessions = xcalloc(NAMES_MAX, sizeof *made->ids.sessions);
	for (int i = 0; i < NAMES_MAX; i++)
		made->ids.sessions[i].id[0] = (unsigned char)(NAMES_MAX - i);
}

static void make(struct made *made)
{
	static const struct batch_start starts[] = { { "a", 0, 5, -1, -1, 0 }, { "a", 1, 5, -1, -1, 0 }, { "b", 0, 5, -1, -1, 0 } };

	memset(made, 0, sizeof *made);
	made->batch = batch_new();
	batch_begin(made->batch, starts, 3, 0);
	make_ids(made);
	sink_arrays_init(&made->arrays, &types);
}

static bool fill(struct made *made, struct err *err)
{
	struct pg_params params = { 0 };
	bool ok = sink_arrays_fill(&made->arrays, made->batch, &made->ids, &made->rows, err);

	sink_arrays_add_params(&made->arrays, &types, &params);
	assert_int_equal(params.count, SINK_TYPES);
	for (int type = 0; type < SINK_TYPES; type++)
		assert_int_equal(params.types[type], types.array_oid[type]);
	return ok;
}

static void drop(struct made *made)
{
	sink_arrays_release(&made->arrays);
	name_ids_release(&made->ids);
	batch_free(made->batch);
}

static void an_empty_batch_is_eight_empty_arrays(void **state)
{
	struct made made;
	struct err err;

	(void)state;
	make(&made);
	assert_true(fill(&made, &err));
	for (int type = 0; type < SINK_TYPES; type++) {
		assert_int_equal(made.arrays.arrays[type].count, 0);
		assert_int_equal(made.arrays.arrays[type].buf.len, ARRAY_HEADER_BYTES);
		assert_int_equal(word_at(&made.arrays.arrays[type], 8), types.element_oid[type]);
	}
	drop(&made);
}

static void each_row_says_as_many_fields_as_its_type_has(void **state)
{
	static const uint32_t fields[SINK_TYPES] = { 13, 9, 19, 19, 19, 5, 9, 16 };
	const struct record record = { .reason = DEAD_NOT_JSON };
	struct made made;
	struct err err;

	(void)state;
	make(&made);
	add_event(made.batch, 1, 1, 1, HOUR0);
	batch_add_dead(made.batch, 1, 5, &record, HOUR0, 0, false);
	add_shadow(made.batch, 1, "codex", HOUR0);
	dedupe_log_add(made.batch->progress[1].ids, 1, 2);
	made.batch->progress[1].to_offset = 6;
	assert_true(fill(&made, &err));
	for (int type = 0; type < SINK_TYPES; type++) {
		struct pg_array *array = &made.arrays.arrays[type];
		struct span last = field_of(array, 0, (int)fields[type] - 1);

		assert_int_equal(word_at(array, 12), 1);
		assert_int_equal(word_at(array, ARRAY_HEADER_BYTES + 4), fields[type]);
		assert_ptr_equal(last.data + last.len, array->buf.data + array->buf.len);
		assert_int_equal(word_at(array, ARRAY_HEADER_BYTES), array->buf.len - ARRAY_HEADER_BYTES - 4);
	}
	assert_int_equal(made.rows.hours, 1);
	assert_int_equal(made.rows.minutes, 1);
	assert_int_equal(made.rows.sessions, 1);
	assert_int_equal(made.rows.latencies, 1);
	assert_int_equal(made.rows.dead, 1);
	assert_int_equal(made.rows.dedupe, 1);
	assert_int_equal(made.rows.shadows, 1);
	drop(&made);
}

static void only_partitions_that_moved_make_progress(void **state)
{
	const struct pg_array *progress, *blocks;
	struct made made;
	struct err err;

	(void)state;
	make(&made);
	made.batch->progress[0].to_offset = 9;
	made.batch->progress[2].to_offset = 6;
	made.batch->progress[2].event_time_max_us = HOUR0;
	made.batch->progress[2].last_crc = UINT32_MAX;
	made.batch->progress[2].skipped = 4;
	for (int i = 0; i < 3; i++)
		dedupe_log_add(made.batch->progress[2].ids, (uint64_t)i, (int64_t)i << 40); /* a block each */
	assert_true(fill(&made, &err));
	progress = &made.arrays.arrays[TYPE_PROGRESS];
	blocks = &made.arrays.arrays[TYPE_DEDUPE];
	assert_int_equal(progress->count, 2);
	assert_true(span_is(field_of(progress, 0, 0), "a"));
	assert_int_equal(number_of(progress, 0, 2), 5);
	assert_int_equal(number_of(progress, 0, 3), 9);
	assert_null(field_of(progress, 0, 8).data); /* no event yet */
	assert_true(span_is(field_of(progress, 1, 0), "b"));
	assert_int_equal(number_of(progress, 1, 6), UINT32_MAX); /* not -1 */
	assert_true(time_of(progress, 1, 8) == HOUR0);
	assert_int_equal(number_of(progress, 1, 12), 4);
	assert_int_equal(blocks->count, 3);
	assert_int_equal(field_of(blocks, 2, 8).len, 12);
	assert_true(number_of(blocks, 2, 4) == INT64_C(2) << 40);
	assert_int_equal(made.rows.dedupe, 3);
	drop(&made);
}

static void a_dead_letter_without_payload_has_null(void **state)
{
	struct record record = { .index = 2, .reason = DEAD_BAD_TYPE, .detail = "team is not a string" };
	const struct pg_array *dead;
	struct made made;
	struct err err;

	(void)state;
	make(&made);
	record.raw = SPAN("\x00\xff" "12");
	batch_add_dead(made.batch, 2, 5, &record, HOUR0, 3, false);
	batch_add_dead(made.batch, 2, 6, &record, HOUR0, 3, true);
	batch_add_dead(made.batch, 2, 7, &record, HOUR0, 3, true);
	assert_true(fill(&made, &err));
	dead = &made.arrays.arrays[TYPE_DEAD];
	assert_int_equal(dead->count, 2);
	assert_true(span_is(field_of(dead, 0, 0), "b"));
	assert_int_equal(number_of(dead, 0, 2), 5);
	assert_int_equal(number_of(dead, 0, 3), 2);
	assert_true(time_of(dead, 0, 4) == HOUR0);
	assert_true(span_is(field_of(dead, 0, 5), "bad_type"));
	assert_true(span_is(field_of(dead, 0, 6), "team is not a string"));
	assert_true(span_equal(field_of(dead, 0, 7), SPAN("\x00\xff" "1")));
	assert_int_equal(number_of(dead, 0, 8), 1);
	assert_null(field_of(dead, 1, 7).data);
	assert_int_equal(number_of(dead, 1, 8), 2);
	drop(&made);
}

/* -1, 0, 1 of two rows by these fields, in this order; uuids as bytes. */
static int compare_rows(const struct pg_array *array, int row, const int *fields, int count)
{
	for (int i = 0; i < count; i++) {
		struct span a = field_of(array, row, fields[i]), b = field_of(array, row + 1, fields[i]);
		int64_t x = 0, y = 0;

		if (a.len == 16) {
			x = memcmp(a.data, b.data, 16);
		} else {
			x = number_of(array, row, fields[i]);
			y = number_of(array, row + 1, fields[i]);
		}
		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

static void rows_are_in_the_order_of_their_tables_keys(void **state)
{
	static const struct {
		enum sink_type type;
		int count, fields[5];
	} keys[] = {
		{ TYPE_SESSION, 3, { 0, 1, 2 } },
		{ TYPE_HOUR, 5, { 0, 1, 2, 3, 4 } },
		{ TYPE_MINUTE, 5, { 0, 1, 2, 3, 4 } },
		{ TYPE_LATENCY, 4, { 0, 1, 2, 3 } },
	};
	struct made made;
	struct err err;

	(void)state;
	seed_start("rows_are_in_the_order_of_their_tables_keys");
	make(&made);
	for (int i = 0; i < 300; i++)
		add_event(made.batch, (int)seed_below(12), (int)seed_below(5), (int)seed_below(8) - 1,
			  HOUR0 + seed_below(3) * US_PER_HOUR + seed_below(2) * US_PER_MINUTE);
	assert_true(fill(&made, &err));
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		const struct pg_array *array = &made.arrays.arrays[keys[k].type];

		assert_true(array->count > 10);
		for (int row = 0; row + 1 < array->count; row++)
			assert_int_equal(compare_rows(array, row, keys[k].fields, keys[k].count), -1);
	}
	drop(&made);
}

static void a_session_has_its_name_and_its_pseudonym(void **state)
{
	const struct pg_array *sessions;
	struct made made;
	struct err err;

	(void)state;
	make(&made);
	add_event(made.batch, 1, 1, 7, HOUR0 + 1);
	add_event(made.batch, 1, 1, 8, HOUR0 + 2);
	strcpy(made.ids.sessions[0].shown, "PSEUDONYM");
	assert_true(fill(&made, &err));
	sessions = &made.arrays.arrays[TYPE_SESSION];
	assert_true(span_is(field_of(sessions, 0, 3), "s8")); /* its id is the smaller one */
	assert_int_equal(field_of(sessions, 0, 4).len, 0); /* without a privacy key */
	assert_true(span_is(field_of(sessions, 1, 3), "s7"));
	assert_true(span_is(field_of(sessions, 1, 4), "PSEUDONYM"));
	assert_true(time_of(sessions, 1, 0) == HOUR0);
	assert_true(time_of(sessions, 1, 5) == HOUR0 + 1);
	drop(&made);
}

static void shadows_are_in_order_and_name_their_source(void **state)
{
	static const char *const sources[] = { "native", "codex", "litellm", "codex_2" };
	static const char *const sorted[] = { "codex", "codex_2", "litellm", "native" };
	const struct pg_array *shadows;
	struct made made;
	struct err err;

	(void)state;
	make(&made);
	for (int hour = 1; hour >= 0; hour--)
		for (int team = 0; team < 2; team++)
			for (int i = 0; i < 4; i++)
				add_shadow(made.batch, team, sources[i], HOUR0 + hour * US_PER_HOUR + i);
	assert_true(fill(&made, &err));
	shadows = &made.arrays.arrays[TYPE_SHADOW];
	assert_int_equal(shadows->count, 16);
	for (int row = 0; row < 16; row++) {
		assert_true(time_of(shadows, row, 0) == HOUR0 + row / 8 * US_PER_HOUR);
		assert_int_equal(number_of(shadows, row, 1), 1000 * (NAME_TEAM + 1) - (row / 4 % 2 ? 0 : 1));
		assert_true(span_is(field_of(shadows, row, 3), sorted[row % 4]));
		assert_int_equal(number_of(shadows, row, 4), 1);
	}
	assert_int_equal(made.rows.hours + made.rows.minutes, 0);
	drop(&made);
}

static void more_than_a_statement_carries_is_bad_data(void **state)
{
	CLEANUP(free_ptr) char *payload = xcalloc(1, 1 << 20);
	struct record record = { .reason = DEAD_NOT_JSON, .raw = { payload, 1 << 20 } };
	struct made made;
	struct err err = { 0 };

	(void)state;
	make(&made);
	for (int i = 0; i < 65; i++)
		batch_add_dead(made.batch, 0, i, &record, HOUR0, 1 << 20, false);
	assert_false(fill(&made, &err));
	assert_int_equal(err.kind, ERR_DATA);
	assert_non_null(strstr(err.text, "dead_letter_delta"));
	drop(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_batch_is_eight_empty_arrays),
		cmocka_unit_test(each_row_says_as_many_fields_as_its_type_has),
		cmocka_unit_test(only_partitions_that_moved_make_progress),
		cmocka_unit_test(a_dead_letter_without_payload_has_null),
		cmocka_unit_test(rows_are_in_the_order_of_their_tables_keys),
		cmocka_unit_test(a_session_has_its_name_and_its_pseudonym),
		cmocka_unit_test(shadows_are_in_order_and_name_their_source),
		cmocka_unit_test(more_than_a_statement_carries_is_bad_data),
	};

	return cmocka_run_group_tests_name("sink_rows", tests, NULL, NULL);
}
