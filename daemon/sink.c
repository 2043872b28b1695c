/* SPDX-License-Identifier: Apache-2.0
 *
 * sink: see sink.h. The rows of a commit are put into PostgreSQL's format by sink_rows.c; here are the
 * statements.
 */
#include "autoconf.h"

#include "sink.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "mapping.h"
#include "mem.h"
#include "names.h"
#include "period.h"
#include "pseudonym.h"
#include "schema_sql.h"
#include "sink_rows.h"
#include "sink_rules.h"

#define CONNECT_TIMEOUT_MS 10000
#define STATEMENT_TIMEOUT_MS 35000 /* the server's own is 30 s: its answer should come first */
#define BAD_BLOCK "a row of dedupe_block has a length that is not of whole ids"
#define PARTITIONS_AHEAD_US (3 * US_PER_DAY)

struct sink {
	struct pg *pg;
	const struct options *options;
	bool records_privacy;
	struct pseudonymizer *pseudonymizer;
	struct pseudonymizer *fresh; /* of a reload; NULL once the database took it */
	struct names *names;
	struct name_ids ids;
	struct sink_types types;
	unsigned char owner_id[16];
	uint64_t ready_connection; /* the connection that hello and types were read on */
	int64_t names_generation, rules_generation;
	int64_t seen_seq; /* of dedupe_block: the ids up to it are in the worker's set */
};

struct sink *sink_new(const struct options *options, const char *application_name, size_t name_cache_bytes,
		      size_t session_cache_bytes, bool records_privacy)
{
	struct sink *sink = xcalloc(1, sizeof(*sink));

	sink->options = options;
	sink->records_privacy = records_privacy;
	sink->pg = pg_new(options->postgres_conninfo, application_name);
	sink->pseudonymizer = pseudonymizer_new(options->privacy_key ? options->privacy_key : "");
	sink->names = names_new(sink->pseudonymizer, name_cache_bytes, session_cache_bytes);
	return sink;
}

void sink_free(struct sink *sink)
{
	if (!sink)
		return;
	name_ids_release(&sink->ids);
	names_free(sink->names);
	pseudonymizer_free(sink->pseudonymizer);
	pseudonymizer_free(sink->fresh);
	pg_free(sink->pg);
	free(sink);
}

void sink_set_stop(struct sink *sink, const atomic_bool *stop)
{
	pg_set_stop(sink->pg, stop);
}

struct pg *sink_pg(struct sink *sink)
{
	return sink->pg;
}

void sink_use_options(struct sink *sink, const struct options *options)
{
	sink->options = options;
	sink->ready_connection = 0;
	sink_use_key(sink, options->privacy_key);
}

static bool same_key(struct pseudonymizer *a, struct pseudonymizer *b)
{
	char check_a[PSEUDONYM_LEN + 1], check_b[PSEUDONYM_LEN + 1];

	pseudonym_key_check(a, check_a);
	pseudonym_key_check(b, check_b);
	return !strcmp(check_a, check_b);
}

void sink_use_key(struct sink *sink, const char *key)
{
	pseudonymizer_free(sink->fresh);
	sink->fresh = pseudonymizer_new(key ? key : "");
	if (same_key(sink->fresh, sink->pseudonymizer)) {
		pseudonymizer_free(sink->fresh);
		sink->fresh = NULL;
	} else {
		sink->ready_connection = 0;
	}
}

bool sink_awaits_rekey(const struct sink *sink)
{
	return sink->fresh != NULL;
}

bool sink_is_connected(const struct sink *sink)
{
	return pg_is_connected(sink->pg);
}

enum pg_problem sink_problem(const struct sink *sink)
{
	return pg_problem(sink->pg);
}

void sink_disconnect(struct sink *sink)
{
	pg_disconnect(sink->pg);
}

void sink_forget_names(struct sink *sink)
{
	names_forget(sink->names);
	sink->ready_connection = 0;
}

static const char *privacy_word(enum privacy_names names)
{
	static const char *const words[] = {
		[PRIVACY_NAMED] = "named", [PRIVACY_PSEUDONYM] = "pseudonym", [PRIVACY_HIDDEN] = "hidden"
	};

	return words[names];
}

