/* SPDX-License-Identifier: Apache-2.0
 *
 * chopping_worker: see chopping_worker.h. The names are those of ingest.c.
 */
#include "autoconf.h"

#include "chopping_worker.h"

#include <stdlib.h>

#include "holding.h"
#include "intake.h"
#include "mem.h"

#define KEEP_BYTES ((size_t)1 << 16)
#define IDS_MAX 100000

enum worker_state { WORKER_IDLE, WORKER_CLAIMING, WORKER_RUNNING };
enum worker_job { JOB_NONE, JOB_CLAIM_ROWS, JOB_CLAIM_IDS, JOB_COMMIT, JOB_LOOK, JOB_DONE };

struct worker {
	const struct log *log;
	struct model *model;
	struct intake *intake;
	struct holding holding;
	struct batch *live, *spare; /* spare: of the last commit, to be used again; may be NULL */
	enum worker_state state;
	uint64_t generation;
	bool claim_wanted;
	int64_t flush_seq;
	size_t next[LOG_PARTITIONS]; /* of each held partition: the message that comes next */
	bool started[LOG_PARTITIONS]; /* the first has come */
	/* The writer */
	struct claim_partition *claims;
	size_t claim_count;
	enum worker_job job, done; /* done: which one the result is of */
	uint64_t job_generation, owner;
	int64_t seen_seq;
	struct statement *sent;
	enum model_outcome outcome;
	struct found_ids found;
};

static char native[] = "native";
static const struct options options = {
	.ingest_format = native,
	.ingest_max_message_bytes = 1 << 20,
	.ingest_max_depth = 32,
	.ingest_max_future_ms = INT64_C(1000) * 24 * 60 * 60 * 1000,
	.ingest_max_age_ms = INT64_C(1000) * 24 * 60 * 60 * 1000,
	.ingest_dedupe_window_ms = LOG_WINDOW_MS,
	.ingest_dead_letter_payload_bytes = 8,
};

struct worker *worker_new(const struct log *log, struct model *model, const struct mappings *mappings)
{
	struct worker *worker = xcalloc(1, sizeof *worker);

	worker->log = log;
	worker->model = model;
	worker->intake = intake_new(&options, mappings, IDS_MAX);
	worker->live = batch_new();
	return worker;
}

void worker_free(struct worker *worker)
{
	if (worker->sent)
		statement_let_go(worker->sent);
	free(worker->found.blocks);
	batch_free(worker->live);
	batch_free(worker->spare);
	intake_free(worker->intake);
	holding_release(&worker->holding);
	free(worker);
}

static const struct log_partition *log_of(const struct worker *worker, size_t held)
{
	return &worker->log->partitions[worker->holding.held[held].partition];
}

/* --- Assignment and claim --- */

static void want_claim(struct worker *worker)
{
	holding_stop(&worker->holding);
	batch_begin(worker->live, NULL, 0, KEEP_BYTES);
	worker->generation++;
	worker->claim_wanted = worker->holding.assigned_count > 0;
	worker->state = worker->claim_wanted ? WORKER_CLAIMING : WORKER_IDLE;
}

void worker_assign(struct worker *worker, unsigned partitions)
{
	struct source_partition list[LOG_PARTITIONS];
	size_t count = 0;

	for (int32_t i = 0; i < LOG_PARTITIONS; i++)
		if (partitions & 1u << i)
			list[count++] = (struct source_partition){ .topic = LOG_TOPIC, .partition = i };
	holding_assign(&worker->holding, list, count);
	want_claim(worker);
}

void worker_forget(struct worker *worker)
{
	if (worker->state == WORKER_RUNNING)
		want_claim(worker);
}

static void submit(struct worker *worker, enum worker_job job)
{
	worker->job = job;
	worker->job_generation = worker->generation;
}

static size_t message_at(const struct log_partition *partition, int64_t offset)
{
	size_t at = 0;

	while (at < partition->count && partition->messages[at].offset < offset)
		at++;
	return at;
}

