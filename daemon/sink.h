/* SPDX-License-Identifier: Apache-2.0
 *
 * sink: the database as the daemon needs it: the claim of partitions, the commit of a batch as one statement,
 * and the small statements around them. It knows the SQL functions (sql/functions/ingest_*.sql) and their
 * types, and nothing of Kafka or threads. It never logs and never retries: the writer decides.
 *
 * A commit may be sent again as often as one likes with the same batch: the function answers "already
 * committed" when an earlier try had come through, so an answer that got lost does no harm.
 */
#ifndef TOKENTALLY_SINK_H
#define TOKENTALLY_SINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "err.h"
#include "options.h"
#include "pg.h"
#include "rules.h"

struct mappings;

struct sink;
/* records_privacy: this one tells the database what the configuration says about privacy (one a process does, so
 * that a worker's reconnect does not bring back what a reload has changed). */
struct sink *sink_new(const struct options *options, const char *application_name, size_t name_cache_bytes,
		      size_t session_cache_bytes, bool records_privacy);
void sink_free(struct sink *sink);
/* For statements that are not ingest's; connected by sink_connect. */
struct pg *sink_pg(struct sink *sink);
/* After a reload: the next sink_connect says hello again. */
void sink_use_options(struct sink *sink, const struct options *options);
/* After a reload: another privacy.key (NULL: none) is in use as soon as the database is its own, the former until then. */
void sink_use_key(struct sink *sink, const char *key);
/* Such a key was refused by the last hello. */
bool sink_awaits_rekey(const struct sink *sink);
/* See pg_set_stop. */
void sink_set_stop(struct sink *sink, const atomic_bool *stop);
/* Connects when needed and then makes sure of schema version, privacy key and type ids. */
bool sink_connect(struct sink *sink, struct err *err) ATTR_MUST_CHECK;
bool sink_is_connected(const struct sink *sink);
enum pg_problem sink_problem(const struct sink *sink);
void sink_disconnect(struct sink *sink);
/* Which side of a mismatch: forget names and generation; the next connect reads them again. */
void sink_forget_names(struct sink *sink);

struct claim_partition {
	const char *topic;
	int32_t partition;
	int64_t start_offset; /* in: where a partition without a row begins */
	bool other_log;       /* in: it was seen that the log is not the one we counted */
	int64_t low_offset;   /* out: the first that Kafka has. All below are out, too */
	int64_t next_offset;
	int64_t last_offset, last_time_ms;
	uint32_t last_crc;
	bool quarantined;
};

/* Which of the topics have any row: known[i] for topics[i]. */
bool sink_known_topics(struct sink *sink, const char *const *topics, size_t count, bool *known,
		       struct err *err) ATTR_MUST_CHECK;
/* Makes this sink the owner of the partitions (sorted by topic, partition). A claim makes what another owner
 * still wants to commit invalid. ERR_RETRY with PG_PROBLEM_LOCKED: an owner holds the rows; see sink_take_over. */
bool sink_claim(struct sink *sink, struct claim_partition *partitions, size_t count, struct err *err) ATTR_MUST_CHECK;
/* Ends the recorded owners' backends (same pid and same start). Sets *ended to how many. */
bool sink_take_over(struct sink *sink, const struct claim_partition *partitions, size_t count, int *ended,
		    struct err *err) ATTR_MUST_CHECK;
bool sink_quarantine(struct sink *sink, const struct claim_partition *partition, const char *reason,
		     struct err *err) ATTR_MUST_CHECK;
/* Loads the ids that may still meet a duplicate into the set, of all partitions: the newest ids_max, so that the answer
 * has a bound. */
bool sink_load_dedupe(struct sink *sink, int64_t ids_max, struct dedupe *dedupe, struct err *err) ATTR_MUST_CHECK;
/* The ids that other workers have counted since the load or the last read; rows is the caller's then. What was read
 * must go into the set (sink_merge_ids) before the next commit, which relies on it. */
bool sink_read_ids(struct sink *sink, struct pg_result **rows, struct err *err) ATTR_MUST_CHECK;
/* *met: one of them is in the set already, see dedupe_merge. rows may be NULL. */
bool sink_merge_ids(const struct pg_result *rows, struct dedupe *dedupe, bool *met) ATTR_MUST_CHECK;

/* See sink_rules.h. A commit says which generation its events were looked up in: that of the last read. */
bool sink_read_rules(struct sink *sink, struct rules *rules, int64_t now_us, size_t bytes_max,
		     struct err *err) ATTR_MUST_CHECK;
/* The formats this process reads, so that source rules may name them. */
bool sink_tell_sources(struct sink *sink, const struct mappings *mappings, struct err *err) ATTR_MUST_CHECK;

struct sink_rows {
	size_t hours, minutes, sessions, latencies, dead, dedupe, shadows;
};
/* minute_from_us: older minutes go into the hourly rollups only. ERR_FENCED with PG_PROBLEM_COUNTED_ELSEWHERE: the
 * batch holds an event that another worker has counted since the ids were read; with PG_PROBLEM_RULES: the rules are
 * others since they were read. */
bool sink_commit(struct sink *sink, const struct batch *batch, int64_t minute_from_us, struct sink_rows *rows,
		 struct err *err) ATTR_MUST_CHECK;

/* Partitions of all tables, from the oldest event taken to some time ahead. */
bool sink_ensure_partitions(struct sink *sink, const struct options *options, int64_t now_us, int *made,
			    struct err *err) ATTR_MUST_CHECK;

#endif
