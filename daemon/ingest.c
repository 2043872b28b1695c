/* SPDX-License-Identifier: Apache-2.0
 *
 * ingest: see ingest.h. The states of a worker:
 *
 *   idle      no partitions
 *   claiming  partitions assigned by the group, not read yet: the writer is asked to claim them
 *   running   claimed and read; one batch fills (live), one may be on its way to the database (frozen)
 *
 * "Forget" is always right: drop both batches and claim anew, which starts at the committed offsets. So is
 * ignoring a result that belongs to an assignment of before (generation).
 */
#include "autoconf.h"

#include "ingest.h"

#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "holding.h"
#include "intake.h"
#include "log.h"
#include "mem.h"
#include "metrics.h"
#include "period.h"
#include "source.h"
#include "writer.h"

#define POLL_MS 50
#define ROWS_MAX 50000           /* of a commit; also in docs/ARCHITECTURE.md */
#define COMMIT_AT_PERCENT 80     /* of flush_interval: the commit itself takes its time, too */
#define BLOCK_MS 200             /* waiting for the writer without polling, while it is quick */
#define PAUSE_AFTER_MS 1000      /* then fetching is paused and polling goes on */
#define REVOKE_COMMIT_MS 3000    /* the group waits for us; and who was stopped in a commit may hold the rows we wait for */
#define QUARANTINE_RECHECK_MS 30000
#define PROBE_EVERY_MS 5000
#define LOOK_EVERY_MS 5000
#define STOP_RESERVE_MS 1500     /* of the time to stop: for leaving the group */
#define ANYTHING_MESSAGES INT64_MAX

enum ingest_state { INGEST_IDLE, INGEST_CLAIMING, INGEST_RUNNING };

struct ingest {
	const struct options *options;
	struct ingest_limits limits;
	int number;
	_Atomic int64_t flush_interval_ms;
	struct source *source;
	struct writer *writer;
	struct intake *intake;
	_Atomic int state;
	uint64_t generation;
	struct holding holding;
	struct source_mark *marks; /* of a look; the writer's while it is under way */
	_Atomic size_t quarantined_count;
	struct batch *live, *frozen;
	bool frozen_in_flight, claim_wanted, paused, was_assigned, bytes_full;
	int64_t flush_seq, messages_max;
	int64_t blocked_since_ms, claimed_at_ms, probed_at_ms, looked_ms;
	_Atomic uint64_t turns;
	_Atomic bool database_ok;
	struct { int64_t assigned, quarantined, paused, lag, window_bytes, dedupe_ids; } shares;
};

struct ingest_limits ingest_limits_of(const struct options *options, size_t worker_bytes)
{
	/* Of a worker's share: 28 % unread messages, 10 % each of two batches, 20 % for a batch on the wire (our arrays and
	 * libpq's copy), 14 % event ids, 8 % names, 6 % session keys; the rest is threads, decoder, allocator. */
	size_t ids = worker_bytes / 100 * 14 / 24; /* 20 bytes an id, and a part of the set twice while it is rebuilt */
	bool dedupe = options->ingest_dedupe_window_ms > 0 && options->ingest_dedupe_max_ids > 0;

	if (ids > (uint64_t)options->ingest_dedupe_max_ids)
		ids = (size_t)options->ingest_dedupe_max_ids;
	return (struct ingest_limits){
		.queue_bytes = worker_bytes / 100 * 28,
		.window_bytes = worker_bytes / 100 * 10,
		.rules_bytes = worker_bytes / 100 * 8,
		.dedupe_ids = dedupe ? ids : 0,
		.name_cache_bytes = worker_bytes / 100 * 8,
		.session_cache_bytes = worker_bytes / 100 * 6,
	};
}

static void set_state(struct ingest *ingest, enum ingest_state state)
{
	atomic_store(&ingest->state, (int)state);
}

/* Of one batch. There are two, and a commit has twice as much on the wire: the rules come out of all four alike. */
static size_t batch_bytes_max(const struct ingest *ingest)
{
	return ingest->limits.window_bytes - rules_bytes(intake_rules(ingest->intake)) / 4;
}