static void begin_reading(struct worker *worker)
{
	const struct holding *holding = &worker->holding;
	struct batch_start starts[LOG_PARTITIONS];
	int64_t times_ms[LOG_PARTITIONS];

	for (size_t i = 0; i < holding->held_count; i++) {
		const struct claim_partition *claim = holding->held_claims[i];

		if (holding_known_offset(holding, claim) > claim->next_offset)
			worker->model->broken = "the database went back";
		times_ms[i] = claim->last_time_ms;
		starts[i] = (struct batch_start){ claim->topic, claim->partition, claim->next_offset, claim->last_offset,
						  claim->last_time_ms, claim->last_crc };
	}
	batch_begin(worker->live, starts, holding->held_count, KEEP_BYTES);
	intake_begin(worker->intake, holding->held, times_ms, holding->held_count);
}

/* Reading starts with the last message that was counted. */
static void start_reading(struct worker *worker)
{
	for (size_t i = 0; i < worker->holding.held_count; i++) {
		const struct claim_partition *claim = worker->holding.held_claims[i];
		bool again = claim->last_offset >= 0;

		worker->started[i] = false;
		worker->next[i] = message_at(log_of(worker, i), again ? claim->last_offset : claim->next_offset);
		if (again)
			intake_expect(worker->intake, i, claim->last_offset, claim->last_time_ms, claim->last_crc);
	}
}

static void take_claim(struct worker *worker)
{
	holding_take(&worker->holding);
	begin_reading(worker);
	holding_remember(&worker->holding);
	worker->flush_seq = 0;
	worker->state = WORKER_RUNNING;
	start_reading(worker);
}

/* --- Reading --- */

static void take_message(struct worker *worker, size_t held, const struct log_message *from, int64_t now_us)
{
	struct source_message message = { .index = held, .offset = from->offset, .time_ms = from->time_ms, .payload = from->payload };

	worker->started[held] = true;
	if (intake_check(worker->intake, &message) != INTAKE_AS_EXPECTED)
		worker->model->broken = "the log was taken for another one";
	if (!intake_add(worker->intake, worker->live, &message, now_us))
		worker->model->broken = "a sum left 64 bits";
}

bool worker_poll(struct worker *worker, size_t held, int era, int64_t now_us)
{
	const struct log_partition *partition;
	int64_t before;

	if (worker->state != WORKER_RUNNING || held >= worker->holding.held_count)
		return false;
	partition = log_of(worker, held);
	if (worker->next[held] < partition->counts[era]) {
		take_message(worker, held, &partition->messages[worker->next[held]++], now_us);
		return true;
	}
	if (intake_check_end(worker->intake, held))
		worker->model->broken = "the last message did not come again";
	before = worker->live->progress[held].to_offset;
	intake_end_reached(worker->intake, worker->live, held, partition->ends[era]);
	return worker->live->progress[held].to_offset > before;
}

void worker_rewind(struct worker *worker, size_t held, size_t messages)
{
	if (worker->state != WORKER_RUNNING || held >= worker->holding.held_count || !worker->started[held])
		return;
	worker->next[held] -= messages < worker->next[held] ? messages : worker->next[held];
}

/* --- The writer --- */

/* The next live batch, in the memory of the one before, where no ghost needs that. */
static struct batch *continued(struct worker *worker)
{
	struct batch *batch = worker->spare ? worker->spare : batch_new();

	worker->spare = NULL;
	batch_continue(batch, worker->live, KEEP_BYTES);
	return batch;
}

void worker_freeze(struct worker *worker, int64_t now_us)
{
	struct statement *sent;

	if (worker->state != WORKER_RUNNING || worker->job != JOB_NONE || batch_is_empty(worker->live))
		return;
	worker->live->dedupe_before_ms = intake_expire(worker->intake, worker->live, now_us);
	worker->live->flush_seq = ++worker->flush_seq;
	sent = xcalloc(1, sizeof *sent);
	*sent = (struct statement){ worker->live, worker->owner, worker->seen_seq, intake_rules(worker->intake)->generation, 1 };
	worker->live = continued(worker);
	worker->sent = sent;
	submit(worker, JOB_COMMIT);
}

