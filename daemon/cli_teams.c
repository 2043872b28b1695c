/* SPDX-License-Identifier: Apache-2.0
 *
 * cli_teams: people import: teams of people out of a CSV file, all of it or nothing.
 */
#include "autoconf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "mem.h"
#include "people_file.h"
#include "period.h"
#include "status.h"

#define FILE_BYTES_MAX (256u * 1024 * 1024)
#define SLOW_TIMEOUT_MS (15 * 60 * 1000)
#define CELL_BYTES 1100 /* a name of 256 bytes, all of them escaped */

static bool read_file(const char *path, struct buf *out, struct err *err)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char block[65536];
	size_t got;
	bool failed;

	if (!file)
		return err_set(err, ERR_DATA, "cannot read '%s': %s", path, strerror(errno));
	while ((got = fread(block, 1, sizeof(block), file)) > 0)
		buf_add(out, block, got);
	failed = ferror(file);
	if (file != stdin)
		fclose(file);
	if (failed)
		return err_set(err, ERR_DATA, "cannot read '%s'", path);
	if (out->truncated)
		return err_set(err, ERR_DATA, "'%s' is larger than 256 MiB", path);
	return true;
}

static bool parse_file(const char *path, struct buf *text, int64_t from_us, struct people_file *file)
{
	struct faults faults;
	bool ok;

	faults_init(&faults);
	ok = people_file_read(file, path, text->data, text->len, from_us, &faults);
	for (size_t i = 0; i < faults.count; i++)
		fprintf(stderr, "%s\n", faults.texts[i]);
	if (faults.more)
		fprintf(stderr, "and %zu more\n", faults.more);
	faults_release(&faults);
	return ok;
}

/* Its rows: entry, user_key, old_team, new_team, valid_from, change. */
static struct pg_result *import(struct pg *pg, const struct people_file *file, bool dry_run, struct err *err)
{
	CLEANUP(pg_array_release) struct pg_array users;
	CLEANUP(pg_array_release) struct pg_array teams;
	CLEANUP(pg_array_release) struct pg_array froms;
	struct pg_params params = { 0 };
	struct pg_result *result = NULL;

	pg_array_init(&users, PG_OID_TEXT, 0, SIZE_MAX);
	pg_array_init(&teams, PG_OID_TEXT, 0, SIZE_MAX);
	pg_array_init(&froms, PG_OID_TIMESTAMPTZ, 0, SIZE_MAX);
	for (size_t i = 0; i < file->count; i++) {
		pg_array_text(&users, file->lines[i].user);
		pg_array_text(&teams, file->lines[i].team);
		pg_array_time(&froms, file->lines[i].from_us);
	}
	pg_param_array(&params, PG_OID_TEXT_ARRAY, &users);
	pg_param_array(&params, PG_OID_TEXT_ARRAY, &teams);
	pg_param_array(&params, PG_OID_TIMESTAMPTZ_ARRAY, &froms);
	pg_param_bool(&params, dry_run);
	if (!pg_exec_slow(pg,
			  "SELECT entry, user_key, old_team, new_team, to_char(valid_from AT TIME ZONE 'UTC', "
			  "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), change FROM tokentally.import_people($1, $2, $3, $4) "
			  "ORDER BY entry",
			  &params, SLOW_TIMEOUT_MS, &result, err))
		return NULL;
	return result;
}

static int line_of(const struct people_file *file, const struct pg_result *result, int row)
{
	return file->lines[pg_int8(result, row, 0) - 1].line;
}

static bool is_change(const struct pg_result *result, int row, const char *change)
{
	return !strcmp(pg_text(result, row, 5), change);
}

static int count_changes(const struct pg_result *result, const char *change)
{
	int count = 0;

	for (int row = 0; row < pg_rows(result); row++)
		count += is_change(result, row, change);
	return count;
}

