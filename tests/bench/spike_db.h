/* SPDX-License-Identifier: Apache-2.0
 *
 * spike_db: the spike's connection and its meter: wall time, CPU of the backend, of the cluster and
 * of the client, and WAL bytes, between two points. Every failure ends the program: a bench has
 * nothing to save.
 */
#ifndef TOKENTALLY_SPIKE_DB_H
#define TOKENTALLY_SPIKE_DB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spike_wire.h"

struct meter {
	double wall_s, backend_s, cluster_s, client_s;
	int64_t wal;
};

PGconn *db_open(void);
void db_do(PGconn *conn, const char *sql);
int64_t db_int(PGconn *conn, const char *sql);
uint32_t db_type(PGconn *conn, const char *name);
/* A call with binary arguments. False on a deadlock, which is the one failure that a caller counts.
 */
bool db_call(PGconn *conn, const char *sql, const struct wire *arguments, int count);
void db_copy(PGconn *conn, const char *sql, const struct wire *data);

/* What was used from meter_start() to meter_stop(), added to sum. */
void meter_start(PGconn *conn, struct meter *start);
void meter_stop(PGconn *conn, const struct meter *start, struct meter *sum);

#endif
