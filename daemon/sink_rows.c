/* SPDX-License-Identifier: Apache-2.0
 *
 * sink_rows: see sink_rows.h. For each kind of row: an order by the table's key (ids of the database, not slots
 * of the window), then the rows in that order, field by field as sql/migrations/001-20-types.sql says.
 */
#include "autoconf.h"

#include "sink_rows.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* More than this in one array is not sent: the batch is halved instead. */
#define ARRAY_BYTES_MAX (64u * 1024 * 1024)

static const struct {
	const char *name;
	int fields;
} types_wanted[SINK_TYPES] = {
	[TYPE_PROGRESS] = { "progress_delta", 13 },
	[TYPE_DEAD] = { "dead_letter_delta", 9 },
	[TYPE_SESSION] = { "session_delta", 7 + MEASURES_SESSION },
	[TYPE_HOUR] = { "hour_delta", 5 + MEASURES },
	[TYPE_MINUTE] = { "minute_delta", 5 + MEASURES },
	[TYPE_LATENCY] = { "latency_delta", 5 },
	[TYPE_DEDUPE] = { "dedupe_delta", 9 },
	[TYPE_SHADOW] = { "shadow_delta", 4 + MEASURES_SESSION },
};

bool sink_types_read(struct sink_types *types, struct pg *pg, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;

	if (!pg_exec(pg,
		     "SELECT t.typname, t.oid, t.typarray FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace "
		     "WHERE n.nspname = 'tokentally' AND t.typname LIKE '%\\_delta'",
		     NULL, PG_TEXT, 35000, &result, err))
		return err_wrap(err, "cannot read the types of a commit");
	for (int type = 0; type < SINK_TYPES; type++) {
		int row = 0;

		while (row < pg_rows(result) && strcmp(pg_text(result, row, 0), types_wanted[type].name) != 0)
			row++;
		if (row == pg_rows(result))
			return err_set(err, ERR_CONFIG, "the database has no type tokentally.%s: run 'tokentally migrate'",
				       types_wanted[type].name);
		types->element_oid[type] = (uint32_t)pg_int8(result, row, 1);
		types->array_oid[type] = (uint32_t)pg_int8(result, row, 2);
	}
	return true;
}

void sink_arrays_init(struct sink_arrays *arrays, const struct sink_types *types)
{
	for (int type = 0; type < SINK_TYPES; type++)
		pg_array_init(&arrays->arrays[type], types->element_oid[type], types_wanted[type].fields, ARRAY_BYTES_MAX);
}

void sink_arrays_release(struct sink_arrays *arrays)
{
	for (int type = 0; type < SINK_TYPES; type++)
		pg_array_release(&arrays->arrays[type]);
}

void sink_arrays_add_params(struct sink_arrays *arrays, const struct sink_types *types, struct pg_params *params)
{
	for (int type = 0; type < SINK_TYPES; type++)
		pg_param_array(params, types->array_oid[type], &arrays->arrays[type]);
}

/* What a comparison of two rows needs. */
struct order_by {
	const void *rows;
	const struct name_ids *ids;
	const struct window_name *sources; /* of shadows */
};

#define COMPARE(a, b)                     \
	do {                              \
		if ((a) != (b))           \
			return (a) < (b) ? -1 : 1; \
	} while (0)

static int compare_hours(const void *a, const void *b, void *ctx)
{
	const struct order_by *by = ctx;
	const struct hour_row *x = (const struct hour_row *)by->rows + *(const uint32_t *)a;
	const struct hour_row *y = (const struct hour_row *)by->rows + *(const uint32_t *)b;
	int64_t *const *ids = by->ids->ids;

	COMPARE(x->bucket_us, y->bucket_us);
	COMPARE(ids[NAME_PERSON][x->person], ids[NAME_PERSON][y->person]);
	COMPARE(ids[NAME_TEAM][x->team], ids[NAME_TEAM][y->team]);
	COMPARE(ids[NAME_MODEL][x->model], ids[NAME_MODEL][y->model]);
	COMPARE(x->price_class, y->price_class);
	return 0;
}

