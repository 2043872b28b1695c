/* SPDX-License-Identifier: Apache-2.0
 *
 * spike: the parts of the write-path comparison that use one connection, and main(). Started by
 * spike.sh. Every variant runs twice, A B A B, since the machine may be busy: compare CPU seconds,
 * not wall time.
 */
#include "spike.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spike_db.h"
#include "spike_load.h"
#include "spike_wire.h"

#define SLICES 4
#define SLICE_ROWS 50000
#define ROUNDS 2

const struct spike_load_options spike_issue_load = {
	.events = 2000000,
	.start_us = INT64_C(848000000) * 1000000 / 3600000000 * 3600000000 + 300000000,
	.span_s = 1000,
	.users = 85000,
	.sessions = 3,
	.teams = 200,
	.models = 8,
	.seed = 1,
};

static double per_million(double seconds, double count)
{
	return seconds * 1e6 / count;
}

/* ---- transport: how a batch gets in ---- */

enum transport {
	COMPOSITES,
	COLUMNS,
	COPY,
	UPDATE_FIRST,
	COMPOSITES_READ,
	COLUMNS_READ,
	COPY_READ,
	TRANSPORTS
};
static const char *const transport_names[TRANSPORTS] = {
	"(a) array of composites",
	"(b) array a column",
	"(c) COPY + INSERT SELECT",
	"(a) UPDATE, INSERT the rest",
	"(a) read only",
	"(b) read only",
	"(c) COPY only",
};

static size_t call_columns(PGconn *conn, const char *function, const struct spike_rows *rows,
			   size_t from, size_t to)
{
	struct wire columns[32] = { { 0 } };
	char sql[256];
	size_t bytes = 0;
	int used = snprintf(sql, sizeof(sql), "SELECT %s(", function);

	for (int i = 0; i < wire_hour.count; i++) {
		used +=
		    snprintf(sql + used, sizeof(sql) - (size_t)used, "%s$%d", i ? "," : "", i + 1);
		wire_column(&columns[i], &wire_hour.fields[i], rows, from, to);
		bytes += columns[i].len;
	}
	snprintf(sql + used, sizeof(sql) - (size_t)used, ")");
	db_call(conn, sql, columns, wire_hour.count);
	for (int i = 0; i < wire_hour.count; i++)
		wire_release(&columns[i]);
	return bytes;
}

static size_t call_composites(PGconn *conn, const char *sql, const struct spike_rows *rows,
			      size_t from, size_t to)
{
	struct wire wire = { 0 };
	size_t bytes;

	wire_composites(&wire, &wire_hour, db_type(conn, wire_hour.type), rows, from, to);
	db_call(conn, sql, &wire, 1);
	bytes = wire.len;
	wire_release(&wire);
	return bytes;
}

static size_t call_copy(PGconn *conn, bool read_only, const struct spike_rows *rows, size_t from,
			size_t to)
{
	struct wire wire = { 0 };
	size_t bytes;

	wire_copy(&wire, &wire_hour, rows, from, to);
	db_do(conn, "BEGIN");
	db_copy(conn, "COPY staged_hour FROM STDIN (FORMAT binary)", &wire);
	if (!read_only)
		db_do(conn, "SELECT add_hours_staged()");
	db_do(conn, "COMMIT");
	bytes = wire.len;
	wire_release(&wire);
	return bytes;
}

static size_t send_slice(PGconn *conn, enum transport how, const struct spike_rows *rows,
			 size_t slice)
{
	size_t from = slice * SLICE_ROWS, to = from + SLICE_ROWS;

	switch (how) {
	case COMPOSITES:
		return call_composites(conn, "SELECT add_hours($1)", rows, from, to);
	case UPDATE_FIRST:
		return call_composites(conn, "SELECT update_hours($1)", rows, from, to);
	case COMPOSITES_READ:
		return call_composites(conn, "SELECT read_hours($1)", rows, from, to);
	case COLUMNS:
		return call_columns(conn, "add_hours_columns", rows, from, to);
	case COLUMNS_READ:
		return call_columns(conn, "read_hours_columns", rows, from, to);
	case COPY:
	case COPY_READ:
		return call_copy(conn, how == COPY_READ, rows, from, to);
	case TRANSPORTS:
	default:
		abort();
	}
}

static void transport_run(enum transport how, const char *what, PGconn *conn,
			  const struct spike_rows *rows)
{
	struct meter start, used = { 0 };
	size_t bytes = 0;
	double count = (double)SLICES * SLICE_ROWS;

	meter_start(conn, &start);
	for (size_t slice = 0; slice < SLICES; slice++)
		bytes += send_slice(conn, how, rows, slice);
	meter_stop(conn, &start, &used);
	printf("| %s | %s | %.0f | %.0f | %.2f | %.2f | %.0f |\n", transport_names[how], what,
	       count / used.wall_s / 1e3, (double)bytes / count, per_million(used.backend_s, count),
	       per_million(used.client_s, count), (double)used.wal / count);
	fflush(stdout);
}