static bool say_hello(struct sink *sink, struct pseudonymizer *key, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	struct pg_params params = { 0 };
	char key_check[PSEUDONYM_LEN + 1];

	pseudonym_key_check(key, key_check);
	pg_param_int8(&params, schema_version);
	pg_param_text(&params, key_check);
	pg_param_text(&params, sink->records_privacy ? privacy_word(sink->options->privacy_names) : NULL);
	pg_param_int8(&params, sink->options->privacy_min_group);
	if (!pg_exec(sink->pg, "SELECT names_generation FROM ingest_hello($1::int, $2, $3::text, $4::int)", &params, PG_TEXT,
		     STATEMENT_TIMEOUT_MS, &result, err)) {
		if (pg_problem(sink->pg) == PG_PROBLEM_UNDEFINED)
			return err_set(err, ERR_CONFIG, "the database has no schema of this version: "
							"run 'tokentally migrate'");
		if (pg_problem(sink->pg) == PG_PROBLEM_DENIED)
			return err_wrap(err, "the role needs membership in tokentally_ingest "
					     "(GRANT tokentally_ingest TO ...)");
		return false;
	}
	sink->names_generation = pg_int8(result, 0, 0);
	return true;
}

/* A key that came by a reload counts from the moment that the database has it: until 'tokentally rekey' was run, what we
 * write is still of the former. */
static bool hello(struct sink *sink, struct err *err)
{
	if (!sink->fresh)
		return say_hello(sink, sink->pseudonymizer, err);
	if (!say_hello(sink, sink->fresh, err))
		return pg_problem(sink->pg) == PG_PROBLEM_KEY && say_hello(sink, sink->pseudonymizer, err);
	names_use_key(sink->names, sink->fresh);
	pseudonymizer_free(sink->pseudonymizer);
	sink->pseudonymizer = sink->fresh;
	sink->fresh = NULL;
	return true;
}

bool sink_connect(struct sink *sink, struct err *err)
{
	if (!pg_connect(sink->pg, CONNECT_TIMEOUT_MS, err))
		return false;
	if (sink->ready_connection == pg_connection_number(sink->pg))
		return true;
	/* The server may be another one, or have gone back: there an id of ours can be nobody's, or somebody else's. */
	names_forget(sink->names);
	if (!hello(sink, err) || !sink_types_read(&sink->types, sink->pg, err))
		return false;
	sink->ready_connection = pg_connection_number(sink->pg);
	return true;
}

bool sink_known_topics(struct sink *sink, const char *const *topics, size_t count, bool *known, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	CLEANUP(pg_array_release) struct pg_array names;
	struct pg_params params = { 0 };

	pg_array_init(&names, PG_OID_TEXT, 0, SIZE_MAX);
	for (size_t i = 0; i < count; i++)
		pg_array_text(&names, span_of(topics[i]));
	pg_param_array(&params, PG_OID_TEXT_ARRAY, &names);
	if (!pg_exec(sink->pg,
		     "SELECT s.known FROM unnest($1::text[]) WITH ORDINALITY AS t(topic, i) "
		     "JOIN ingest_starts($1::text[]) s USING (topic) ORDER BY t.i",
		     &params, PG_TEXT, STATEMENT_TIMEOUT_MS, &result, err))
		return err_wrap(err, "cannot read which topics are known");
	for (int i = 0; i < pg_rows(result) && (size_t)i < count; i++)
		known[i] = *pg_text(result, i, 0) == 't';
	return true;
}

/* The arrays that name partitions in a statement. */
struct partition_arrays {
	struct pg_array topics, partitions, numbers;
};

static void partition_arrays_init(struct partition_arrays *arrays)
{
	pg_array_init(&arrays->topics, PG_OID_TEXT, 0, SIZE_MAX);
	pg_array_init(&arrays->partitions, PG_OID_INT4, 0, SIZE_MAX);
	pg_array_init(&arrays->numbers, PG_OID_INT8, 0, SIZE_MAX);
}

static void partition_arrays_release(struct partition_arrays *arrays)
{
	pg_array_release(&arrays->topics);
	pg_array_release(&arrays->partitions);
	pg_array_release(&arrays->numbers);
}

static void partition_arrays_add(struct partition_arrays *arrays, const struct claim_partition *partition,
				 int64_t number)
{
	pg_array_text(&arrays->topics, span_of(partition->topic));
	pg_array_int4(&arrays->partitions, partition->partition);
	pg_array_int8(&arrays->numbers, number);
}

static void params_add_partitions(struct pg_params *params, struct partition_arrays *arrays, bool numbers)
{
	pg_param_array(params, PG_OID_TEXT_ARRAY, &arrays->topics);
	pg_param_array(params, PG_OID_INT4_ARRAY, &arrays->partitions);
	if (numbers)
		pg_param_array(params, PG_OID_INT8_ARRAY, &arrays->numbers);
}