/* Memory that an emptied batch keeps: well below the bound, or it would be full from the start. */
static size_t keep_bytes(const struct ingest *ingest)
{
	return ingest->limits.window_bytes / 2;
}

/* Nothing since the last commit is kept, and nothing more is read until a claim is through. */
static void stop_reading(struct ingest *ingest)
{
	struct err ignored;

	/* A pause would survive the next assignment (librdkafka issue #1849). */
	if (ingest->paused && !source_resume(ingest->source, &ignored))
		log_debug("%s worker=%d", ignored.text, ingest->number);
	holding_stop(&ingest->holding);
	ingest->paused = ingest->bytes_full = false;
	ingest->blocked_since_ms = 0;
	batch_begin(ingest->live, NULL, 0, keep_bytes(ingest));
	metric_share(METRIC_PAUSED, &ingest->shares.paused, 0);
	metric_share(METRIC_LAG_MESSAGES, &ingest->shares.lag, 0);
}

static void want_claim(struct ingest *ingest)
{
	ingest->generation++;
	ingest->claim_wanted = ingest->holding.assigned_count > 0;
	set_state(ingest, ingest->claim_wanted ? INGEST_CLAIMING : INGEST_IDLE);
}

/* The partitions stay ours, but what we know of them is wrong. */
static bool claim_anew(struct ingest *ingest, struct err *err)
{
	stop_reading(ingest);
	want_claim(ingest);
	return source_start(ingest->source, NULL, 0, err);
}

static void on_assigned(void *ctx, const struct source_partition *partitions, size_t count)
{
	struct ingest *ingest = ctx;

	stop_reading(ingest);
	holding_assign(&ingest->holding, partitions, count);
	ingest->was_assigned = true;
	metric_share(METRIC_PARTITIONS_ASSIGNED, &ingest->shares.assigned, (int64_t)count);
	log_info("assigned %zu partitions, claiming them worker=%d", count, ingest->number);
	want_claim(ingest);
}

static void freeze_and_submit(struct ingest *ingest)
{
	struct batch *batch = ingest->live;
	struct writer_job job = { .kind = JOB_COMMIT, .generation = ingest->generation, .batch = batch };
	int64_t accepted = 0, lag = 0;

	for (size_t i = 0; i < batch->progress_count; i++) {
		struct batch_progress *progress = &batch->progress[i];
		int64_t end = source_log_end(ingest->source, i);

		if (end > progress->log_end_offset)
			progress->log_end_offset = end;
		if (progress->log_end_offset < progress->to_offset)
			progress->log_end_offset = progress->to_offset;
		lag += progress->log_end_offset - progress->to_offset;
		accepted += progress->accepted;
	}
	metric_add(METRIC_EVENTS_ACCEPTED, accepted);
	metric_share(METRIC_LAG_MESSAGES, &ingest->shares.lag, lag);
	batch->dedupe_before_ms = intake_expire(ingest->intake, batch, now_wall_us());
	batch->flush_seq = ++ingest->flush_seq;
	batch_continue(ingest->frozen, batch, keep_bytes(ingest));
	ingest->live = ingest->frozen;
	ingest->frozen = batch;
	ingest->frozen_in_flight = true;
	writer_submit(ingest->writer, &job);
}

static void submit_claim(struct ingest *ingest)
{
	struct writer_job job = {
		.kind = JOB_CLAIM,
		.generation = ingest->generation,
		.partitions = holding_ask(&ingest->holding),
		.partition_count = ingest->holding.assigned_count,
		.dedupe = intake_dedupe(ingest->intake),
		.dedupe_ids_max = (int64_t)ingest->limits.dedupe_ids,
		.rules = intake_rules(ingest->intake),
		.rules_bytes_max = ingest->limits.rules_bytes,
	};

	ingest->claim_wanted = false;
	writer_submit(ingest->writer, &job);
}

/* A partition whose committed offset is behind what we had committed: a failover, or a restored backup. */
static void note_went_back(struct ingest *ingest, const struct claim_partition *claim)
{
	int64_t known = holding_known_offset(&ingest->holding, claim);

	if (known <= claim->next_offset)
		return;
	metric_add_label(METRIC_BATCHES_FORGOTTEN, FORGOTTEN_DATABASE_WENT_BACK, 1);
	log_error("the database went back: %s/%d is at offset %lld, we had committed up to %lld; counting again from there "
		  "worker=%d",
		  claim->topic, (int)claim->partition, (long long)claim->next_offset, (long long)known, ingest->number);
}

