/* SPDX-License-Identifier: Apache-2.0
 *
 * spike_load: the load of the write-path spike: made-up model calls, summed into rows until a batch
 * has its number of rows, as the daemon's window does it. Same seed, same rows. It opens nothing
 * and knows no SQL. Timestamps are PostgreSQL's: microseconds since 2000-01-01 UTC.
 */
#ifndef TOKENTALLY_SPIKE_LOAD_H
#define TOKENTALLY_SPIKE_LOAD_H

#include <stddef.h>
#include <stdint.h>

#define SPIKE_MEASURES 14
#define SPIKE_MEASURES_SESSION 12

struct spike_hour {
	int64_t bucket, person;
	int32_t team, model;
	int16_t price_class;
	int64_t measures[SPIKE_MEASURES];
};
struct spike_session {
	int64_t slot, person;
	unsigned char id[16];
	char session_key[36], shown_key[26];
	int64_t first_seen, last_seen;
	int64_t measures[SPIKE_MEASURES_SESSION];
};
struct spike_minute {
	int64_t bucket;
	int32_t team, model, app;
	int16_t price_class;
	int64_t measures[SPIKE_MEASURES];
};
struct spike_latency {
	int64_t bucket;
	int32_t model;
	int16_t kind, latency_class;
	int64_t calls;
};

/* Rows of one kind, found by a key that fits into 64 bits. */
struct spike_rows {
	size_t row_size, count, slot_mask;
	unsigned char *rows;
	uint64_t *keys;
	uint32_t *slots; /* row number + 1, 0 is empty */
};

struct spike_load_options {
	int64_t events;	     /* that span_s is divided by */
	int64_t start_us;    /* of the first event */
	int span_s;	     /* event time from the first to the last event */
	int users, sessions; /* sessions of each user */
	int teams, models;
	int first_user; /* ids of this load's users start here: 0, or apart from another load's */
	uint64_t seed;
};

struct spike_load {
	struct spike_load_options options;
	int64_t next_event;
	uint64_t random;
	int64_t batch_events; /* summed in the rows below */
	struct spike_rows hours, sessions, minutes, latencies;
};

struct spike_load *spike_load_new(const struct spike_load_options *options);
void spike_load_free(struct spike_load *load);
/* Forgets the last batch and makes the next: until it has rows_max rows or the load events_max
 * events. */
void spike_load_batch(struct spike_load *load, size_t rows_max, int64_t events_max);
/* By primary key, as the daemon sends them. Without it rows come in order of first appearance. */
void spike_load_sort(struct spike_load *load);
void spike_load_sort_hours(struct spike_load *load, size_t from, size_t to); /* these rows only */
/* Puts count hour rows, from the first, into random order: the next batches of an hour meet old
 * rows so. */
void spike_load_shuffle_hours(struct spike_load *load, size_t count);
size_t spike_load_rows(const struct spike_load *load);

#endif