static bool take_claimed(struct claim_partition *partitions, size_t count, const struct pg_result *result,
			 struct err *err)
{
	if ((size_t)pg_rows(result) != count)
		return err_set(err, ERR_FATAL, "claimed %d of %zu partitions", pg_rows(result), count);
	for (size_t i = 0; i < count; i++) {
		struct claim_partition *p = &partitions[i];
		int row = (int)i;

		if (strcmp(p->topic, pg_text(result, row, 0)) != 0 || p->partition != pg_int8(result, row, 1))
			return err_set(err, ERR_FATAL, "the database answered for another partition than asked");
		p->next_offset = pg_int8(result, row, 2);
		p->last_offset = pg_is_null(result, row, 3) ? -1 : pg_int8(result, row, 3);
		p->last_time_ms = pg_is_null(result, row, 4) ? -1 : pg_int8(result, row, 4);
		p->last_crc = (uint32_t)pg_int8(result, row, 5);
		p->quarantined = !strcmp(pg_text(result, row, 6), "quarantined");
	}
	return true;
}

bool sink_claim(struct sink *sink, struct claim_partition *partitions, size_t count, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	CLEANUP(partition_arrays_release) struct partition_arrays arrays;
	struct pg_params params = { 0 };

	/* A new owner with each claim: whatever the former one still has under way is fenced. */
	if (RAND_bytes(sink->owner_id, sizeof(sink->owner_id)) != 1)
		return err_set(err, ERR_FATAL, "cannot get random bytes for an owner id");
	partition_arrays_init(&arrays);
	for (size_t i = 0; i < count; i++)
		partition_arrays_add(&arrays, &partitions[i], partitions[i].start_offset);
	pg_param_text(&params, sink->options->kafka_group_id);
	pg_param_uuid(&params, sink->owner_id);
	pg_param_int8(&params, pg_backend_pid(sink->pg));
	pg_param_text(&params, pg_backend_start(sink->pg));
	params_add_partitions(&params, &arrays, true);
	if (!pg_exec(sink->pg,
		     "SELECT c.topic, c.partition, next_offset, last_offset, last_time_ms, last_crc, state "
		     "FROM unnest($5::text[], $6::int[]) WITH ORDINALITY AS asked(topic, partition, i) "
		     "JOIN ingest_claim($1, $2, $3::int, $4::timestamptz, $5::text[], $6::int[], $7::bigint[]) c "
		     "USING (topic, partition) ORDER BY asked.i",
		     &params, PG_TEXT, STATEMENT_TIMEOUT_MS, &result, err))
		return err_wrap(err, "cannot claim partitions");
	return take_claimed(partitions, count, result, err);
}

bool sink_take_over(struct sink *sink, const struct claim_partition *partitions, size_t count, int *ended,
		    struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	CLEANUP(partition_arrays_release) struct partition_arrays arrays;
	struct pg_params params = { 0 };

	partition_arrays_init(&arrays);
	for (size_t i = 0; i < count; i++)
		partition_arrays_add(&arrays, &partitions[i], 0);
	params_add_partitions(&params, &arrays, false);
	if (!pg_exec(sink->pg,
		     "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a "
		     "JOIN (SELECT DISTINCT * FROM ingest_owners($1::text[], $2::int[])) o "
		     "ON o.owner_pid = a.pid AND o.owner_backend_start = a.backend_start "
		     "WHERE a.pid <> pg_backend_pid()",
		     &params, PG_TEXT, STATEMENT_TIMEOUT_MS, &result, err))
		return err_wrap(err, "cannot end the backend of the former owner");
	*ended = (int)pg_int8(result, 0, 0);
	return true;
}

bool sink_quarantine(struct sink *sink, const struct claim_partition *partition, const char *reason, struct err *err)
{
	struct pg_params params = { 0 };

	pg_param_uuid(&params, sink->owner_id);
	pg_param_text(&params, partition->topic);
	pg_param_int8(&params, partition->partition);
	pg_param_text(&params, reason);
	return pg_exec(sink->pg, "SELECT ingest_quarantine($1, $2, $3::int, $4)", &params, PG_TEXT, STATEMENT_TIMEOUT_MS,
		       NULL, err) ||
	       err_wrap(err, "cannot put a partition into quarantine");
}

bool sink_load_dedupe(struct sink *sink, int64_t ids_max, struct dedupe *dedupe, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	struct pg_params params = { 0 };

	pg_param_int8(&params, ids_max);
	if (!pg_exec(sink->pg, "SELECT max_seq, base_ms, ids FROM ingest_dedupe_blocks($1::bigint)", &params, PG_BINARY,
		     STATEMENT_TIMEOUT_MS, &result, err))
		return err_wrap(err, "cannot read the event ids counted before");
	sink->seen_seq = pg_rows(result) ? pg_binary_int8(result, 0, 0) : 0;
	for (int i = 0; i < pg_rows(result); i++) {
		if (!dedupe_load(dedupe, pg_binary_int8(result, i, 1), pg_bytes(result, i, 2)))
			return err_set(err, ERR_FATAL, BAD_BLOCK);
	}
	return true;
}

