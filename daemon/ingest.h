/* SPDX-License-Identifier: Apache-2.0
 *
 * ingest: the path of an event: source -> decode -> dedupe -> window -> (frozen batch) -> writer, for one worker,
 * and what each kind of answer does to it. This is where the commit protocol of docs/ARCHITECTURE.md is
 * followed, steps 1, 4, 5, 8 and 9; the writer has 2, 3, 6 and 7.
 *
 * An ingest object belongs to the thread that calls ingest_run. ingest_reload, ingest_turns and ingest_report are
 * for any thread.
 */
#ifndef TOKENTALLY_INGEST_H
#define TOKENTALLY_INGEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "options.h"

struct ingest_limits {
	size_t queue_bytes;      /* librdkafka's unread messages */
	size_t window_bytes;     /* of one batch; there are two, and as much again while one is sent */
	size_t rules_bytes;      /* teams of people and source rules, out of the windows' share */
	size_t dedupe_ids;       /* 0: no dedupe */
	size_t name_cache_bytes; /* names and their ids */
	size_t session_cache_bytes;
};
/* Shares one worker's part of ingest.memory_max out. */
struct ingest_limits ingest_limits_of(const struct options *options, size_t worker_bytes);

struct ingest;
struct mappings;
/* options and mappings must outlive it. */
struct ingest *ingest_new(const struct options *options, const struct mappings *mappings,
			  const struct ingest_limits *limits, int number, struct err *err) ATTR_MUST_CHECK;
/* From any thread: ingest.flush_interval and retention.minute take effect with the next batch, mappings with the next
 * message. */
void ingest_reload(struct ingest *ingest, const struct options *options, const struct mappings *mappings);
/* Runs until *stop_at_ms (monotonic; 0 = not yet) is set, then commits, leaves the group and returns true before
 * that deadline. False: err says why the process should end. */
bool ingest_run(struct ingest *ingest, const _Atomic int64_t *stop_at_ms, struct err *err) ATTR_MUST_CHECK;
/* After ingest_run: false when the writer or the consumer did not end in time. Then only the process's end frees them. */
bool ingest_is_closed(const struct ingest *ingest);
/* After ingest_run. */
void ingest_free(struct ingest *ingest);

/* Rises as long as the loop turns: what a watchdog looks at. */
uint64_t ingest_turns(const struct ingest *ingest);
/* Adds a line for each reason why this worker is not ready. */
void ingest_report(const struct ingest *ingest, struct buf *reasons);

#endif