/* Reading starts with the last message that was counted, where Kafka still has it, to see that it is the same log. */
static bool start_reading(struct ingest *ingest, struct err *err)
{
	size_t count = ingest->holding.held_count;
	CLEANUP(free_ptr) struct source_partition *starts = xcalloc(count + 1, sizeof(*starts));

	for (size_t i = 0; i < count; i++) {
		const struct claim_partition *claim = ingest->holding.held_claims[i];

		starts[i] = ingest->holding.held[i];
		if (claim->last_offset >= claim->low_offset && claim->last_offset < claim->next_offset) {
			starts[i].next_offset = claim->last_offset;
			intake_expect(ingest->intake, i, claim->last_offset, claim->last_time_ms, claim->last_crc);
		} else if (claim->last_offset >= 0) {
			metric_add(METRIC_CLAIMS_UNVERIFIED, 1);
		}
	}
	return source_start(ingest->source, starts, count, err);
}

/* An empty live batch where the claims say, and the intake ready for it. */
static void begin_reading(struct ingest *ingest)
{
	const struct holding *holding = &ingest->holding;
	CLEANUP(free_ptr) struct batch_start *starts = xcalloc(holding->held_count + 1, sizeof(*starts));
	CLEANUP(free_ptr) int64_t *times_ms = xcalloc(holding->held_count + 1, sizeof(*times_ms));

	for (size_t i = 0; i < holding->held_count; i++) {
		const struct claim_partition *claim = holding->held_claims[i];

		note_went_back(ingest, claim);
		times_ms[i] = claim->last_time_ms;
		starts[i] = (struct batch_start){ claim->topic,	      claim->partition,	   claim->next_offset,
						  claim->last_offset, claim->last_time_ms, claim->last_crc };
	}
	batch_begin(ingest->live, starts, holding->held_count, keep_bytes(ingest));
	intake_begin(ingest->intake, holding->held, times_ms, holding->held_count);
}

static bool take_claim(struct ingest *ingest, struct err *err)
{
	size_t quarantined = holding_take(&ingest->holding);

	begin_reading(ingest);
	holding_remember(&ingest->holding);
	ingest->claimed_at_ms = ingest->looked_ms = now_monotonic_ms();
	ingest->flush_seq = 0;
	atomic_store(&ingest->quarantined_count, quarantined);
	metric_share(METRIC_PARTITIONS_QUARANTINED, &ingest->shares.quarantined, (int64_t)quarantined);
	metric_add(METRIC_CLAIMS, 1);
	set_state(ingest, INGEST_RUNNING);
	log_info("claimed %zu partitions, reading worker=%d", ingest->holding.held_count, ingest->number);
	return start_reading(ingest, err);
}

static void after_commit(struct ingest *ingest)
{
	struct batch *batch = ingest->frozen;

	for (size_t i = 0; i < batch->progress_count && i < ingest->holding.held_count; i++)
		ingest->holding.held[i].next_offset = batch->progress[i].to_offset;
	holding_remember(&ingest->holding);
	source_commit_async(ingest->source, ingest->holding.held, ingest->holding.held_count);
	if (ingest->messages_max != ANYTHING_MESSAGES)
		ingest->messages_max = ingest->messages_max > (1 << 20) ? ANYTHING_MESSAGES : 2 * ingest->messages_max;
}

static void forgotten(struct ingest *ingest, enum batch_forgotten why, const struct err *err)
{
	metric_add_label(METRIC_BATCHES_FORGOTTEN, why, 1);
	log_warn("%s: forgetting what was not committed and reading it again worker=%d", err->text, ingest->number);
}

/* The database can't take this batch: the next ones have half as many messages, down to one, and then that
 * message is known by its offset. */