bool sink_read_ids(struct sink *sink, struct pg_result **rows, struct err *err)
{
	struct pg_params params = { 0 };

	pg_param_uuid(&params, sink->owner_id);
	pg_param_int8(&params, sink->seen_seq);
	if (!pg_exec(sink->pg, "SELECT seq, base_ms, ids FROM ingest_dedupe_since($1, $2::bigint)", &params, PG_BINARY,
		     STATEMENT_TIMEOUT_MS, rows, err))
		return err_wrap(err, "cannot read the event ids that others counted");
	if (pg_rows(*rows))
		sink->seen_seq = pg_binary_int8(*rows, pg_rows(*rows) - 1, 0);
	return true;
}

bool sink_merge_ids(const struct pg_result *rows, struct dedupe *dedupe, bool *met)
{
	for (int i = 0; rows && i < pg_rows(rows); i++) {
		if (!dedupe_merge(dedupe, pg_binary_int8(rows, i, 1), pg_bytes(rows, i, 2), met))
			return false;
	}
	return true;
}

bool sink_read_rules(struct sink *sink, struct rules *rules, int64_t now_us, size_t bytes_max, struct err *err)
{
	int64_t from_us = now_us - sink->options->ingest_max_age_ms * US_PER_MS - US_PER_DAY;

	if (!sink_rules_read(sink->pg, rules, from_us, bytes_max, err))
		return false;
	sink->rules_generation = rules->generation;
	return true;
}

bool sink_tell_sources(struct sink *sink, const struct mappings *mappings, struct err *err)
{
	CLEANUP(pg_array_release) struct pg_array names;
	struct pg_params params = { 0 };

	pg_array_init(&names, PG_OID_TEXT, 0, SIZE_MAX);
	for (size_t i = 0; i < mappings->count; i++)
		pg_array_text(&names, span_of(mappings->items[i].name));
	pg_param_array(&params, PG_OID_TEXT_ARRAY, &names);
	return pg_exec(sink->pg, "SELECT ingest_sources($1::text[])", &params, PG_TEXT, STATEMENT_TIMEOUT_MS, NULL, err) ||
	       err_wrap(err, "cannot tell the database which formats there are");
}

bool sink_commit(struct sink *sink, const struct batch *batch, int64_t minute_from_us, struct sink_rows *rows,
		 struct err *err)
{
	CLEANUP(sink_arrays_release) struct sink_arrays arrays;
	CLEANUP(pg_array_release) struct pg_array floors;
	struct pg_params params = { 0 };

	sink_arrays_init(&arrays, &sink->types);
	pg_array_init(&floors, PG_OID_INT8, 0, SIZE_MAX);
	if (!names_resolve(sink->names, sink->pg, sink->names_generation, batch->window, &sink->ids, err))
		return err_wrap(err, "cannot intern names");
	if (!sink_arrays_fill(&arrays, batch, &sink->ids, rows, err))
		return false;
	for (int32_t i = 0; i < arrays.arrays[TYPE_PROGRESS].count; i++)
		pg_array_int8(&floors, batch->dedupe_before_ms);
	pg_param_uuid(&params, sink->owner_id);
	pg_param_int8(&params, batch->flush_seq);
	pg_param_int8(&params, sink->names_generation);
	pg_param_time(&params, minute_from_us);
	sink_arrays_add_params(&arrays, &sink->types, &params);
	pg_param_array(&params, PG_OID_INT8_ARRAY, &floors);
	pg_param_int8(&params, sink->seen_seq);
	pg_param_int8(&params, sink->options->ingest_dedupe_window_ms);
	pg_param_int8(&params, sink->rules_generation);
	return pg_exec(sink->pg,
		       "SELECT ingest_commit($1, $2::bigint, $3::bigint, $4, $5, $6, $7, $8, $9, $10, $11, $13, "
		       "$14::bigint, $15::bigint, p_shadows => $12, p_rules_generation => $16::bigint)",
		       &params, PG_TEXT, STATEMENT_TIMEOUT_MS, NULL, err) ||
	       err_wrap(err, "cannot commit a batch");
}

bool sink_ensure_partitions(struct sink *sink, const struct options *options, int64_t now_us, int *made,
			    struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	struct pg_params params = { 0 };

	pg_param_time(&params, now_us - (options->ingest_max_age_ms * US_PER_MS) - US_PER_DAY);
	pg_param_time(&params, now_us + PARTITIONS_AHEAD_US);
	pg_param_time(&params, now_us - options->retention_minute_ms * US_PER_MS);
	if (!pg_exec(sink->pg, "SELECT ingest_ensure_partitions($1, $2, $3)", &params, PG_TEXT, STATEMENT_TIMEOUT_MS,
		     &result, err))
		return err_wrap(err, "cannot make partitions of tables");
	*made = (int)pg_int8(result, 0, 0);
	return true;
}