static int compare_minutes(const void *a, const void *b, void *ctx)
{
	const struct order_by *by = ctx;
	const struct minute_row *x = (const struct minute_row *)by->rows + *(const uint32_t *)a;
	const struct minute_row *y = (const struct minute_row *)by->rows + *(const uint32_t *)b;
	int64_t *const *ids = by->ids->ids;

	COMPARE(x->bucket_us, y->bucket_us);
	COMPARE(ids[NAME_TEAM][x->team], ids[NAME_TEAM][y->team]);
	COMPARE(ids[NAME_MODEL][x->model], ids[NAME_MODEL][y->model]);
	COMPARE(ids[NAME_APP][x->app], ids[NAME_APP][y->app]);
	COMPARE(x->price_class, y->price_class);
	return 0;
}

static int compare_sessions(const void *a, const void *b, void *ctx)
{
	const struct order_by *by = ctx;
	const struct session_row *x = (const struct session_row *)by->rows + *(const uint32_t *)a;
	const struct session_row *y = (const struct session_row *)by->rows + *(const uint32_t *)b;
	int64_t *const *ids = by->ids->ids;

	COMPARE(x->slot_us, y->slot_us);
	COMPARE(ids[NAME_PERSON][x->person], ids[NAME_PERSON][y->person]);
	return memcmp(by->ids->sessions[x->session].id, by->ids->sessions[y->session].id, 16);
}

static int compare_latencies(const void *a, const void *b, void *ctx)
{
	const struct order_by *by = ctx;
	const struct latency_row *x = (const struct latency_row *)by->rows + *(const uint32_t *)a;
	const struct latency_row *y = (const struct latency_row *)by->rows + *(const uint32_t *)b;
	int64_t *const *ids = by->ids->ids;

	COMPARE(x->bucket_us, y->bucket_us);
	COMPARE(ids[NAME_MODEL][x->model], ids[NAME_MODEL][y->model]);
	COMPARE(x->kind, y->kind);
	COMPARE(x->latency_class, y->latency_class);
	return 0;
}

static int compare_shadows(const void *a, const void *b, void *ctx)
{
	const struct order_by *by = ctx;
	const struct shadow_row *x = (const struct shadow_row *)by->rows + *(const uint32_t *)a;
	const struct shadow_row *y = (const struct shadow_row *)by->rows + *(const uint32_t *)b;
	int64_t *const *ids = by->ids->ids;

	COMPARE(x->bucket_us, y->bucket_us);
	COMPARE(ids[NAME_TEAM][x->team], ids[NAME_TEAM][y->team]);
	COMPARE(ids[NAME_MODEL][x->model], ids[NAME_MODEL][y->model]);
	return strcmp(by->sources[x->source].text.data, by->sources[y->source].text.data); /* a file's name: no NUL */
}

typedef int compare_fn(const void *a, const void *b, void *ctx);

static uint32_t *sorted_by(struct order_by by, size_t count, compare_fn *compare)
{
	uint32_t *order = xrealloc_array(NULL, count ? count : 1, sizeof(*order));

	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, count, sizeof(*order), compare, &by);
	return order;
}

static uint32_t *sorted(const void *rows, size_t count, const struct name_ids *ids, compare_fn *compare)
{
	return sorted_by((struct order_by){ rows, ids, NULL }, count, compare);
}

static void put_measures(struct pg_array *array, const int64_t *measures, int count)
{
	for (int i = 0; i < count; i++)
		pg_array_int8(array, measures[i]);
}

static size_t put_hours(struct pg_array *array, const struct window *window, const struct name_ids *ids)
{
	size_t count;
	const struct hour_row *rows = window_hours(window, &count);
	CLEANUP(free_ptr) uint32_t *order = sorted(rows, count, ids, compare_hours);

	for (size_t i = 0; i < count; i++) {
		const struct hour_row *row = &rows[order[i]];

		pg_array_row(array);
		pg_array_time(array, row->bucket_us);
		pg_array_int8(array, ids->ids[NAME_PERSON][row->person]);
		pg_array_int4(array, (int32_t)ids->ids[NAME_TEAM][row->team]);
		pg_array_int4(array, (int32_t)ids->ids[NAME_MODEL][row->model]);
		pg_array_int2(array, row->price_class);
		put_measures(array, row->measures, MEASURES);
		pg_array_row_end(array);
	}
	return count;
}

