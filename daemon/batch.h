/* SPDX-License-Identifier: Apache-2.0
 *
 * batch: everything one commit takes to the database: the window's deltas, how far each partition was read,
 * its dead letters and the event ids it counted. Filled by the ingest thread, frozen, handed to the writer,
 * and never changed while it is frozen: the same bytes can be sent again after a lost connection.
 */
#ifndef TOKENTALLY_BATCH_H
#define TOKENTALLY_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode.h"
#include "dedupe.h"
#include "event.h"
#include "window.h"

/* Bad records of a partition beyond this many in a minute are folded into rows with a count, so that a producer
 * gone wild fills neither the disk nor the batch. */
#define BATCH_DEAD_ROWS_A_MINUTE 1000

/* One partition's part: messages from_offset <= offset < to_offset. */
struct batch_progress {
	const char *topic; /* of the assignment; outlives the batch */
	int32_t partition;
	int64_t from_offset, to_offset;
	int64_t last_offset, last_time_ms; /* of the newest message; -1 when there was none yet */
	/* The message before those of this batch, which another log under the same name would not have; -1: none known. */
	int64_t base_offset, base_time_ms;
	uint32_t base_crc;
	bool other_log;    /* set by the writer: it is not there any more */
	uint32_t last_crc; /* checksum of its payload (XXH3, lower half): how a later claim knows it again */
	int64_t log_end_offset;
	int64_t event_time_max_us; /* INT64_MIN: none */
	int64_t accepted, dead, duplicate, skipped;
	int64_t time_min_ms; /* smallest message time in this batch, none in the future; INT64_MAX: none */
	struct dedupe_log *ids;
	int32_t fold_row[DEAD_REASONS]; /* index + 1 of the folding row of a reason, 0: none yet */
};

struct batch_dead {
	uint32_t progress; /* index of its partition */
	int64_t offset, received_us, count;
	int32_t record;
	enum dead_reason reason;
	char detail[160];
	char *payload; /* NULL: not kept */
	size_t payload_len;
};

struct batch {
	struct window *window;
	struct batch_progress *progress; /* one an assigned partition, sorted by (topic, partition) */
	size_t progress_count;
	struct batch_dead *dead;
	size_t dead_count, dead_capacity, dead_bytes;
	int64_t messages;
	int64_t opened_ms; /* monotonic time of its first message; 0: nothing in it */
	int64_t flush_seq; /* this and the next are set when it is frozen */
	int64_t dedupe_before_ms; /* ids of before this message time are not needed any more; INT64_MIN: all are */
};

struct batch *batch_new(void);
void batch_free(struct batch *batch);
/* Makes it empty and ready for these partitions: positions are taken from `next`. */
struct batch_start {
	const char *topic;
	int32_t partition;
	int64_t next_offset;
	int64_t base_offset, base_time_ms;
	uint32_t base_crc;
};
void batch_begin(struct batch *batch, const struct batch_start *starts, size_t count, size_t keep_bytes);
/* As batch_begin, for the partitions of `before`, each where `before` ends. */
void batch_continue(struct batch *batch, const struct batch *before, size_t keep_bytes);

/* fold: this partition had more than its share of bad records this minute. payload_max: bytes kept of `raw`. */
void batch_add_dead(struct batch *batch, size_t progress, int64_t offset, const struct record *record, int64_t received_us,
		    size_t payload_max, bool fold);
bool batch_is_empty(const struct batch *batch); /* no partition moved */
size_t batch_rows(const struct batch *batch);
size_t batch_bytes(const struct batch *batch);

#endif
