/* SPDX-License-Identifier: Apache-2.0
 *
 * holding: which partitions a worker has, from the group's assignment over the claim in the database to what is
 * read: lists that belong together and are replaced together. Part of the ingest thread; while a claim is under
 * way `claims` is the writer's. No I/O, no log.
 */
#ifndef TOKENTALLY_HOLDING_H
#define TOKENTALLY_HOLDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sink.h"
#include "source.h"

struct holding {
	/* What the group gave us, sorted by (topic, partition). */
	struct source_partition *assigned;
	size_t assigned_count;
	struct claim_partition *claims; /* claims[i] is about assigned[i] */
	bool *other_log;                /* seen of assigned[i]: not the log that was counted */
	/* What is read of it: without those in quarantine. Batches have one progress for each. next_offset is the
	 * committed one. */
	struct source_partition *held;
	const struct claim_partition **held_claims;
	size_t held_count;
	/* Offsets as we committed them last, kept over claims: to notice a database that went back. */
	struct source_partition *known;
	size_t known_count;
};

void holding_release(struct holding *holding);
/* count 0: nothing is ours any more. */
void holding_assign(struct holding *holding, const struct source_partition *partitions, size_t count);
/* Claims for all that is assigned, to be answered by the writer. */
struct claim_partition *holding_ask(struct holding *holding);
/* Takes the answered claims; returns how many partitions are in quarantine. */
size_t holding_take(struct holding *holding);
/* Reads nothing until the next holding_take. */
void holding_stop(struct holding *holding);
/* What is held is committed up to these offsets, one for each held partition. */
void holding_remember(struct holding *holding);
/* The offset up to which we had committed this partition; -1: not known to us. */
int64_t holding_known_offset(const struct holding *holding, const struct claim_partition *claim);
/* The next claim will put this held partition into quarantine. */
void holding_mark_other_log(struct holding *holding, size_t held_index);

#endif
