/* SPDX-License-Identifier: Apache-2.0
 *
 * fault: points at which a test build (./configure --enable-fault-points) breaks on demand, so that tests can fail
 * every single step between Kafka and PostgreSQL. In all other builds a point is the constant FAULT_NONE and
 * leaves nothing in the binary, which tests/fault_points.sh proves.
 *
 * The environment variable TOKENTALLY_FAULTS says what breaks, as rules parted by commas:
 *
 *   POINT:ACTION@WHEN     POINT   name or glob: commit.sent, *.send, *
 *                         ACTION  abort, drop (the connection), error, sleep=MILLISECONDS
 *                         WHEN    7 the 7th time, 7+ from then on always, ~50 one time in 50 at random
 *   seed=NUMBER           of the random ones
 *
 * Each rule counts the points that match it on its own. What fires is told on stderr: "fault: commit.sent abort".
 */
#ifndef TOKENTALLY_FAULT_H
#define TOKENTALLY_FAULT_H

/* What the place has to do; an abort or a sleep has been done already. */
enum fault { FAULT_NONE, FAULT_DROP, FAULT_ERROR };

#ifdef ENABLE_FAULT_POINTS
enum fault fault_at(const char *point);
/* The point of a statement is called after the first function of ours in it, without "ingest_", and the step. */
enum fault fault_at_statement(const char *sql, const char *step);
#define FAULT(point) fault_at(point)
#define FAULT_STATEMENT(sql, step) fault_at_statement(sql, step)
#else
static inline enum fault fault_none(const void *ignored)
{
	(void)ignored;
	return FAULT_NONE;
}
#define FAULT(point) fault_none(0)
#define FAULT_STATEMENT(sql, step) fault_none(sql)
#endif

#endif
