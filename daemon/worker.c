/* SPDX-License-Identifier: Apache-2.0
 *
 * worker: how many, what memory each gets, starting and joining. What a worker does is ingest.
 */
#include "autoconf.h"

#include "worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "ingest.h"
#include "log.h"
#include "mem.h"

#define WORKER_BYTES_MIN (64u * 1024 * 1024)

struct worker {
	struct ingest *ingest;
	struct workers *workers;
	pthread_t thread;
	atomic_bool ended;
	bool failed; /* read after ended */
	struct err err;
	uint64_t turns_seen;
};

struct workers {
	struct worker *items;
	int count;
	_Atomic int64_t stop_at_ms;
};

/* As many as asked for or as there are processors, but each with its least memory. */
static int count_wanted(const struct options *options)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int wanted = options->ingest_workers ? options->ingest_workers : (processors > 0 ? (int)processors : 1);
	uint64_t fit = options->ingest_memory_max_bytes / WORKER_BYTES_MIN;

	if (fit < 1)
		fit = 1;
	return (uint64_t)wanted > fit ? (int)fit : wanted;
}

static void *run(void *arg)
{
	struct worker *worker = arg;

	worker->failed = !ingest_run(worker->ingest, &worker->workers->stop_at_ms, &worker->err);
	atomic_store(&worker->ended, true);
	return NULL;
}

static void free_items(struct workers *workers, int count)
{
	for (int i = 0; i < count; i++)
		ingest_free(workers->items[i].ingest);
	free(workers->items);
	free(workers);
}

struct workers *workers_new(const struct options *options, const struct mappings *mappings, struct err *err)
{
	struct workers *workers = xcalloc(1, sizeof(*workers));
	struct ingest_limits limits;

	workers->count = count_wanted(options);
	workers->items = xcalloc((size_t)workers->count, sizeof(*workers->items));
	limits = ingest_limits_of(options, options->ingest_memory_max_bytes / (uint64_t)workers->count);
	for (int i = 0; i < workers->count; i++) {
		workers->items[i].workers = workers;
		workers->items[i].ingest = ingest_new(options, mappings, &limits, i, err);
		if (!workers->items[i].ingest) {
			free_items(workers, i);
			return NULL;
		}
	}
	for (int i = 0; i < workers->count; i++) {
		if (pthread_create(&workers->items[i].thread, NULL, run, &workers->items[i]))
			abort(); /* no threads, no daemon; systemd restarts us */
	}
	if (options->ingest_workers > workers->count)
		log_warn("ingest.workers lowered from %d to %d: each needs 64M of ingest.memory_max",
			 options->ingest_workers, workers->count);
	return workers;
}

int workers_count(const struct workers *workers)
{
	return workers->count;
}

bool workers_are_well(struct workers *workers, struct err *err)
{
	for (int i = 0; i < workers->count; i++) {
		if (atomic_load(&workers->items[i].ended) && workers->items[i].failed) {
			*err = workers->items[i].err;
			return false;
		}
	}
	return true;
}

bool workers_moved(struct workers *workers)
{
	bool moved = true;

	for (int i = 0; i < workers->count; i++) {
		uint64_t turns = ingest_turns(workers->items[i].ingest);

		moved = moved && turns != workers->items[i].turns_seen;
		workers->items[i].turns_seen = turns;
	}
	return moved;
}

void workers_report(const struct workers *workers, struct buf *reasons)
{
	for (int i = 0; i < workers->count; i++)
		ingest_report(workers->items[i].ingest, reasons);
}

void workers_reload(struct workers *workers, const struct options *options, const struct mappings *mappings)
{
	for (int i = 0; i < workers->count; i++)
		ingest_reload(workers->items[i].ingest, options, mappings);
}

bool workers_stop(struct workers *workers, int64_t deadline_ms)
{
	struct timespec until = { .tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000 };

	atomic_store(&workers->stop_at_ms, deadline_ms);
	for (int i = 0; i < workers->count; i++) {
		if (pthread_clockjoin_np(workers->items[i].thread, NULL, CLOCK_MONOTONIC, &until))
			return false;
	}
	for (int i = 0; i < workers->count; i++) {
		if (!ingest_is_closed(workers->items[i].ingest))
			return false;
	}
	free_items(workers, workers->count);
	return true;
}
