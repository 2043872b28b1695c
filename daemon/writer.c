/* SPDX-License-Identifier: Apache-2.0
 *
 * writer: the thread, its one-place mailbox, and what each kind of failure means for a commit or a claim
 * (docs/ARCHITECTURE.md, "Commit protocol", steps 2, 3, 6 and 8).
 */
#include "autoconf.h"

#include "writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "log.h"
#include "mem.h"
#include "metrics.h"
#include "period.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 10000
#define WATERMARK_TIMEOUT_MS 5000
#define TIMEOUTS_BEFORE_HALVING 2
#define LOG_CHECK_EVERY_MS 1000 /* no topic is deleted, made again and filled in less */
#define LOG_CHECK_TIMEOUT_MS 2000

enum mailbox { MAILBOX_EMPTY, MAILBOX_JOB, MAILBOX_RESULT };

struct writer {
	const struct options *options;
	struct source *source;
	struct sink *sink;
	int number;
	pthread_t thread;
	pthread_mutex_t lock; /* guards mailbox, job, result, ending */
	pthread_cond_t changed;
	enum mailbox mailbox;
	bool ending;
	struct writer_job job;
	struct writer_result result;
	atomic_bool abandon; /* pg looks at it while it waits */
	atomic_bool healthy;
	_Atomic int64_t retention_minute_ms;
	_Atomic(const struct options *) reloaded; /* NULL: the sink knows them */
	bool was_connected; /* once: later refusals of a password are passing trouble */
	int64_t connected_share, rules_share;
	int64_t log_checked_ms;
	bool other_log; /* found by the last check of the log */
	int timeouts; /* of the present batch, one after the other */
	int missing_tries; /* of the present batch: partitions missing although none had to be made */
	unsigned seed;
	int64_t backoff_ms;
};

/* Waits on the condition for at most ms; the lock is held. */
static void wait_changed(struct writer *writer, int64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&writer->changed, &writer->lock, &until);
}

/* Decorrelated jitter: between the minimum and three times the last wait. Ends early when abandoned. */
static void back_off(struct writer *writer, const struct err *err, const char *what)
{
	int64_t span_ms = 3 * writer->backoff_ms - BACKOFF_MIN_MS;
	int64_t wait_ms = BACKOFF_MIN_MS + rand_r(&writer->seed) % (span_ms > 0 ? span_ms + 1 : 1);
	int64_t until_ms;

	writer->backoff_ms = wait_ms < BACKOFF_MAX_MS ? wait_ms : BACKOFF_MAX_MS;
	log_warn("%s, trying again in %lld ms worker=%d step=%s", err->text, (long long)writer->backoff_ms,
		 writer->number, what);
	until_ms = now_monotonic_ms() + writer->backoff_ms;
	pthread_mutex_lock(&writer->lock);
	while (!atomic_load(&writer->abandon) && now_monotonic_ms() < until_ms)
		wait_changed(writer, until_ms - now_monotonic_ms());
	pthread_mutex_unlock(&writer->lock);
}

static void set_connected(struct writer *writer, bool connected)
{
	metric_share(METRIC_PG_CONNECTED, &writer->connected_share, connected);
}

static bool connect_sink(struct writer *writer, struct err *err)
{
	bool was = sink_is_connected(writer->sink);
	const struct options *reloaded = atomic_exchange(&writer->reloaded, NULL);

	if (reloaded)
		sink_use_key(writer->sink, reloaded->privacy_key);
	if (!sink_connect(writer->sink, err)) {
		set_connected(writer, sink_is_connected(writer->sink));
		metric_add(METRIC_PG_CONNECT_FAILURES, 1);
		/* A password is being changed, or pg_hba edited: data is safe in Kafka, so wait and alarm. */
		if (err->kind == ERR_CONFIG && writer->was_connected && !sink_is_connected(writer->sink))
			err->kind = ERR_RETRY;
		return false;
	}
	if (!was)
		log_info("connected to PostgreSQL worker=%d", writer->number);
	writer->was_connected = true;
	set_connected(writer, true);
	return true;
}

