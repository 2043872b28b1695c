/* SPDX-License-Identifier: Apache-2.0
 *
 * chopping_model: see chopping_model.h.
 */
#include "autoconf.h"

#include "chopping_model.h"

#include <stdlib.h>
#include <string.h>

#include "dedupe_id.h"
#include "mem.h"
#include "period.h"

void statement_let_go(struct statement *statement)
{
	if (--statement->references > 0)
		return;
	batch_free(statement->batch);
	free(statement);
}

struct model *model_new(const struct log *log)
{
	struct model *model = xcalloc(1, sizeof *model);

	model->ledger = ledger_new();
	for (int i = 0; i < LOG_PARTITIONS; i++)
		model->rows[i] = (struct model_row){ .next_offset = log->partitions[i].first_offset,
						     .last_offset = -1,
						     .last_time_ms = -1,
						     .event_time_max_us = INT64_MIN };
	return model;
}

void model_free(struct model *model)
{
	for (size_t i = 0; i < model->block_count; i++)
		free((unsigned char *)model->blocks[i].block.ids);
	free(model->blocks);
	for (size_t i = 0; i < model->ghost_count; i++)
		statement_let_go(model->ghosts[i]);
	free(model->ghosts);
	ledger_free(model->ledger);
	free(model);
}

uint64_t model_claim(struct model *model, struct claim_partition *partitions, size_t count)
{
	uint64_t owner = ++model->owners;

	for (size_t i = 0; i < count; i++) {
		struct model_row *row = &model->rows[partitions[i].partition];

		row->owner = owner;
		row->flush_seq = 0;
		partitions[i].next_offset = row->next_offset;
		partitions[i].last_offset = row->last_offset;
		partitions[i].last_time_ms = row->last_time_ms;
		partitions[i].last_crc = row->last_crc;
	}
	return owner;
}

/* --- Rules --- */

void model_change_rules(struct model *model)
{
	model->rules_wrong = !model->rules_wrong;
	model->rules_generation++;
}

void model_read_rules(const struct model *model, struct rules *rules)
{
	static const char *const users[] = { "u-0", "u-1", "u-2" };

	rules_clear(rules);
	rules->generation = model->rules_generation;
	for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
		roster_add(rules->roster, span_of(users[i]), 0, SPAN("red"));
		roster_add(rules->roster, span_of(users[i]), LOG_START_MS * US_PER_MS, SPAN("blue"));
		if (model->rules_wrong)
			roster_add(rules->roster, span_of(users[i]), (LOG_START_MS + LOG_ERA_MS) * US_PER_MS, SPAN("wrong"));
	}
	roster_sort(rules->roster);
	precedence_add(rules->precedence, model->rules_wrong ? SPAN("p-1") : SPAN(LOG_SHADOW_PROVIDER), SPAN("*"),
		       SPAN("litellm"));
}

/* --- Event ids --- */

static struct span ids_of(const struct dedupe_block *block)
{
	return (struct span){ (const char *)block->ids, (size_t)block->count * DEDUPE_ID_BYTES };
}

int64_t model_load_ids(const struct model *model, struct dedupe *dedupe)
{
	int64_t newest = 0;

	dedupe_clear(dedupe);
	for (size_t i = 0; i < model->block_count; i++) {
		const struct dedupe_block *block = &model->blocks[i].block;

		if (model->blocks[i].deleted)
			continue;
		if (!dedupe_load(dedupe, block->base_ms, ids_of(block)))
			abort();
		newest = (int64_t)i + 1;
	}
	return newest;
}

static bool is_foreign(const struct model *model, size_t index, uint64_t owner, int64_t seen_seq)
{
	const struct model_block *block = &model->blocks[index];

	return (int64_t)index + 1 > seen_seq && !block->deleted && model->rows[block->partition].owner != owner;
}

struct found_ids model_read_ids(const struct model *model, uint64_t owner, int64_t *seen_seq)
{
	struct found_ids found = { xcalloc(model->block_count + 1, sizeof *found.blocks), 0 };
	int64_t since = *seen_seq;

	for (size_t i = 0; i < model->block_count; i++) {
		if (!is_foreign(model, i, owner, since))
			continue;
		found.blocks[found.count++] = i;
		*seen_seq = (int64_t)i + 1;
	}
	return found;
}

bool model_merge_ids(const struct model *model, const struct found_ids *found, struct dedupe *dedupe)
{
	bool met = false;

	for (size_t i = 0; i < found->count; i++) {
		const struct dedupe_block *block = &model->blocks[found->blocks[i]].block;

		if (!dedupe_merge(dedupe, block->base_ms, ids_of(block), &met))
			abort();
	}
	return met;
}

static bool ids_meet(const unsigned char *a, int64_t a_base_ms, const unsigned char *b, int64_t b_base_ms)
{
	uint64_t a_print, b_print;
	int64_t a_ms, b_ms;

	dedupe_id_unpack(a, a_base_ms, &a_print, &a_ms);
	dedupe_id_unpack(b, b_base_ms, &b_print, &b_ms);
	return a_print == b_print && a_ms - b_ms <= LOG_WINDOW_MS && b_ms - a_ms <= LOG_WINDOW_MS;
}