static size_t put_minutes(struct pg_array *array, const struct window *window, const struct name_ids *ids)
{
	size_t count;
	const struct minute_row *rows = window_minutes(window, &count);
	CLEANUP(free_ptr) uint32_t *order = sorted(rows, count, ids, compare_minutes);

	for (size_t i = 0; i < count; i++) {
		const struct minute_row *row = &rows[order[i]];

		pg_array_row(array);
		pg_array_time(array, row->bucket_us);
		pg_array_int4(array, (int32_t)ids->ids[NAME_TEAM][row->team]);
		pg_array_int4(array, (int32_t)ids->ids[NAME_MODEL][row->model]);
		pg_array_int4(array, (int32_t)ids->ids[NAME_APP][row->app]);
		pg_array_int2(array, row->price_class);
		put_measures(array, row->measures, MEASURES);
		pg_array_row_end(array);
	}
	return count;
}

static size_t put_sessions(struct pg_array *array, const struct window *window, const struct name_ids *ids)
{
	size_t count, name_count;
	const struct session_row *rows = window_sessions(window, &count);
	const struct window_name *names = window_names(window, NAME_SESSION, &name_count);
	CLEANUP(free_ptr) uint32_t *order = sorted(rows, count, ids, compare_sessions);

	for (size_t i = 0; i < count; i++) {
		const struct session_row *row = &rows[order[i]];
		const struct session_key *key = &ids->sessions[row->session];
		struct span name = names[row->session].text;

		pg_array_row(array);
		pg_array_time(array, row->slot_us);
		pg_array_int8(array, ids->ids[NAME_PERSON][row->person]);
		pg_array_bytes(array, PG_OID_UUID, key->id, sizeof(key->id));
		pg_array_text(array, name);
		pg_array_text(array, span_of(key->shown));
		pg_array_time(array, row->first_us);
		pg_array_time(array, row->last_us);
		put_measures(array, row->measures, MEASURES_SESSION);
		pg_array_row_end(array);
	}
	return count;
}

static size_t put_latencies(struct pg_array *array, const struct window *window, const struct name_ids *ids)
{
	size_t count;
	const struct latency_row *rows = window_latencies(window, &count);
	CLEANUP(free_ptr) uint32_t *order = sorted(rows, count, ids, compare_latencies);

	for (size_t i = 0; i < count; i++) {
		const struct latency_row *row = &rows[order[i]];

		pg_array_row(array);
		pg_array_time(array, row->bucket_us);
		pg_array_int4(array, (int32_t)ids->ids[NAME_MODEL][row->model]);
		pg_array_int2(array, row->kind);
		pg_array_int2(array, row->latency_class);
		pg_array_int8(array, row->calls);
		pg_array_row_end(array);
	}
	return count;
}

static size_t put_shadows(struct pg_array *array, const struct window *window, const struct name_ids *ids)
{
	size_t count, source_count;
	const struct shadow_row *rows = window_shadows(window, &count);
	const struct window_name *sources = window_names(window, NAME_SOURCE, &source_count);
	CLEANUP(free_ptr) uint32_t *order =
		sorted_by((struct order_by){ rows, ids, sources }, count, compare_shadows);

	for (size_t i = 0; i < count; i++) {
		const struct shadow_row *row = &rows[order[i]];

		pg_array_row(array);
		pg_array_time(array, row->bucket_us);
		pg_array_int4(array, (int32_t)ids->ids[NAME_TEAM][row->team]);
		pg_array_int4(array, (int32_t)ids->ids[NAME_MODEL][row->model]);
		pg_array_text(array, sources[row->source].text);
		put_measures(array, row->measures, MEASURES_SESSION);
		pg_array_row_end(array);
	}
	return count;
}

