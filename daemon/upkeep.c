/* SPDX-License-Identifier: Apache-2.0
 *
 * upkeep: see upkeep.h. A round every few seconds; each chore has its own interval. A chore that fails is
 * tried again in the next round; none holds up the others.
 */
#include "autoconf.h"

#include "upkeep.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "mem.h"
#include "metrics.h"
#include "period.h"
#include "sink.h"
#include "titles.h"

#define ROUND_MS 5000
#define CHORES 6
#define FOLDS_A_ROUND 7 /* days; the rest comes in the next rounds */
#define FOLD_TIMEOUT_MS (15 * 60 * 1000) /* 1.7 million hour rows a day take 5 s */
#define STATEMENT_TIMEOUT_MS 35000

struct upkeep {
	_Atomic(const struct options *) options;
	_Atomic(const struct mappings *) mappings;
	struct sink *sink;
	pthread_t thread;
	pthread_mutex_t lock; /* guards ending, failure, reloaded */
	pthread_cond_t changed;
	bool ending, failed, reloaded;
	bool told_of_key; /* the upkeep thread's own */
	struct err failure;
	atomic_bool stop, connected;
	int64_t connected_share;
	int64_t due_ms[CHORES]; /* monotonic; 0: at once */
};

/* True: a row was due and went. Retention ends with whole partitions, one a transaction. */
static bool drop_one(struct upkeep *upkeep, const struct options *options, int64_t now_us, bool *dropped,
		     struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	struct pg_params params = { 0 };
	const int64_t keep_ms[] = { options->retention_minute_ms, options->retention_hour_ms, options->retention_day_ms,
				    options->retention_session_ms, options->retention_dead_letter_ms };

	for (size_t i = 0; i < sizeof(keep_ms) / sizeof(*keep_ms); i++)
		pg_param_time(&params, now_us - keep_ms[i] * US_PER_MS);
	if (!pg_exec(sink_pg(upkeep->sink), "SELECT ingest_drop_partitions($1, $2, $3, $4, $5)", &params, PG_TEXT,
		     STATEMENT_TIMEOUT_MS, &result, err))
		return err_wrap(err, "cannot drop what retention no longer covers");
	*dropped = pg_rows(result) > 0;
	if (*dropped)
		log_info("dropped table partition=%s, its time is over by retention", pg_text(result, 0, 0));
	return true;
}

static bool keep_tables(struct upkeep *upkeep, const struct options *options, struct err *err)
{
	int made = 0;
	bool dropped = true;

	if (!sink_ensure_partitions(upkeep->sink, options, now_wall_us(), &made, err))
		return false;
	if (made)
		log_info("made %d partitions of tables ahead", made);
	while (dropped && !atomic_load(&upkeep->stop)) {
		if (!drop_one(upkeep, options, now_wall_us(), &dropped, err))
			return false;
	}
	return true;
}

static bool trim_ids(struct upkeep *upkeep, const struct options *options, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	struct pg_params params = { 0 };

	pg_param_int8(&params, options->ingest_dedupe_max_ids);
	if (!pg_exec(sink_pg(upkeep->sink), "SELECT ingest_trim_dedupe($1::bigint)", &params, PG_TEXT, STATEMENT_TIMEOUT_MS,
		     &result, err))
		return err_wrap(err, "cannot forget old event ids");
	if (pg_int8(result, 0, 0))
		metric_add_label(METRIC_LIMIT_REACHED, LIMIT_DEDUPE_IDS, 1);
	return true;
}

/* One day in a transaction of its own. Commits wait meanwhile, which is why it is one day. */
static bool fold_one(struct upkeep *upkeep, bool *folded, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	struct pg_params params = { 0 };

	pg_param_time(&params, now_wall_us());
	if (!pg_exec_slow(sink_pg(upkeep->sink), "SELECT fold_days($1)", &params, FOLD_TIMEOUT_MS, &result, err))
		return err_wrap(err, "cannot fold hours into days");
	*folded = *pg_text(result, 0, 0) == 't';
	return true;
}

static bool fold(struct upkeep *upkeep, const struct options *options, struct err *err)
{
	bool folded = true;

	(void)options;
	for (int i = 0; folded && i < FOLDS_A_ROUND && !atomic_load(&upkeep->stop); i++) {
		if (!fold_one(upkeep, &folded, err))
			return false;
	}
	return true;
}

typedef bool chore_fn(struct upkeep *upkeep, const struct options *options, struct err *err);

static bool keep_titles(struct upkeep *upkeep, const struct options *options, struct err *err)
{
	int ran;

	return !options->titles_enabled || titles_run_due(sink_pg(upkeep->sink), options, now_wall_us(), &ran, err);
}

/* Which teams and apps are too small to be named: the database knows when it is worth counting again. */
static bool refresh_groups(struct upkeep *upkeep, const struct options *options, struct err *err)
{
	(void)options;
	if (!pg_exec_slow(sink_pg(upkeep->sink), "SELECT refresh_small_groups()", NULL, FOLD_TIMEOUT_MS, NULL, err))
		return err_wrap(err, "cannot count people by team and app");
	return true;
}

static bool tell_sources(struct upkeep *upkeep, const struct options *options, struct err *err)
{
	(void)options;
	return sink_tell_sources(upkeep->sink, atomic_load(&upkeep->mappings), err);
}

/* How often, and when again after a failure: a table that somebody reads for hours must not be queued for every few
 * seconds. 0: each round. */
