/* SPDX-License-Identifier: Apache-2.0
 *
 * source: one member of the Kafka consumer group. The only place with rdkafka.h and the only one that knows
 * Kafka's codes. It gets its starting offsets as an argument (the database is the truth) and keeps none.
 *
 * Chosen for librdkafka 2.0.2 (research of the changelog up to 2.16): eager assignment (cooperative-sticky
 * lost assignments), one message a poll (consume_batch could skip offsets), offsets into assign and never
 * seek (seek's timeout was wrong by 1000), close by queue with a deadline (consumer_close can hang without a
 * broker, issue #4519). Assignment is deferred: the callback assigns nothing and returns; source_start
 * assigns later, when the claim is through (issue #2190 is about assign and pause at once).
 *
 * All functions are called by the ingest thread, except source_watermarks and source_is_reachable, which any
 * thread may call, and source_check_marks, which is the writer's. The log callback comes from librdkafka's threads.
 */
#ifndef TOKENTALLY_SOURCE_H
#define TOKENTALLY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "options.h"
#include "text.h"

struct source_partition {
	const char *topic; /* of the options; lives as long as they do */
	int32_t partition;
	int64_t next_offset; /* for source_start and source_commit_async */
};

struct source_callbacks {
	void *ctx;
	/* Called inside source_poll and source_close. The list is sorted by (topic, partition). */
	void (*assigned)(void *ctx, const struct source_partition *partitions, size_t count);
	/* lost: the group gave them to somebody else already; nothing can be committed for them. */
	void (*revoked)(void *ctx, bool lost);
	/* level as of syslog(3). */
	void (*log)(int level, const char *text);
};

struct source;
/* queue_bytes: what librdkafka may hold unread. ERR_CONFIG: librdkafka refuses a setting. */
struct source *source_new(const struct options *options, size_t queue_bytes, const struct source_callbacks *callbacks,
			  struct err *err) ATTR_MUST_CHECK;
bool source_subscribe(struct source *source, struct err *err) ATTR_MUST_CHECK;

enum source_got {
	SOURCE_NOTHING,
	SOURCE_MESSAGE,
	SOURCE_END,          /* read to the end: position.next_offset is where the next message will be */
	SOURCE_OUT_OF_RANGE, /* this partition's position is not in the log (any more): claim anew to find out */
	SOURCE_FAILED,       /* err: RETRY = passing (librdkafka goes on by itself), CONFIG = refused, FATAL */
};

struct source_message {
	size_t index; /* of the partition, in the list given to source_start */
	int64_t offset, time_ms;
	struct span payload; /* data NULL: a tombstone */
	void *handle;
};

/* SOURCE_MESSAGE: valid until source_release. Messages of partitions not started are dropped. */
enum source_got source_poll(struct source *source, int timeout_ms, struct source_message *message,
			    struct err *err) ATTR_MUST_CHECK;
void source_release(struct source_message *message);

/* Reads these partitions from next_offset on; the list replaces any former one. count 0: reads nothing. */
bool source_start(struct source *source, const struct source_partition *partitions, size_t count,
		  struct err *err) ATTR_MUST_CHECK;
/* Back-pressure: stop fetching, stay in the group. Polling goes on and yields no messages. */
bool source_pause(struct source *source, struct err *err) ATTR_MUST_CHECK;
/* Goes on at the given positions (in the list's order). */
bool source_resume(struct source *source, struct err *err) ATTR_MUST_CHECK;

/* First and one past the last offset; asks the broker. ERR_RETRY after timeout_ms. */
bool source_watermarks(struct source *source, const char *topic, int32_t partition, int timeout_ms, int64_t *low,
		       int64_t *high, struct err *err) ATTR_MUST_CHECK;
/* A message that was counted: is it still there? */
struct source_mark {
	const char *topic;
	int32_t partition;
	int64_t offset; /* -1: nothing to check */
	int64_t time_ms;
	uint32_t checksum; /* of the payload, source_checksum */
	bool other;	   /* out: another message is in its place, or the log ends before it */
};
uint32_t source_checksum(struct span payload);
/* Reads those messages again, by a consumer of its own that is no member of the group. For the writer thread. What no
 * broker tells within timeout_ms, or what is gone by compaction or retention, is not `other`. */
void source_check_marks(struct source *source, struct source_mark *marks, size_t count, int timeout_ms);

/* One past the last offset as of the last fetch; -1 unknown. */
int64_t source_log_end(struct source *source, size_t index);
/* For ordinary lag tools only; failures do not matter and are not reported. */
void source_commit_async(struct source *source, const struct source_partition *partitions, size_t count);
/* False since all brokers are down, until one answers again. */
bool source_is_reachable(struct source *source);
/* Asks a broker anything; call it now and then while not reachable. */
void source_probe(struct source *source, int timeout_ms);

/* Leaves the group, or gives up at the deadline (monotonic); then only the process's end frees the rest. */
bool source_close(struct source *source, int64_t deadline_ms);

#endif
