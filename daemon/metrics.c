/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics: one table says name, type, label and help; the values are an array of atomics beside it.
 * Relaxed order everywhere: each value stands for itself, and a scrape is no snapshot.
 */
#include "autoconf.h"

#include "metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>

#include "event.h"

#define PREFIX "tokentally_"
#define LABELS_MAX 16
#define US_PER_SECOND_DOUBLE 1e6
_Static_assert(DEAD_REASONS <= LABELS_MAX && LIMITS <= LABELS_MAX, "a label list outgrew its room");

enum metric_type { COUNTER, GAUGE, GAUGE_US, HISTOGRAM };

struct metric_def {
	const char *name; /* without prefix */
	enum metric_type type;
	const char *label;	   /* NULL: none */
	const char *const *values; /* of the label; NULL: see value_name() */
	unsigned value_count;
	const char *help;
};

static const char *const skip_reasons[SKIP_REASONS] = {
	[SKIP_MAPPING] = "mapping",
	[SKIP_SOURCE_RULE] = "source_rule",
};
static const char *const row_kinds[COMMIT_ROWS] = {
	[ROWS_HOUR] = "hour",	    [ROWS_MINUTE] = "minute", [ROWS_SESSION] = "session",
	[ROWS_LATENCY] = "latency", [ROWS_DEAD] = "dead",     [ROWS_DEDUPE] = "dedupe",
	[ROWS_SHADOW] = "shadow",
};
static const char *const retry_kinds[COMMIT_RETRIES] = {
	[COMMIT_RETRY_PASSING] = "retry",
	[COMMIT_RETRY_FENCED] = "fenced",
	[COMMIT_RETRY_MISSING_PARTITION] = "missing_partition",
	[COMMIT_RETRY_TIMEOUT] = "timeout",
	[COMMIT_RETRY_NAMES] = "names",
	[COMMIT_RETRY_RULES] = "rules",
};
static const char *const forgotten_reasons[BATCH_FORGOTTEN] = {
	[FORGOTTEN_FENCED] = "fenced",
	[FORGOTTEN_NAMES] = "names",
	[FORGOTTEN_RULES] = "rules",
	[FORGOTTEN_COUNTED_ELSEWHERE] = "counted_elsewhere",
	[FORGOTTEN_OTHER_LOG] = "other_log",
	[FORGOTTEN_HALVED] = "halved",
	[FORGOTTEN_REVOKED_LOST] = "revoked_lost",
	[FORGOTTEN_DATABASE_WENT_BACK] = "database_went_back",
};
static const char *const limit_names[LIMITS] = {
	[LIMIT_WINDOW_ROWS] = "window_rows",
	[LIMIT_WINDOW_BYTES] = "window_bytes",
	[LIMIT_MEMORY] = "memory",
	[LIMIT_DEDUPE_IDS] = "dedupe_ids",
	[LIMIT_NAME_CACHE] = "name_cache",
	[LIMIT_DEAD_FOLD] = "dead_fold",
	[LIMIT_MESSAGE_SIZE] = "message_size",
	[LIMIT_RULES] = "rules",
};
static const char *const titles_results[TITLES_RESULTS] = {
	[TITLES_OK] = "ok",
	[TITLES_FAILED] = "failed",
	[TITLES_SKIPPED] = "skipped",
};

/* The first fields of a definition; the help follows. */
#define COUNT(name) name, COUNTER, NULL, NULL, 1
#define COUNT_BY(name, label, values, count) name, COUNTER, label, values, count
#define LEVEL(name) name, GAUGE, NULL, NULL, 1
#define LEVEL_US(name) name, GAUGE_US, NULL, NULL, 1
#define DURATIONS(name) name, HISTOGRAM, NULL, NULL, 1

