/* SPDX-License-Identifier: Apache-2.0
 *
 * cli_rekey: from one privacy key to another. The key never goes to the database, so the new pseudonyms are made here:
 * first of all people, which one statement puts in place (sql/functions/rekey_switch.sql), then of the sessions, part by
 * part. Whatever ends it in between, the same command goes on where it was.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "mem.h"
#include "period.h"
#include "pseudonym.h"
#include "status.h"
#include "text.h"

#define STATEMENT_TIMEOUT_MS 35000
#define SLOW_TIMEOUT_MS (15 * 60 * 1000)
#define PEOPLE_PAGE 10000
#define SESSION_ROWS 20000 /* a transaction: commits that want these rows wait that long */
#define SWITCH_TRIES 10
#define QUIET_MS 2000 /* what is done sooner needs no progress */

struct rekey {
	struct pg *pg;
	struct pseudonymizer *key;
	char key_check[PSEUDONYM_LEN + 1];
	int64_t started_ms;
	bool terminal, shown;
	long long people, sessions;
};

/* Of the sessions, from the newest back; people are one statement. */
static void show_progress(struct rekey *rekey, const char *back_to)
{
	if (!rekey->terminal || now_monotonic_ms() - rekey->started_ms < QUIET_MS)
		return;
	fprintf(stderr, "\r%lld people done, %lld session rows, back to %.10s", rekey->people, rekey->sessions, back_to);
	rekey->shown = true;
}

static void end_progress(const struct rekey *rekey)
{
	if (rekey->shown)
		fputc('\n', stderr);
}

/* Adds what comes after *last_id. */
static bool read_people(struct rekey *rekey, int64_t *last_id, struct pg_array *ids, struct pg_array *pseudonyms,
			struct err *err)
{
	char pseudonym[PSEUDONYM_LEN + 1];
	int rows;

	do {
		CLEANUP(pg_result_free) struct pg_result *result = NULL;
		struct pg_params params = { 0 };

		pg_param_int8(&params, *last_id);
		pg_param_int8(&params, PEOPLE_PAGE);
		if (!pg_exec(rekey->pg, "SELECT id, user_key FROM tokentally.rekey_people($1, $2::int)", &params, PG_TEXT,
			     STATEMENT_TIMEOUT_MS, &result, err))
			return false;
		rows = pg_rows(result);
		for (int row = 0; row < rows; row++) {
			*last_id = pg_int8(result, row, 0);
			pseudonym_of(rekey->key, pg_bytes(result, row, 1), pseudonym);
			pg_array_int8(ids, *last_id);
			pg_array_text(pseudonyms, span_of(pseudonym));
		}
	} while (rows == PEOPLE_PAGE);
	return true;
}

static bool write_people(struct rekey *rekey, struct pg_array *ids, struct pg_array *pseudonyms, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	struct pg_params params = { 0 };

	pg_param_text(&params, rekey->key_check);
	pg_param_array(&params, PG_OID_INT8_ARRAY, ids);
	pg_param_array(&params, PG_OID_TEXT_ARRAY, pseudonyms);
	if (!pg_exec_slow(rekey->pg, "SELECT tokentally.rekey_switch($1, $2, $3)", &params, SLOW_TIMEOUT_MS, &result, err))
		return false;
	rekey->people = pg_int8(result, 0, 0);
	return true;
}

/* Daemons go on meeting new people: those that came since are read as well, and it is tried again. */
static bool switch_people(struct rekey *rekey, struct err *err)
{
	CLEANUP(pg_array_release) struct pg_array ids;
	CLEANUP(pg_array_release) struct pg_array pseudonyms;
	int64_t last_id = 0;

	pg_array_init(&ids, PG_OID_INT8, 0, SIZE_MAX);
	pg_array_init(&pseudonyms, PG_OID_TEXT, 0, SIZE_MAX);
	for (int i = 0; i < SWITCH_TRIES; i++) {
		if (!read_people(rekey, &last_id, &ids, &pseudonyms, err))
			return false;
		if (write_people(rekey, &ids, &pseudonyms, err))
			return true;
		if (err->kind != ERR_RETRY || !pg_is_connected(rekey->pg))
			return false;
	}
	return false;
}

static bool write_sessions(struct rekey *rekey, const struct pg_result *read, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	CLEANUP(pg_array_release) struct pg_array ids;
	CLEANUP(pg_array_release) struct pg_array shown;
	struct pg_params params = { 0 };
	char pseudonym[PSEUDONYM_LEN + 1];

	pg_array_init(&ids, PG_OID_TEXT, 0, SIZE_MAX);
	pg_array_init(&shown, PG_OID_TEXT, 0, SIZE_MAX);
	for (int row = 0; row < pg_rows(read) && !pg_is_null(read, row, 2); row++) {
		pseudonym_of(rekey->key, pg_bytes(read, row, 3), pseudonym);
		pg_array_text(&ids, pg_bytes(read, row, 2));
		pg_array_text(&shown, span_of(pseudonym));
	}
	pg_param_text(&params, rekey->key_check);
	pg_param_text(&params, pg_text(read, 0, 0));
	pg_param_text(&params, pg_text(read, 0, 1));
	pg_param_array(&params, PG_OID_TEXT_ARRAY, &ids);
	pg_param_array(&params, PG_OID_TEXT_ARRAY, &shown);
	if (!pg_exec_slow(rekey->pg, "SELECT tokentally.rekey_sessions_write($1, $2, $3, $4::text[]::uuid[], $5)", &params,
			  SLOW_TIMEOUT_MS, &result, err))
		return false;
	rekey->sessions += pg_int8(result, 0, 0);
	return true;
}

