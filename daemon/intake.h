/* SPDX-License-Identifier: Apache-2.0
 *
 * intake: one Kafka message into the live batch: every record of it becomes an event in the window, a dead
 * letter, a duplicate or skipped, and the partition's position moves past it. Part of the ingest thread; no
 * I/O, no log; the clock is an argument.
 */
#ifndef TOKENTALLY_INTAKE_H
#define TOKENTALLY_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "dedupe.h"
#include "options.h"
#include "rules.h"
#include "source.h"

struct intake;
struct mappings;
/* dedupe_ids 0: every event counts, whatever its id. */
struct intake *intake_new(const struct options *options, const struct mappings *mappings, size_t dedupe_ids);
/* From any thread: other mappings, from the next message on. They must outlive the intake. */
void intake_reload(struct intake *intake, const struct mappings *mappings);
void intake_free(struct intake *intake);
struct dedupe *intake_dedupe(struct intake *intake); /* NULL: off. For the claim to load */
struct rules *intake_rules(struct intake *intake);   /* the same */

/* The partitions of the assignment; indexes of intake_add refer to them. times_ms: of the last message that was
 * counted of each, below 0 where there is none. */
void intake_begin(struct intake *intake, const struct source_partition *partitions, const int64_t *times_ms,
		  size_t count);
/* The last message that was counted of a partition, which is read once more: whoever comes back to another log than the
 * one it left (a topic made anew) must neither skip nor count again (promise P9). */
void intake_expect(struct intake *intake, size_t index, int64_t last_offset, int64_t last_time_ms, uint32_t last_checksum);
enum intake_check {
	INTAKE_AS_EXPECTED, /* or nothing is expected (any more) */
	INTAKE_UNVERIFIED,  /* the message is gone, by compaction say; others follow */
	INTAKE_OTHER_LOG,
};
/* Before intake_add: is this the log we know? */
enum intake_check intake_check(struct intake *intake, const struct source_message *message);
/* Nothing was there to check: true once for a partition that was expected to have something. */
bool intake_check_end(struct intake *intake, size_t index);
/* False: a sum of the window would leave int64, and the batch is unusable now: forget it, read again with fewer
 * messages a batch. With one message a batch: intake_refuse it. A message behind the position is dropped. */
bool intake_add(struct intake *intake, struct batch *batch, const struct source_message *message,
		int64_t now_us) ATTR_MUST_CHECK;
/* The log is read up to next_offset, past records that are no messages (transaction markers). */
void intake_end_reached(struct intake *intake, struct batch *batch, size_t index, int64_t next_offset);
/* When this message is read again it becomes one dead letter: the database can't take it. */
void intake_refuse(struct intake *intake, const char *topic, int32_t partition, int64_t offset, const char *why);
/* At a freeze: forgets ids that the messages to come can't meet any more. Returns the message time before which the
 * database may forget them too; INT64_MIN: none. */
int64_t intake_expire(struct intake *intake, const struct batch *batch, int64_t now_us);

#endif