/* Kafka's bounds of each partition, and where one without a row in the database starts. */
static bool read_bounds(struct writer *writer, struct writer_job *job, int64_t *low, int64_t *high, struct err *err)
{
	for (size_t i = 0; i < job->partition_count; i++) {
		struct claim_partition *p = &job->partitions[i];
		bool known = true;

		if (writer->options->ingest_start == START_LATEST &&
		    !sink_known_topics(writer->sink, &p->topic, 1, &known, err))
			return false;
		if (!source_watermarks(writer->source, p->topic, p->partition, WATERMARK_TIMEOUT_MS, &low[i], &high[i],
				       err))
			return false;
		p->start_offset = known ? low[i] : high[i];
		p->low_offset = low[i];
		if (atomic_load(&writer->abandon))
			return err_set(err, ERR_RETRY, "given up");
	}
	return true;
}

static bool claim_rows(struct writer *writer, struct writer_job *job, struct err *err)
{
	struct err claim_err;
	int ended = 0;

	if (sink_claim(writer->sink, job->partitions, job->partition_count, err))
		return true;
	if (sink_problem(writer->sink) != PG_PROBLEM_LOCKED)
		return false;
	claim_err = *err;
	if (!sink_take_over(writer->sink, job->partitions, job->partition_count, &ended, err)) {
		/* Not allowed: another role's backend. Its lock may still go by itself. */
		if (err->kind == ERR_CONFIG)
			err->kind = ERR_RETRY;
		return false;
	}
	log_warn("another process held the partitions' rows, ended its %d database sessions, claiming again worker=%d",
		 ended, writer->number);
	metric_add(METRIC_CLAIM_TAKEOVERS, ended);
	*err = claim_err;
	return sink_claim(writer->sink, job->partitions, job->partition_count, err);
}

static bool quarantine(struct writer *writer, struct claim_partition *p, int64_t low, int64_t high, struct err *err)
{
	char reason[200];

	if (p->other_log)
		snprintf(reason, sizeof(reason), "the message at offset %lld is not the one counted there",
			 (long long)p->last_offset);
	else
		snprintf(reason, sizeof(reason), "our offset %lld is outside of the log, %lld to %lld",
			 (long long)p->next_offset, (long long)low, (long long)high);
	if (!sink_quarantine(writer->sink, p, reason, err))
		return false;
	p->quarantined = true;
	log_error("partition %s/%d is in quarantine and not read: %s. See 'tokentally offsets show'; "
		  "'tokentally offsets accept-reset %s %d' goes on worker=%d",
		  p->topic, (int)p->partition, reason, p->topic, (int)p->partition, writer->number);
	return true;
}

/* Promise P9: what Kafka does not have at our offset is neither skipped nor counted again, but stops. */
static bool check_bounds(struct writer *writer, struct writer_job *job, const int64_t *low, const int64_t *high,
			 struct err *err)
{
	for (size_t i = 0; i < job->partition_count; i++) {
		struct claim_partition *p = &job->partitions[i];
		bool fits = !p->other_log && p->next_offset >= low[i] && p->next_offset <= high[i];

		if (p->quarantined)
			log_info("partition %s/%d is still in quarantine worker=%d", p->topic, (int)p->partition,
				 writer->number);
		else if (!fits && !quarantine(writer, p, low[i], high[i], err))
			return false;
	}
	return true;
}

static bool claim(struct writer *writer, struct writer_job *job, struct err *err)
{
	CLEANUP(free_ptr) int64_t *low = xcalloc(job->partition_count + 1, sizeof(*low));
	CLEANUP(free_ptr) int64_t *high = xcalloc(job->partition_count + 1, sizeof(*high));

	if (!connect_sink(writer, err) || !read_bounds(writer, job, low, high, err) || !claim_rows(writer, job, err) ||
	    !check_bounds(writer, job, low, high, err) ||
	    !sink_read_rules(writer->sink, job->rules, now_wall_us(), job->rules_bytes_max, err))
		return false;
	metric_share(METRIC_RULES_BYTES, &writer->rules_share, (int64_t)rules_bytes(job->rules));
	if (job->dedupe) {
		dedupe_clear(job->dedupe);
		return sink_load_dedupe(writer->sink, job->dedupe_ids_max, job->dedupe, err);
	}
	return true;
}

