/* SPDX-License-Identifier: Apache-2.0
 *
 * titles: see titles.h. The rules and all arithmetic are SQL (sql/functions/recompute_titles.sql).
 */
#include "autoconf.h"

#include "titles.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "mem.h"
#include "metrics.h"
#include "period.h"

#define RUN_TIMEOUT_MS (15 * 60 * 1000)
#define STATEMENT_TIMEOUT_MS 35000

bool titles_recompute(struct pg *pg, const char *as_of, bool partial, struct titles_run *run, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	struct pg_params params = { 0 };
	int64_t started_ms = now_monotonic_ms();

	pg_param_text(&params, as_of);
	pg_param_bool(&params, partial);
	if (!pg_exec_slow(pg,
		       "SELECT to_char(as_of AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI\"Z\"'), stored, partial, "
		       "holders, changes, note, outcome = 'busy' FROM recompute_titles("
		       "coalesce($1::timestamptz, date_trunc('hour', now())), $2::boolean)",
		       &params, RUN_TIMEOUT_MS, &result, err))
		return err_wrap(err, "cannot recompute titles");
	*run = (struct titles_run){
		.stored = *pg_text(result, 0, 1) == 't',
		.partial = *pg_text(result, 0, 2) == 't',
		.holders = pg_int8(result, 0, 3),
		.changes = pg_int8(result, 0, 4),
		.busy = *pg_text(result, 0, 6) == 't',
		.took_ms = now_monotonic_ms() - started_ms,
	};
	snprintf(run->as_of, sizeof(run->as_of), "%s", pg_text(result, 0, 0));
	snprintf(run->note, sizeof(run->note), "%s", pg_text(result, 0, 5));
	return true;
}

bool titles_preview(struct pg *pg, const char *as_of, struct pg_result **holders, struct err *err)
{
	struct pg_params params = { 0 };

	pg_param_text(&params, as_of);
	if (!pg_exec_slow(pg,
		       "SELECT title, tier, rank, user_key, CASE WHEN value = trunc(value) THEN "
		       "to_char(value, 'FM999,999,999,999,999,990') ELSE round(value, 4)::text END "
		       "FROM preview_titles($1::timestamptz)",
		       &params, RUN_TIMEOUT_MS, holders, err))
		return err_wrap(err, "cannot compute titles");
	return true;
}

static bool run_one(struct pg *pg, const char *as_of, bool partial, struct titles_run *run, struct err *err)
{
	if (!titles_recompute(pg, as_of, partial, run, err)) {
		metric_add_label(METRIC_TITLES_RUNS, TITLES_FAILED, 1);
		return false;
	}
	metric_add_label(METRIC_TITLES_RUNS, run->stored ? TITLES_OK : TITLES_SKIPPED, 1);
	if (!run->stored)
		return true;
	metric_set(METRIC_TITLES_LAST_RUN, run->took_ms * US_PER_MS);
	metric_set(METRIC_TITLES_LAST_SUCCESS, now_wall_us());
	log_info("titles recomputed as_of=%s partial=%s holders=%lld changes=%lld ms=%lld%s%s", run->as_of,
		 run->partial ? "yes" : "no", (long long)run->holders, (long long)run->changes, (long long)run->took_ms,
		 run->note[0] ? " note=" : "", run->note);
	return true;
}

/* The oldest hour that is due; no row: none is. The database's clock has the last word: it would compute an hour that
 * has not ended there, and not store it. */
static bool ask_due(struct pg *pg, const struct options *options, int64_t now_us, struct pg_result **due,
		    struct err *err)
{
	struct pg_params params = { 0 };

	pg_param_time(&params, now_us);
	pg_param_int8(&params, options->titles_delay_ms);
	pg_param_int8(&params, options->titles_max_wait_ms);
	pg_param_int8(&params, options->titles_catch_up_max);
	if (!pg_exec(pg,
		     "SELECT as_of, partial FROM titles_due(least($1::timestamptz, now()), "
		     "$2::bigint * interval '1 ms', $3::bigint * interval '1 ms', $4::int) ORDER BY as_of LIMIT 1",
		     &params, PG_TEXT, STATEMENT_TIMEOUT_MS, due, err))
		return err_wrap(err, "cannot ask which titles are due");
	return true;
}

/* Asks again after each run: meanwhile another process may have done what was due. */
bool titles_run_due(struct pg *pg, const struct options *options, int64_t now_us, int *ran, struct err *err)
{
	*ran = 0;
	do {
		CLEANUP(pg_result_free) struct pg_result *due = NULL;
		struct titles_run run;

		if (!ask_due(pg, options, now_us, &due, err))
			return false;
		if (!pg_rows(due))
			break;
		if (!run_one(pg, pg_text(due, 0, 0), *pg_text(due, 0, 1) == 't', &run, err))
			return false;
		/* It would be due again at once. Busy: another process does it. Else one did, or a later hour. */
		if (!run.stored)
			break;
		(*ran)++;
	} while (*ran < options->titles_catch_up_max);
	return true;
}
