/* SPDX-License-Identifier: Apache-2.0
 *
 * cli_admin: the commands of whoever runs the daemon: check, migrate, offsets.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "formats.h"
#include "mem.h"
#include "period.h"
#include "schema.h"
#include "sink.h"
#include "source.h"
#include "status.h"

#define STATEMENT_TIMEOUT_MS 35000
#define KAFKA_TIMEOUT_MS 10000

static void ignore_assigned(void *ctx, const struct source_partition *partitions, size_t count)
{
	(void)ctx;
	(void)partitions;
	(void)count;
}

static void ignore_revoked(void *ctx, bool lost)
{
	(void)ctx;
	(void)lost;
}

static void ignore_log(int level, const char *text)
{
	(void)level;
	(void)text;
}

/* A consumer that only answers questions: it never joins the group. */
static struct source *open_source(const struct options *options, struct err *err)
{
	struct source_callbacks callbacks = { NULL, ignore_assigned, ignore_revoked, ignore_log };

	return source_new(options, 1024 * 1024, &callbacks, err);
}

static int check_kafka(const struct options *options)
{
	struct err err;
	int status = STATUS_DONE;
	int64_t low, high;
	struct source *source = open_source(options, &err);

	if (!source)
		return cli_fail(&err);
	for (size_t i = 0; i < options->topic_count; i++) {
		const char *topic = options->kafka_topics[i].name;

		if (source_watermarks(source, topic, 0, KAFKA_TIMEOUT_MS, &low, &high, &err))
			printf("Kafka OK: topic %s\n", topic);
		else
			status = cli_fail(&err);
	}
	if (!source_close(source, now_monotonic_ms() + 2000) && status == STATUS_DONE)
		fprintf(stderr, "tokentally: could not close the Kafka connection in time, leaving it\n");
	return status;
}

static int check_postgres(const struct options *options)
{
	struct err err;
	struct sink *sink = sink_new(options, "tokentally check", 0, 0, false);
	bool ok = sink_connect(sink, &err);

	sink_free(sink);
	if (!ok)
		return cli_fail(&err);
	printf("PostgreSQL OK: schema, privacy key and privileges fit\n");
	return STATUS_DONE;
}

int cli_check(struct cli_args *args)
{
	int status, kafka_status;
	struct options *options = cli_load(args, &status);
	struct mappings *mappings;
	struct source *source;
	struct err err;

	if (!options)
		return status;
	mappings = formats_load(options, &err);
	if (!mappings) {
		options_free(options);
		return cli_fail(&err);
	}
	mappings_free(mappings);
	/* librdkafka and libpq have the last word on their settings: a consumer that is made and not used. */
	source = pg_conninfo_check(options->postgres_conninfo, &err) ? open_source(options, &err) : NULL;
	if (!source) {
		options_free(options);
		return cli_fail(&err);
	}
	source_close(source, now_monotonic_ms() + 2000);
	puts("configuration OK");
	status = STATUS_DONE;
	if (args->connect) {
		kafka_status = check_kafka(options);
		status = check_postgres(options);
		status = status ? status : kafka_status;
	}
	options_free(options);
	return status;
}

static void show_step(const char *name)
{
	printf("  %s\n", name);
	fflush(stdout);
}

static void show_dry_step(const char *name)
{
	printf("  would run %s\n", name);
}

static void no_step(const char *name)
{
	(void)name;
}

/* The first events should not have to wait for the upkeep thread. */
static bool make_partitions(struct pg *pg, const struct options *options, struct err *err)
{
	struct pg_params params = { 0 };
	int64_t now_us = now_wall_us();

	pg_param_time(&params, now_us - options->ingest_max_age_ms * US_PER_MS - US_PER_DAY);
	pg_param_time(&params, now_us + 3 * US_PER_DAY);
	pg_param_time(&params, now_us - options->retention_minute_ms * US_PER_MS);
	return pg_exec(pg, "SELECT tokentally.ingest_ensure_partitions($1, $2, $3)", &params, PG_TEXT, 60000, NULL, err);
}

static int migrate(struct pg *pg, const struct options *options, bool dry_run)
{
	struct schema_plan plan;
	struct err err;

	if (!schema_plan(pg, &plan, &err))
		return cli_fail(&err);
	if (plan.have == plan.want) {
		printf("schema tokentally is at version %d, nothing to do\n", plan.have);
		return STATUS_DONE;
	}
	printf("schema tokentally: version %d to %d\n", plan.have, plan.want);
	if (!schema_migrate(pg, &plan, dry_run, dry_run ? show_dry_step : isatty(1) ? show_step : no_step, &err))
		return cli_fail(&err);
	if (!dry_run && !make_partitions(pg, options, &err))
		return cli_fail(&err);
	if (!dry_run)
		printf("done; grant tokentally_ingest to the daemon's role, tokentally_reader to Grafana's\n");
	return STATUS_DONE;
}