static const struct {
	chore_fn *run;
	int64_t every_ms, again_ms;
} chores[] = {
	{ tell_sources, 24 * 60 * 60 * 1000, 60 * 1000 }, /* first: nobody should wait for a fold to write a rule */
	{ keep_tables, 10 * 60 * 1000, 60 * 1000 },
	{ fold, 60 * 1000, 60 * 1000 },
	{ trim_ids, 60 * 1000, 60 * 1000 },
	{ refresh_groups, 0, 60 * 1000 },
	{ keep_titles, 0, 0 },
};

/* Each by itself. False: err is that of the first that failed. */
static bool do_chores(struct upkeep *upkeep, struct err *err)
{
	const struct options *options = atomic_load(&upkeep->options);
	struct err other;
	bool ok = true;

	for (size_t i = 0; i < CHORES && sink_connect(upkeep->sink, ok ? err : &other); i++) {
		if (now_monotonic_ms() < upkeep->due_ms[i])
			continue;
		if (chores[i].run(upkeep, options, ok ? err : &other)) {
			upkeep->due_ms[i] = now_monotonic_ms() + chores[i].every_ms;
		} else {
			upkeep->due_ms[i] = now_monotonic_ms() + chores[i].again_ms;
			ok = false;
		}
	}
	return ok && sink_is_connected(upkeep->sink);
}

static void fail(struct upkeep *upkeep, const struct err *err)
{
	pthread_mutex_lock(&upkeep->lock);
	upkeep->failed = true;
	upkeep->failure = *err;
	pthread_mutex_unlock(&upkeep->lock);
}

static void tell_of_key(struct upkeep *upkeep)
{
	bool awaits = sink_is_connected(upkeep->sink) && sink_awaits_rekey(upkeep->sink);

	if (awaits && !upkeep->told_of_key)
		log_warn("privacy.key is not the one of the database, going on with the former until 'tokentally rekey' was run");
	upkeep->told_of_key = awaits;
}

static void do_round(struct upkeep *upkeep)
{
	struct err err;
	bool ok = do_chores(upkeep, &err);
	bool connected = sink_is_connected(upkeep->sink);

	atomic_store(&upkeep->connected, connected);
	metric_share(METRIC_PG_CONNECTED, &upkeep->connected_share, connected);
	tell_of_key(upkeep);
	if (ok || atomic_load(&upkeep->stop))
		return;
	/* Without a connection a refusal may pass (a password is being changed); over one it is an answer. */
	if (err.kind == ERR_CONFIG && connected)
		fail(upkeep, &err);
	else
		log_warn("%s, trying again in %d s", err.text, ROUND_MS / 1000);
}

static void wait_round(struct upkeep *upkeep)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ROUND_MS / 1000;
	pthread_mutex_lock(&upkeep->lock);
	while (!upkeep->ending && !upkeep->reloaded &&
	       !pthread_cond_timedwait(&upkeep->changed, &upkeep->lock, &until))
		;
	if (upkeep->reloaded) {
		sink_use_options(upkeep->sink, atomic_load(&upkeep->options));
		memset(upkeep->due_ms, 0, sizeof(upkeep->due_ms));
	}
	upkeep->reloaded = false;
	pthread_mutex_unlock(&upkeep->lock);
}

static void *run(void *arg)
{
	struct upkeep *upkeep = arg;

	while (!atomic_load(&upkeep->stop)) {
		do_round(upkeep);
		wait_round(upkeep);
	}
	return NULL;
}

struct upkeep *upkeep_new(const struct options *options, const struct mappings *mappings, struct err *err)
{
	struct upkeep *upkeep = xcalloc(1, sizeof(*upkeep));
	pthread_condattr_t attr;

	atomic_init(&upkeep->options, options);
	atomic_init(&upkeep->mappings, mappings);
	upkeep->sink = sink_new(options, "tokentally upkeep", 0, 0, true);
	sink_set_stop(upkeep->sink, &upkeep->stop);
	if (!sink_connect(upkeep->sink, err)) {
		if (err->kind == ERR_CONFIG) {
			sink_free(upkeep->sink);
			free(upkeep);
			return NULL;
		}
		log_warn("%s, starting all the same and trying on", err->text);
	}
	atomic_store(&upkeep->connected, sink_is_connected(upkeep->sink));
	pthread_mutex_init(&upkeep->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&upkeep->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&upkeep->thread, NULL, run, upkeep))
		abort();
	return upkeep;
}

void upkeep_free(struct upkeep *upkeep)
{
	if (!upkeep)
		return;
	pthread_mutex_lock(&upkeep->lock);
	upkeep->ending = true;
	atomic_store(&upkeep->stop, true);
	pthread_cond_broadcast(&upkeep->changed);
	pthread_mutex_unlock(&upkeep->lock);
	pthread_join(upkeep->thread, NULL);
	metric_share(METRIC_PG_CONNECTED, &upkeep->connected_share, 0);
	sink_free(upkeep->sink);
	pthread_cond_destroy(&upkeep->changed);
	pthread_mutex_destroy(&upkeep->lock);
	free(upkeep);
}

void upkeep_reload(struct upkeep *upkeep, const struct options *options, const struct mappings *mappings)
{
	pthread_mutex_lock(&upkeep->lock);
	atomic_store(&upkeep->options, options);
	atomic_store(&upkeep->mappings, mappings);
	upkeep->reloaded = true;
	pthread_cond_broadcast(&upkeep->changed);
	pthread_mutex_unlock(&upkeep->lock);
}

bool upkeep_is_well(struct upkeep *upkeep, struct err *err)
{
	bool well;

	pthread_mutex_lock(&upkeep->lock);
	well = !upkeep->failed;
	if (!well)
		*err = upkeep->failure;
	pthread_mutex_unlock(&upkeep->lock);
	return well;
}

bool upkeep_is_connected(const struct upkeep *upkeep)
{
	return atomic_load(&upkeep->connected);
}
