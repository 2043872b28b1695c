/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_bench: what decoding one event costs, for the shapes in which events come. Prints the best
 * of several rounds in nanoseconds, and instructions where the kernel lets us count them: they vary
 * less than time does on a busy machine.
 *
 * Usage: decode_bench [EVENTS_PER_ROUND]
 */
#include "autoconf.h"

#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "decode.h"
#include "period.h"

#define ROUNDS 7
#define BATCH 100 /* events in an array or in lines */

/* 420 bytes, as compact as a C or Go producer writes it. */
/* clang-format off */
static const char event[] =
	"{\"time\":\"2026-11-23T10:15:32.123Z\","
	"\"event_id\":\"6f9619ff-8b86-d011-b42d-00c04fc964ff\","
	"\"user\":\"alice@example.com\",\"team\":\"payments\",\"app\":\"ide-assistant\","
	"\"session\":\"0b4c2f9e-7d1a-4a52-9a57-3f1f0d9c1e77\","
	"\"provider\":\"anthropic\",\"model\":\"claude-sonnet-4-5\","
	"\"status\":\"ok\",\"service_tier\":\"standard\","
	"\"input_tokens\":1204,\"cache_read_tokens\":88213,\"cache_write_tokens\":0,"
	"\"output_tokens\":812,\"cost_usd\":0.04127,\"duration_ms\":812.4}";
/* clang-format on */

static uint64_t events_seen;

static void count_event(void *ctx, const struct record *record)
{
	(void)ctx;
	events_seen += record->kind == RECORD_EVENT;
}

/* A counter of user-space instructions, or -1. */
static int open_counter(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t read_counter(int counter)
{
	uint64_t value = 0;

	if (counter < 0 || read(counter, &value, sizeof(value)) != sizeof(value))
		return 0;
	return value;
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void measure(const char *name, struct span payload, uint64_t events_per_message,
		    uint64_t events)
{
	const struct decode_limits limits = { 16 << 20, 32, 5 * US_PER_MINUTE, 35 * US_PER_DAY };
	struct decoder *decoder = decoder_new(&limits);
	uint64_t messages = events / events_per_message;
	int counter = open_counter();
	double best_ns = 1e300;
	uint64_t instructions = 0;
	int64_t now_us = 0;

	if (!period_parse_rfc3339(SPAN("2026-11-23T12:00:00Z"), &now_us))
		abort();
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t before = read_counter(counter);
		double start = now_ns(), spent;

		events_seen = 0;
		for (uint64_t i = 0; i < messages; i++)
			decode_message(decoder, FORMAT_AUTO, payload, now_us, count_event, NULL);
		spent = now_ns() - start;
		instructions = read_counter(counter) - before;
		if (spent < best_ns)
			best_ns = spent;
		if (events_seen != messages * events_per_message)
			abort();
	}
	printf("%-28s %8.0f ns/event %8.1f MB/s", name, best_ns / (double)events_seen,
	       (double)payload.len * (double)messages / best_ns * 1e3);
	if (counter >= 0)
		printf(" %8.0f instructions/event", (double)instructions / (double)events_seen);
	printf("\n");
	if (counter >= 0)
		close(counter);
	decoder_free(decoder);
}

static struct span repeat(const char *open, const char *between, const char *close_with)
{
	size_t cap = BATCH * (sizeof(event) + 2) + 2, len = 0;
	char *text = malloc(cap);

	if (text == NULL)
		abort();
	for (int i = 0; i < BATCH; i++)
		len +=
		    (size_t)snprintf(text + len, cap - len, "%s%s", i == 0 ? open : between, event);
	len += (size_t)snprintf(text + len, cap - len, "%s", close_with);
	return (struct span){ text, len };
}

int main(int argc, char **argv)
{
	uint64_t events = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
	struct span array = repeat("[", ",", "]"), lines = repeat("", "\n", "\n");

	printf("event of %zu bytes, %" PRIu64 " events a round, best of %d rounds\n", strlen(event),
	       events, ROUNDS);
	measure("one event a message", span_of(event), 1, events);
	measure("array of 100", array, BATCH, events);
	measure("100 lines", lines, BATCH, events);
	free((void *)(uintptr_t)array.data);
	free((void *)(uintptr_t)lines.data);
	return 0;
}
