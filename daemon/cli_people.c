/* SPDX-License-Identifier: Apache-2.0
 *
 * cli_people: the commands about one person: erase, export, titles explain.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "cli_tier.h"
#include "mem.h"
#include "status.h"
#include "text.h"

#define SLOW_TIMEOUT_MS (15 * 60 * 1000)
#define CELL_BYTES 2048

/* One statement about a person, on a connection of its own. NULL: *status says what became of it. */
static struct pg_result *ask(const struct cli_args *args, const char *name, const char *sql, int params_wanted, int *status)
{
	struct pg_params params = { 0 };
	struct pg_result *result = NULL;
	struct options *options = cli_load(args, status);
	struct pg *pg;
	struct err err;

	if (!options)
		return NULL;
	pg = pg_new(options->postgres_conninfo, name);
	if (args->user)
		pg_param_text(&params, args->user);
	if (params.count < params_wanted)
		pg_param_text(&params, args->title);
	if (cli_connect(pg, status) && !pg_exec_slow(pg, sql, &params, SLOW_TIMEOUT_MS, &result, &err))
		*status = cli_fail(&err);
	pg_free(pg);
	options_free(options);
	return result;
}

static bool names_user(const struct cli_args *args)
{
	if (args->user && *args->user)
		return true;
	fprintf(stderr, "tokentally: say who: --user KEY\n");
	return false;
}

int cli_erase(struct cli_args *args)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	int status;

	if (!names_user(args))
		return STATUS_USAGE;
	result = ask(args, "tokentally erase",
		     "SELECT identities, hours, days, sessions, awards, dead_letters FROM tokentally.erase_user($1)", 1, &status);
	if (!result)
		return status;
	printf("erased: %s identities; moved to '(erased)': %s hour rows, %s day rows; removed: %s session rows, %s awards, "
	       "what %s dead letters quoted\n",
	       pg_text(result, 0, 0), pg_text(result, 0, 1), pg_text(result, 0, 2), pg_text(result, 0, 3),
	       pg_text(result, 0, 4), pg_text(result, 0, 5));
	puts("Kafka still has the events until its own retention ends; read again, they count for '(erased)'");
	return STATUS_DONE;
}

int cli_export(struct cli_args *args)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	int status;

	if (!names_user(args))
		return STATUS_USAGE;
	result = ask(args, "tokentally export", "SELECT tokentally.export_user($1)", 1, &status);
	if (!result)
		return status;
	puts(pg_text(result, 0, 0));
	return STATUS_DONE;
}

static void print_line(const char *label, const char *text)
{
	char printable[CELL_BYTES];

	if (!*text)
		return;
	text_printable(printable, sizeof(printable), span_of(text));
	printf("  %-10s %s\n", label, printable);
}

static void print_title(const struct pg_result *result, int row)
{
	char text[CELL_BYTES];

	printf("%s: ", pg_text(result, row, 0));
	cli_tier_print(span_of(*pg_text(result, row, 1) ? pg_text(result, row, 1) : "no tier"));
	putchar('\n');
	snprintf(text, sizeof(text), "%s = %s, %s up to %s", pg_text(result, row, 4),
		 *pg_text(result, row, 3) ? pg_text(result, row, 3) : "none", pg_text(result, row, 5), pg_text(result, row, 6));
	print_line("value", text);
	print_line("rank", pg_text(result, row, 2));
	if (*pg_text(result, row, 7)) {
		snprintf(text, sizeof(text), "%s at %s", pg_text(result, row, 7),
			 *pg_text(result, row, 8) ? pg_text(result, row, 8) : "any value");
		print_line("next tier", text);
	}
	print_line("moved", pg_text(result, row, 9));
	print_line("kept out", pg_text(result, row, 10));
}

#define EXPLAIN_COLUMNS                                                                                                     \
	"SELECT title, coalesce(tier, ''), coalesce(rank::text, ''), coalesce(round(value, 6)::text, ''), metric, window_name, " \
	"to_char(window_end AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI\"Z\"'), coalesce(next_tier, ''), "                           \
	"coalesce(round(next_value, 6)::text, ''), coalesce(moved, ''), coalesce(kept_out, '') FROM tokentally."

int cli_explain(struct cli_args *args)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	int status;

	result = ask(args, "tokentally titles explain",
		     args->user ? EXPLAIN_COLUMNS "explain_titles($1, $2)" : EXPLAIN_COLUMNS "explain_my_titles($1)",
		     args->user ? 2 : 1, &status);
	if (!result)
		return status;
	for (int row = 0; row < pg_rows(result); row++)
		print_title(result, row);
	return STATUS_DONE;
}
