/* SPDX-License-Identifier: Apache-2.0
 *
 * spike_clients: whole commits, and four connections that make them at once on the same shared
 * rows.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spike.h"
#include "spike_db.h"

#define CLIENTS 4
#define BATCHES 8
#define RUN_S 3.0

void commit_arguments_init(struct commit_arguments *arguments, PGconn *conn)
{
	memset(arguments, 0, sizeof(*arguments));
	arguments->types[ARGUMENT_SESSIONS] = db_type(conn, wire_session.type);
	arguments->types[ARGUMENT_HOURS] = db_type(conn, wire_hour.type);
	arguments->types[ARGUMENT_MINUTES] = db_type(conn, wire_minute.type);
	arguments->types[ARGUMENT_LATENCIES] = db_type(conn, wire_latency.type);
}

void commit_arguments_release(struct commit_arguments *arguments)
{
	for (int i = 0; i < ARGUMENTS; i++)
		wire_release(&arguments->wires[i]);
}

static void fill_rows(struct commit_arguments *arguments, int which,
		      const struct wire_layout *layout, const struct spike_rows *rows)
{
	wire_composites(&arguments->wires[which], layout, arguments->types[which], rows, 0,
			rows->count);
}

static void fill_number(struct commit_arguments *arguments, int which, uint64_t value, size_t width)
{
	wire_number(&arguments->wires[which], value, width);
}

void commit_arguments_fill(struct commit_arguments *arguments, const struct spike_load *load,
			   int partition, bool days, bool hot_first)
{
	fill_number(arguments, ARGUMENT_PARTITION, (uint64_t)partition, 4);
	fill_number(arguments, ARGUMENT_EVENTS, (uint64_t)load->batch_events, 8);
	fill_rows(arguments, ARGUMENT_SESSIONS, &wire_session, &load->sessions);
	fill_rows(arguments, ARGUMENT_HOURS, &wire_hour, &load->hours);
	fill_rows(arguments, ARGUMENT_MINUTES, &wire_minute, &load->minutes);
	fill_rows(arguments, ARGUMENT_LATENCIES, &wire_latency, &load->latencies);
	fill_number(arguments, ARGUMENT_DAYS, days, 1);
	fill_number(arguments, ARGUMENT_HOT_FIRST, hot_first, 1);
}

size_t commit_arguments_bytes(const struct commit_arguments *arguments)
{
	size_t bytes = 0;

	for (int i = 0; i < ARGUMENTS; i++)
		bytes += arguments->wires[i].len;
	return bytes;
}

bool commit_arguments_call(PGconn *conn, const struct commit_arguments *arguments)
{
	return db_call(conn, "SELECT commit_batch($1, $2, $3, $4, $5, $6, $7, $8)",
		       arguments->wires, ARGUMENTS);
}

struct client {
	pthread_t thread;
	pthread_barrier_t *barrier;
	struct commit_arguments batches[BATCHES];
	int64_t commits, deadlocks;
	double seconds;
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void call_once(PGconn *conn, struct client *client, int batch)
{
	while (!commit_arguments_call(conn, &client->batches[batch % BATCHES]))
		client->deadlocks++;
}

/* All rows are made before the clock starts: the rest are updates, as in a steady state. */
static void *client_run(void *context)
{
	struct client *client = context;
	PGconn *conn = db_open();
	double start;

	for (int i = 0; i < BATCHES; i++)
		call_once(conn, client, i);
	pthread_barrier_wait(client->barrier);
	start = now_s();
	for (int i = 0; now_s() - start < RUN_S; i++) {
		call_once(conn, client, i);
		client->commits++;
	}
	client->seconds = now_s() - start;
	pthread_barrier_wait(client->barrier);
	pthread_barrier_wait(client->barrier); /* the meter has read what this backend used */
	PQfinish(conn);
	return NULL;
}

/* Apart: each client has users of its own, as a topic keyed by user gives. */
static void client_fill(struct client *client, PGconn *conn, int number, size_t rows_max,
			bool apart, bool hot_first)
{
	struct spike_load_options options = spike_issue_load;
	struct spike_load *load;

	options.seed = (uint64_t)number + 1;
	if (apart) {
		options.users /= CLIENTS;
		options.first_user = number * options.users;
	}
	load = spike_load_new(&options);
	for (int i = 0; i < BATCHES; i++) {
		commit_arguments_init(&client->batches[i], conn);
		spike_load_batch(load, rows_max, options.events);
		spike_load_sort(load);
		commit_arguments_fill(&client->batches[i], load, number, false, hot_first);
	}
	spike_load_free(load);
}

static void clients_run(size_t rows_max, bool apart, bool hot_first)
{
	static struct client clients[CLIENTS];
	struct meter start, used = { 0 };
	PGconn *conn = db_open();
	pthread_barrier_t barrier;
	double rate = 0, commits = 0;
	long long deadlocks = 0;

	db_do(conn, "SELECT make_tables(70)");
	memset(clients, 0, sizeof(clients));
	pthread_barrier_init(&barrier, NULL, CLIENTS + 1);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i].barrier = &barrier;
		client_fill(&clients[i], conn, i, rows_max, apart, hot_first);
		if (pthread_create(&clients[i].thread, NULL, client_run, &clients[i]))
			abort();
	}
	pthread_barrier_wait(&barrier);
	meter_start(conn, &start);
	pthread_barrier_wait(&barrier);
	meter_stop(conn, &start, &used);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < CLIENTS; i++) {
		pthread_join(clients[i].thread, NULL);
		rate += (double)clients[i].commits / clients[i].seconds;
		commits += (double)clients[i].commits;
		deadlocks += clients[i].deadlocks;
		for (int b = 0; b < BATCHES; b++)
			commit_arguments_release(&clients[i].batches[b]);
	}
	printf("| %zu | %s | %s | %.1f | %.3f | %.2f | %lld |\n", rows_max,
	       apart ? "own" : "the same", hot_first ? "first" : "last", rate,
	       used.cluster_s / commits, used.cluster_s / used.wall_s, deadlocks);
	fflush(stdout);
	pthread_barrier_destroy(&barrier);
	PQfinish(conn);
}

void part_clients(void)
{
	puts("\n### Four clients on the same shared rows (all keys sorted)\n\n"
	     "| rows a batch | users of a client | shared rows | commits/s | PG CPU s/commit | "
	     "CPUs in use | deadlocks |\n"
	     "|---|---|---|---|---|---|---|");
	for (int run = 0; run < 6; run++)
		clients_run(10000, true, run % 2 == 0);
	clients_run(10000, false, true);
	clients_run(10000, false, false);
}
