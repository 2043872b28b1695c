/* SPDX-License-Identifier: Apache-2.0
 *
 * pg: one PostgreSQL connection. The only place with libpq-fe.h and the only one that knows SQLSTATEs: it
 * turns them into an err_kind and, where the caller has a special answer, a pg_problem.
 *
 * Every wait has a deadline and looks at a stop flag, so no caller hangs on a dead server. A statement whose
 * deadline passes closes the connection: what became of it is unknown, and the commit protocol (sink.h) is
 * built so that asking again answers that.
 *
 * Owned by one thread. Never logs. Never puts the connection string into an error text.
 */
#ifndef TOKENTALLY_PG_H
#define TOKENTALLY_PG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "text.h"

/* What the answer was, where "retry" or "data" is not enough to act on. */
enum pg_problem {
	PG_PROBLEM_NONE,
	PG_PROBLEM_FENCED,            /* TT001: the offset row is not what we think */
	PG_PROBLEM_NAMES,             /* TT002: person ids or pseudonyms may have changed */
	PG_PROBLEM_KEY,               /* TT011: the database has pseudonyms of another privacy key */
	PG_PROBLEM_COUNTED_ELSEWHERE, /* TT004: another worker has counted an event of this batch meanwhile */
	PG_PROBLEM_RULES,             /* TT005: teams of people or source rules were changed since they were read */
	PG_PROBLEM_MISSING_PARTITION, /* 23514 without a constraint name (docs: ExecFindPartition) */
	PG_PROBLEM_TIMEOUT,           /* 57014: statement_timeout */
	PG_PROBLEM_LOCKED,            /* 55P03: lock_timeout */
	PG_PROBLEM_DENIED,            /* 42501 */
	PG_PROBLEM_LOST,              /* connection lost: whether it was done is unknown */
	PG_PROBLEM_UNDEFINED,         /* 42P01, 3F000, 42883, 42704: schema not there or not of this version */
};

/* ERR_CONFIG when libpq can't read it; nothing is connected. */
bool pg_conninfo_check(const char *conninfo, struct err *err) ATTR_MUST_CHECK;

struct pg;
/* conninfo: keywords or URI, may be "" (libpq's defaults and PG* variables). */
struct pg *pg_new(const char *conninfo, const char *application_name);
void pg_free(struct pg *pg);
/* Waits end early with ERR_RETRY once *stop is true. NULL: never. */
void pg_set_stop(struct pg *pg, const atomic_bool *stop);

/* Connects if not connected. ERR_CONFIG: the server said no in a way a restart cannot mend (password,
 * pg_hba, no such database); ERR_RETRY: anything else. */
bool pg_connect(struct pg *pg, int64_t timeout_ms, struct err *err) ATTR_MUST_CHECK;
bool pg_is_connected(const struct pg *pg);
void pg_disconnect(struct pg *pg);
/* Counts connections made: a change means session state and type ids must be read again. */
uint64_t pg_connection_number(const struct pg *pg);
int pg_backend_pid(const struct pg *pg);
/* As PostgreSQL prints it; read at connect. pid and start together name a backend for ever. */
const char *pg_backend_start(const struct pg *pg);

/* pg_array: a one-dimensional array in PostgreSQL's binary format, of scalars or of composite rows
 * (src/backend/utils/adt/arrayfuncs.c array_recv, rowtypes.c record_recv). Grows to bytes_max. */
struct pg_array {
	struct buf buf;
	uint32_t element_oid;
	int32_t fields; /* of a composite; 0: scalars */
	int32_t count;
	size_t row_at; /* where the length word of the open row stands */
};
enum {
	PG_OID_BYTEA = 17,
	PG_OID_INT8 = 20,
	PG_OID_INT2 = 21,
	PG_OID_INT4 = 23,
	PG_OID_TEXT = 25,
	PG_OID_TIMESTAMPTZ = 1184,
	PG_OID_UUID = 2950,
};
void pg_array_init(struct pg_array *array, uint32_t element_oid, int32_t fields, size_t bytes_max);
void pg_array_release(struct pg_array *array);
void pg_array_row(struct pg_array *array);     /* opens a composite element */
void pg_array_row_end(struct pg_array *array); /* closes it */
/* One value: a field of the open row, or an element of a scalar array. */
void pg_array_int2(struct pg_array *array, int16_t value);
void pg_array_int4(struct pg_array *array, int32_t value);
void pg_array_int8(struct pg_array *array, int64_t value);
void pg_array_time(struct pg_array *array, int64_t t_us);
void pg_array_text(struct pg_array *array, struct span value);
void pg_array_bytes(struct pg_array *array, uint32_t oid, const void *data, size_t len); /* bytea, uuid */
void pg_array_null(struct pg_array *array, uint32_t oid);

/* The parameters of one statement; what they point to must live until pg_exec returns. */
#define PG_PARAMS_MAX 16
struct pg_params {
	int count;
	uint32_t types[PG_PARAMS_MAX];
	const char *values[PG_PARAMS_MAX];
	int lengths[PG_PARAMS_MAX];
	int formats[PG_PARAMS_MAX];
	char scratch[PG_PARAMS_MAX][32];
};
void pg_param_text(struct pg_params *params, const char *value); /* NULL = SQL null; the server infers the type */
void pg_param_int8(struct pg_params *params, int64_t value);
void pg_param_bool(struct pg_params *params, bool value);
void pg_param_time(struct pg_params *params, int64_t t_us);
void pg_param_uuid(struct pg_params *params, const unsigned char uuid[16]);
/* array_oid is the oid of the array type, not of its element. */
void pg_param_array(struct pg_params *params, uint32_t array_oid, struct pg_array *array);
enum { PG_OID_INT4_ARRAY = 1007, PG_OID_TEXT_ARRAY = 1009, PG_OID_TIMESTAMPTZ_ARRAY = 1185, PG_OID_INT8_ARRAY = 1016 };

struct pg_result;
void pg_result_free(struct pg_result **result); /* for CLEANUP */
int pg_rows(const struct pg_result *result);
bool pg_is_null(const struct pg_result *result, int row, int col);
const char *pg_text(const struct pg_result *result, int row, int col); /* "" for null */
int64_t pg_int8(const struct pg_result *result, int row, int col);     /* text format; 0 for null */
int64_t pg_binary_int8(const struct pg_result *result, int row, int col); /* of PG_BINARY results */
int pg_columns(const struct pg_result *result);
const char *pg_column_name(const struct pg_result *result, int col);
/* Raw bytes of a cell; with PG_BINARY results the value itself. */
struct span pg_bytes(const struct pg_result *result, int row, int col);

enum pg_format { PG_TEXT, PG_BINARY };
/* One statement; params and result may be NULL. timeout_ms bounds the whole wait on the client's side. */
bool pg_exec(struct pg *pg, const char *sql, const struct pg_params *params, enum pg_format format, int64_t timeout_ms,
	     struct pg_result **result, struct err *err) ATTR_MUST_CHECK;
/* The same for a statement that may take longer than the session's statement_timeout, which is raised to timeout_ms for
 * it, and put back whatever becomes of it. */
bool pg_exec_slow(struct pg *pg, const char *sql, const struct pg_params *params, int64_t timeout_ms,
		  struct pg_result **result, struct err *err) ATTR_MUST_CHECK;
/* Several statements in one string (migrations); no parameters, no result. */
bool pg_script(struct pg *pg, const char *sql, int64_t timeout_ms, struct err *err) ATTR_MUST_CHECK;
enum pg_problem pg_problem(const struct pg *pg); /* of the last failure */

#endif