static bool blocks_meet(const struct dedupe_block *a, const struct dedupe_block *b)
{
	for (uint32_t i = 0; i < a->count; i++)
		for (uint32_t j = 0; j < b->count; j++)
			if (ids_meet(a->ids + (size_t)i * DEDUPE_ID_BYTES, a->base_ms, b->ids + (size_t)j * DEDUPE_ID_BYTES,
				     b->base_ms))
				return true;
	return false;
}

static bool log_meets(const struct dedupe_log *log, const struct dedupe_block *theirs)
{
	for (size_t i = 0; i < dedupe_log_blocks(log); i++) {
		struct dedupe_block ours = dedupe_log_block(log, i);

		if (blocks_meet(&ours, theirs))
			return true;
	}
	return false;
}

/* dedupe_meetings */
static bool others_counted(const struct model *model, const struct statement *statement)
{
	const struct batch *batch = statement->batch;

	for (size_t i = 0; i < model->block_count; i++) {
		if (!is_foreign(model, i, statement->owner, statement->seen_seq))
			continue;
		for (size_t p = 0; p < batch->progress_count; p++)
			if (log_meets(batch->progress[p].ids, &model->blocks[i].block))
				return true;
	}
	return false;
}

static void store_block(struct model *model, int32_t partition, struct dedupe_block block)
{
	size_t bytes = (size_t)block.count * DEDUPE_ID_BYTES;
	unsigned char *copy = xmalloc(bytes);

	memcpy(copy, block.ids, bytes);
	block.ids = copy;
	if (model->block_count == model->block_capacity) {
		model->block_capacity = model->block_capacity ? 2 * model->block_capacity : 64;
		model->blocks = xrealloc_array(model->blocks, model->block_capacity, sizeof *model->blocks);
	}
	model->blocks[model->block_count++] = (struct model_block){ .partition = partition, .block = block };
}

/* commit_dedupe, after its check. The real one spares what partitions further behind may meet; here none is by so much. */
static void store_ids(struct model *model, const struct batch *batch)
{
	for (size_t p = 0; p < batch->progress_count; p++) {
		const struct batch_progress *progress = &batch->progress[p];

		for (size_t i = 0; i < dedupe_log_blocks(progress->ids); i++)
			store_block(model, progress->partition, dedupe_log_block(progress->ids, i));
		for (size_t i = 0; i < model->block_count; i++)
			if (model->blocks[i].partition == progress->partition &&
			    model->blocks[i].block.t_max_ms < batch->dedupe_before_ms)
				model->blocks[i].deleted = true;
	}
}

/* --- The commit --- */

static bool is_committed(const struct model *model, const struct statement *statement)
{
	const struct batch *batch = statement->batch;

	for (size_t i = 0; i < batch->progress_count; i++) {
		const struct model_row *row = &model->rows[batch->progress[i].partition];

		if (row->next_offset != batch->progress[i].to_offset || row->owner != statement->owner ||
		    row->flush_seq != batch->flush_seq)
			return false;
	}
	return true;
}

static bool is_fenced(const struct model *model, const struct statement *statement)
{
	const struct batch *batch = statement->batch;

	for (size_t i = 0; i < batch->progress_count; i++) {
		const struct model_row *row = &model->rows[batch->progress[i].partition];

		if (row->next_offset != batch->progress[i].from_offset || row->owner != statement->owner)
			return true;
	}
	return false;
}

static void commit_progress(struct model *model, const struct batch *batch)
{
	for (size_t i = 0; i < batch->progress_count; i++) {
		const struct batch_progress *progress = &batch->progress[i];
		struct model_row *row = &model->rows[progress->partition];

		if (progress->to_offset < progress->from_offset)
			model->broken = "a position went back";
		row->next_offset = progress->to_offset;
		row->flush_seq = batch->flush_seq;
		if (progress->last_offset >= 0) {
			row->last_offset = progress->last_offset;
			row->last_time_ms = progress->last_time_ms;
			row->last_crc = progress->last_crc;
		}
		if (progress->event_time_max_us > row->event_time_max_us)
			row->event_time_max_us = progress->event_time_max_us;
		row->accepted += progress->accepted;
		row->dead += progress->dead;
		row->duplicate += progress->duplicate;
		row->skipped += progress->skipped;
	}
}

static enum model_outcome try_commit(struct model *model, const struct statement *statement)
{
	if (model->rules_wrong)
		return MODEL_PASSING;
	if (is_committed(model, statement))
		return MODEL_ALREADY;
	if (is_fenced(model, statement))
		return MODEL_FENCED;
	if (statement->rules_generation != model->rules_generation)
		return MODEL_RULES;
	if (others_counted(model, statement))
		return MODEL_COUNTED;
	commit_progress(model, statement->batch);
	ledger_add_batch(model->ledger, statement->batch);
	store_ids(model, statement->batch);
	return MODEL_COMMITTED;
}

enum model_outcome model_commit(struct model *model, const struct statement *statement)
{
	enum model_outcome outcome = try_commit(model, statement);

	model->outcomes[outcome]++;
	return outcome;
}

void model_add_ghost(struct model *model, struct statement *statement)
{
	model->ghosts = xrealloc_array(model->ghosts, model->ghost_count + 1, sizeof *model->ghosts);
	model->ghosts[model->ghost_count++] = statement;
	statement->references++;
}

void model_run_ghost(struct model *model, size_t index)
{
	struct statement *ghost = model->ghosts[index];

	model->ghosts[index] = model->ghosts[--model->ghost_count];
	model_commit(model, ghost);
	statement_let_go(ghost);
}