/* Only to keep the set fresh: nothing is lost when it fails, the next commit compares again. */
static void read_ids(struct writer *writer)
{
	struct err err;

	if (writer->options->ingest_dedupe_window_ms && !sink_read_ids(writer->sink, &writer->result.ids, &err))
		log_debug("%s worker=%d", err.text, writer->number);
}

static void count_rows(const struct sink_rows *rows)
{
	metric_add(METRIC_COMMITS, 1);
	metric_add_label(METRIC_COMMIT_ROWS, ROWS_HOUR, (int64_t)rows->hours);
	metric_add_label(METRIC_COMMIT_ROWS, ROWS_MINUTE, (int64_t)rows->minutes);
	metric_add_label(METRIC_COMMIT_ROWS, ROWS_SESSION, (int64_t)rows->sessions);
	metric_add_label(METRIC_COMMIT_ROWS, ROWS_LATENCY, (int64_t)rows->latencies);
	metric_add_label(METRIC_COMMIT_ROWS, ROWS_DEAD, (int64_t)rows->dead);
	metric_add_label(METRIC_COMMIT_ROWS, ROWS_DEDUPE, (int64_t)rows->dedupe);
	metric_add_label(METRIC_COMMIT_ROWS, ROWS_SHADOW, (int64_t)rows->shadows);
}

/* Promise P9 while we run: a topic that is deleted and made again under us may have grown past our offset before the
 * consumer notices, and librdkafka 2.0.2 knows no topic ids. What was in the log before this batch must still be there
 * now; then all of the batch, which was read before now, is of that log. A broker that does not answer proves nothing,
 * and holds up nobody. */
static bool check_log(struct writer *writer, struct batch *batch, struct err *err)
{
	CLEANUP(free_ptr) struct source_mark *marks = xcalloc(batch->progress_count + 1, sizeof(*marks));
	int64_t now_ms = now_monotonic_ms();
	bool same = true;

	if (now_ms - writer->log_checked_ms < LOG_CHECK_EVERY_MS)
		return true;
	for (size_t i = 0; i < batch->progress_count; i++) {
		const struct batch_progress *p = &batch->progress[i];

		marks[i] = (struct source_mark){ p->topic, p->partition, p->to_offset > p->from_offset ? p->base_offset : -1,
						 p->base_time_ms, p->base_crc, false };
	}
	source_check_marks(writer->source, marks, batch->progress_count, LOG_CHECK_TIMEOUT_MS);
	writer->log_checked_ms = now_monotonic_ms();
	for (size_t i = 0; i < batch->progress_count; i++) {
		batch->progress[i].other_log = marks[i].other;
		same = same && !marks[i].other;
	}
	writer->other_log = !same;
	return same || err_set(err, ERR_FENCED, "a topic was made anew under us");
}

static bool commit(struct writer *writer, struct writer_job *job, struct err *err)
{
	int64_t minute_from_us = now_wall_us() - atomic_load(&writer->retention_minute_ms) * US_PER_MS;
	int64_t started_ms = now_monotonic_ms();
	struct sink_rows rows;

	if (!connect_sink(writer, err) || !check_log(writer, job->batch, err) ||
	    !sink_commit(writer->sink, job->batch, period_floor(minute_from_us, US_PER_DAY), &rows, err))
		return false;
	count_rows(&rows);
	metric_observe(METRIC_COMMIT_TIME, (now_monotonic_ms() - started_ms) * US_PER_MS);
	log_debug("batch committed worker=%d flush_seq=%lld messages=%lld hours=%zu minutes=%zu sessions=%zu dead=%zu "
		  "ms=%lld",
		  writer->number, (long long)job->batch->flush_seq, (long long)job->batch->messages, rows.hours,
		  rows.minutes, rows.sessions, rows.dead, (long long)(now_monotonic_ms() - started_ms));
	return true;
}