void worker_look(struct worker *worker)
{
	if (worker->state == WORKER_RUNNING && worker->job == JOB_NONE)
		submit(worker, JOB_LOOK);
}

static void done(struct worker *worker)
{
	worker->done = worker->job;
	worker->job = JOB_DONE;
}

static void write_commit(struct worker *worker, enum fate fate)
{
	if (fate == FATE_GHOST)
		model_add_ghost(worker->model, worker->sent);
	if (fate == FATE_UNHEARD || fate == FATE_ANSWERED)
		worker->outcome = model_commit(worker->model, worker->sent);
	if (fate != FATE_ANSWERED || worker->outcome == MODEL_PASSING)
		return;
	if (worker->outcome == MODEL_COMMITTED || worker->outcome == MODEL_ALREADY)
		worker->found = model_read_ids(worker->model, worker->owner, &worker->seen_seq);
	done(worker);
}

void worker_write(struct worker *worker, enum fate fate)
{
	switch (worker->job) {
	case JOB_CLAIM_ROWS:
		worker->owner = model_claim(worker->model, worker->claims, worker->claim_count);
		worker->job = fate == FATE_UNHEARD ? JOB_CLAIM_ROWS : JOB_CLAIM_IDS;
		break;
	case JOB_CLAIM_IDS:
		model_read_rules(worker->model, intake_rules(worker->intake));
		worker->seen_seq = model_load_ids(worker->model, intake_dedupe(worker->intake));
		done(worker);
		break;
	case JOB_COMMIT:
		write_commit(worker, fate);
		break;
	case JOB_LOOK:
		worker->found = model_read_ids(worker->model, worker->owner, &worker->seen_seq);
		done(worker);
		break;
	case JOB_NONE:
	case JOB_DONE:
		break;
	}
}

/* --- Results --- */

/* An event of the live batch was counted by another worker meanwhile: they were first. */
static void merge_ids(struct worker *worker)
{
	if (model_merge_ids(worker->model, &worker->found, intake_dedupe(worker->intake)))
		want_claim(worker);
}

static void after_commit(struct worker *worker)
{
	for (size_t i = 0; i < worker->holding.held_count; i++)
		worker->holding.held[i].next_offset = worker->sent->batch->progress[i].to_offset;
	holding_remember(&worker->holding);
	merge_ids(worker);
}

static void take_outcome(struct worker *worker)
{
	if (worker->done == JOB_CLAIM_IDS)
		take_claim(worker);
	else if (worker->done == JOB_LOOK)
		merge_ids(worker);
	else if (worker->outcome == MODEL_COMMITTED || worker->outcome == MODEL_ALREADY)
		after_commit(worker);
	else
		want_claim(worker);
}

static void clear_job(struct worker *worker)
{
	struct statement *sent = worker->sent;

	if (sent && sent->references == 1 && !worker->spare) {
		worker->spare = sent->batch;
		sent->batch = NULL;
	}
	if (sent)
		statement_let_go(sent);
	worker->sent = NULL;
	free(worker->found.blocks);
	worker->found = (struct found_ids){ NULL, 0 };
	worker->job = JOB_NONE;
}

/* What was submitted for an assignment of before means nothing now, and a commit of then is given up. */
static bool is_over(const struct worker *worker)
{
	return worker->job == JOB_DONE || (worker->job == JOB_COMMIT && worker->job_generation != worker->generation);
}

void worker_take(struct worker *worker)
{
	if (worker->job == JOB_DONE && worker->job_generation == worker->generation)
		take_outcome(worker);
	if (is_over(worker))
		clear_job(worker);
	if (worker->claim_wanted && worker->job == JOB_NONE) {
		worker->claims = holding_ask(&worker->holding);
		worker->claim_count = worker->holding.assigned_count;
		worker->claim_wanted = false;
		submit(worker, JOB_CLAIM_ROWS);
	}
}

bool worker_is_at_rest(const struct worker *worker)
{
	return worker->job == JOB_NONE && !worker->claim_wanted && batch_is_empty(worker->live);
}