static void halve(struct ingest *ingest, const struct batch *batch, const struct err *err)
{
	forgotten(ingest, FORGOTTEN_HALVED, err);
	if (batch->messages > 1) {
		ingest->messages_max = batch->messages / 2;
		return;
	}
	for (size_t i = 0; i < batch->progress_count; i++) {
		const struct batch_progress *progress = &batch->progress[i];

		/* One that only went past transaction markers has no message. */
		if (progress->last_offset < 0 || err->kind != ERR_DATA)
			continue;
		log_error("message %s/%d offset %lld becomes a dead letter: %s worker=%d", progress->topic,
			  (int)progress->partition, (long long)progress->last_offset, err->text, ingest->number);
		intake_refuse(ingest->intake, progress->topic, progress->partition, progress->last_offset, err->text);
	}
}

/* What others have counted goes into our set. If one of these events is in our live batch as well, they were first. */
static bool merge_ids(struct ingest *ingest, const struct pg_result *ids, struct err *err)
{
	struct err why = { .kind = ERR_FENCED, .text = "an event of this batch was counted by another worker meanwhile" };
	bool met = false;

	ingest->looked_ms = now_monotonic_ms();
	if (!ids)
		return true;
	if (!sink_merge_ids(ids, intake_dedupe(ingest->intake), &met))
		return err_set(err, ERR_FATAL, "a row of dedupe_block has a length that is not of whole ids");
	if (!met)
		return true;
	forgotten(ingest, FORGOTTEN_COUNTED_ELSEWHERE, &why);
	return claim_anew(ingest, err);
}

/* A partition in quarantine may have been released. Right after a commit a claim costs least. */
static bool is_recheck_due(const struct ingest *ingest)
{
	return atomic_load(&ingest->quarantined_count) &&
	       now_monotonic_ms() - ingest->claimed_at_ms > QUARANTINE_RECHECK_MS;
}

static bool take_look(struct ingest *ingest, struct writer_result *result, struct err *err)
{
	bool other_log = false;

	for (size_t i = 0; i < result->job.mark_count; i++) {
		if (!result->job.marks[i].other)
			continue;
		holding_mark_other_log(&ingest->holding, i);
		other_log = true;
	}
	return other_log ? claim_anew(ingest, err) : merge_ids(ingest, result->ids, err);
}

static bool take_done(struct ingest *ingest, struct writer_result *result, struct err *err)
{
	switch (result->job.kind) {
	case JOB_CLAIM:
		return take_claim(ingest, err);
	case JOB_COMMIT:
		after_commit(ingest);
		if (is_recheck_due(ingest))
			return claim_anew(ingest, err);
		return merge_ids(ingest, result->ids, err);
	case JOB_LOOK:
		return take_look(ingest, result, err);
	}
	return true;
}

static bool take_outcome(struct ingest *ingest, struct writer_result *result, struct err *err)
{
	switch (result->outcome) {
	case WRITER_DONE:
		return take_done(ingest, result, err);
	case WRITER_FENCED:
		forgotten(ingest, FORGOTTEN_FENCED, &result->err);
		return claim_anew(ingest, err);
	case WRITER_NAMES:
		forgotten(ingest, FORGOTTEN_NAMES, &result->err);
		return claim_anew(ingest, err);
	case WRITER_RULES:
		forgotten(ingest, FORGOTTEN_RULES, &result->err);
		return claim_anew(ingest, err);
	case WRITER_OTHER_LOG:
		for (size_t i = 0; i < ingest->frozen->progress_count; i++) {
			if (ingest->frozen->progress[i].other_log)
				holding_mark_other_log(&ingest->holding, i);
		}
		forgotten(ingest, FORGOTTEN_OTHER_LOG, &result->err);
		return claim_anew(ingest, err);
	case WRITER_COUNTED:
		forgotten(ingest, FORGOTTEN_COUNTED_ELSEWHERE, &result->err);
		return claim_anew(ingest, err);
	case WRITER_HALVE:
		halve(ingest, ingest->frozen, &result->err);
		return claim_anew(ingest, err);
	case WRITER_ABANDONED:
		return claim_anew(ingest, err);
	case WRITER_FAILED:
		*err = result->err;
		return false;
	}
	return true;
}