/* Lines that say two things of one person at one time. False: there are some. */
static bool check_conflicts(const struct people_file *file, const char *path, const struct pg_result *result)
{
	char user[CELL_BYTES];
	bool ok = true;

	for (int row = 0; row < pg_rows(result); row++) {
		if (!is_change(result, row, "conflict"))
			continue;
		text_printable(user, sizeof(user), pg_bytes(result, row, 1));
		fprintf(stderr, "%s:%d: another line puts '%s', or an alias, into another team from the same time\n", path,
			line_of(file, result, row), user);
		ok = false;
	}
	return ok;
}

static void print_changes(const struct people_file *file, const struct pg_result *result)
{
	char user[CELL_BYTES], old_team[CELL_BYTES], new_team[CELL_BYTES];

	for (int row = 0; row < pg_rows(result); row++) {
		text_printable(user, sizeof(user), pg_bytes(result, row, 1));
		text_printable(old_team, sizeof(old_team), pg_bytes(result, row, 2));
		text_printable(new_team, sizeof(new_team), pg_bytes(result, row, 3));
		printf("line %d: %s: '%s' -> '%s' from %s, %s\n", line_of(file, result, row), user, old_team, new_team,
		       pg_text(result, row, 4), pg_text(result, row, 5));
	}
}

static void print_sum(const struct people_file *file, const struct pg_result *result, const char *verb)
{
	printf("%s: %d new, %d moved, %d left, %d corrected, %d erased and left out, %zu as before\n", verb,
	       count_changes(result, "new"), count_changes(result, "move"), count_changes(result, "leave"),
	       count_changes(result, "correction"), count_changes(result, "erased"), file->count - (size_t)pg_rows(result));
}

/* A dry run first: what the database finds wrong gets its line as well. */
static int import_file(struct pg *pg, const struct people_file *file, const char *path, bool dry_run)
{
	CLEANUP(pg_result_free) struct pg_result *plan = NULL;
	CLEANUP(pg_result_free) struct pg_result *done = NULL;
	struct err err;

	plan = import(pg, file, true, &err);
	if (!plan)
		return cli_fail(&err);
	if (!check_conflicts(file, path, plan)) {
		fprintf(stderr, "tokentally: nothing was imported\n");
		return STATUS_FAILED;
	}
	if (dry_run) {
		print_changes(file, plan);
		print_sum(file, plan, "would import");
		return STATUS_DONE;
	}
	done = import(pg, file, false, &err);
	if (!done)
		return cli_fail(&err);
	print_sum(file, done, "imported");
	return STATUS_DONE;
}

static int import_path(const struct options *options, const char *path, int64_t from_us, bool dry_run)
{
	CLEANUP(people_file_release) struct people_file file = { 0 };
	CLEANUP(buf_release) struct buf text = { 0 };
	int status = STATUS_FAILED;
	struct err err;
	struct pg *pg;

	buf_init(&text, FILE_BYTES_MAX);
	buf_add_text(&text, "");
	if (!read_file(path, &text, &err))
		return cli_fail(&err);
	if (!parse_file(path, &text, from_us, &file)) {
		fprintf(stderr, "tokentally: nothing was imported\n");
		return STATUS_FAILED;
	}
	pg = pg_new(options->postgres_conninfo, "tokentally people");
	if (cli_connect(pg, &status))
		status = import_file(pg, &file, path, dry_run);
	pg_free(pg);
	return status;
}

int cli_people(struct cli_args *args)
{
	int64_t from_us = now_wall_us();
	struct options *options;
	int status;

	if (args->rest_count != 2 || strcmp(args->rest[0], "import") != 0) {
		fprintf(stderr, "tokentally: say 'people import FILE'\n");
		return STATUS_USAGE;
	}
	if (args->from && !people_file_time(span_of(args->from), &from_us)) {
		fprintf(stderr, "tokentally: --from wants a date such as 2026-11-23 or an RFC 3339 time such as "
				"2026-11-23T10:00:00Z\n");
		return STATUS_USAGE;
	}
	options = cli_load(args, &status);
	if (!options)
		return status;
	status = import_path(options, args->rest[1], from_us, args->dry_run);
	options_free(options);
	return status;
}