#define HOUR_ROWS ((size_t)SLICES * SLICE_ROWS)

/* Hour rows cut into slices, each sorted: as batches bring them while the hour fills (in order of
 * first appearance), and as later batches meet them (shuffled). */
static void cut_slices(struct spike_load *load, bool shuffled, bool sorted)
{
	if (shuffled)
		spike_load_shuffle_hours(load, HOUR_ROWS);
	for (size_t slice = 0; sorted && slice < SLICES; slice++)
		spike_load_sort_hours(load, slice * SLICE_ROWS, (slice + 1) * SLICE_ROWS);
}

static struct spike_load *hour_load(void)
{
	struct spike_load *load = spike_load_new(&spike_issue_load);

	spike_load_batch(load, 2000000, 260000);
	if (load->hours.count < HOUR_ROWS)
		abort();
	return load;
}

static void part_transport(void)
{
	struct spike_load *new = hour_load(), *old = hour_load();

	cut_slices(new, false, true);
	cut_slices(old, true, true);
	puts("\n### Transport: usage_hour, fillfactor 70, 4 batches of 50,000 rows\n\n"
	     "| way | rows are | k rows/s | bytes/row sent | PG CPU s/M rows | client CPU s/M rows "
	     "| WAL B/row |\n"
	     "|---|---|---|---|---|---|---|");
	for (int run = 0; run < TRANSPORTS + UPDATE_FIRST; run++) {
		enum transport how = run % TRANSPORTS;
		PGconn *conn = db_open();

		db_do(conn, "SELECT make_tables(70)");
		db_do(conn,
		      "CREATE TEMP TABLE staged_hour (LIKE usage_hour) ON COMMIT DELETE ROWS");
		db_do(conn, "CREATE TEMP TABLE known (n bigint) ON COMMIT DELETE ROWS");
		db_do(conn, "CHECKPOINT");
		transport_run(how, how < COMPOSITES_READ ? "new" : "-", conn, &new->hours);
		if (how < COMPOSITES_READ)
			transport_run(how, "updated", conn, &old->hours);
		PQfinish(conn);
	}
	spike_load_free(new);
	spike_load_free(old);
}

/* ---- layout: fillfactor and order of keys ---- */

static void layout_run(int fillfactor, bool sorted)
{
	struct spike_load *load = hour_load();
	PGconn *conn = db_open();
	double count = (double)SLICES * SLICE_ROWS;
	char sql[64];

	snprintf(sql, sizeof(sql), "SELECT make_tables(%d)", fillfactor);
	db_do(conn, sql);
	db_do(conn, "CHECKPOINT");
	printf("| %d | %s |", fillfactor, sorted ? "sorted" : "as met");
	for (int pass = 0; pass < 4; pass++) {
		struct meter start, used = { 0 };

		cut_slices(load, pass > 0, sorted);
		if (pass == 1)
			db_do(conn, "CHECKPOINT");
		meter_start(conn, &start);
		for (size_t slice = 0; slice < SLICES; slice++)
			send_slice(conn, COMPOSITES, &load->hours, slice);
		meter_stop(conn, &start, &used);
		printf(" %.0f / %.2f |", (double)used.wal / count,
		       per_million(used.backend_s, count));
	}
	db_do(conn, "SELECT pg_stat_force_next_flush()");
	printf(
	    " %lld %% | %lld |\n",
	    (long long)db_int(
		conn, "SELECT round(100.0 * n_tup_hot_upd / n_tup_upd) FROM pg_stat_all_tables "
		      "WHERE relid = 'usage_hour_all'::regclass"),
	    (long long)db_int(conn, "SELECT pg_total_relation_size('usage_hour_all') / 1000000"));
	fflush(stdout);
	PQfinish(conn);
	spike_load_free(load);
}

static void part_layout(void)
{
	static const int fillfactors[] = { 100, 85, 70 };

	puts("\n### Layout: usage_hour, 200,000 rows new, then updated three times (WAL B/row / PG "
	     "CPU s/M rows)\n\n"
	     "| fillfactor | keys | new, after a checkpoint | updated, after a checkpoint | again "
	     "| again | HOT | MB at end |\n"
	     "|---|---|---|---|---|---|---|---|");
	for (int i = 0; i < 3; i++)
		layout_run(fillfactors[i], true);
	layout_run(70, false);
}

/* ---- whole commits ---- */

struct totals {
	struct meter used;
	int64_t commits, events, hours, sessions, shared;
	size_t batch_bytes_max;
};

static void commit_load(PGconn *conn, int64_t events, size_t rows_max, bool days,
			struct totals *totals)
{
	struct spike_load *load = spike_load_new(&spike_issue_load);
	struct commit_arguments arguments;
	struct meter start;