static const struct metric_def defs[METRICS] = {
	[METRIC_EVENTS_ACCEPTED] = { COUNT("events_accepted_total"),
				     "Records read that were valid calls." },
	[METRIC_RECORDS_DEAD] = { COUNT_BY("records_dead_total", "reason", NULL, DEAD_REASONS),
				  "Records read that became dead letters." },
	[METRIC_RECORDS_DUPLICATE] = { COUNT("records_duplicate_total"),
				       "Records read whose event_id was already counted." },
	[METRIC_RECORDS_SKIPPED] = { COUNT_BY("records_skipped_total", "rule", skip_reasons,
					      SKIP_REASONS),
				     "Records read that a written rule keeps out of the rollups: a "
				     "mapping's says that they are not calls, a source rule that "
				     "another source counts." },
	[METRIC_RECORDS_ROSTER] = { COUNT("records_roster_total"),
				    "Calls read without a team that got the one of their person." },
	[METRIC_RECORDS_FORMAT] = { COUNT_BY("records_format_total", "format", NULL, RECORD_ORIGINS),
				    "Records read, by the format they were found to be of; mapping "
				    "means a mapping file of your own." },
	[METRIC_RECORDS_SUSPECT] = { COUNT_BY("records_suspect_total", "reason", NULL, SUSPECTS),
				     "Records whose token counters did not add up and were mended." },
	[METRIC_MESSAGES] = { COUNT("messages_total"), "Kafka messages read." },
	[METRIC_MESSAGE_BYTES] = { COUNT("message_bytes_total"),
				   "Payload bytes of the Kafka messages read." },
	[METRIC_COMMITS] = { COUNT("commits_total"), "Batches committed to PostgreSQL." },
	[METRIC_COMMIT_ROWS] = { COUNT_BY("commit_rows_total", "kind", row_kinds, COMMIT_ROWS),
				 "Rows sent in committed batches; dedupe counts blocks." },
	[METRIC_COMMIT_RETRIES] = { COUNT_BY("commit_retries_total", "kind", retry_kinds,
					     COMMIT_RETRIES),
				    "Commits that did not succeed at once, by cause." },
	[METRIC_COMMIT_TIME] = { DURATIONS("commit_seconds"),
				 "Time from sending a batch to the database's answer." },
	[METRIC_BATCHES_FORGOTTEN] = { COUNT_BY("batches_forgotten_total", "reason",
						forgotten_reasons, BATCH_FORGOTTEN),
				       "Batches dropped from memory to be read again from Kafka." },
	[METRIC_CLAIMS] = { COUNT("claims_total"), "Claims of partitions in the database." },
	[METRIC_CLAIM_TAKEOVERS] = { COUNT("claim_takeovers_total"),
				     "Claims that had to end another owner's connection." },
	[METRIC_CLAIMS_UNVERIFIED] = { COUNT("partitions_unverified_total"),
				       "Partitions taken up without seeing their last counted message again: "
				       "Kafka has it no longer." },
	[METRIC_PARTITIONS_ASSIGNED] = { LEVEL("partitions_assigned"),
					 "Partitions this process reads." },
	[METRIC_PARTITIONS_QUARANTINED] = { LEVEL("partitions_quarantined"),
					    "Partitions that were stopped because Kafka and the "
					    "database disagree." },
	[METRIC_LAG_MESSAGES] = { LEVEL("lag_messages"), "Messages between the committed offsets "
							 "and the ends of the partitions." },
	[METRIC_PAUSED] = { LEVEL("paused"),
			    "Workers that hold back because memory or PostgreSQL does." },
	[METRIC_KAFKA_ERRORS] = { COUNT("kafka_errors_total"), "Errors reported by librdkafka." },
	[METRIC_PG_CONNECTED] = { LEVEL("pg_connected"), "Open connections to PostgreSQL." },
	[METRIC_PG_CONNECT_FAILURES] = { COUNT("pg_connect_failures_total"),
					 "Connections to PostgreSQL that failed to open." },
	[METRIC_LIMIT_REACHED] = { COUNT_BY("limit_reached_total", "limit", limit_names, LIMITS),
				   "Times a bound was met: an early commit, a pause, an "
				   "eviction or a dead letter." },
	[METRIC_WINDOW_BYTES] = { LEVEL("window_bytes"),
				  "Memory of the windows being filled or committed." },
	[METRIC_DEDUPE_IDS] = { LEVEL("dedupe_ids"), "Event ids remembered." },
	[METRIC_NAMES_INTERNED] = { COUNT("names_interned_total"),
				    "Names looked up or made in the database, not found in "
				    "memory." },
	[METRIC_RULES_BYTES] = { LEVEL("rules_bytes"),
				 "Memory of teams of people and source rules, of all workers." },
	[METRIC_TITLES_RUNS] = { COUNT_BY("titles_runs_total", "result", titles_results,
					  TITLES_RESULTS),
				 "Runs of the titles; skipped means another process had it." },
	[METRIC_TITLES_LAST_RUN] = { LEVEL_US("titles_last_run_seconds"),
				     "How long the last run of the titles took." },
	[METRIC_TITLES_LAST_SUCCESS] = { LEVEL_US("titles_last_success_timestamp_seconds"),
					 "When the last good run of the titles ended." },
	[METRIC_LOG_DROPPED] = { COUNT("log_dropped_total"),
				 "Log lines dropped because stderr did not take them." },
};

