/* SPDX-License-Identifier: Apache-2.0
 *
 * chopping: any chopping of the same log into batches, restarts and rebalances gives the same rows. Workers made of the
 * real intake, batches and dedupe read a made-up log (chopping_log) into a model of the database (chopping_model), each
 * schedule with other batches, crashes, lost answers, zombies and claims at other moments. What is there in the end must
 * be what one worker makes that reads all in one batch. Which of several copies was counted is left open, and so in
 * which partition: nothing else is.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "chopping_log.h"
#include "chopping_model.h"
#include "chopping_worker.h"
#include "period.h"
#include "seed.h"

#define LOGS 10
#define SCHEDULES 60 /* of each log */
#define WORKERS_MAX 4
/* Between eras: more than the time for which a worker keeps in mind how old messages were, so that ids are forgotten as
 * early as may be. No partition is behind by an era: what that would need is forgotten (docs/ARCHITECTURE.md, "Dedupe"). */
#define CLOCK_STEP_US (35 * US_PER_MINUTE)
#define DRAIN_ROUNDS 300

struct scene {
	const struct log *log;
	struct model *model;
	struct mappings *mappings;
	struct worker *workers[WORKERS_MAX];
	unsigned given[WORKERS_MAX], heard[WORKERS_MAX]; /* partitions: by the group, as far as a worker knows */
	size_t worker_count;
	int era;
	int64_t now_us;
	/* The weather of an era */
	int64_t trouble_percent; /* of steps: something breaks */
	int64_t unrest_percent;	 /* of steps: the group rebalances, rules change, a worker forgets */
	int64_t poll_max;	 /* messages a step */
	int64_t steps;
};

static bool chance(int64_t percent)
{
	return seed_below(100) < percent;
}

static void rebalance(struct scene *scene)
{
	for (size_t w = 0; w < scene->worker_count; w++)
		scene->given[w] = 0;
	for (unsigned p = 0; p < LOG_PARTITIONS; p++)
		scene->given[seed_below((int64_t)scene->worker_count)] |= 1u << p;
}

static struct scene *scene_new(const struct log *log, struct mappings *mappings, size_t worker_count)
{
	struct scene *scene = calloc(1, sizeof *scene);

	scene->log = log;
	scene->mappings = mappings;
	scene->model = model_new(log);
	scene->worker_count = worker_count;
	for (size_t w = 0; w < worker_count; w++)
		scene->workers[w] = worker_new(log, scene->model, mappings);
	rebalance(scene);
	return scene;
}

static void scene_free(struct scene *scene)
{
	for (size_t w = 0; w < scene->worker_count; w++)
		worker_free(scene->workers[w]);
	model_free(scene->model);
	free(scene);
}

/* --- Steps --- */

static void poll(struct scene *scene, size_t w)
{
	for (int64_t left = 1 + seed_below(scene->poll_max); left > 0; left--)
		worker_poll(scene->workers[w], (size_t)seed_below(LOG_PARTITIONS), scene->era, scene->now_us);
}

static void poll_all(struct scene *scene, size_t w)
{
	for (size_t held = 0; held < LOG_PARTITIONS; held++)
		while (worker_poll(scene->workers[w], held, scene->era, scene->now_us))
			;
}

/* One turn of a worker whose database answers. */
static void commit(struct scene *scene, size_t w)
{
	worker_take(scene->workers[w]);
	worker_freeze(scene->workers[w], scene->now_us);
	worker_write(scene->workers[w], FATE_ANSWERED);
	worker_take(scene->workers[w]);
}

/* A revoke may leave time for a commit of what was read, or none. */
static void hear(struct scene *scene, size_t w)
{
	if (scene->heard[w] == scene->given[w])
		return;
	for (int64_t commits = seed_below(3); commits > 0; commits--)
		commit(scene, w);
	scene->heard[w] = scene->given[w];
	worker_assign(scene->workers[w], scene->heard[w]);
}

static void crash(struct scene *scene, size_t w)
{
	worker_free(scene->workers[w]);
	scene->workers[w] = worker_new(scene->log, scene->model, scene->mappings);
	scene->heard[w] = 0;
}