static void put_progress(struct pg_array *array, const struct batch_progress *progress)
{
	pg_array_row(array);
	pg_array_text(array, span_of(progress->topic));
	pg_array_int4(array, progress->partition);
	pg_array_int8(array, progress->from_offset);
	pg_array_int8(array, progress->to_offset);
	pg_array_int8(array, progress->last_offset);
	pg_array_int8(array, progress->last_time_ms);
	pg_array_int8(array, progress->last_crc);
	pg_array_int8(array, progress->log_end_offset);
	if (progress->event_time_max_us == INT64_MIN)
		pg_array_null(array, PG_OID_TIMESTAMPTZ);
	else
		pg_array_time(array, progress->event_time_max_us);
	pg_array_int8(array, progress->accepted);
	pg_array_int8(array, progress->dead);
	pg_array_int8(array, progress->duplicate);
	pg_array_int8(array, progress->skipped);
	pg_array_row_end(array);
}

static void put_dead(struct pg_array *array, const struct batch *batch)
{
	for (size_t i = 0; i < batch->dead_count; i++) {
		const struct batch_dead *row = &batch->dead[i];
		const struct batch_progress *progress = &batch->progress[row->progress];

		pg_array_row(array);
		pg_array_text(array, span_of(progress->topic));
		pg_array_int4(array, progress->partition);
		pg_array_int8(array, row->offset);
		pg_array_int4(array, row->record);
		pg_array_time(array, row->received_us);
		pg_array_text(array, span_of(dead_reason_name(row->reason)));
		pg_array_text(array, span_of(row->detail));
		if (row->payload)
			pg_array_bytes(array, PG_OID_BYTEA, row->payload, row->payload_len);
		else
			pg_array_null(array, PG_OID_BYTEA);
		pg_array_int8(array, row->count);
		pg_array_row_end(array);
	}
}

static size_t put_blocks(struct pg_array *array, const struct batch_progress *progress)
{
	size_t i;

	for (i = 0; i < dedupe_log_blocks(progress->ids); i++) {
		struct dedupe_block block = dedupe_log_block(progress->ids, i);

		pg_array_row(array);
		pg_array_text(array, span_of(progress->topic));
		pg_array_int4(array, progress->partition);
		pg_array_int8(array, progress->from_offset);
		pg_array_int8(array, progress->to_offset);
		pg_array_int8(array, block.base_ms);
		pg_array_int8(array, block.t_min_ms);
		pg_array_int8(array, block.t_max_ms);
		pg_array_int4(array, (int32_t)block.count);
		pg_array_bytes(array, PG_OID_BYTEA, block.ids, (size_t)block.count * 12);
		pg_array_row_end(array);
	}
	return i;
}

bool sink_arrays_fill(struct sink_arrays *out, const struct batch *batch, const struct name_ids *ids,
		      struct sink_rows *rows, struct err *err)
{
	struct pg_array *arrays = out->arrays;

	memset(rows, 0, sizeof(*rows));
	for (size_t i = 0; i < batch->progress_count; i++) {
		if (batch->progress[i].to_offset == batch->progress[i].from_offset)
			continue;
		put_progress(&arrays[TYPE_PROGRESS], &batch->progress[i]);
		rows->dedupe += put_blocks(&arrays[TYPE_DEDUPE], &batch->progress[i]);
	}
	put_dead(&arrays[TYPE_DEAD], batch);
	rows->dead = batch->dead_count;
	rows->sessions = put_sessions(&arrays[TYPE_SESSION], batch->window, ids);
	rows->hours = put_hours(&arrays[TYPE_HOUR], batch->window, ids);
	rows->minutes = put_minutes(&arrays[TYPE_MINUTE], batch->window, ids);
	rows->latencies = put_latencies(&arrays[TYPE_LATENCY], batch->window, ids);
	rows->shadows = put_shadows(&arrays[TYPE_SHADOW], batch->window, ids);
	for (int type = 0; type < SINK_TYPES; type++) {
		if (arrays[type].buf.truncated)
			return err_set(err, ERR_DATA, "a batch is too large for one statement (%s above %u bytes)",
				       types_wanted[type].name, ARRAY_BYTES_MAX);
	}
	return true;
}