static bool take_result(struct ingest *ingest, struct writer_result *result, struct err *err)
{
	bool ok = true;

	if (result->job.kind == JOB_COMMIT)
		ingest->frozen_in_flight = false;
	/* One of an assignment of before means nothing now, unless the process should end. */
	if (result->job.generation == ingest->generation || result->outcome == WRITER_FAILED)
		ok = take_outcome(ingest, result, err);
	pg_result_free(&result->ids);
	return ok;
}

static bool results(struct ingest *ingest, int wait_ms, struct err *err)
{
	struct writer_result result;

	if (writer_take(ingest->writer, wait_ms, &result) && !take_result(ingest, &result, err))
		return false;
	atomic_store(&ingest->database_ok, writer_is_healthy(ingest->writer));
	if (ingest->claim_wanted && !writer_is_busy(ingest->writer))
		submit_claim(ingest);
	return true;
}

/* Before the partitions go: commit what we have, if that can be done in time. */
static void commit_all(struct ingest *ingest, int64_t deadline_ms)
{
	struct writer_result result;
	struct err ignored;

	while (atomic_load(&ingest->state) == INGEST_RUNNING && writer_is_healthy(ingest->writer)) {
		int64_t left_ms = deadline_ms - now_monotonic_ms();

		if (left_ms <= 0)
			return;
		if (writer_is_busy(ingest->writer)) {
			if (writer_take(ingest->writer, (int)left_ms, &result) && !take_result(ingest, &result, &ignored))
				return;
			continue;
		}
		if (batch_is_empty(ingest->live))
			return;
		freeze_and_submit(ingest);
	}
}

static void on_revoked(void *ctx, bool lost)
{
	struct ingest *ingest = ctx;

	if (lost)
		metric_add_label(METRIC_BATCHES_FORGOTTEN, FORGOTTEN_REVOKED_LOST, 1);
	else
		commit_all(ingest, now_monotonic_ms() + REVOKE_COMMIT_MS);
	log_info("%zu partitions %s worker=%d", ingest->holding.assigned_count,
		 lost ? "lost to the group, forgetting what was not committed" : "given back", ingest->number);
	writer_abandon(ingest->writer);
	holding_assign(&ingest->holding, NULL, 0);
	atomic_store(&ingest->quarantined_count, 0);
	stop_reading(ingest);
	want_claim(ingest);
	metric_share(METRIC_PARTITIONS_ASSIGNED, &ingest->shares.assigned, 0);
	metric_share(METRIC_PARTITIONS_QUARANTINED, &ingest->shares.quarantined, 0);
}

/* No more fits into the live batch. Bytes follow from rows and names; looked at in flow(). */
static bool is_full(const struct ingest *ingest)
{
	return ingest->bytes_full || batch_rows(ingest->live) >= ROWS_MAX ||
	       ingest->live->messages >= ingest->messages_max;
}

/* Something to commit, and a reason to do it now. */
static bool is_due(const struct ingest *ingest, int64_t now_ms)
{
	int64_t age_ms = now_ms - ingest->live->opened_ms;

	return ingest->live->opened_ms &&
	       (is_full(ingest) || age_ms >= atomic_load(&ingest->flush_interval_ms) * COMMIT_AT_PERCENT / 100);
}

static bool hold_back(struct ingest *ingest, int64_t now_ms, struct err *err)
{
	if (!ingest->blocked_since_ms)
		ingest->blocked_since_ms = now_ms;
	if (ingest->paused || now_ms - ingest->blocked_since_ms < PAUSE_AFTER_MS)
		return results(ingest, ingest->paused ? 0 : BLOCK_MS, err);
	if (!source_pause(ingest->source, err))
		return false;
	ingest->paused = true;
	metric_share(METRIC_PAUSED, &ingest->shares.paused, 1);
	metric_add_label(METRIC_LIMIT_REACHED, LIMIT_MEMORY, 1);
	log_warn("the database does not keep up, reading is paused until it does worker=%d", ingest->number);
	return true;
}

static bool let_go(struct ingest *ingest, struct err *err)
{
	ingest->blocked_since_ms = 0;
	if (!ingest->paused)
		return true;
	ingest->paused = false;
	metric_share(METRIC_PAUSED, &ingest->shares.paused, 0);
	log_info("reading goes on worker=%d", ingest->number);
	return source_resume(ingest->source, err);
}

