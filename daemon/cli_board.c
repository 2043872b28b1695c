/* SPDX-License-Identifier: Apache-2.0
 *
 * cli_board: the commands of whoever looks: titles, top.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cli_tier.h"
#include "mem.h"
#include "period.h"
#include "status.h"
#include "text.h"
#include "titles.h"

#define STATEMENT_TIMEOUT_MS 35000
#define ROWS_DEFAULT 20
#define ROWS_MAX 250 /* what the view leaderboard has */
#define CELL_BYTES 2048
#define NAME_WIDTH 34
#define LINE_WIDTH 100 /* where there is no terminal */

/* A name as a terminal may see it: a key comes from whoever sent it. */
static void printable(char out[CELL_BYTES], const char *text)
{
	text_printable(out, CELL_BYTES, span_of(text));
}

/* Characters, not bytes: names are not all ASCII. */
static int characters(const char *text)
{
	int count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

/* The width of the widest cell of a column, head included; a few very long ones shall not widen all. */
static int width_of(const struct pg_result *result, int column, const char *head, int most)
{
	char text[CELL_BYTES];
	int width = characters(head);

	for (int row = 0; row < pg_rows(result); row++) {
		printable(text, pg_text(result, row, column));
		if (characters(text) > width)
			width = characters(text);
	}
	return width < most ? width : most;
}

/* width as in printf: negative is left-aligned. */
static void print_cell(const char *raw, int width)
{
	char text[CELL_BYTES];
	int unseen;

	printable(text, raw);
	unseen = (int)strlen(text) - characters(text);
	printf("%*s", width < 0 ? width - unseen : width + unseen, text);
}

/* A cell that is a tier. */
static void print_tier(const char *tier, int width)
{
	cli_tier_print(span_of(tier));
	printf("%*s", width - (int)strlen(tier), "");
}

static void print_run(const struct titles_run *run)
{
	printf("titles as of %s: %s%s, %lld holders, %lld changes, %lld ms\n", run->as_of,
	       run->stored ? "stored" : "not stored", run->partial ? ", partial" : "", (long long)run->holders,
	       (long long)run->changes, (long long)run->took_ms);
	if (run->note[0])
		printf("%s\n", run->note);
}

static void print_holders(const struct pg_result *holders)
{
	static const char *const heads[] = { "title", "tier", "rank", "who", "value" };
	static const int sides[] = { -1, -1, 1, -1, 1 }; /* -1: left-aligned */
	int widths[5];

	for (int column = 0; column < 5; column++)
		widths[column] = sides[column] * width_of(holders, column, heads[column], NAME_WIDTH);
	putchar('\n');
	for (int row = -1; row < pg_rows(holders); row++) {
		for (int column = 0; column < 5; column++) {
			if (row >= 0 && column == 1)
				print_tier(pg_text(holders, row, column), -widths[column]);
			else
				print_cell(row < 0 ? heads[column] : pg_text(holders, row, column), widths[column]);
			fputs(column < 4 ? "  " : "\n", stdout);
		}
	}
}

static int run_titles(struct pg *pg, const char *as_of)
{
	CLEANUP(pg_result_free) struct pg_result *holders = NULL;
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
	if (run.stored || run.busy)
		return STATUS_DONE;
	if (!titles_preview(pg, run.as_of, &holders, &err))
		return cli_fail(&err);
	if (pg_rows(holders))
		print_holders(holders);
	return STATUS_DONE;
}

/* Where the first of them ends. */
static const char *title_end(const char *titles)
{
	const char *end = strstr(titles, ", ");

	return end ? end : titles + strlen(titles);
}

static int titles_in(const char *titles)
{
	int count = *titles != '\0';

	for (titles = title_end(titles); *titles; titles = title_end(titles + 2))
		count++;
	return count;
}

/* Those that the rest of the line has room for, the best first, and how many more there are. */
static void print_titles(const char *titles, int room)
{
	char text[CELL_BYTES];
	const char *next = text;
	int used = 0;

	printable(text, titles);
	for (int left = titles_in(text); left > 0; left--) {
		int length = (int)(title_end(next) - next);

		used += length + 2;
		if (next != text && used + (left > 1 ? 4 : 0) > room) {
			printf(" +%d", left);
			return;
		}
		fputs(next == text ? "  " : ", ", stdout);
		cli_tier_print((struct span){ next, (size_t)length });
		next += length + 2;
	}
}

static void print_board(const struct pg_result *result, const char *metric, const char *window)
{
	int columns = cli_columns(LINE_WIDTH);
	int who = width_of(result, 1, "who", NAME_WIDTH), value = width_of(result, 2, metric, NAME_WIDTH);

	printf("%s, %s up to %s\n\n%5s  %-*s  %*s  %s\n", metric, window, pg_text(result, 0, 4), "rank", who, "who", value,
	       metric, "titles");
	for (int row = 0; row < pg_rows(result); row++) {
		printf("%5s  ", pg_text(result, row, 0));
		print_cell(pg_text(result, row, 1), -who);
		printf("  %*s", value, pg_text(result, row, 2));
		print_titles(pg_text(result, row, 3), columns - 9 - who - value);
		putchar('\n');
	}
}

static const char boards_sql[] =
	"SELECT string_agg(DISTINCT board, ', '), (SELECT string_agg(name, ', ' ORDER BY hours) FROM "
	"(SELECT DISTINCT window_name AS name, hours FROM tokentally.leaderboard_list) w), bool_or(board = $1), "
	"bool_or(window_name = $2), string_agg(board || ' ' || window_name, ', ' ORDER BY board, hours) "
	"FILTER (WHERE people > 0), (SELECT count(*) FROM tokentally.title_run) FROM tokentally.leaderboard_list";

/* Why there is nobody on a board: there is none of that name, or nobody is on it yet. */
static int explain_empty(struct pg *pg, const struct cli_args *args, const char *metric, const char *window)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	struct pg_params params = { 0 };
	struct err err;

	pg_param_text(&params, metric);
	pg_param_text(&params, window);
	if (!pg_exec(pg, boards_sql, &params, PG_TEXT, STATEMENT_TIMEOUT_MS, &result, &err))
		return cli_fail(&err);
	if (!pg_is_null(result, 0, 0) && *pg_text(result, 0, 2) != 't') {
		fprintf(stderr, "tokentally: there is no board '%s'; --metric may be: %s\n", metric, pg_text(result, 0, 0));
		return STATUS_USAGE;
	}
	if (!pg_is_null(result, 0, 0) && *pg_text(result, 0, 3) != 't') {
		fprintf(stderr, "tokentally: there is no board of '%s'; --window may be: %s\n", window, pg_text(result, 0, 1));
		return STATUS_USAGE;
	}
	if (args->json)
		puts(args->me ? "{\"board\" : [], \"me\" : null}" : "[]");
	else if (!pg_int8(result, 0, 5))
		puts("titles were not computed yet: the daemon does it every hour, and 'tokentally titles' at once");
	else if (pg_is_null(result, 0, 0))
		puts("there are no boards: no title rule is enabled");
	else
		printf("nobody is on the board %s %s; boards with somebody: %s\n", metric, window,
		       pg_is_null(result, 0, 4) ? "none" : pg_text(result, 0, 4));
	return STATUS_DONE;
}

