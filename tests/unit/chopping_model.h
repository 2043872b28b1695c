/* SPDX-License-Identifier: Apache-2.0
 *
 * chopping_model: the database in memory, as far as exactly once hangs on it: positions with their owners, blocks of
 * event ids, the generation of the rules, and the rows. Each function is one statement of the real one (sql/functions):
 * it happens whole or not at all, and nothing happens meanwhile. Only for test_chopping.
 */
#ifndef TOKENTALLY_TESTS_CHOPPING_MODEL_H
#define TOKENTALLY_TESTS_CHOPPING_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "chopping_log.h"
#include "dedupe.h"
#include "rules.h"
#include "sink.h"
#include "window_ledger.h"

/* A commit on its way: by a worker, and, after a lost connection, by a server that has not heard of that yet. */
struct statement {
	struct batch *batch; /* frozen; flush_seq is in it */
	uint64_t owner;
	int64_t seen_seq, rules_generation;
	int references;
};
void statement_let_go(struct statement *statement); /* frees it with the last reference */

struct model_row { /* of kafka_offset */
	int64_t next_offset, last_offset, last_time_ms, flush_seq;
	uint32_t last_crc;
	uint64_t owner;
	int64_t event_time_max_us, accepted, dead, duplicate, skipped;
};

struct model_block { /* of dedupe_block; its seq is its place + 1 */
	int32_t partition;
	bool deleted;
	struct dedupe_block block;
};

enum model_outcome { MODEL_COMMITTED, MODEL_ALREADY, MODEL_FENCED, MODEL_RULES, MODEL_COUNTED, MODEL_PASSING, MODEL_OUTCOMES };

struct model {
	struct model_row rows[LOG_PARTITIONS];
	struct model_block *blocks;
	size_t block_count, block_capacity;
	uint64_t owners; /* so many were made */
	int64_t rules_generation;
	bool rules_wrong; /* for now: nothing is committed meanwhile */
	struct ledger *ledger;
	struct statement **ghosts; /* sent over connections that are lost */
	size_t ghost_count;
	int64_t outcomes[MODEL_OUTCOMES]; /* so many commits ended so */
	const char *broken; /* what must not happen and did; NULL: all is well */
};

struct model *model_new(const struct log *log);
void model_free(struct model *model);

/* Answers positions, and who may commit from now on. */
uint64_t model_claim(struct model *model, struct claim_partition *partitions, size_t count);
void model_read_rules(const struct model *model, struct rules *rules);
/* All ids that are stored; returns the newest block's seq. */
int64_t model_load_ids(const struct model *model, struct dedupe *dedupe);

/* Blocks that others made since *seen_seq, which moves on; merged later by model_merge_ids. */
struct found_ids {
	size_t *blocks, count;
};
struct found_ids model_read_ids(const struct model *model, uint64_t owner, int64_t *seen_seq);
bool model_merge_ids(const struct model *model, const struct found_ids *found, struct dedupe *dedupe);

enum model_outcome model_commit(struct model *model, const struct statement *statement);

/* The server will run it at any time from now, or never. */
void model_add_ghost(struct model *model, struct statement *statement);
void model_run_ghost(struct model *model, size_t index);

/* Other rules, or the right ones again: a new generation each time. */
void model_change_rules(struct model *model);

#endif