/* A table's partition for these events is not there yet. True: made, the same batch again at once. */
static bool make_partitions(struct writer *writer, struct err *err)
{
	int made = 0;

	metric_add_label(METRIC_COMMIT_RETRIES, COMMIT_RETRY_MISSING_PARTITION, 1);
	if (!sink_ensure_partitions(writer->sink, writer->options, now_wall_us(), &made, err))
		return false;
	if (made == 0 && ++writer->missing_tries > 2)
		return err_set(err, ERR_DATA, "no partition of a table takes an event of this batch");
	log_info("made %d missing partitions of tables, committing again worker=%d", made, writer->number);
	err->kind = ERR_NONE;
	return true;
}

/* What a failure means. True: an outcome for ingest; false: the same job again. */
static bool decide(struct writer *writer, struct err *err, enum writer_outcome *outcome)
{
	enum pg_problem problem = sink_problem(writer->sink);
	bool committing = writer->job.kind == JOB_COMMIT;

	*outcome = WRITER_FAILED;
	if (committing && problem == PG_PROBLEM_MISSING_PARTITION && make_partitions(writer, err))
		return false;
	writer->timeouts = problem == PG_PROBLEM_TIMEOUT ? writer->timeouts + 1 : 0;
	if (err->kind == ERR_FENCED) {
		*outcome = writer->other_log			    ? WRITER_OTHER_LOG :
			   problem == PG_PROBLEM_NAMES		    ? WRITER_NAMES :
			   problem == PG_PROBLEM_RULES		    ? WRITER_RULES :
			   problem == PG_PROBLEM_COUNTED_ELSEWHERE ? WRITER_COUNTED :
								     WRITER_FENCED;
		metric_add_label(METRIC_COMMIT_RETRIES,
				 problem == PG_PROBLEM_NAMES ? COMMIT_RETRY_NAMES :
				 problem == PG_PROBLEM_RULES ? COMMIT_RETRY_RULES :
							       COMMIT_RETRY_FENCED,
				 1);
		if (problem == PG_PROBLEM_NAMES)
			sink_forget_names(writer->sink);
		return true;
	}
	if (committing && (err->kind == ERR_DATA || writer->timeouts >= TIMEOUTS_BEFORE_HALVING)) {
		*outcome = WRITER_HALVE;
		return true;
	}
	if (err->kind == ERR_CONFIG || err->kind == ERR_FATAL)
		return true;
	metric_add_label(METRIC_COMMIT_RETRIES,
			 problem == PG_PROBLEM_TIMEOUT ? COMMIT_RETRY_TIMEOUT : COMMIT_RETRY_PASSING, committing);
	return false;
}

static bool run_once(struct writer *writer, struct writer_job *job, struct err *err)
{
	switch (job->kind) {
	case JOB_CLAIM:
		return claim(writer, job, err);
	case JOB_COMMIT:
		if (!commit(writer, job, err))
			return false;
		read_ids(writer);
		return true;
	case JOB_LOOK:
		source_check_marks(writer->source, job->marks, job->mark_count, LOG_CHECK_TIMEOUT_MS);
		/* With nothing to commit nobody else would notice that the database went back meanwhile. */
		if (!sink_is_connected(writer->sink))
			return err_set(err, ERR_FENCED, "the connection to PostgreSQL was lost");
		read_ids(writer);
		return true;
	}
	return true;
}

static void run_job(struct writer *writer)
{
	struct writer_job *job = &writer->job;
	struct writer_result *result = &writer->result;

	writer->backoff_ms = BACKOFF_MIN_MS;
	writer->timeouts = 0;
	writer->other_log = false;
	writer->missing_tries = 0;
	result->job = *job;
	result->ids = NULL;
	for (;;) {
		struct err *err = &result->err;
		bool ok = run_once(writer, job, err);

		atomic_store(&writer->healthy, ok || sink_is_connected(writer->sink));
		set_connected(writer, sink_is_connected(writer->sink));
		result->outcome = WRITER_DONE;
		if (ok || decide(writer, err, &result->outcome))
			return;
		result->outcome = WRITER_ABANDONED;
		if (atomic_load(&writer->abandon))
			return;
		if (err->kind != ERR_NONE)
			back_off(writer, err, job->kind == JOB_CLAIM ? "claim" : "commit");
	}
}

