/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics: what the process counts about itself, as atomics, and their Prometheus text (version
 * 0.0.4).
 *
 * One value per metric for the whole process; any thread may call anything here at any time. No
 * label ever holds the name of a user, team, model or topic: labels are the closed lists below.
 *
 * A gauge that several workers share (partitions, lag) is the sum of their shares: each moves its
 * own share with metric_share(), and gives it back with 0 when it ends.
 */
#ifndef TOKENTALLY_METRICS_H
#define TOKENTALLY_METRICS_H

#include <stdint.h>

#include "text.h"

enum metric {
	/* Records and messages, counted when they are read; a batch that is read again counts again
	 * here. What the database holds is the view ingest_progress. */
	METRIC_EVENTS_ACCEPTED,
	METRIC_RECORDS_DEAD, /* label: enum dead_reason */
	METRIC_RECORDS_DUPLICATE,
	METRIC_RECORDS_SKIPPED, /* label: enum skip_reason */
	METRIC_RECORDS_ROSTER,
	METRIC_RECORDS_FORMAT,	/* label: enum record_origin */
	METRIC_RECORDS_SUSPECT, /* label: enum suspect */
	METRIC_MESSAGES,
	METRIC_MESSAGE_BYTES,
	/* Commits */
	METRIC_COMMITS,
	METRIC_COMMIT_ROWS,	  /* label: enum commit_rows */
	METRIC_COMMIT_RETRIES,	  /* label: enum commit_retry */
	METRIC_COMMIT_TIME,	  /* histogram */
	METRIC_BATCHES_FORGOTTEN, /* label: enum batch_forgotten */
	/* Partitions */
	METRIC_CLAIMS,
	METRIC_CLAIM_TAKEOVERS,
	METRIC_CLAIMS_UNVERIFIED, /* partitions */
	METRIC_PARTITIONS_ASSIGNED,    /* gauge */
	METRIC_PARTITIONS_QUARANTINED, /* gauge */
	METRIC_LAG_MESSAGES,	       /* gauge */
	METRIC_PAUSED,		       /* gauge: workers that hold back */
	/* The other side */
	METRIC_KAFKA_ERRORS,
	METRIC_PG_CONNECTED, /* gauge: open connections */
	METRIC_PG_CONNECT_FAILURES,
	/* Memory and its bounds */
	METRIC_LIMIT_REACHED, /* label: enum limit */
	METRIC_WINDOW_BYTES,  /* gauge */
	METRIC_DEDUPE_IDS,    /* gauge */
	METRIC_NAMES_INTERNED,
	METRIC_RULES_BYTES, /* gauge */
	/* Titles */
	METRIC_TITLES_RUNS,	    /* label: enum titles_result */
	METRIC_TITLES_LAST_RUN,	    /* gauge: how long the last run took, us */
	METRIC_TITLES_LAST_SUCCESS, /* gauge: when the last good run ended, us since 1970 */
	/* The process */
	METRIC_LOG_DROPPED,
	METRICS
};

/* Which written rule said it: that it is no call, or that another source counts. */
enum skip_reason { SKIP_MAPPING, SKIP_SOURCE_RULE, SKIP_REASONS };

enum commit_rows {
	ROWS_HOUR,
	ROWS_MINUTE,
	ROWS_SESSION,
	ROWS_LATENCY,
	ROWS_DEAD,
	ROWS_DEDUPE,
	ROWS_SHADOW,
	COMMIT_ROWS
};

/* Why the same frozen batch was sent again, or (fenced, names, rules) given up for a new claim. */
enum commit_retry {
	COMMIT_RETRY_PASSING,
	COMMIT_RETRY_FENCED,
	COMMIT_RETRY_MISSING_PARTITION,
	COMMIT_RETRY_TIMEOUT,
	COMMIT_RETRY_NAMES,
	COMMIT_RETRY_RULES,
	COMMIT_RETRIES
};

enum batch_forgotten {
	FORGOTTEN_FENCED,
	FORGOTTEN_NAMES,
	FORGOTTEN_RULES,
	FORGOTTEN_COUNTED_ELSEWHERE,
	FORGOTTEN_OTHER_LOG,
	FORGOTTEN_HALVED,
	FORGOTTEN_REVOKED_LOST,
	FORGOTTEN_DATABASE_WENT_BACK,
	BATCH_FORGOTTEN
};

/* A bound that was met; what happened then (an early commit, an eviction, a pause) is the metric's
 * help. */
enum limit {
	LIMIT_WINDOW_ROWS,
	LIMIT_WINDOW_BYTES,
	LIMIT_MEMORY,
	LIMIT_DEDUPE_IDS,
	LIMIT_NAME_CACHE,
	LIMIT_DEAD_FOLD,
	LIMIT_MESSAGE_SIZE,
	LIMIT_RULES,
	LIMITS
};

enum titles_result { TITLES_OK, TITLES_FAILED, TITLES_SKIPPED, TITLES_RESULTS };

/* Sets everything to 0. version: must stay valid. Before any other thread is started. */
void metrics_init(const char *version, int64_t process_start_us);

/* For a counter or gauge without label. A counter's n is never negative. Hot loops add once a
 * batch. */
void metric_add(enum metric metric, int64_t n);
void metric_set(enum metric metric, int64_t value);
/* index: of the enum named at the metric. */
void metric_add_label(enum metric metric, unsigned index, int64_t n);
/* For the histogram. */
void metric_observe(enum metric metric, int64_t duration_us);
/* Makes *share, one worker's part of a gauge, the given value. */
void metric_share(enum metric metric, int64_t *share, int64_t value);

/* The present value; 0 is the index of a metric without label. For tests and the status line. */
int64_t metric_value(enum metric metric, unsigned index);

/* Adds the whole text; buf->truncated tells whether it had room. METRICS_BYTES_MAX is enough. */
#define METRICS_BYTES_MAX (64 * 1024)
void metrics_render(struct buf *buf);

#endif