/* Commits when due; holds back when the one before is still under way and no more fits. */
static bool flow(struct ingest *ingest, struct err *err)
{
	int64_t now_ms = now_monotonic_ms();

	/* Only with something in it: nothing can be done about what an empty one holds. */
	ingest->bytes_full = ingest->live->opened_ms && batch_bytes(ingest->live) >= batch_bytes_max(ingest);
	if (atomic_load(&ingest->state) != INGEST_RUNNING)
		return true;
	if (!is_full(ingest) && !let_go(ingest, err))
		return false;
	if (!is_due(ingest, now_ms))
		return true;
	if (writer_is_busy(ingest->writer))
		return is_full(ingest) ? hold_back(ingest, now_ms, err) : true;
	if (batch_rows(ingest->live) >= ROWS_MAX)
		metric_add_label(METRIC_LIMIT_REACHED, LIMIT_WINDOW_ROWS, 1);
	else if (ingest->bytes_full)
		metric_add_label(METRIC_LIMIT_REACHED, LIMIT_WINDOW_BYTES, 1);
	metric_share(METRIC_WINDOW_BYTES, &ingest->shares.window_bytes, (int64_t)batch_bytes(ingest->live));
	freeze_and_submit(ingest);
	ingest->bytes_full = false;
	return let_go(ingest, err);
}

/* Another log under the same name: that partition stops, by way of a claim, which puts it into quarantine. */
static bool take_other_log(struct ingest *ingest, const struct source_message *message, struct err *err)
{
	const struct source_partition *held = &ingest->holding.held[message->index];

	log_error("partition %s/%d is not the log that was counted: at offset %lld is another message than before worker=%d",
		  held->topic, (int)held->partition, (long long)message->offset, ingest->number);
	holding_mark_other_log(&ingest->holding, message->index);
	return claim_anew(ingest, err);
}

static bool check_message(struct ingest *ingest, struct source_message *message, bool *known_log, struct err *err)
{
	enum intake_check check = intake_check(ingest->intake, message);

	*known_log = check != INTAKE_OTHER_LOG;
	if (check == INTAKE_UNVERIFIED)
		metric_add(METRIC_CLAIMS_UNVERIFIED, 1);
	return *known_log || take_other_log(ingest, message, err);
}

static bool add_message(struct ingest *ingest, struct source_message *message, struct err *err)
{
	struct err overflow = { .kind = ERR_DATA, .text = "the sum of a counter would leave 64 bits" };
	bool fits = intake_add(ingest->intake, ingest->live, message, now_wall_us());

	metric_add(METRIC_MESSAGES, 1);
	metric_add(METRIC_MESSAGE_BYTES, (int64_t)message->payload.len);
	if (!ingest->live->opened_ms && ingest->live->messages)
		ingest->live->opened_ms = now_monotonic_ms();
	if (fits)
		return true;
	halve(ingest, ingest->live, &overflow);
	return claim_anew(ingest, err);
}

static bool take_message(struct ingest *ingest, struct source_message *message, struct err *err)
{
	bool known_log;
	bool ok = check_message(ingest, message, &known_log, err) && (!known_log || add_message(ingest, message, err));

	source_release(message);
	return ok;
}

static void take_end(struct ingest *ingest, const struct source_message *message)
{
	if (intake_check_end(ingest->intake, message->index))
		metric_add(METRIC_CLAIMS_UNVERIFIED, 1);
	intake_end_reached(ingest->intake, ingest->live, message->index, message->offset);
	if (!ingest->live->opened_ms && !batch_is_empty(ingest->live))
		ingest->live->opened_ms = now_monotonic_ms();
}

/* What the consumer itself reports. Passing trouble is librdkafka's to mend; a refusal before we ever got a
 * partition is the configuration's fault. */
static bool take_failure(struct ingest *ingest, struct err *failure, struct err *err)
{
	if (failure->kind == ERR_RETRY || (failure->kind == ERR_CONFIG && ingest->was_assigned)) {
		log_warn("%s, librdkafka goes on trying worker=%d", failure->text, ingest->number);
		return true;
	}
	*err = *failure;
	return false;
}