static bool change_sessions(struct rekey *rekey, struct err *err)
{
	for (;;) {
		CLEANUP(pg_result_free) struct pg_result *result = NULL;
		struct pg_params params = { 0 };

		pg_param_int8(&params, SESSION_ROWS);
		if (!pg_exec_slow(rekey->pg,
				  "SELECT from_slot, until_slot, session_id, session_key FROM tokentally.rekey_sessions_read($1::int)",
				  &params, SLOW_TIMEOUT_MS, &result, err))
			return false;
		if (!pg_rows(result))
			return true;
		if (!write_sessions(rekey, result, err))
			return false;
		show_progress(rekey, pg_text(result, 0, 0));
	}
}

static int explain_failure(const struct rekey *rekey, struct err *err)
{
	if (pg_problem(rekey->pg) == PG_PROBLEM_DENIED)
		err_wrap(err, "rekey reads names: it needs tokentally_owner or a superuser, as migrate does");
	else if (err->kind == ERR_RETRY)
		err_wrap(err, "not finished, run it again to go on");
	return cli_fail(err);
}

/* former: the configured key, with --key. A wrong configuration would be another database's. */
static int check_former(const struct rekey *rekey, const char *known, const char *former)
{
	char check[PSEUDONYM_LEN + 1];
	struct pseudonymizer *p;

	if (!former || !*known)
		return STATUS_DONE;
	p = pseudonymizer_new(former);
	pseudonym_key_check(p, check);
	pseudonymizer_free(p);
	if (!strcmp(check, known) || !strcmp(rekey->key_check, known))
		return STATUS_DONE;
	fprintf(stderr, "tokentally: the configured privacy.key is not the one of this database: is it the right database? "
			"(If the key is lost, configure the new one and leave out --key.)\n");
	return STATUS_CONFIG;
}

static int rekey_all(struct rekey *rekey, const char *former, bool dry_run)
{
	CLEANUP(pg_result_free) struct pg_result *state = NULL;
	struct err err;
	bool switched;

	if (!pg_exec(rekey->pg, "SELECT key_check, sessions_pending, nameless, people FROM tokentally.rekey_state()", NULL, PG_TEXT,
		     STATEMENT_TIMEOUT_MS, &state, &err))
		return explain_failure(rekey, &err);
	if (check_former(rekey, pg_text(state, 0, 0), former) != STATUS_DONE)
		return STATUS_CONFIG;
	switched = !strcmp(rekey->key_check, pg_text(state, 0, 0)) && *pg_text(state, 0, 2) != 't';
	if (switched && *pg_text(state, 0, 1) != 't') {
		puts("the database has this key already: nothing to do");
		return STATUS_DONE;
	}
	if (dry_run) {
		printf("would make new pseudonyms of %s people and all sessions\n", switched ? "0" : pg_text(state, 0, 3));
		return STATUS_DONE;
	}
	if ((!switched && !switch_people(rekey, &err)) || !change_sessions(rekey, &err)) {
		end_progress(rekey);
		return explain_failure(rekey, &err);
	}
	end_progress(rekey);
	printf("new pseudonyms: %lld people, %lld session rows\n", rekey->people, rekey->sessions);
	puts("a daemon that still has the former key stops with status 78 at its next commit, unless SIGHUP told it the new one "
	     "before");
	return STATUS_DONE;
}

/* With the key of --key, which is read as the configuration would. NULL: *status. */
static struct options *load_with_key(struct cli_args *args, int *status)
{
	CLEANUP(buf_release) struct buf setting = { 0 };
	struct options *options;

	if (args->override_count == CLI_OVERRIDES_MAX) {
		fprintf(stderr, "tokentally: too many -o\n");
		*status = STATUS_USAGE;
		return NULL;
	}
	buf_init(&setting, 4200);
	buf_addf(&setting, "privacy.key=@%s", args->key);
	args->overrides[args->override_count++] = setting.data;
	options = cli_load(args, status);
	args->override_count--;
	return options;
}

int cli_rekey(struct cli_args *args)
{
	int status;
	struct options *options = cli_load(args, &status);
	struct options *fresh = NULL;
	struct rekey rekey = { .started_ms = now_monotonic_ms(), .terminal = isatty(STDERR_FILENO) };

	if (options && args->key && !(fresh = load_with_key(args, &status))) {
		options_free(options);
		return status;
	}
	if (!options)
		return status;
	rekey.key = pseudonymizer_new((fresh ? fresh : options)->privacy_key ? (fresh ? fresh : options)->privacy_key : "");
	pseudonym_key_check(rekey.key, rekey.key_check);
	rekey.pg = pg_new(options->postgres_conninfo, "tokentally rekey");
	if (!*rekey.key_check) {
		fprintf(stderr, "tokentally: there is no new key: privacy.key is not set, and no --key FILE is given\n");
		status = STATUS_CONFIG;
	} else if (cli_connect(rekey.pg, &status)) {
		status = rekey_all(&rekey, fresh ? options->privacy_key : NULL, args->dry_run);
	}
	pg_free(rekey.pg);
	pseudonymizer_free(rekey.key);
	options_free(fresh);
	options_free(options);
	return status;
}
