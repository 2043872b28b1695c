/* SPDX-License-Identifier: Apache-2.0
 *
 * sink_rules: see sink_rules.h. The roster comes in pages, so that an answer has a bound; every page makes sure that it
 * is of the same generation.
 */
#include "autoconf.h"

#include "sink_rules.h"

#include "mem.h"
#include "metrics.h"
#include "period.h"

#define PAGE_ROWS 5000
#define STATEMENT_TIMEOUT_MS 35000

/* The moment and the source rules. False with ERR_NONE: they are as they were. */
static bool read_sources(struct pg *pg, struct rules *rules, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;

	if (!pg_exec(pg, "SELECT generation, provider, team, source FROM ingest_rules()", NULL, PG_TEXT,
		     STATEMENT_TIMEOUT_MS, &result, err))
		return err_wrap(err, "cannot read source rules");
	err->kind = ERR_NONE;
	if (pg_int8(result, 0, 0) == rules->generation)
		return false;
	rules_clear(rules);
	for (int row = 0; row < pg_rows(result) && !pg_is_null(result, row, 3); row++)
		precedence_add(rules->precedence, pg_bytes(result, row, 1), pg_bytes(result, row, 2),
			       pg_bytes(result, row, 3));
	rules->generation = pg_int8(result, 0, 0);
	return true;
}

/* *after: the last person of the page before, and then of this one; 0: that was the last page. */
static bool read_page(struct pg *pg, struct rules *rules, int64_t from_us, int64_t *after, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	struct pg_params params = { 0 };
	int rows;

	pg_param_int8(&params, rules->generation);
	pg_param_time(&params, from_us);
	pg_param_int8(&params, *after);
	pg_param_int8(&params, PAGE_ROWS);
	if (!pg_exec(pg,
		     "SELECT person_id, user_key, valid_from, team FROM ingest_roster($1::bigint, $2, $3::bigint, $4::int)",
		     &params, PG_BINARY, STATEMENT_TIMEOUT_MS, &result, err))
		return err_wrap(err, "cannot read the teams of people");
	rows = pg_rows(result);
	for (int row = 0; row < rows; row++)
		roster_add(rules->roster, pg_bytes(result, row, 1), pg_binary_int8(result, row, 2) + US_PG_EPOCH,
			   pg_bytes(result, row, 3));
	*after = rows ? pg_binary_int8(result, rows - 1, 0) : 0;
	return true;
}

static bool check_bytes(const struct rules *rules, size_t bytes_max, struct err *err)
{
	if (rules_bytes(rules) <= bytes_max)
		return true;
	metric_add_label(METRIC_LIMIT_REACHED, LIMIT_RULES, 1);
	return err_set(err, ERR_RETRY,
		       "teams of people and source rules need more than the %zu KiB a worker has for them (%zu team moves "
		       "read so far): raise ingest.memory_max, or lower ingest.workers, and restart",
		       bytes_max / 1024, roster_count(rules->roster));
}

bool sink_rules_read(struct pg *pg, struct rules *rules, int64_t from_us, size_t bytes_max, struct err *err)
{
	int64_t after = 0;
	bool ok;

	if (!read_sources(pg, rules, err))
		return err->kind == ERR_NONE;
	do
		ok = read_page(pg, rules, from_us, &after, err) && check_bytes(rules, bytes_max, err);
	while (ok && after);
	if (!ok) {
		rules_clear(rules);
		return false;
	}
	roster_sort(rules->roster);
	return true;
}
