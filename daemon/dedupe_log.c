/* SPDX-License-Identifier: Apache-2.0
 *
 * dedupe_log: packs ids into blocks as they come. A block's base is its first time. An id goes into
 * the newest block whose base is near enough; when times jump to and fro over weeks (a topic of
 * mixed backfills), the last few blocks are tried, so that there is not one block an id.
 */
#include "autoconf.h"

#include <assert.h>
#include <stdlib.h>

#include "dedupe.h"
#include "dedupe_id.h"
#include "mem.h"

#define BLOCKS_TRIED 8
#define BLOCK_IDS_MIN 64
#define BLOCK_IDS_MAX (UINT32_MAX / 2 / DEDUPE_ID_BYTES) /* a bytea is at most 1 GB */
#define KEPT_BYTES_MAX (64 * 1024)

struct block {
	int64_t base_ms, t_min_ms, t_max_ms;
	uint32_t count, capacity;
	unsigned char *ids;
};

struct dedupe_log {
	struct block *blocks;
	size_t count, capacity;
	size_t ids_bytes; /* of all blocks */
};

struct dedupe_log *dedupe_log_new(void)
{
	return xcalloc(1, sizeof(struct dedupe_log));
}

static void free_blocks_from(struct dedupe_log *log, size_t first)
{
	for (size_t i = first; i < log->count; i++) {
		log->ids_bytes -= (size_t)log->blocks[i].capacity * DEDUPE_ID_BYTES;
		free(log->blocks[i].ids);
	}
	log->count = log->count < first ? log->count : first;
}

void dedupe_log_free(struct dedupe_log *log)
{
	if (!log)
		return;
	free_blocks_from(log, 0);
	free(log->blocks);
	free(log);
}

/* There is a log for every partition: what a busy moment needed is not kept for all of them for
 * ever. */
void dedupe_log_clear(struct dedupe_log *log)
{
	free_blocks_from(log, 0);
	if (log->capacity * sizeof *log->blocks <= KEPT_BYTES_MAX)
		return;
	free(log->blocks);
	log->blocks = NULL;
	log->capacity = 0;
}

static bool block_takes(const struct block *block, int64_t time_ms, int32_t *distance_ms)
{
	return !__builtin_sub_overflow(time_ms, block->base_ms, distance_ms) &&
	       block->count < BLOCK_IDS_MAX;
}

static struct block *add_block(struct dedupe_log *log, int64_t time_ms)
{
	if (log->count == log->capacity) {
		log->capacity = log->capacity ? 2 * log->capacity : 1;
		log->blocks = xrealloc_array(log->blocks, log->capacity, sizeof *log->blocks);
	}
	log->blocks[log->count] =
	    (struct block){ .base_ms = time_ms, .t_min_ms = time_ms, .t_max_ms = time_ms };
	return &log->blocks[log->count++];
}

static struct block *block_for(struct dedupe_log *log, int64_t time_ms, int32_t *distance_ms)
{
	for (size_t back = 1; back <= log->count && back <= BLOCKS_TRIED; back++)
		if (block_takes(&log->blocks[log->count - back], time_ms, distance_ms))
			return &log->blocks[log->count - back];
	*distance_ms = 0;
	return add_block(log, time_ms);
}

static void block_reserve(struct dedupe_log *log, struct block *block)
{
	uint32_t capacity = block->capacity ? 2 * block->capacity : BLOCK_IDS_MIN;

	if (block->count < block->capacity)
		return;
	block->ids = xrealloc_array(block->ids, capacity, DEDUPE_ID_BYTES);
	log->ids_bytes += (size_t)(capacity - block->capacity) * DEDUPE_ID_BYTES;
	block->capacity = capacity;
}

void dedupe_log_add(struct dedupe_log *log, uint64_t fingerprint, int64_t time_ms)
{
	int32_t distance_ms;
	struct block *block = block_for(log, time_ms, &distance_ms);

	block_reserve(log, block);
	dedupe_id_pack(block->ids + (size_t)block->count * DEDUPE_ID_BYTES, fingerprint,
		       distance_ms);
	block->count++;
	if (time_ms < block->t_min_ms)
		block->t_min_ms = time_ms;
	if (time_ms > block->t_max_ms)
		block->t_max_ms = time_ms;
}

size_t dedupe_log_bytes(const struct dedupe_log *log)
{
	return sizeof *log + log->capacity * sizeof *log->blocks + log->ids_bytes;
}

size_t dedupe_log_blocks(const struct dedupe_log *log)
{
	return log->count;
}

struct dedupe_block dedupe_log_block(const struct dedupe_log *log, size_t index)
{
	const struct block *block = &log->blocks[index];

	assert(index < log->count);
	return (struct dedupe_block){ block->base_ms, block->t_min_ms, block->t_max_ms,
				      block->count, block->ids };
}