static bool poll_once(struct ingest *ingest, struct err *err)
{
	struct source_message message;
	struct err failure;
	/* With a message limit or a full batch nothing more is taken before the commit is under way. */
	int timeout_ms = ingest->blocked_since_ms && !ingest->paused ? 0 : POLL_MS;

	switch (source_poll(ingest->source, timeout_ms, &message, &failure)) {
	case SOURCE_NOTHING:
		return true;
	case SOURCE_MESSAGE:
		return take_message(ingest, &message, err);
	case SOURCE_END:
		take_end(ingest, &message);
		return true;
	case SOURCE_OUT_OF_RANGE:
		log_warn("partition %s/%d has no message at our offset, claiming anew to find out worker=%d",
			 ingest->holding.held[message.index].topic, (int)ingest->holding.held[message.index].partition, ingest->number);
		return claim_anew(ingest, err);
	case SOURCE_FAILED:
		return take_failure(ingest, &failure, err);
	}
	return true;
}

/* The last counted messages, as far as the live batch knows them. */
static void make_marks(struct ingest *ingest)
{
	const struct batch *batch = ingest->live;

	ingest->marks = xrealloc_array(ingest->marks, batch->progress_count + 1, sizeof(*ingest->marks));
	for (size_t i = 0; i < batch->progress_count; i++) {
		const struct batch_progress *p = &batch->progress[i];

		ingest->marks[i] = (struct source_mark){ p->topic,	  p->partition, p->base_offset,
							 p->base_time_ms, p->base_crc,	false };
	}
}

/* A worker that commits nothing for a while still learns what others count, or it would have to read much at once; and
 * it still sees when a topic is made anew, of which a consumer that waits for messages hears nothing. */
static void look(struct ingest *ingest, int64_t now_ms)
{
	struct writer_job job = { .kind = JOB_LOOK, .generation = ingest->generation };

	if (now_ms - ingest->looked_ms < LOOK_EVERY_MS || writer_is_busy(ingest->writer))
		return;
	make_marks(ingest);
	job.marks = ingest->marks;
	job.mark_count = ingest->live->progress_count;
	ingest->looked_ms = now_ms;
	writer_submit(ingest->writer, &job);
}

/* Things that need doing now and then, whatever comes in. */
static bool look_around(struct ingest *ingest, struct err *err)
{
	int64_t now_ms = now_monotonic_ms();

	if (!source_is_reachable(ingest->source) && now_ms - ingest->probed_at_ms > PROBE_EVERY_MS) {
		source_probe(ingest->source, 500);
		ingest->probed_at_ms = now_ms;
	}
	if (atomic_load(&ingest->state) != INGEST_RUNNING)
		return true; /* while a claim is under way the writer has the set of ids */
	if (intake_dedupe(ingest->intake))
		metric_share(METRIC_DEDUPE_IDS, &ingest->shares.dedupe_ids,
			     (int64_t)dedupe_count(intake_dedupe(ingest->intake)));
	look(ingest, now_ms);
	/* Busy workers look after a commit; this one has none. */
	if (is_recheck_due(ingest) && !ingest->frozen_in_flight && batch_is_empty(ingest->live))
		return claim_anew(ingest, err);
	return true;
}

static bool turn(struct ingest *ingest, struct err *err)
{
	uint64_t turns = atomic_fetch_add(&ingest->turns, 1);

	if (is_full(ingest) && !ingest->paused) {
		/* Without a poll: nothing more fits. flow() waits a little for the writer, or pauses. */
		return results(ingest, 0, err) && flow(ingest, err);
	}
	if (!poll_once(ingest, err))
		return false;
	/* Under load: not after each message, a lock is taken there. */
	if (ingest->live->opened_ms && turns % 16 && !ingest->claim_wanted && !is_full(ingest))
		return true;
	return results(ingest, 0, err) && flow(ingest, err) && look_around(ingest, err);
}