int cli_migrate(struct cli_args *args)
{
	int status;
	struct options *options = cli_load(args, &status);
	struct pg *pg;

	if (!options)
		return status;
	pg = pg_new(options->postgres_conninfo, "tokentally migrate");
	if (cli_connect(pg, &status))
		status = migrate(pg, options, args->dry_run);
	pg_free(pg);
	options_free(options);
	return status;
}

static int show_offsets(struct pg *pg, bool json)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	static const char columns[] = "topic, partition, state, next_offset, log_end_offset, accepted, dead, duplicate, "
				      "skipped, committed_at";
	char sql[600];
	struct err err;

	snprintf(sql, sizeof(sql),
		 json ? "SELECT coalesce(json_agg(p ORDER BY topic, partition), '[]') FROM "
			"(SELECT %s, event_time_max FROM tokentally.ingest_progress) p"
		      : "SELECT %s FROM tokentally.ingest_progress ORDER BY topic, partition",
		 columns);
	if (!pg_exec(pg, sql, NULL, PG_TEXT, STATEMENT_TIMEOUT_MS, &result, &err))
		return cli_fail(&err);
	if (json) {
		puts(pg_text(result, 0, 0));
		return STATUS_DONE;
	}
	printf("%-30s %4s %-11s %12s %12s %12s %8s %10s %8s  %s\n", "topic", "part", "state", "next_offset", "log_end",
	       "accepted", "dead", "duplicate", "skipped", "committed_at");
	for (int row = 0; row < pg_rows(result); row++)
		printf("%-30s %4s %-11s %12s %12s %12s %8s %10s %8s  %s\n", pg_text(result, row, 0),
		       pg_text(result, row, 1), pg_text(result, row, 2), pg_text(result, row, 3), pg_text(result, row, 4),
		       pg_text(result, row, 5), pg_text(result, row, 6), pg_text(result, row, 7), pg_text(result, row, 8),
		       pg_text(result, row, 9));
	return STATUS_DONE;
}

/* Where the partition goes on: asked of Kafka, unless it is a number. */
static bool reset_target(const struct options *options, const char *topic, int32_t partition, const char *to,
			 int64_t *offset, struct err *err)
{
	struct source *source;
	int64_t low, high;
	bool ok;

	if (strcmp(to, "earliest") != 0 && strcmp(to, "latest") != 0)
		return parse_int64(span_of(to), 0, INT64_MAX, offset, err) || err_wrap(err, "--to");
	source = open_source(options, err);
	if (!source)
		return false;
	ok = source_watermarks(source, topic, partition, KAFKA_TIMEOUT_MS, &low, &high, err);
	source_close(source, now_monotonic_ms() + 2000);
	if (ok)
		*offset = !strcmp(to, "earliest") ? low : high;
	return ok;
}

static int accept_reset(struct pg *pg, const struct options *options, const struct cli_args *args)
{
	struct pg_params params = { 0 };
	int64_t partition, offset;
	struct err err;

	if (args->to && strcmp(args->to, "earliest") != 0 && strcmp(args->to, "latest") != 0 &&
	    !parse_int64(span_of(args->to), 0, INT64_MAX, &offset, &err)) {
		fprintf(stderr, "tokentally: --to wants earliest, latest or an offset: %s\n", err.text);
		return STATUS_USAGE;
	}
	if (!parse_int64(span_of(args->rest[2]), 0, INT32_MAX, &partition, &err)) {
		fprintf(stderr, "tokentally: PARTITION: %s\n", err.text);
		return STATUS_USAGE;
	}
	if (!reset_target(options, args->rest[1], (int32_t)partition, args->to ? args->to : "earliest", &offset, &err))
		return cli_fail(&err);
	pg_param_text(&params, args->rest[1]);
	pg_param_int8(&params, partition);
	pg_param_int8(&params, offset);
	pg_param_text(&params, args->reason);
	if (!pg_exec(pg, "SELECT tokentally.accept_reset($1, $2::int, $3::bigint, $4)", &params, PG_TEXT,
		     STATEMENT_TIMEOUT_MS, NULL, &err))
		return cli_fail(&err);
	printf("%s/%lld goes on at offset %lld; a running daemon takes it up within half a minute\n", args->rest[1],
	       (long long)partition, (long long)offset);
	return STATUS_DONE;
}

int cli_offsets(struct cli_args *args)
{
	const char *what = args->rest_count ? args->rest[0] : "";
	bool show = !strcmp(what, "show") && args->rest_count == 1;
	bool reset = !strcmp(what, "accept-reset") && args->rest_count == 3;
	struct options *options;
	struct pg *pg;
	int status;

	if (!show && !reset) {
		fprintf(stderr, "tokentally: say 'offsets show' or 'offsets accept-reset TOPIC PARTITION'\n");
		return STATUS_USAGE;
	}
	options = cli_load(args, &status);
	if (!options)
		return status;
	pg = pg_new(options->postgres_conninfo, "tokentally offsets");
	if (cli_connect(pg, &status))
		status = show ? show_offsets(pg, args->json) : accept_reset(pg, options, args);
	pg_free(pg);
	options_free(options);
	return status;
}
