/* SPDX-License-Identifier: Apache-2.0
 *
 * window_bench: nanoseconds an event for window_add, decoding left out. 85,000 users with 3
 *sessions each, 200 teams, 8 models, 5 apps; events in random order, over one minute (a live
 *window) and over six hours (a backlog).
 *
 *	window_bench [events]
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "event.h"
#include "mem.h"
#include "period.h"
#include "window.h"

#define USERS 85000
#define SESSIONS 3
#define TEAMS 200
#define MODELS 8
#define APPS 5
#define NAME_BYTES 48
#define START_US (INT64_C(1795428000) * US_PER_SECOND) /* a full hour in November 2026 */
#define EVENTS_DEFAULT 1000000
#define LIVE_EVENTS 50000
#define BATCH 64
#define SEED 1

static char users[USERS][NAME_BYTES], sessions[USERS * SESSIONS][NAME_BYTES],
    teams[TEAMS][NAME_BYTES], models[MODELS][NAME_BYTES], apps[APPS][NAME_BYTES];

static uint64_t rng_state = SEED;
static uint32_t rng(uint32_t below)
{
	rng_state = rng_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(((rng_state >> 32) * below) >> 32);
}

static void make_names(void)
{
	for (unsigned i = 0; i < USERS; i++)
		snprintf(users[i], NAME_BYTES, "person.number.%06u@example.org", i);
	for (unsigned i = 0; i < USERS * SESSIONS; i++)
		snprintf(sessions[i], NAME_BYTES, "%08x-7b1e-4c55-9d0f-%012x", i * 2654435761u, i);
	for (unsigned i = 0; i < TEAMS; i++)
		snprintf(teams[i], NAME_BYTES, "team-%u", i);
	for (unsigned i = 0; i < MODELS; i++)
		snprintf(models[i], NAME_BYTES, "model-%u-large-2026", i);
	for (unsigned i = 0; i < APPS; i++)
		snprintf(apps[i], NAME_BYTES, "app-%u", i);
}

static struct event make_event(int64_t span_us)
{
	uint32_t user = rng(USERS);
	int64_t ms = 200 + rng(20000);

	return (struct event){
		.time_us =
		    START_US + (int64_t)((double)rng(UINT32_MAX) / UINT32_MAX * (double)span_us),
		.user = span_of(users[user]),
		.model = span_of(models[rng(8) ? user % MODELS : rng(MODELS)]),
		.provider = SPAN("provider"),
		.team = span_of(teams[user % TEAMS]),
		.app = span_of(apps[rng(APPS)]),
		.session = span_of(sessions[user * SESSIONS + rng(SESSIONS)]),
		.measures = { [M_CALLS] = 1,
			      [M_INPUT_TOKENS] = 1200,
			      [M_OUTPUT_TOKENS] = 300,
			      [M_COST_NANO] = 7500000,
			      [M_DURATION_MS_SUM] = ms,
			      [M_DURATION_MS_MAX] = ms },
		.price_class = 0,
		.duration_class = (int16_t)(100 + ms / 200),
		.ttft_class = (int16_t)(60 + rng(60)),
	};
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* As after decoding: the text of an event has just been written. */
static void move_text(struct span *span, char **to)
{
	memcpy(*to, span->data, span->len);
	span->data = *to;
	*to += span->len;
}

static void make_batch(struct event *events, size_t count, int64_t span_us)
{
	static char texts[BATCH * 6 * NAME_BYTES];
	char *to = texts;

	for (size_t i = 0; i < count; i++) {
		events[i] = make_event(span_us);
		move_text(&events[i].user, &to);
		move_text(&events[i].model, &to);
		move_text(&events[i].provider, &to);
		move_text(&events[i].team, &to);
		move_text(&events[i].app, &to);
		move_text(&events[i].session, &to);
	}
}

static void run(const char *what, struct window *window, int64_t span_us, size_t batches)
{
	struct event events[BATCH];
	double start, taken = 0;

	for (size_t batch = 0; batch < batches; batch++) {
		make_batch(events, BATCH, span_us);
		start = seconds();
		for (size_t i = 0; i < BATCH; i++)
			if (!window_add(window, &events[i]))
				abort();
		taken += seconds() - start;
	}
	printf("%-28s %8zu events %7zu rows %6.1f MB %5.0f ns/event\n", what, batches * BATCH,
	       window_row_count(window), (double)window_bytes(window) / 1e6,
	       taken * 1e9 / (double)(batches * BATCH));
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : EVENTS_DEFAULT;
	struct window *window = window_new();

	make_names();
	run("first window", window, US_PER_MINUTE, LIVE_EVENTS / BATCH);
	window_clear(window, SIZE_MAX);
	rng_state = SEED;
	run("next window, memory kept", window, US_PER_MINUTE, LIVE_EVENTS / BATCH);
	rng_state = SEED;
	run("the same events again", window, US_PER_MINUTE, LIVE_EVENTS / BATCH);
	window_clear(window, SIZE_MAX);
	run("one minute", window, US_PER_MINUTE, count / BATCH);
	window_clear(window, SIZE_MAX);
	run("six hours", window, 6 * US_PER_HOUR, count / BATCH);
	window_free(window);
	return 0;
}