/* Upper bounds of the histogram's buckets; a last one has no bound. */
static const double bounds_seconds[] = {
	0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30
};
#define BOUNDS (sizeof bounds_seconds / sizeof bounds_seconds[0])

/* Aligned so that two metrics never share a cache line. */
static _Alignas(64) _Atomic int64_t values[METRICS][LABELS_MAX];
static struct {
	_Atomic int64_t buckets[BOUNDS + 1];
	_Atomic int64_t sum_us;
} histogram;
static const char *build_version = "unknown";
static int64_t start_us;

void metrics_init(const char *version, int64_t process_start_us)
{
	for (unsigned metric = 0; metric < METRICS; metric++)
		for (unsigned index = 0; index < LABELS_MAX; index++)
			atomic_store_explicit(&values[metric][index], 0, memory_order_relaxed);
	for (unsigned bucket = 0; bucket <= BOUNDS; bucket++)
		atomic_store_explicit(&histogram.buckets[bucket], 0, memory_order_relaxed);
	atomic_store_explicit(&histogram.sum_us, 0, memory_order_relaxed);
	build_version = version;
	start_us = process_start_us;
}

void metric_add_label(enum metric metric, unsigned index, int64_t n)
{
	assert(metric < METRICS && index < defs[metric].value_count &&
	       defs[metric].type != HISTOGRAM);
	atomic_fetch_add_explicit(&values[metric][index], n, memory_order_relaxed);
}

void metric_add(enum metric metric, int64_t n)
{
	assert(!defs[metric].label);
	metric_add_label(metric, 0, n);
}

void metric_set(enum metric metric, int64_t value)
{
	assert(metric < METRICS && (defs[metric].type == GAUGE || defs[metric].type == GAUGE_US));
	atomic_store_explicit(&values[metric][0], value, memory_order_relaxed);
}

void metric_share(enum metric metric, int64_t *share, int64_t value)
{
	metric_add(metric, value - *share);
	*share = value;
}

