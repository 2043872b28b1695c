/* SPDX-License-Identifier: Apache-2.0
 *
 * chopping_log: a made-up Kafka log of a few partitions for test_chopping: calls with and without an id, copies of
 * them in any partition, another call under an id whose window is over, bad records and messages, gaps. It knows what
 * must come of it, so that the test does not only compare the daemon with itself.
 *
 * Copies of a call lie within one window of message time, and calls that share an id more than a window apart, both
 * often by not a millisecond more: so which copy is read first changes nothing but the partition it counts for.
 *
 * Eras are stretches of message time. Within one, times run back by up to the ten minutes that intake allows for.
 */
#ifndef TOKENTALLY_TESTS_CHOPPING_LOG_H
#define TOKENTALLY_TESTS_CHOPPING_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define LOG_TOPIC "calls"
#define LOG_PARTITIONS 4
#define LOG_ERAS 6
#define LOG_START_MS INT64_C(1795428000000)
#define LOG_ERA_MS INT64_C(900000)
#define LOG_WINDOW_MS INT64_C(1200000)
#define LOG_SHADOW_PROVIDER "acme" /* its calls belong into the shadow */

struct log_message {
	int64_t offset, time_ms;
	struct span payload; /* data NULL: a tombstone */
};

struct log_partition {
	struct log_message *messages;
	size_t count;
	int64_t first_offset;
	/* As far as it is filled in each era; offsets at its end may be transaction markers. */
	size_t counts[LOG_ERAS];
	int64_t ends[LOG_ERAS];
};

struct log_totals {
	int64_t accepted, dead, duplicate, skipped;
};

struct log {
	struct log_partition partitions[LOG_PARTITIONS];
	struct log_totals totals;
};

struct log *log_new(uint64_t seed);
void log_free(struct log *log);

#endif
