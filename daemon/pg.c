/* SPDX-License-Identifier: Apache-2.0
 *
 * pg: connecting and running statements without ever blocking beyond a deadline. libpq's asynchronous calls
 * are driven by poll(2) in slices, so that a stop flag is seen. What SQLSTATEs mean is in pg_state.c, the
 * binary array format in pg_array.c.
 */
#include "autoconf.h"

#include "pg.h"

#include <endian.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fault.h"
#include "mem.h"
#include "period.h"
#include "pg_state.h"

#define POLL_SLICE_MS 100
#define SETTING_TIMEOUT_MS 10000
#define STATEMENT_TIMEOUT "30s"
/* Of the server, a little below the client's own 35 s deadline of a commit, so that its answer comes first. */
#define SESSION_SETTINGS                                                                                  \
	"SELECT set_config('statement_timeout', '" STATEMENT_TIMEOUT "', false), set_config('lock_timeout', '10s', false), " \
	"set_config('idle_in_transaction_session_timeout', '30s', false), "                               \
	"set_config('default_transaction_isolation', 'read committed', false), "                          \
	"set_config('TimeZone', 'UTC', false), set_config('client_min_messages', 'warning', false), "     \
	"set_config('search_path', 'tokentally, pg_temp', false), "                                       \
	"(SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())"

struct pg {
	PGconn *conn;
	char *conninfo, *application_name;
	const atomic_bool *stop;
	uint64_t connection_number;
	char backend_start[48];
	enum pg_problem problem;
};

struct pg *pg_new(const char *conninfo, const char *application_name)
{
	struct pg *pg = xcalloc(1, sizeof(*pg));

	pg->conninfo = xstrdup(conninfo);
	pg->application_name = xstrdup(application_name);
	return pg;
}

void pg_disconnect(struct pg *pg)
{
	if (pg->conn)
		PQfinish(pg->conn);
	pg->conn = NULL;
}

void pg_free(struct pg *pg)
{
	if (!pg)
		return;
	pg_disconnect(pg);
	free(pg->conninfo);
	free(pg->application_name);
	free(pg);
}

void pg_set_stop(struct pg *pg, const atomic_bool *stop)
{
	pg->stop = stop;
}

bool pg_is_connected(const struct pg *pg)
{
	return pg->conn && PQstatus(pg->conn) == CONNECTION_OK;
}

uint64_t pg_connection_number(const struct pg *pg)
{
	return pg->connection_number;
}

int pg_backend_pid(const struct pg *pg)
{
	return pg->conn ? PQbackendPID(pg->conn) : 0;
}

const char *pg_backend_start(const struct pg *pg)
{
	return pg->backend_start;
}

enum pg_problem pg_problem(const struct pg *pg)
{
	return pg->problem;
}

/* The connection is in an unknown state: give it up. What was running may or may not have been done. */
static bool lose(struct pg *pg, struct err *err, const char *why)
{
	char text[300];

	pg_state_first_line(text, sizeof(text), why);
	pg_disconnect(pg);
	pg->problem = PG_PROBLEM_LOST;
	return err_set(err, ERR_RETRY, "%s", text[0] ? text : "connection to PostgreSQL lost");
}

/* Waits until the socket is ready. False: deadline or stop. */
static bool wait_socket(struct pg *pg, short events, int64_t deadline_ms)
{
	for (;;) {
		int64_t left = deadline_ms - now_monotonic_ms();
		struct pollfd fd = { .fd = PQsocket(pg->conn), .events = events };

		if (left <= 0 || (pg->stop && atomic_load(pg->stop)))
			return false;
		if (poll(&fd, 1, (int)(left < POLL_SLICE_MS ? left : POLL_SLICE_MS)) > 0)
			return true;
	}
}

bool pg_conninfo_check(const char *conninfo, struct err *err)
{
	char *text = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &text);

	/* libpq's text quotes a word of the string, which may be a piece of the password. */
	PQfreemem(text);
	PQconninfoFree(options);
	return options || err_set(err, ERR_CONFIG,
				  "postgres.conninfo is not a connection string that libpq understands: use key=value "
				  "pairs, values with blanks in single quotes, or a postgresql:// URI");
}

static bool connect_start(struct pg *pg, struct err *err)
{
	/* Before "dbname" stand defaults that the user's string may override. */
	const char *keys[] = { "fallback_application_name", "keepalives_idle", "keepalives_interval",
			       "keepalives_count", "tcp_user_timeout", "target_session_attrs", "dbname",
			       "client_encoding", NULL };
	const char *values[] = { pg->application_name, "10", "5", "3", "15000", "read-write", pg->conninfo, "UTF8",
				 NULL };

	pg_disconnect(pg);
	pg->conn = PQconnectStartParams(keys, values, 1);
	if (!pg->conn)
		return err_set(err, ERR_RETRY, "cannot connect to PostgreSQL: out of memory");
	/* Verbose texts carry the SQLSTATE, which libpq 15 does not offer otherwise for a failed connect. */
	PQsetErrorVerbosity(pg->conn, PQERRORS_VERBOSE);
	PQsetNoticeProcessor(pg->conn, pg_state_ignore_notice, NULL);
	return true;
}

