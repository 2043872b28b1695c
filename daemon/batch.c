/* SPDX-License-Identifier: Apache-2.0
 *
 * batch: see batch.h. Dead letters own copies of what they keep, since the message they came from is gone
 * when the batch is sent.
 */
#include "autoconf.h"

#include "batch.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define DEAD_ROWS_KEPT 1024

struct batch *batch_new(void)
{
	struct batch *batch = xcalloc(1, sizeof(*batch));

	batch->window = window_new();
	return batch;
}

static void drop_progress(struct batch *batch)
{
	for (size_t i = 0; i < batch->progress_count; i++)
		dedupe_log_free(batch->progress[i].ids);
	free(batch->progress);
	batch->progress = NULL;
	batch->progress_count = 0;
}

/* What a producer gone wild needed is not kept: it would count against every batch to come. */
static void drop_dead(struct batch *batch)
{
	for (size_t i = 0; i < batch->dead_count; i++)
		free(batch->dead[i].payload);
	if (batch->dead_capacity > DEAD_ROWS_KEPT) {
		free(batch->dead);
		batch->dead = NULL;
		batch->dead_capacity = 0;
	}
	batch->dead_count = 0;
	batch->dead_bytes = 0;
}

void batch_free(struct batch *batch)
{
	if (!batch)
		return;
	drop_progress(batch);
	drop_dead(batch);
	free(batch->dead);
	window_free(batch->window);
	free(batch);
}

static void open_progress(struct batch_progress *progress, const struct batch_start *start, int64_t log_end_offset)
{
	struct dedupe_log *ids = progress->ids;

	if (ids)
		dedupe_log_clear(ids);
	else
		ids = dedupe_log_new();
	*progress = (struct batch_progress){
		.topic = start->topic,
		.partition = start->partition,
		.from_offset = start->next_offset,
		.to_offset = start->next_offset,
		.last_offset = -1,
		.last_time_ms = -1,
		.base_offset = start->base_offset,
		.base_time_ms = start->base_time_ms,
		.base_crc = start->base_crc,
		.log_end_offset = log_end_offset,
		.event_time_max_us = INT64_MIN,
		.time_min_ms = INT64_MAX,
		.ids = ids,
	};
}

static void begin(struct batch *batch, size_t count, size_t keep_bytes)
{
	window_clear(batch->window, keep_bytes);
	drop_dead(batch);
	batch->messages = 0;
	batch->opened_ms = 0;
	batch->flush_seq = 0;
	batch->dedupe_before_ms = INT64_MIN;
	if (count != batch->progress_count) {
		drop_progress(batch);
		batch->progress = xcalloc(count ? count : 1, sizeof(*batch->progress));
		batch->progress_count = count;
	}
}

void batch_begin(struct batch *batch, const struct batch_start *starts, size_t count, size_t keep_bytes)
{
	begin(batch, count, keep_bytes);
	for (size_t i = 0; i < count; i++)
		open_progress(&batch->progress[i], &starts[i], -1);
}

void batch_continue(struct batch *batch, const struct batch *before, size_t keep_bytes)
{
	begin(batch, before->progress_count, keep_bytes);
	for (size_t i = 0; i < before->progress_count; i++) {
		const struct batch_progress *from = &before->progress[i];
		bool moved = from->last_offset >= 0;
		struct batch_start start = {
			.topic = from->topic,
			.partition = from->partition,
			.next_offset = from->to_offset,
			.base_offset = moved ? from->last_offset : from->base_offset,
			.base_time_ms = moved ? from->last_time_ms : from->base_time_ms,
			.base_crc = moved ? from->last_crc : from->base_crc,
		};

		open_progress(&batch->progress[i], &start, from->log_end_offset);
	}
}

static struct batch_dead *append_dead(struct batch *batch)
{
	if (batch->dead_count == batch->dead_capacity) {
		batch->dead_capacity = batch->dead_capacity ? 2 * batch->dead_capacity : 64;
		batch->dead = xrealloc_array(batch->dead, batch->dead_capacity, sizeof(*batch->dead));
	}
	return &batch->dead[batch->dead_count++];
}

void batch_add_dead(struct batch *batch, size_t index, int64_t offset, const struct record *record, int64_t received_us,
		    size_t payload_max, bool fold)
{
	struct batch_progress *progress = &batch->progress[index];
	int32_t *fold_row = &progress->fold_row[record->reason];
	struct batch_dead *row;

	progress->dead++;
	if (fold && *fold_row) {
		batch->dead[*fold_row - 1].count++;
		return;
	}
	row = append_dead(batch);
	*row = (struct batch_dead){
		.progress = (uint32_t)index,
		.offset = offset,
		.received_us = received_us,
		.count = 1,
		.record = record->index,
		.reason = record->reason,
	};
	memcpy(row->detail, record->detail, sizeof(row->detail));
	if (fold) {
		*fold_row = (int32_t)batch->dead_count;
		return;
	}
	row->payload_len = record->raw.len < payload_max ? record->raw.len : payload_max;
	if (row->payload_len) {
		row->payload = xmalloc(row->payload_len);
		memcpy(row->payload, record->raw.data, row->payload_len);
		batch->dead_bytes += row->payload_len;
	}
}

bool batch_is_empty(const struct batch *batch)
{
	for (size_t i = 0; i < batch->progress_count; i++) {
		if (batch->progress[i].to_offset != batch->progress[i].from_offset)
			return false;
	}
	return true;
}

size_t batch_rows(const struct batch *batch)
{
	return window_row_count(batch->window) + batch->dead_count;
}

size_t batch_bytes(const struct batch *batch)
{
	size_t bytes = window_bytes(batch->window) + batch->dead_capacity * sizeof(*batch->dead) + batch->dead_bytes;

	for (size_t i = 0; i < batch->progress_count; i++)
		bytes += sizeof(*batch->progress) + dedupe_log_bytes(batch->progress[i].ids);
	return bytes;
}
