/* SPDX-License-Identifier: Apache-2.0
 *
 * dedupe: which event ids were counted, and at what Kafka message time. An id seen again within the window
 * (absolute distance of the two message times <= window_ms) is a duplicate. Ids are 64-bit fingerprints
 * (XXH3): with n ids in the set a new id is wrongly taken for a duplicate with probability n / 2^64.
 * Pure: no clock, no I/O; all times are message times in ms, so a replay gives the same answers.
 *
 * Blocks are how a commit stores ids in the database: 12 bytes an id, little-endian: u64 fingerprint, i32
 * distance in ms from the block's base_ms. See sql/README.md, dedupe_block.
 */
#ifndef TOKENTALLY_DEDUPE_H
#define TOKENTALLY_DEDUPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

uint64_t dedupe_fingerprint(struct span event_id);

struct dedupe;
/* ids_max bounds the set; when it is full the oldest ids by message time make room (dedupe_evicted counts). */
struct dedupe *dedupe_new(int64_t window_ms, size_t ids_max);
void dedupe_free(struct dedupe *dedupe);
void dedupe_clear(struct dedupe *dedupe); /* forget everything: before a claim reads blocks anew */

/* True: new, and remembered as counted at time_ms. False: a duplicate; the set is unchanged. */
bool dedupe_add(struct dedupe *dedupe, uint64_t fingerprint, int64_t time_ms);
/* Ids that can no longer meet a message at or after time_ms - window may be forgotten. */
void dedupe_expire(struct dedupe *dedupe, int64_t time_ms);
size_t dedupe_count(const struct dedupe *dedupe);
size_t dedupe_bytes(const struct dedupe *dedupe);
uint64_t dedupe_evicted(const struct dedupe *dedupe); /* forgotten for lack of room, since new */

/* Adds what another worker has counted. *met becomes true when one of these ids is in the set already, within the
 * window: we have counted it as well, in a batch that must be forgotten now. False: as above. */
bool dedupe_merge(struct dedupe *dedupe, int64_t base_ms, struct span ids, bool *met) ATTR_MUST_CHECK;

/* dedupe_log: the ids one partition counted since the last commit, in order, to be stored as blocks. */
struct dedupe_block {
	int64_t base_ms, t_min_ms, t_max_ms;
	uint32_t count;
	const unsigned char *ids; /* count * 12 bytes */
};
struct dedupe_log;
struct dedupe_log *dedupe_log_new(void);
void dedupe_log_free(struct dedupe_log *log);
void dedupe_log_clear(struct dedupe_log *log);
void dedupe_log_add(struct dedupe_log *log, uint64_t fingerprint, int64_t time_ms);
size_t dedupe_log_bytes(const struct dedupe_log *log);
/* The packed blocks: one, or more when the times are further apart than 32 bits of ms reach. */
size_t dedupe_log_blocks(const struct dedupe_log *log);
struct dedupe_block dedupe_log_block(const struct dedupe_log *log, size_t index);

/* Adds a stored block to the set (no duplicate check: it was counted). False: its length is not count * 12. */
bool dedupe_load(struct dedupe *dedupe, int64_t base_ms, struct span ids) ATTR_MUST_CHECK;

#endif
