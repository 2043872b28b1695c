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
#define RUN_SETTINGS "SET statement_timeout = '15min'"
#define USUAL_SETTINGS "SET statement_timeout = '30s'"

bool titles_recompute(struct pg *pg, const char *as_of, bool partial, struct titles_run *run, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	struct pg_params params = { 0 };
	int64_t started_ms = now_monotonic_ms();

	pg_param_text(&params, as_of);
	pg_param_bool(&params, partial);
	if (!pg_script(pg, RUN_SETTINGS, STATEMENT_TIMEOUT_MS, err) ||
	    !pg_exec(pg,
		     "SELECT to_char(as_of AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI\"Z\"'), stored, partial, holders, "
		     "changes, note FROM recompute_titles(coalesce($1::timestamptz, date_trunc('hour', now())), "
		     "$2::boolean)",
		     &params, PG_TEXT, RUN_TIMEOUT_MS, &result, err) ||
	    !pg_script(pg, USUAL_SETTINGS, STATEMENT_TIMEOUT_MS, err))
		return err_wrap(err, "cannot recompute titles");
	*run = (struct titles_run){
		.stored = *pg_text(result, 0, 1) == 't',
		.partial = *pg_text(result, 0, 2) == 't',
		.holders = pg_int8(result, 0, 3),
		.changes = pg_int8(result, 0, 4),
		.took_ms = now_monotonic_ms() - started_ms,
	};
	snprintf(run->as_of, sizeof(run->as_of), "%s", pg_text(result, 0, 0));
	snprintf(run->note, sizeof(run->note), "%s", pg_text(result, 0, 5));
	return true;
}

static bool run_one(struct pg *pg, const char *as_of, bool partial, struct err *err)
{
	struct titles_run run;

	if (!titles_recompute(pg, as_of, partial, &run, err)) {
		metric_add_label(METRIC_TITLES_RUNS, TITLES_FAILED, 1);
		return false;
	}
	metric_add_label(METRIC_TITLES_RUNS, run.stored ? TITLES_OK : TITLES_SKIPPED, 1);
	if (!run.stored)
		return true;
	metric_set(METRIC_TITLES_LAST_RUN, run.took_ms * US_PER_MS);
	metric_set(METRIC_TITLES_LAST_SUCCESS, now_wall_us());
	log_info("titles recomputed as_of=%s partial=%s holders=%lld changes=%lld ms=%lld%s%s", run.as_of,
		 run.partial ? "yes" : "no", (long long)run.holders, (long long)run.changes, (long long)run.took_ms,
		 run.note[0] ? " note=" : "", run.note);
	return true;
}

bool titles_run_due(struct pg *pg, const struct options *options, int64_t now_us, int *ran, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *due = NULL;
	struct pg_params params = { 0 };

	*ran = 0;
	pg_param_time(&params, now_us);
	pg_param_int8(&params, options->titles_delay_ms);
	pg_param_int8(&params, options->titles_max_wait_ms);
	pg_param_int8(&params, options->titles_catch_up_max);
	if (!pg_exec(pg,
		     "SELECT as_of, partial FROM titles_due($1, $2::bigint * interval '1 ms', "
		     "$3::bigint * interval '1 ms', $4::int)",
		     &params, PG_TEXT, STATEMENT_TIMEOUT_MS, &due, err))
		return err_wrap(err, "cannot ask which titles are due");
	for (int i = 0; i < pg_rows(due); i++, (*ran)++) {
		if (!run_one(pg, pg_text(due, i, 0), *pg_text(due, i, 1) == 't', err))
			return false;
	}
	return true;
}