static bool connect_failed(struct pg *pg, struct err *err)
{
	enum err_kind kind = pg_state_of_connect_failure(PQerrorMessage(pg->conn));
	char text[300];

	pg_state_first_line(text, sizeof(text), PQerrorMessage(pg->conn));
	pg_disconnect(pg);
	pg->problem = PG_PROBLEM_LOST;
	return err_set(err, kind, "cannot connect to PostgreSQL: %s", text[0] ? text : "no answer");
}

static bool read_session(struct pg *pg, int64_t timeout_ms, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;

	PQsetErrorVerbosity(pg->conn, PQERRORS_DEFAULT);
	pg->connection_number++;
	if (!pg_exec(pg, SESSION_SETTINGS, NULL, PG_TEXT, timeout_ms, &result, err)) {
		pg_disconnect(pg);
		return err_wrap(err, "cannot set up the PostgreSQL session");
	}
	snprintf(pg->backend_start, sizeof(pg->backend_start), "%s", pg_text(result, 0, 7));
	return true;
}

bool pg_connect(struct pg *pg, int64_t timeout_ms, struct err *err)
{
	int64_t deadline_ms = now_monotonic_ms() + timeout_ms;
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	if (pg_is_connected(pg))
		return true;
	if (FAULT("connect"))
		return err_set(err, ERR_RETRY, "cannot connect to PostgreSQL: an injected fault");
	if (!pg_conninfo_check(pg->conninfo, err) || !connect_start(pg, err))
		return false;
	while (PQstatus(pg->conn) != CONNECTION_BAD) {
		if (status == PGRES_POLLING_OK)
			return read_session(pg, timeout_ms, err);
		if (status == PGRES_POLLING_FAILED)
			break;
		if (!wait_socket(pg, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_ms)) {
			pg_disconnect(pg);
			return err_set(err, ERR_RETRY, "cannot connect to PostgreSQL: no answer within %lld ms",
				       (long long)timeout_ms);
		}
		status = PQconnectPoll(pg->conn);
	}
	return connect_failed(pg, err);
}

static bool send_all(struct pg *pg, int64_t deadline_ms, struct err *err)
{
	for (;;) {
		int flushed = PQflush(pg->conn);

		if (flushed == 0)
			return true;
		if (flushed < 0)
			return lose(pg, err, PQerrorMessage(pg->conn));
		/* Reading as well, or both sides could wait for each other with full buffers. */
		if (!wait_socket(pg, POLLIN | POLLOUT, deadline_ms))
			return lose(pg, err, "no answer from PostgreSQL in time");
		if (!PQconsumeInput(pg->conn))
			return lose(pg, err, PQerrorMessage(pg->conn));
	}
}

/* Takes all results up to the end of the statement; keeps the last or the first failure. */
static bool read_all(struct pg *pg, int64_t deadline_ms, PGresult **last, struct err *err)
{
	*last = NULL;
	for (;;) {
		PGresult *next;

		while (PQisBusy(pg->conn)) {
			if (!wait_socket(pg, POLLIN, deadline_ms) || !PQconsumeInput(pg->conn)) {
				bool timed_out = PQstatus(pg->conn) == CONNECTION_OK;

				PQclear(*last);
				*last = NULL;
				return lose(pg, err, timed_out ? "no answer from PostgreSQL in time"
							       : PQerrorMessage(pg->conn));
			}
		}
		next = PQgetResult(pg->conn);
		if (!next)
			return true;
		if (*last && PQresultStatus(*last) == PGRES_FATAL_ERROR) {
			PQclear(next);
			continue;
		}
		PQclear(*last);
		*last = next;
	}
}

/* True: nothing breaks here, or the connection breaks silently. known: what the server did is known here. */
static bool survive(struct pg *pg, enum fault fault, bool known, struct err *err)
{
	if (fault == FAULT_DROP)
		shutdown(PQsocket(pg->conn), SHUT_RDWR);
	if (fault == FAULT_ERROR && known)
		return err_set(err, ERR_RETRY, "an injected fault");
	return fault != FAULT_ERROR || lose(pg, err, "an injected fault");
}

