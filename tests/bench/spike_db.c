/* SPDX-License-Identifier: Apache-2.0
 *
 * spike_db: see spike_db.h. CPU times are read from /proc, so the server must run on this machine.
 */
#include "spike_db.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32

static void check(PGconn *conn, const PGresult *result, ExecStatusType wanted, const char *sql)
{
	if (PQresultStatus(result) == wanted)
		return;
	fprintf(stderr, "spike: %.200s: %s\n", sql, PQerrorMessage(conn));
	exit(1);
}

PGconn *db_open(void)
{
	PGconn *conn = PQconnectdb("");

	if (PQstatus(conn) != CONNECTION_OK) {
		fprintf(stderr, "spike: cannot connect: %s\n", PQerrorMessage(conn));
		exit(1);
	}
	return conn;
}

void db_do(PGconn *conn, const char *sql)
{
	PGresult *result = PQexec(conn, sql);

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		check(conn, result, PGRES_COMMAND_OK, sql);
	PQclear(result);
}

int64_t db_int(PGconn *conn, const char *sql)
{
	PGresult *result = PQexec(conn, sql);
	int64_t value;

	check(conn, result, PGRES_TUPLES_OK, sql);
	value = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return value;
}

uint32_t db_type(PGconn *conn, const char *name)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT '%s'::regtype::oid", name);
	return (uint32_t)db_int(conn, sql);
}

bool db_call(PGconn *conn, const char *sql, const struct wire *arguments, int count)
{
	const char *values[ARGUMENTS_MAX];
	int lengths[ARGUMENTS_MAX], formats[ARGUMENTS_MAX];
	const char *state;
	PGresult *result;

	for (int i = 0; i < count; i++) {
		values[i] = arguments[i].data;
		lengths[i] = (int)arguments[i].len;
		formats[i] = 1;
	}
	result = PQexecParams(conn, sql, count, NULL, values, lengths, formats, 1);
	state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (state && strcmp(state, "40P01") == 0) {
		PQclear(result);
		return false;
	}
	check(conn, result, PGRES_TUPLES_OK, sql);
	PQclear(result);
	return true;
}

void db_copy(PGconn *conn, const char *sql, const struct wire *data)
{
	PGresult *result = PQexec(conn, sql);

	check(conn, result, PGRES_COPY_IN, sql);
	PQclear(result);
	if (PQputCopyData(conn, data->data, (int)data->len) != 1 || PQputCopyEnd(conn, NULL) != 1)
		exit(1);
	while ((result = PQgetResult(conn))) {
		check(conn, result, PGRES_COMMAND_OK, sql);
		PQclear(result);
	}
}

/* CPU seconds of a process: its own and, for the postmaster, of the children it has buried. */
static double process_cpu(long pid, long *parent, bool buried)
{
	char path[64], text[1024];
	unsigned long user = 0, system = 0;
	long user_buried = 0, system_buried = 0;
	const char *after;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	file = fopen(path, "r");
	*parent = 0;
	if (!file)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	after = strrchr(text, ')');
	if (!after ||
	    sscanf(after + 1, " %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
		   parent, &user, &system, &user_buried, &system_buried) != 5)
		return 0;
	if (buried)
		user += (unsigned long)user_buried, system += (unsigned long)system_buried;
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double cluster_cpu(PGconn *conn)
{
	long postmaster, parent, none;
	struct dirent *entry;
	double sum = 0;
	DIR *dir;

	process_cpu(PQbackendPID(conn), &postmaster, false);
	sum = process_cpu(postmaster, &none, true);
	dir = opendir("/proc");
	while (dir && (entry = readdir(dir))) {
		long pid = atol(entry->d_name);
		double cpu = pid > 0 ? process_cpu(pid, &parent, false) : 0;

		if (pid > 0 && parent == postmaster)
			sum += cpu;
	}
	if (dir)
		closedir(dir);
	return sum;
}

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void meter_start(PGconn *conn, struct meter *start)
{
	long parent;

	start->wal = db_int(conn, "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn");
	start->cluster_s = cluster_cpu(conn);
	start->backend_s = process_cpu(PQbackendPID(conn), &parent, false);
	start->client_s = seconds(CLOCK_PROCESS_CPUTIME_ID);
	start->wall_s = seconds(CLOCK_MONOTONIC);
}

void meter_stop(PGconn *conn, const struct meter *start, struct meter *sum)
{
	long parent;

	sum->wall_s += seconds(CLOCK_MONOTONIC) - start->wall_s;
	sum->client_s += seconds(CLOCK_PROCESS_CPUTIME_ID) - start->client_s;
	sum->backend_s += process_cpu(PQbackendPID(conn), &parent, false) - start->backend_s;
	sum->cluster_s += cluster_cpu(conn) - start->cluster_s;
	sum->wal += db_int(conn, "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn") - start->wal;
}
