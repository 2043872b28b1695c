/* SPDX-License-Identifier: Apache-2.0
 *
 * spike_load: see spike_load.h. Users, sessions and models are drawn evenly: the worst case for
 * merging events into rows, and the one the figures of docs/PERFORMANCE.md are asked for.
 */
#include "spike_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define US INT64_C(1000000)
#define SLOTS (1 << 21)
#define ROWS_MAX (SLOTS / 2)

static void *must(void *memory)
{
	if (!memory) {
		fputs("spike: out of memory\n", stderr);
		abort();
	}
	return memory;
}

static uint64_t next_random(struct spike_load *load)
{
	uint64_t z = (load->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int below(struct spike_load *load, int limit)
{
	return (int)(next_random(load) % (uint64_t)limit);
}

static void rows_init(struct spike_rows *rows, size_t row_size)
{
	rows->row_size = row_size;
	rows->slot_mask = SLOTS - 1;
	rows->slots = must(calloc(SLOTS, sizeof(*rows->slots)));
	rows->keys = must(calloc(ROWS_MAX, sizeof(*rows->keys)));
	rows->rows = must(calloc(ROWS_MAX, row_size));
}

static void rows_release(struct spike_rows *rows)
{
	free(rows->slots);
	free(rows->keys);
	free(rows->rows);
}

static size_t slot_of(const struct spike_rows *rows, uint64_t key)
{
	size_t slot = (key * UINT64_C(0x9e3779b97f4a7c15)) >> 40;

	for (;; slot++) {
		uint32_t number = rows->slots[slot & rows->slot_mask];

		if (!number || rows->keys[number - 1] == key)
			return slot & rows->slot_mask;
	}
}

/* Slots are emptied before the rows are: they are found through the keys. */
static void rows_clear(struct spike_rows *rows)
{
	memset(rows->slots, 0, SLOTS * sizeof(*rows->slots));
	memset(rows->rows, 0, rows->count * rows->row_size);
	rows->count = 0;
}

/* A new row is zero but for what the caller fills in: its measures tell (calls == 0). */
static void *row_at(struct spike_rows *rows, uint64_t key)
{
	size_t slot = slot_of(rows, key);

	if (!rows->slots[slot]) {
		if (rows->count == ROWS_MAX)
			abort();
		rows->keys[rows->count] = key;
		rows->slots[slot] = (uint32_t)++rows->count;
	}
	return rows->rows + (rows->slots[slot] - 1) * rows->row_size;
}

struct spike_load *spike_load_new(const struct spike_load_options *options)
{
	struct spike_load *load = must(calloc(1, sizeof(*load)));

	load->options = *options;
	load->random = options->seed;
	rows_init(&load->hours, sizeof(struct spike_hour));
	rows_init(&load->sessions, sizeof(struct spike_session));
	rows_init(&load->minutes, sizeof(struct spike_minute));
	rows_init(&load->latencies, sizeof(struct spike_latency));
	return load;
}

void spike_load_free(struct spike_load *load)
{
	if (!load)
		return;
	rows_release(&load->hours);
	rows_release(&load->sessions);
	rows_release(&load->minutes);
	rows_release(&load->latencies);
	free(load);
}

struct call {
	int64_t time;
	int user, session, team, model;
	int64_t measures[SPIKE_MEASURES];
	int16_t duration_class, ttft_class;
};

static void draw_call(struct spike_load *load, struct call *call)
{
	const struct spike_load_options *options = &load->options;
	int64_t duration_ms;

	call->time = options->start_us + load->next_event * options->span_s * US / options->events;
	call->user = options->first_user + below(load, options->users);
	call->session = below(load, options->sessions);
	call->team = call->user % options->teams;
	call->model = below(load, options->models);
	memset(call->measures, 0, sizeof(call->measures));
	duration_ms = 500 + below(load, 100) * below(load, 200);
	call->duration_class = (int16_t)(130 + below(load, 70));
	call->ttft_class = (int16_t)(90 + below(load, 60));
	call->measures[0] = 1;
	call->measures[1] = below(load, 100) == 0;
	call->measures[2] = below(load, 4000);
	call->measures[3] = below(load, 40000);
	call->measures[4] = below(load, 3000);
	call->measures[6] = below(load, 2000);
	call->measures[7] = call->measures[6] / 2;
	call->measures[8] = call->measures[2] * 3000 + call->measures[6] * 15000;
	call->measures[11] = call->measures[2] + call->measures[3] + call->measures[4];
	call->measures[12] = duration_ms;
	call->measures[13] = duration_ms;
}

static void add(int64_t *sums, const int64_t *measures, int count)
{
	for (int i = 0; i < count && i < 13; i++)
		sums[i] += measures[i];
	if (count == SPIKE_MEASURES && measures[13] > sums[13])
		sums[13] = measures[13];
}

static void add_hour(struct spike_load *load, const struct call *call)
{
	int64_t number = call->time / (3600 * US);
	struct spike_hour *row =
	    row_at(&load->hours, (uint64_t)call->user << 32 | (uint64_t)call->model << 24 |
				     (uint64_t)(number & 0xffffff));

	row->bucket = number * 3600 * US;
	row->person = call->user + 1;
	row->team = call->team + 1;
	row->model = call->model + 1;
	add(row->measures, call->measures, SPIKE_MEASURES);
}

static void add_session(struct spike_load *load, const struct call *call)
{
	int64_t number = call->time / (1800 * US);
	struct spike_session *row =
	    row_at(&load->sessions, (uint64_t)call->user << 32 | (uint64_t)call->session << 24 |
					(uint64_t)(number & 0xffffff));
	uint64_t id[2] = { (uint64_t)call->user * UINT64_C(0xd1342543de82ef95), 0 };
	char text[40];

	if (!row->measures[0]) {
		row->slot = number * 1800 * US;
		row->person = call->user + 1;
		id[1] = (id[0] ^ (uint64_t)(call->session + 1)) * UINT64_C(0xbf58476d1ce4e5b9);
		memcpy(row->id, id, sizeof(row->id));
		snprintf(text, sizeof(text), "%08x-0000-4000-8000-%06d%06d",
			 (unsigned)(id[1] >> 32), call->user, call->session);
		memcpy(row->session_key, text, sizeof(row->session_key));
		snprintf(text, sizeof(text), "%016llx%010d", (unsigned long long)id[1],
			 call->session);
		memcpy(row->shown_key, text, sizeof(row->shown_key));
		row->first_seen = call->time;
	}
	row->last_seen = call->time;
	add(row->measures, call->measures, SPIKE_MEASURES_SESSION);
}

static void add_minute(struct spike_load *load, const struct call *call)
{
	int64_t number = call->time / (60 * US);
	struct spike_minute *row =
	    row_at(&load->minutes,
		   (uint64_t)number << 24 | (uint64_t)call->team << 8 | (uint64_t)call->model);

	row->bucket = number * 60 * US;
	row->team = call->team + 1;
	row->model = call->model + 1;
	row->app = 1;
	add(row->measures, call->measures, SPIKE_MEASURES);
}

static void add_latency(struct spike_load *load, const struct call *call, int16_t kind,
			int16_t latency_class)
{
	int64_t number = call->time / (60 * US);
	struct spike_latency *row =
	    row_at(&load->latencies, (uint64_t)number << 24 | (uint64_t)call->model << 16 |
					 (uint64_t)kind << 12 | (uint64_t)latency_class);

	row->bucket = number * 60 * US;
	row->model = call->model + 1;
	row->kind = kind;
	row->latency_class = latency_class;
	row->calls++;
}

size_t spike_load_rows(const struct spike_load *load)
{
	return load->hours.count + load->sessions.count + load->minutes.count +
	       load->latencies.count;
}

void spike_load_batch(struct spike_load *load, size_t rows_max, int64_t events_max)
{
	struct call call;

	rows_clear(&load->hours);
	rows_clear(&load->sessions);
	rows_clear(&load->minutes);
	rows_clear(&load->latencies);
	load->batch_events = 0;
	while (spike_load_rows(load) + 5 <= rows_max && load->next_event < events_max) {
		draw_call(load, &call);
		load->next_event++;
		load->batch_events++;
		add_hour(load, &call);
		add_session(load, &call);
		add_minute(load, &call);
		add_latency(load, &call, 0, call.duration_class);
		add_latency(load, &call, 1, call.ttft_class);
	}
}

#define COMPARE(a, b)                                                                              \
	do {                                                                                       \
		if ((a) != (b))                                                                    \
			return (a) < (b) ? -1 : 1;                                                 \
	} while (0)

static int compare_hours(const void *left, const void *right)
{
	const struct spike_hour *a = left, *b = right;

	COMPARE(a->bucket, b->bucket);
	COMPARE(a->person, b->person);
	COMPARE(a->team, b->team);
	COMPARE(a->model, b->model);
	return 0;
}

static int compare_sessions(const void *left, const void *right)
{
	const struct spike_session *a = left, *b = right;

	COMPARE(a->slot, b->slot);
	COMPARE(a->person, b->person);
	return memcmp(a->id, b->id, sizeof(a->id));
}

static int compare_minutes(const void *left, const void *right)
{
	const struct spike_minute *a = left, *b = right;

	COMPARE(a->bucket, b->bucket);
	COMPARE(a->team, b->team);
	COMPARE(a->model, b->model);
	return 0;
}

static int compare_latencies(const void *left, const void *right)
{
	const struct spike_latency *a = left, *b = right;

	COMPARE(a->bucket, b->bucket);
	COMPARE(a->model, b->model);
	COMPARE(a->kind, b->kind);
	COMPARE(a->latency_class, b->latency_class);
	return 0;
}

static void sort(struct spike_rows *rows, int (*compare)(const void *, const void *))
{
	qsort(rows->rows, rows->count, rows->row_size, compare);
}

void spike_load_sort(struct spike_load *load)
{
	sort(&load->hours, compare_hours);
	sort(&load->sessions, compare_sessions);
	sort(&load->minutes, compare_minutes);
	sort(&load->latencies, compare_latencies);
}

void spike_load_sort_hours(struct spike_load *load, size_t from, size_t to)
{
	qsort(load->hours.rows + from * load->hours.row_size, to - from, load->hours.row_size,
	      compare_hours);
}

void spike_load_shuffle_hours(struct spike_load *load, size_t count)
{
	struct spike_hour *rows = (struct spike_hour *)load->hours.rows, kept;

	for (size_t i = count - 1; i > 0; i--) {
		size_t other = next_random(load) % (i + 1);

		kept = rows[i];
		rows[i] = rows[other];
		rows[other] = kept;
	}
}
