/* SPDX-License-Identifier: Apache-2.0
 *
 * chopping_worker: ingest and writer without threads, Kafka and PostgreSQL: the real intake, batches, dedupe and
 * holding, driven step by step over a made-up log and the model of the database, as ingest.c and writer.c drive them.
 * Whoever calls decides what happens next, what fails and when; a step that does not fit now does nothing. To crash is
 * to be freed. Only for test_chopping.
 */
#ifndef TOKENTALLY_TESTS_CHOPPING_WORKER_H
#define TOKENTALLY_TESTS_CHOPPING_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "chopping_log.h"
#include "chopping_model.h"
#include "mapping.h"

struct worker;
struct worker *worker_new(const struct log *log, struct model *model, const struct mappings *mappings);
void worker_free(struct worker *worker);

/* The group's word, which a worker hears late: partition p is ours where bit p is set. */
void worker_assign(struct worker *worker, unsigned partitions);
/* Takes the next message of a held partition, or its end. False: there is none. */
bool worker_poll(struct worker *worker, size_t held, int era, int64_t now_us);
/* Kafka hands over the last few messages of a held partition again. */
void worker_rewind(struct worker *worker, size_t held, size_t messages);
/* Sends the live batch on its way, unless there is one already. */
void worker_freeze(struct worker *worker, int64_t now_us);
/* Asks what others have counted. */
void worker_look(struct worker *worker);
/* Forgets everything since the last commit, as after any trouble, and claims anew. */
void worker_forget(struct worker *worker);

enum fate {
	FATE_ANSWERED,
	FATE_LOST,   /* the connection, before the server has got it */
	FATE_UNHEARD, /* done, but the connection is lost before the answer */
	FATE_GHOST,  /* the connection is lost, and the server will do it later */
	FATES
};
/* The writer's next step: of a claim, a look, or a commit, which is tried again after all fates but the first. */
void worker_write(struct worker *worker, enum fate fate);
/* Takes the writer's result, if it has one. */
void worker_take(struct worker *worker);
/* Nothing is read that is not committed, and nothing is on its way. */
bool worker_is_at_rest(const struct worker *worker);

#endif