static bool finish(struct pg *pg, const char *sql, int64_t deadline_ms, struct pg_result **result, struct err *err)
{
	PGresult *last;
	bool ok;

	if (!send_all(pg, deadline_ms, err) || !survive(pg, FAULT_STATEMENT(sql, "sent"), false, err) ||
	    !read_all(pg, deadline_ms, &last, err))
		return false;
	if (!survive(pg, FAULT_STATEMENT(sql, "done"), false, err)) {
		PQclear(last);
		return false;
	}
	if (!last)
		return lose(pg, err, PQerrorMessage(pg->conn));
	ok = PQresultStatus(last) == PGRES_TUPLES_OK || PQresultStatus(last) == PGRES_COMMAND_OK;
	if (!ok) {
		pg->problem = pg_state_of_result(last, err);
		/* LOST over a live connection: a server that is read only now. Only a new one finds the primary. */
		if (PQstatus(pg->conn) != CONNECTION_OK || pg->problem == PG_PROBLEM_LOST)
			lose(pg, err, err->text);
	}
	if (ok && result)
		*result = (struct pg_result *)last;
	else
		PQclear(last);
	return ok;
}

bool pg_exec(struct pg *pg, const char *sql, const struct pg_params *params, enum pg_format format, int64_t timeout_ms,
	     struct pg_result **result, struct err *err)
{
	static const struct pg_params none;
	const struct pg_params *p = params ? params : &none;
	int sent;

	pg->problem = PG_PROBLEM_NONE;
	if (!pg_is_connected(pg))
		return lose(pg, err, "not connected to PostgreSQL");
	if (!survive(pg, FAULT_STATEMENT(sql, "send"), true, err))
		return false;
	PQsetnonblocking(pg->conn, 1);
	sent = PQsendQueryParams(pg->conn, sql, p->count, p->types, p->values, p->lengths, p->formats,
				 format == PG_BINARY);
	if (!sent)
		return lose(pg, err, PQerrorMessage(pg->conn));
	return finish(pg, sql, now_monotonic_ms() + timeout_ms, result, err);
}

bool pg_script(struct pg *pg, const char *sql, int64_t timeout_ms, struct err *err)
{
	pg->problem = PG_PROBLEM_NONE;
	if (!pg_is_connected(pg))
		return lose(pg, err, "not connected to PostgreSQL");
	PQsetnonblocking(pg->conn, 1);
	if (!PQsendQuery(pg->conn, sql))
		return lose(pg, err, PQerrorMessage(pg->conn));
	return finish(pg, sql, now_monotonic_ms() + timeout_ms, NULL, err);
}

bool pg_exec_slow(struct pg *pg, const char *sql, const struct pg_params *params, int64_t timeout_ms,
		  struct pg_result **result, struct err *err)
{
	char raise[80];
	struct err second;
	enum pg_problem problem;
	bool done;

	snprintf(raise, sizeof(raise), "SET statement_timeout = '%lldms'", (long long)timeout_ms);
	done = pg_script(pg, raise, SETTING_TIMEOUT_MS, err) &&
	       pg_exec(pg, sql, params, PG_TEXT, timeout_ms, result, err);
	problem = pg->problem;
	if (pg_is_connected(pg) && !pg_script(pg, "SET statement_timeout = '" STATEMENT_TIMEOUT "'", SETTING_TIMEOUT_MS,
					      done ? err : &second))
		return false;
	pg->problem = problem;
	return done;
}

/* Results are libpq's own, under a name that keeps libpq-fe.h in here. */
static const PGresult *raw(const struct pg_result *result)
{
	return (const PGresult *)result;
}

void pg_result_free(struct pg_result **result)
{
	PQclear((PGresult *)*result);
	*result = NULL;
}

int pg_rows(const struct pg_result *result)
{
	return PQntuples(raw(result));
}

int pg_columns(const struct pg_result *result)
{
	return PQnfields(raw(result));
}

const char *pg_column_name(const struct pg_result *result, int col)
{
	return PQfname(raw(result), col);
}

bool pg_is_null(const struct pg_result *result, int row, int col)
{
	return PQgetisnull(raw(result), row, col);
}

const char *pg_text(const struct pg_result *result, int row, int col)
{
	return PQgetvalue(raw(result), row, col);
}

int64_t pg_int8(const struct pg_result *result, int row, int col)
{
	return strtoll(pg_text(result, row, col), NULL, 10);
}

int64_t pg_binary_int8(const struct pg_result *result, int row, int col)
{
	uint64_t wire = 0;

	if (PQgetlength(raw(result), row, col) == sizeof(wire))
		memcpy(&wire, PQgetvalue(raw(result), row, col), sizeof(wire));
	return (int64_t)be64toh(wire);
}

struct span pg_bytes(const struct pg_result *result, int row, int col)
{
	return (struct span){ PQgetvalue(raw(result), row, col), (size_t)PQgetlength(raw(result), row, col) };
}