/* A claim asks Kafka for offsets through our source, which must not go under it. */
static bool writer_is_done(struct ingest *ingest, int64_t deadline_ms)
{
	struct writer_result ignored;
	int64_t left_ms = deadline_ms - now_monotonic_ms();

	if (!writer_is_busy(ingest->writer))
		return true;
	if (!writer_take(ingest->writer, left_ms > 0 ? (int)left_ms : 0, &ignored))
		return false;
	pg_result_free(&ignored.ids);
	return true;
}

bool ingest_run(struct ingest *ingest, const _Atomic int64_t *stop_at_ms, struct err *err)
{
	int64_t deadline_ms;

	if (!source_subscribe(ingest->source, err))
		return false;
	while (!atomic_load(stop_at_ms)) {
		if (!turn(ingest, err))
			return false;
	}
	deadline_ms = atomic_load(stop_at_ms);
	commit_all(ingest, deadline_ms - STOP_RESERVE_MS);
	writer_abandon(ingest->writer);
	stop_reading(ingest);
	set_state(ingest, INGEST_IDLE); /* so that the revocation to come has nothing to commit */
	if (!writer_is_done(ingest, deadline_ms) || !source_close(ingest->source, deadline_ms))
		log_warn("could not leave the group in time, it will notice by itself worker=%d", ingest->number);
	else
		ingest->source = NULL;
	return true;
}

static void log_kafka(int level, const char *text)
{
	if (level <= 3)
		log_error("%s", text);
	else if (level <= 5)
		log_warn("%s", text);
	else
		log_debug("%s", text);
}

struct ingest *ingest_new(const struct options *options, const struct mappings *mappings,
			  const struct ingest_limits *limits, int number, struct err *err)
{
	struct ingest *ingest = xcalloc(1, sizeof(*ingest));
	struct source_callbacks callbacks = { ingest, on_assigned, on_revoked, log_kafka };

	ingest->options = options;
	ingest->limits = *limits;
	ingest->number = number;
	ingest->messages_max = ANYTHING_MESSAGES;
	atomic_init(&ingest->database_ok, true);
	atomic_init(&ingest->flush_interval_ms, options->ingest_flush_interval_ms);
	ingest->source = source_new(options, limits->queue_bytes, &callbacks, err);
	if (!ingest->source) {
		free(ingest);
		return NULL;
	}
	ingest->writer = writer_new(options, ingest->source, number, limits->name_cache_bytes,
				    limits->session_cache_bytes);
	ingest->intake = intake_new(options, mappings, limits->dedupe_ids);
	ingest->live = batch_new();
	ingest->frozen = batch_new();
	return ingest;
}

bool ingest_is_closed(const struct ingest *ingest)
{
	return !ingest->source;
}

void ingest_free(struct ingest *ingest)
{
	if (!ingest)
		return;
	writer_free(ingest->writer);
	if (ingest->source)
		source_close(ingest->source, now_monotonic_ms());
	batch_free(ingest->live);
	batch_free(ingest->frozen);
	intake_free(ingest->intake);
	holding_release(&ingest->holding);
	free(ingest->marks);
	free(ingest);
}

void ingest_reload(struct ingest *ingest, const struct options *options, const struct mappings *mappings)
{
	intake_reload(ingest->intake, mappings);
	atomic_store(&ingest->flush_interval_ms, options->ingest_flush_interval_ms);
	writer_reload(ingest->writer, options);
}

uint64_t ingest_turns(const struct ingest *ingest)
{
	return atomic_load(&ingest->turns);
}

void ingest_report(const struct ingest *ingest, struct buf *reasons)
{
	size_t quarantined = atomic_load(&ingest->quarantined_count);

	if (!source_is_reachable(ingest->source))
		buf_addf(reasons, "worker %d: no Kafka broker answers\n", ingest->number);
	if (!atomic_load(&ingest->database_ok) && atomic_load(&ingest->state) != INGEST_IDLE)
		buf_addf(reasons, "worker %d: PostgreSQL does not answer\n", ingest->number);
	if (atomic_load(&ingest->state) == INGEST_CLAIMING)
		buf_addf(reasons, "worker %d: partitions are being claimed\n", ingest->number);
	if (quarantined)
		buf_addf(reasons, "worker %d: %zu partitions are in quarantine, see 'tokentally offsets show'\n",
			 ingest->number, quarantined);
}