void metric_observe(enum metric metric, int64_t duration_us)
{
	unsigned bucket = 0;

	assert(metric < METRICS && defs[metric].type == HISTOGRAM);
	while (bucket < BOUNDS &&
	       (double)duration_us > bounds_seconds[bucket] * US_PER_SECOND_DOUBLE)
		bucket++;
	atomic_fetch_add_explicit(&histogram.buckets[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&histogram.sum_us, duration_us, memory_order_relaxed);
}

static int64_t histogram_count(void)
{
	int64_t count = 0;

	for (unsigned bucket = 0; bucket <= BOUNDS; bucket++)
		count += atomic_load_explicit(&histogram.buckets[bucket], memory_order_relaxed);
	return count;
}

int64_t metric_value(enum metric metric, unsigned index)
{
	assert(metric < METRICS && index < defs[metric].value_count);
	if (defs[metric].type == HISTOGRAM)
		return histogram_count();
	return atomic_load_explicit(&values[metric][index], memory_order_relaxed);
}

static void render_histogram(struct buf *buf, const char *name)
{
	int64_t below = 0;

	for (unsigned bucket = 0; bucket < BOUNDS; bucket++) {
		below += atomic_load_explicit(&histogram.buckets[bucket], memory_order_relaxed);
		buf_addf(buf, PREFIX "%s_bucket{le=\"%g\"} %" PRId64 "\n", name,
			 bounds_seconds[bucket], below);
	}
	/* The count is made of the same loads, so that it never is less than a bucket. */
	below += atomic_load_explicit(&histogram.buckets[BOUNDS], memory_order_relaxed);
	buf_addf(buf, PREFIX "%s_bucket{le=\"+Inf\"} %" PRId64 "\n", name, below);
	buf_addf(buf, PREFIX "%s_sum %.6f\n", name,
		 (double)atomic_load_explicit(&histogram.sum_us, memory_order_relaxed) /
		     US_PER_SECOND_DOUBLE);
	buf_addf(buf, PREFIX "%s_count %" PRId64 "\n", name, below);
}

/* What the label says for an index of the metric's enum. */
static const char *value_name(enum metric metric, unsigned index)
{
	if (defs[metric].values)
		return defs[metric].values[index];
	if (metric == METRIC_RECORDS_FORMAT)
		return record_origin_name((enum record_origin)index);
	if (metric == METRIC_RECORDS_SUSPECT)
		return suspect_name((enum suspect)index);
	return dead_reason_name((enum dead_reason)index);
}

static void render_labels(struct buf *buf, enum metric metric)
{
	const struct metric_def *def = &defs[metric];

	for (unsigned index = 0; index < def->value_count; index++)
		buf_addf(buf, PREFIX "%s{%s=\"%s\"} %" PRId64 "\n", def->name, def->label,
			 value_name(metric, index), metric_value(metric, index));
}

static void render_metric(struct buf *buf, enum metric metric)
{
	static const char *const type_names[] = { [COUNTER] = "counter",
						  [GAUGE] = "gauge",
						  [GAUGE_US] = "gauge",
						  [HISTOGRAM] = "histogram" };
	const struct metric_def *def = &defs[metric];

	buf_addf(buf, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", def->name, def->help,
		 def->name, type_names[def->type]);
	if (def->type == HISTOGRAM)
		render_histogram(buf, def->name);
	else if (def->label)
		render_labels(buf, metric);
	else if (def->type == GAUGE_US)
		buf_addf(buf, PREFIX "%s %.6f\n", def->name,
			 (double)metric_value(metric, 0) / US_PER_SECOND_DOUBLE);
	else
		buf_addf(buf, PREFIX "%s %" PRId64 "\n", def->name, metric_value(metric, 0));
}

void metrics_render(struct buf *buf)
{
	for (unsigned metric = 0; metric < METRICS; metric++)
		render_metric(buf, (enum metric)metric);
	buf_addf(buf,
		 "# HELP " PREFIX "build_info The version that runs.\n# TYPE " PREFIX
		 "build_info gauge\n" PREFIX "build_info{version=\"%s\"} 1\n",
		 build_version);
	/* The one name without our prefix: every Prometheus dashboard knows it. */
	buf_addf(buf,
		 "# HELP process_start_time_seconds When the process started, since 1970.\n"
		 "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %.3f\n",
		 (double)start_us / US_PER_SECOND_DOUBLE);
}