	commit_arguments_init(&arguments, conn);
	while (load->next_event < events) {
		spike_load_batch(load, rows_max, events);
		spike_load_sort(load);
		totals->commits++;
		totals->events += load->batch_events;
		totals->hours += (int64_t)load->hours.count;
		totals->sessions += (int64_t)load->sessions.count;
		totals->shared += (int64_t)(load->minutes.count + load->latencies.count) * 2;
		commit_arguments_fill(&arguments, load, 0, days, false);
		if (commit_arguments_bytes(&arguments) > totals->batch_bytes_max)
			totals->batch_bytes_max = commit_arguments_bytes(&arguments);
		meter_start(conn, &start);
		commit_arguments_call(conn, &arguments);
		meter_stop(conn, &start, &totals->used);
	}
	commit_arguments_release(&arguments);
	spike_load_free(load);
}

static void print_totals(const char *name, const struct totals *totals, int64_t day_rows)
{
	double events = (double)totals->events;

	printf("| %s | %lld | %.2f | %.2f | %.2f | %.2f | %.0f | %.2f | %.0f |\n", name,
	       (long long)totals->commits, (double)totals->hours / events,
	       (double)totals->sessions / events, (double)totals->shared / events,
	       (double)day_rows / events, (double)totals->used.wal / events,
	       per_million(totals->used.backend_s, events), events / totals->used.wall_s / 1e3);
	fflush(stdout);
}

static void print_totals_head(void)
{
	puts("| way | commits | hour rows/event | session rows/event | shared rows/event | day "
	     "rows/event | WAL B/event |"
	     " PG CPU s/M events | k events/s |\n|---|---|---|---|---|---|---|---|---|");
}

static void fold(PGconn *conn, const char *name, const char *sql, double events)
{
	struct meter start, used = { 0 };
	int64_t rows;

	db_do(conn, "CHECKPOINT");
	meter_start(conn, &start);
	db_do(conn, sql);
	meter_stop(conn, &start, &used);
	rows = db_int(conn, "SELECT count(*) FROM usage_day");
	printf("| %s |  |  |  |  | %.2f | %.0f | %.2f |  |\n", name, (double)rows / events,
	       (double)used.wal / events, per_million(used.backend_s, events));
	fflush(stdout);
}

#define FOLD_ALL "SELECT fold('2000-01-01', '2100-01-01')"

static void part_days(void)
{
	const int64_t events = 700000;
	PGconn *conn;

	printf("\n### Days: whole commits of 50,000 rows, first %lld events of the load\n\n",
	       (long long)events);
	print_totals_head();
	for (int run = 0; run < ROUNDS * 2; run++) {
		struct totals totals = { 0 };

		conn = db_open();
		db_do(conn, "SELECT make_tables(70)");
		db_do(conn, "CHECKPOINT");
		commit_load(conn, events, 50000, run % 2, &totals);
		print_totals(run % 2 ? "days written" : "days left out", &totals,
			     run % 2 ? totals.hours : 0);
		if (run % 2 == 0)
			fold(conn, "+ fold of the hour", FOLD_ALL, (double)events);
		PQfinish(conn);
	}
	conn = db_open();
	db_do(conn, "SELECT make_table('usage_day', key_of('day', true) || ', ' || m('define', "
		    "14), key_of('day', false), 100)");
	db_do(conn, "SELECT repeat_hours(3)");
	fold(conn, "fold of 4 equal hours, one by one",
	     "SELECT fold(bucket, bucket + interval '1 hour') FROM (SELECT DISTINCT bucket FROM "
	     "usage_hour ORDER BY 1) h",
	     4.0 * (double)events);
	db_do(conn, "TRUNCATE usage_day");
	fold(conn, "fold of 4 equal hours at once", FOLD_ALL, 4.0 * (double)events);
	PQfinish(conn);
}

static void part_batch(void)
{
	static const size_t limits[] = { 50000, 150000, 450000 };

	puts("\n### Batch limit: whole commits, days left out, 800,000 events\n");
	print_totals_head();
	for (int i = 0; i < 3; i++) {
		struct totals totals = { 0 };
		PGconn *conn = db_open();
		char name[64];

		db_do(conn, "SELECT make_tables(70)");
		db_do(conn, "CHECKPOINT");
		commit_load(conn, 800000, limits[i], false, &totals);
		snprintf(name, sizeof(name), "%zu rows, up to %.1f MB", limits[i],
			 (double)totals.batch_bytes_max / 1e6);
		print_totals(name, &totals, 0);
		PQfinish(conn);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} parts[] = { { "transport", part_transport },
		      { "days", part_days },
		      { "clients", part_clients },
		      { "layout", part_layout },
		      { "batch", part_batch } };
	size_t count = sizeof(parts) / sizeof(parts[0]);

	for (int i = 1; i < argc; i++) {
		size_t part = 0;

		while (part < count && strcmp(parts[part].name, argv[i]) != 0)
			part++;
		if (part == count) {
			fprintf(stderr, "spike: no part %s\n", argv[i]);
			return 2;
		}
		parts[part].run();
	}
	return 0;
}