static void some_trouble(struct scene *scene, size_t w)
{
	struct model *model = scene->model;

	switch (seed_below(5)) {
	case 0:
		worker_write(scene->workers[w], (enum fate)(FATE_ANSWERED + 1 + seed_below(FATES - 1)));
		crash(scene, w);
		break;
	case 1:
	case 2:
		worker_write(scene->workers[w], (enum fate)(FATE_ANSWERED + 1 + seed_below(FATES - 1)));
		break;
	case 3:
		worker_rewind(scene->workers[w], (size_t)seed_below(LOG_PARTITIONS), (size_t)seed_below(20));
		break;
	case 4:
		if (model->ghost_count)
			model_run_ghost(model, (size_t)seed_below((int64_t)model->ghost_count));
		break;
	}
}

static void some_unrest(struct scene *scene, size_t w)
{
	switch (seed_below(3)) {
	case 0:
		rebalance(scene);
		break;
	case 1:
		model_change_rules(scene->model);
		break;
	case 2:
		worker_forget(scene->workers[w]);
		break;
	}
}

static void step(struct scene *scene)
{
	size_t w = (size_t)seed_below((int64_t)scene->worker_count);

	scene->now_us += seed_below(US_PER_SECOND);
	if (chance(scene->trouble_percent)) {
		some_trouble(scene, w);
		return;
	}
	if (chance(scene->unrest_percent) || (scene->model->rules_wrong && chance(10)))
		some_unrest(scene, w);
	switch (seed_below(7)) {
	case 0:
		hear(scene, w);
		break;
	case 1:
	case 2:
		poll(scene, w);
		break;
	case 3:
		worker_freeze(scene->workers[w], scene->now_us);
		break;
	case 4:
		worker_write(scene->workers[w], FATE_ANSWERED);
		break;
	case 5:
		worker_take(scene->workers[w]);
		break;
	case 6:
		worker_look(scene->workers[w]);
		break;
	}
}

static bool is_drained(const struct scene *scene)
{
	for (size_t w = 0; w < scene->worker_count; w++)
		if (!worker_is_at_rest(scene->workers[w]))
			return false;
	for (int p = 0; p < LOG_PARTITIONS; p++)
		if (scene->model->rows[p].next_offset != scene->log->partitions[p].ends[scene->era])
			return false;
	return true;
}

/* Nothing breaks any more, until all is read and committed. */
static void drain(struct scene *scene)
{
	if (scene->model->rules_wrong)
		model_change_rules(scene->model);
	for (int round = 0; !is_drained(scene); round++) {
		if (round == DRAIN_ROUNDS) {
			scene->model->broken = "it does not come to rest";
			return;
		}
		for (size_t w = 0; w < scene->worker_count; w++) {
			hear(scene, w);
			poll_all(scene, w);
			commit(scene, w);
		}
	}
}

static void begin_era(struct scene *scene, int era)
{
	scene->era = era;
	scene->now_us = LOG_START_MS * US_PER_MS + era * CLOCK_STEP_US;
}

/* --- Whole readings --- */

static struct scene *read_at_once(const struct log *log, struct mappings *mappings)
{
	struct scene *scene = scene_new(log, mappings, 1);

	begin_era(scene, LOG_ERAS - 1);
	drain(scene);
	assert_null(scene->model->broken);
	assert_int_equal(scene->model->outcomes[MODEL_COMMITTED], 1);
	return scene;
}

/* Where it is calm for some eras ids are forgotten by age. */
static void draw_weather(struct scene *scene)
{
	scene->steps = seed_below(20 + seed_below(300));
	scene->poll_max = 1 + seed_below(20);
	scene->trouble_percent = chance(40) ? 0 : seed_below(30);
	scene->unrest_percent = chance(50) ? 0 : seed_below(10);
}

static struct scene *read_chopped(const struct log *log, struct mappings *mappings)
{
	struct scene *scene = scene_new(log, mappings, 1 + (size_t)seed_below(WORKERS_MAX));

	for (int era = 0; era < LOG_ERAS; era++) {
		begin_era(scene, era);
		draw_weather(scene);
		for (int64_t i = 0; i < scene->steps; i++)
			step(scene);
		drain(scene);
	}
	while (scene->model->ghost_count)
		model_run_ghost(scene->model, 0);
	return scene;
}

/* --- Comparison --- */

static struct log_totals totals_of(const struct model *model)
{
	struct log_totals totals = { 0 };

	for (int p = 0; p < LOG_PARTITIONS; p++) {
		totals.accepted += model->rows[p].accepted;
		totals.dead += model->rows[p].dead;
		totals.duplicate += model->rows[p].duplicate;
		totals.skipped += model->rows[p].skipped;
	}
	return totals;
}

