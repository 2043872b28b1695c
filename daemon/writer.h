/* SPDX-License-Identifier: Apache-2.0
 *
 * writer: the thread beside each ingest thread that talks to the database, so that polling, decoding and the
 * group's heartbeat go on while a commit is under way. One job at a time: a claim of partitions or the commit
 * of a frozen batch. It repeats what is worth repeating, with backoff and jitter, and answers with what
 * ingest has to do; it logs what it decides.
 *
 * writer_* functions are for the ingest thread only. What a job points to belongs to the writer until its
 * result was taken.
 */
#ifndef TOKENTALLY_WRITER_H
#define TOKENTALLY_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "err.h"
#include "sink.h"
#include "source.h"

enum writer_job_kind {
	JOB_CLAIM,
	JOB_COMMIT,
	JOB_LOOK, /* for who commits nothing: what others have counted meanwhile, and whether the log is the same */
};

struct writer_job {
	enum writer_job_kind kind;
	uint64_t generation; /* of the assignment; comes back with the result */
	/* JOB_CLAIM */
	struct claim_partition *partitions;
	size_t partition_count;
	struct dedupe *dedupe; /* cleared and loaded; NULL: no dedupe */
	int64_t dedupe_ids_max;
	struct rules *rules; /* made those of the database */
	size_t rules_bytes_max;
	/* JOB_COMMIT */
	struct batch *batch;
	/* JOB_LOOK; one for each held partition, answered in place */
	struct source_mark *marks;
	size_t mark_count;
};

enum writer_outcome {
	WRITER_DONE,
	WRITER_FENCED,    /* forget everything since the last commit and claim anew */
	WRITER_NAMES,     /* the same: an erase has changed the meaning of ids */
	WRITER_RULES,     /* the same: teams of people or source rules are others than those it was counted by */
	WRITER_OTHER_LOG, /* the same: batch->progress[].other_log says of which partitions */
	WRITER_COUNTED,   /* the same: another worker has counted an event of this batch */
	WRITER_HALVE,     /* the same, then with half as many messages a batch: one of them may be refused */
	WRITER_ABANDONED, /* given up because writer_abandon was called; whether it was done is unknown */
	WRITER_FAILED,    /* err says why; the process should end */
};

struct writer_result {
	struct writer_job job;
	enum writer_outcome outcome;
	struct err err;
	struct pg_result *ids; /* JOB_COMMIT, JOB_LOOK: for sink_merge_ids, and the taker's to free; may be NULL */
};

struct writer;
/* number: of the worker, for names of connections and log lines. source is asked for watermarks. */
struct writer *writer_new(const struct options *options, struct source *source, int number, size_t name_cache_bytes,
			  size_t session_cache_bytes);
/* From any thread: retention.minute. */
void writer_reload(struct writer *writer, const struct options *options);
/* Joins the thread; a job under way is abandoned. */
void writer_free(struct writer *writer);

/* Only when idle. */
void writer_submit(struct writer *writer, const struct writer_job *job);
bool writer_is_busy(const struct writer *writer);
/* Takes the result of the last job. False: none within wait_ms. */
bool writer_take(struct writer *writer, int wait_ms, struct writer_result *result) ATTR_MUST_CHECK;
/* The present job should end soon, done or not. */
void writer_abandon(struct writer *writer);
/* False while the last thing the database said was not an answer: no use in waiting for a commit. */
bool writer_is_healthy(const struct writer *writer);

#endif