/* One's own place on a board: the database knows whose login this is. */
static int show_me(struct pg *pg, const char *metric, const char *window)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	struct pg_params params = { 0 };
	struct err err;

	pg_param_text(&params, metric);
	pg_param_text(&params, window);
	if (!pg_exec(pg, "SELECT rank, to_char(value, 'FM999,999,999,999,999,990.####') FROM tokentally.my_place($1, $2)",
		     &params, PG_TEXT, STATEMENT_TIMEOUT_MS, &result, &err))
		return cli_fail(&err);
	if (pg_rows(result))
		printf("\nyou: rank %s, %s\n", pg_text(result, 0, 0), pg_text(result, 0, 1));
	else
		printf("\nyou are not among the first %d; 'tokentally titles explain' says more\n", ROWS_MAX);
	return STATUS_DONE;
}

static const char board_text[] =
	"SELECT rank, display_name, CASE WHEN value = trunc(value) THEN to_char(value, 'FM999,999,999,999,999,990') "
	"ELSE round(value, 4)::text END, titles, as_of";
static const char board_json[] = "SELECT json_agg(b ORDER BY place)";
static const char board_json_me[] =
	"SELECT json_build_object('board', json_agg(b ORDER BY place), 'me', "
	"(SELECT json_build_object('rank', m.rank, 'value', m.value) FROM tokentally.my_place($1, $2) m))";
static const char board_from[] =
	" FROM (SELECT place, rank, display_name, value, titles, as_of FROM tokentally.leaderboard_titles "
	"WHERE board = $1 AND window_name = $2 ORDER BY place LIMIT $3::int) b";

static int show_board(struct pg *pg, const struct cli_args *args, int64_t count)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	const char *metric = args->metric ? args->metric : "total_tokens";
	const char *window = args->window ? args->window : "30d";
	struct pg_params params = { 0 };
	char sql[800];
	struct err err;

	snprintf(sql, sizeof(sql), "%s%s%s",
		 !args->json ? board_text : args->me ? board_json_me : board_json, board_from, args->json ? " HAVING count(*) > 0" : " ORDER BY place");
	pg_param_text(&params, metric);
	pg_param_text(&params, window);
	pg_param_int8(&params, count);
	if (!pg_exec(pg, sql, &params, PG_TEXT, STATEMENT_TIMEOUT_MS, &result, &err))
		return cli_fail(&err);
	if (!pg_rows(result))
		return explain_empty(pg, args, metric, window);
	if (args->json)
		puts(pg_text(result, 0, 0));
	else
		print_board(result, metric, window);
	return args->me && !args->json ? show_me(pg, metric, window) : STATUS_DONE;
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
	if (args->rest_count && !strcmp(args->rest[0], "explain"))
		return cli_explain(args);
	if (args->rest_count || args->user || args->title) {
		fprintf(stderr, "tokentally: say 'titles' or 'titles explain [--user KEY] [--title T]'\n");
		return STATUS_USAGE;
	}
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
