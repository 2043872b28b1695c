/* SPDX-License-Identifier: Apache-2.0
 *
 * pg_state: what a failure that PostgreSQL reports asks us to do. Part of pg; nobody else includes it.
 *
 * SQLSTATEs: PostgreSQL documentation, appendix A; TT... are ours (sql/README.md).
 */
#ifndef TOKENTALLY_PG_STATE_H
#define TOKENTALLY_PG_STATE_H

#include <libpq-fe.h>
#include <stddef.h>

#include "err.h"
#include "pg.h"

/* Sets err from a failed result and returns the special problem, if any. */
enum pg_problem pg_state_of_result(const PGresult *result, struct err *err);
/* message is libpq's verbose text. With several hosts every one must have said a firm no for ERR_CONFIG. */
enum err_kind pg_state_of_connect_failure(const char *message);
/* The first line without severity and SQLSTATE, for people. */
void pg_state_first_line(char *out, size_t cap, const char *message);
void pg_state_ignore_notice(void *arg, const char *message);

#endif
