/* SPDX-License-Identifier: Apache-2.0
 *
 * cli_board: the commands of whoever looks: titles, top.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "mem.h"
#include "period.h"
#include "status.h"
#include "text.h"
#include "titles.h"

#define STATEMENT_TIMEOUT_MS 35000
#define ROWS_DEFAULT 20
#define ROWS_MAX 250 /* what the view leaderboard has */

static void print_run(const struct titles_run *run)
{
	printf("titles as of %s: %s%s, %lld holders, %lld changes, %lld ms\n", run->as_of,
	       run->stored ? "stored" : "not stored", run->partial ? ", partial" : "", (long long)run->holders,
	       (long long)run->changes, (long long)run->took_ms);
	if (run->note[0])
		printf("%s\n", run->note);
}

static int run_titles(struct pg *pg, const char *as_of)
{
	struct titles_run run;
	struct err err;
	int64_t at_us;

	if (as_of && !period_parse_rfc3339(span_of(as_of), &at_us)) {
		fprintf(stderr, "tokentally: --as-of wants an RFC 3339 time such as 2026-11-23T10:00:00Z\n");
		return STATUS_USAGE;
	}
	if (!titles_recompute(pg, as_of, false, &run, &err))
		return cli_fail(&err);
	print_run(&run);
	return STATUS_DONE;
}

static const char board_from[] =
	" FROM (SELECT l.rank, l.display_name, l.value, l.as_of, (SELECT string_agg(h.title || ' ' || h.tier, ', ' "
	"ORDER BY h.rank, h.title) FROM tokentally.title_holder h WHERE h.user_key = l.display_name) AS titles "
	"FROM tokentally.leaderboard l WHERE l.board = $1 AND l.window_name = $2 ORDER BY l.rank, l.display_name "
	"LIMIT $3::int) b";

static void print_board(const struct pg_result *result, const char *metric, const char *window)
{
	if (!pg_rows(result)) {
		printf("no board '%s' for %s yet: titles are recomputed every hour, or by 'tokentally titles'; the boards "
		       "there are: SELECT DISTINCT board, window_name FROM tokentally.leaderboard\n",
		       metric, window);
		return;
	}
	printf("%s, %s up to %s\n\n%5s  %-34s %22s  %s\n", metric, window, pg_text(result, 0, 4), "rank", "who", metric,
	       "titles");
	for (int row = 0; row < pg_rows(result); row++)
		printf("%5s  %-34s %22s  %s\n", pg_text(result, row, 0), pg_text(result, row, 1), pg_text(result, row, 2),
		       pg_text(result, row, 3));
}

static int show_board(struct pg *pg, const struct cli_args *args, int64_t count)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	const char *metric = args->metric ? args->metric : "total_tokens";
	const char *window = args->window ? args->window : "30d";
	struct pg_params params = { 0 };
	char sql[900];
	struct err err;

	snprintf(sql, sizeof(sql), "%s%s",
		 args->json ? "SELECT coalesce(json_agg(b ORDER BY rank, display_name), '[]')"
			    : "SELECT rank, display_name, CASE WHEN value = trunc(value) THEN "
			      "to_char(value, 'FM999,999,999,999,999,990') ELSE round(value, 4)::text END, titles, as_of",
		 board_from);
	pg_param_text(&params, metric);
	pg_param_text(&params, window);
	pg_param_int8(&params, count);
	if (!pg_exec(pg, sql, &params, PG_TEXT, STATEMENT_TIMEOUT_MS, &result, &err))
		return cli_fail(&err);
	if (args->json)
		puts(pg_text(result, 0, 0));
	else
		print_board(result, metric, window);
	return STATUS_DONE;
}

/* count 0: recompute titles. */
static int with_database(struct cli_args *args, const char *name, int64_t count)
{
	int status;
	struct options *options = cli_load(args, &status);
	struct pg *pg;

	if (!options)
		return status;
	pg = pg_new(options->postgres_conninfo, name);
	if (cli_connect(pg, &status))
		status = count ? show_board(pg, args, count) : run_titles(pg, args->as_of);
	pg_free(pg);
	options_free(options);
	return status;
}

int cli_titles(struct cli_args *args)
{
	return with_database(args, "tokentally titles", 0);
}

int cli_top(struct cli_args *args)
{
	int64_t count = ROWS_DEFAULT;
	struct err err;

	if (args->count && !parse_int64(span_of(args->count), 1, ROWS_MAX, &count, &err)) {
		fprintf(stderr, "tokentally: -n: %s\n", err.text);
		return STATUS_USAGE;
	}
	return with_database(args, "tokentally top", count);
}