static void *run(void *arg)
{
	struct writer *writer = arg;

	pthread_mutex_lock(&writer->lock);
	while (!writer->ending) {
		if (writer->mailbox != MAILBOX_JOB) {
			pthread_cond_wait(&writer->changed, &writer->lock);
			continue;
		}
		pthread_mutex_unlock(&writer->lock);
		run_job(writer);
		pthread_mutex_lock(&writer->lock);
		writer->mailbox = MAILBOX_RESULT;
		pthread_cond_broadcast(&writer->changed);
	}
	pthread_mutex_unlock(&writer->lock);
	return NULL;
}

struct writer *writer_new(const struct options *options, struct source *source, int number, size_t name_cache_bytes,
			  size_t session_cache_bytes)
{
	struct writer *writer = xcalloc(1, sizeof(*writer));
	pthread_condattr_t attr;
	char name[64];

	writer->options = options;
	writer->source = source;
	writer->number = number;
	atomic_init(&writer->retention_minute_ms, options->retention_minute_ms);
	atomic_init(&writer->healthy, true); /* until it is seen not to be */
	writer->seed = (unsigned)now_wall_us() + (unsigned)number;
	snprintf(name, sizeof(name), "tokentally worker %d", number);
	writer->sink = sink_new(options, name, name_cache_bytes, session_cache_bytes, false);
	sink_set_stop(writer->sink, &writer->abandon);
	pthread_mutex_init(&writer->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&writer->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&writer->thread, NULL, run, writer))
		abort(); /* no thread, no daemon; systemd restarts us */
	return writer;
}

void writer_reload(struct writer *writer, const struct options *options)
{
	atomic_store(&writer->retention_minute_ms, options->retention_minute_ms);
	atomic_store(&writer->reloaded, options);
}

void writer_free(struct writer *writer)
{
	if (!writer)
		return;
	pthread_mutex_lock(&writer->lock);
	writer->ending = true;
	atomic_store(&writer->abandon, true);
	pthread_cond_broadcast(&writer->changed);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	set_connected(writer, false);
	metric_share(METRIC_RULES_BYTES, &writer->rules_share, 0);
	pg_result_free(&writer->result.ids); /* if nobody took it */
	sink_free(writer->sink);
	pthread_cond_destroy(&writer->changed);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

void writer_submit(struct writer *writer, const struct writer_job *job)
{
	pthread_mutex_lock(&writer->lock);
	writer->job = *job;
	writer->mailbox = MAILBOX_JOB;
	atomic_store(&writer->abandon, false);
	pthread_cond_broadcast(&writer->changed);
	pthread_mutex_unlock(&writer->lock);
}

bool writer_is_busy(const struct writer *writer)
{
	struct writer *w = (struct writer *)writer;
	bool busy;

	pthread_mutex_lock(&w->lock);
	busy = w->mailbox != MAILBOX_EMPTY;
	pthread_mutex_unlock(&w->lock);
	return busy;
}

bool writer_take(struct writer *writer, int wait_ms, struct writer_result *result)
{
	int64_t until_ms = wait_ms > 0 ? now_monotonic_ms() + wait_ms : 0;
	bool got;

	pthread_mutex_lock(&writer->lock);
	while (writer->mailbox == MAILBOX_JOB && until_ms && now_monotonic_ms() < until_ms)
		wait_changed(writer, until_ms - now_monotonic_ms());
	got = writer->mailbox == MAILBOX_RESULT;
	if (got) {
		*result = writer->result;
		writer->result.ids = NULL;
		writer->mailbox = MAILBOX_EMPTY;
	}
	pthread_mutex_unlock(&writer->lock);
	return got;
}

void writer_abandon(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	atomic_store(&writer->abandon, true);
	pthread_cond_broadcast(&writer->changed);
	pthread_mutex_unlock(&writer->lock);
}

bool writer_is_healthy(const struct writer *writer)
{
	return atomic_load(&writer->healthy);
}