static int64_t newest_event_of(const struct model *model)
{
	int64_t newest_us = INT64_MIN;

	for (int p = 0; p < LOG_PARTITIONS; p++)
		if (model->rows[p].event_time_max_us > newest_us)
			newest_us = model->rows[p].event_time_max_us;
	return newest_us;
}

static bool same_position(const struct model_row *a, const struct model_row *b)
{
	return a->next_offset == b->next_offset && a->last_offset == b->last_offset && a->last_time_ms == b->last_time_ms &&
	       a->last_crc == b->last_crc && a->dead == b->dead &&
	       a->accepted + a->duplicate + a->skipped == b->accepted + b->duplicate + b->skipped;
}

static bool same_totals(struct log_totals a, struct log_totals b)
{
	return a.accepted == b.accepted && a.dead == b.dead && a.duplicate == b.duplicate && a.skipped == b.skipped;
}

/* NULL: the log's totals are there, in the positions and in the rows. */
static const char *fault_in_sums(const struct log *log, const struct model *model)
{
	static const char *const kinds[] = { "hour", "minute" };

	if (!same_totals(totals_of(model), log->totals))
		return "the totals are not those of the log";
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (ledger_sum(model->ledger, kinds[i], M_CALLS) != log->totals.accepted)
			return "the rows do not add up to what was accepted";
	if (ledger_sum(model->ledger, "shadow", M_CALLS) != log->totals.skipped)
		return "the shadow rows do not add up to what was skipped";
	if (ledger_sum(model->ledger, "dead", 0) != log->totals.dead)
		return "the dead letters do not add up";
	return NULL;
}

/* NULL: nothing is different that should not be. */
static const char *fault_in(const struct scene *expected, const struct scene *got)
{
	const struct model *model = got->model;
	const char *fault = model->broken ? model->broken : fault_in_sums(got->log, model);

	if (fault)
		return fault;
	for (int p = 0; p < LOG_PARTITIONS; p++)
		if (!same_position(&expected->model->rows[p], &model->rows[p]))
			return "a position is another one";
	if (newest_event_of(expected->model) != newest_event_of(model))
		return "the newest event is another one";
	return ledger_equal(expected->model->ledger, model->ledger) ? NULL : "the rows are others";
}

/* --- The test --- */

struct sights { /* what the schedules went through, so that the test can't become one of fair weather unseen */
	int64_t outcomes[MODEL_OUTCOMES], forgotten_blocks;
};

static void note(struct sights *sights, const struct model *model)
{
	for (int i = 0; i < MODEL_OUTCOMES; i++)
		sights->outcomes[i] += model->outcomes[i];
	for (size_t i = 0; i < model->block_count; i++)
		sights->forgotten_blocks += model->blocks[i].deleted;
}

static void check_log(uint64_t seed, struct mappings *mappings, struct sights *sights)
{
	struct log *log = log_new(seed);
	struct scene *expected = read_at_once(log, mappings);

	seed_state = ~seed;
	if (fault_in_sums(log, expected->model))
		fail_msg("TOKENTALLY_SEED=%" PRIu64 ", all at once: %s", seed, fault_in_sums(log, expected->model));
	for (int i = 0; i < SCHEDULES; i++) {
		struct scene *got = read_chopped(log, mappings);
		const char *fault = fault_in(expected, got);

		if (fault)
			fail_msg("TOKENTALLY_SEED=%" PRIu64 ", schedule %d: %s", seed, i, fault);
		note(sights, got->model);
		scene_free(got);
	}
	scene_free(expected);
	log_free(log);
}

static void any_chopping_restarts_and_rebalances_give_the_same_rows(void **state)
{
	struct mappings *mappings = mappings_new();
	struct sights sights = { { 0 }, 0 };
	uint64_t seed;

	(void)state;
	seed_start(__func__);
	seed = seed_state;
	for (uint64_t i = 0; i < LOGS; i++)
		check_log(seed + i, mappings, &sights);
	for (int i = 0; i < MODEL_OUTCOMES; i++)
		assert_true(sights.outcomes[i] > 0);
	assert_true(sights.forgotten_blocks > 0);
	mappings_free(mappings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_chopping_restarts_and_rebalances_give_the_same_rows),
	};

	return cmocka_run_group_tests_name("chopping", tests, NULL, NULL);
}
