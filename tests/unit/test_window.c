/* SPDX-License-Identifier: Apache-2.0
 *
 * window: where an event goes, what it adds there, and that it does not matter which window it went
 * through.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mem.h"
#include "period.h"
#include "seed.h"
#include "window.h"
#include "window_ledger.h"

#define TEN_O_CLOCK (INT64_C(1795428000) * US_PER_SECOND)

static struct event an_event(void)
{
	return (struct event){
		.time_us = TEN_O_CLOCK + 7 * US_PER_MINUTE + 5,
		.user = SPAN("ann"),
		.model = SPAN("large"),
		.provider = SPAN("acme"),
		.team = SPAN("red"),
		.app = SPAN("editor"),
		.session = SPAN("s-1"),
		.measures = { [M_CALLS] = 1,
			      [M_INPUT_TOKENS] = 100,
			      [M_OUTPUT_TOKENS] = 20,
			      [M_COST_NANO] = 1500,
			      [M_DURATION_MS_SUM] = 300,
			      [M_DURATION_MS_MAX] = 300 },
		.price_class = 4,
		.duration_class = 117,
		.ttft_class = 80,
	};
}

static void add(struct window *window, struct event event)
{
	assert_true(window_add(window, &event));
}

static void check_counts(const struct window *window, size_t hours, size_t minutes, size_t sessions,
			 size_t latencies)
{
	size_t count;

	window_hours(window, &count);
	assert_int_equal(count, hours);
	window_minutes(window, &count);
	assert_int_equal(count, minutes);
	window_sessions(window, &count);
	assert_int_equal(count, sessions);
	window_latencies(window, &count);
	assert_int_equal(count, latencies);
	assert_int_equal(window_row_count(window), hours + minutes + sessions + latencies);
}

static void check_name(const struct window *window, enum name_kind kind, uint32_t slot,
		       const char *text)
{
	size_t count;
	const struct window_name *names = window_names(window, kind, &count);

	assert_true(slot < count);
	assert_true(span_is(names[slot].text, text));
}

static void one_event_makes_one_row_of_each_kind(void **state)
{
	struct window *window = window_new();
	struct event event = an_event();
	const struct hour_row *hour;
	const struct minute_row *minute;
	const struct session_row *session;
	size_t count;

	(void)state;
	add(window, event);
	check_counts(window, 1, 1, 1, 2);
	hour = window_hours(window, &count);
	assert_int_equal(hour->bucket_us, TEN_O_CLOCK);
	assert_int_equal(hour->price_class, 4);
	assert_memory_equal(hour->measures, event.measures, sizeof event.measures);
	check_name(window, NAME_PERSON, hour->person, "ann");
	check_name(window, NAME_TEAM, hour->team, "red");
	minute = window_minutes(window, &count);
	assert_int_equal(minute->bucket_us, TEN_O_CLOCK + 7 * US_PER_MINUTE);
	assert_memory_equal(minute->measures, event.measures, sizeof event.measures);
	check_name(window, NAME_APP, minute->app, "editor");
	session = window_sessions(window, &count);
	assert_int_equal(session->slot_us, TEN_O_CLOCK);
	assert_int_equal(session->first_us, event.time_us);
	assert_int_equal(session->last_us, event.time_us);
	assert_memory_equal(session->measures, event.measures, sizeof session->measures);
	check_name(window, NAME_SESSION, session->session, "s-1");
	window_free(window);
}

static void a_call_in_the_shadow_makes_one_row_of_its_own(void **state)
{
	struct window *window = window_new();
	struct event event = an_event();
	const struct shadow_row *rows;
	size_t count;

	(void)state;
	assert_true(window_add_shadow(window, &event, SPAN("codex")));
	event.time_us += 10 * US_PER_MINUTE;
	event.user = SPAN("bob");
	assert_true(window_add_shadow(window, &event, SPAN("codex")));
	assert_true(window_add_shadow(window, &event, SPAN("kong")));
	event.time_us += US_PER_HOUR;
	assert_true(window_add_shadow(window, &event, SPAN("kong")));
	event.team = SPAN("blue");
	assert_true(window_add_shadow(window, &event, SPAN("kong")));
	event.model = SPAN("small");
	assert_true(window_add_shadow(window, &event, SPAN("kong")));
	rows = window_shadows(window, &count);
	assert_int_equal(count, 5);
	assert_int_equal(window_row_count(window), 5);
	assert_int_equal(rows[0].bucket_us, TEN_O_CLOCK);
	check_name(window, NAME_TEAM, rows[0].team, "red");
	check_name(window, NAME_SOURCE, rows[0].source, "codex");
	assert_int_equal(rows[0].measures[M_CALLS], 2);
	assert_int_equal(rows[0].measures[M_INPUT_TOKENS], 200);
	check_name(window, NAME_SOURCE, rows[1].source, "kong");
	assert_int_equal(rows[2].bucket_us, TEN_O_CLOCK + US_PER_HOUR);
	check_name(window, NAME_TEAM, rows[3].team, "blue");
	assert_int_not_equal(rows[3].model, rows[4].model);
	window_names(window, NAME_PERSON, &count); /* nobody is interned for it */
	assert_int_equal(count, 0);
	window_hours(window, &count);
	assert_int_equal(count, 0);
	add(window, an_event());
	assert_int_equal(window_row_count(window), 10);
	window_clear(window, 1 << 20);
	window_shadows(window, &count);
	assert_int_equal(count, 0);
	window_free(window);
}

static void a_shadow_that_would_overflow_changes_nothing(void **state)
{
	struct window *window = window_new();
	struct event event = an_event();
	const struct shadow_row *rows;
	size_t count;

	(void)state;
	event.measures[M_COST_NANO] = INT64_MAX;
	assert_true(window_add_shadow(window, &event, SPAN("codex")));
	event.measures[M_COST_NANO] = 1;
	assert_false(window_add_shadow(window, &event, SPAN("codex")));
	rows = window_shadows(window, &count);
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].measures[M_CALLS], 1);
	assert_true(window_add_shadow(window, &event, SPAN("kong")));
	window_free(window);
}

static void latency_rows_name_kind_and_class(void **state)
{
	struct window *window = window_new();
	const struct latency_row *rows;
	size_t count;

	(void)state;
	add(window, an_event());
	add(window, an_event());
	rows = window_latencies(window, &count);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(rows[i].bucket_us, TEN_O_CLOCK + 7 * US_PER_MINUTE);
		assert_int_equal(rows[i].latency_class,
				 rows[i].kind == LATENCY_DURATION ? 117 : 80);
		assert_int_equal(rows[i].calls, 2);
	}
	assert_int_equal(rows[0].kind + rows[1].kind, LATENCY_DURATION + LATENCY_TTFT);
	window_free(window);
}

static void measures_add_up_and_the_longest_duration_stays(void **state)
{
	struct window *window = window_new();
	struct event event = an_event();
	const struct hour_row *hour;
	size_t count;

	(void)state;
	add(window, event);
	event.measures[M_DURATION_MS_SUM] = event.measures[M_DURATION_MS_MAX] = 40;
	add(window, event);
	check_counts(window, 1, 1, 1, 2);
	hour = window_hours(window, &count);
	assert_int_equal(hour->measures[M_CALLS], 2);
	assert_int_equal(hour->measures[M_INPUT_TOKENS], 200);
	assert_int_equal(hour->measures[M_COST_NANO], 3000);
	assert_int_equal(hour->measures[M_DURATION_MS_SUM], 340);
	assert_int_equal(hour->measures[M_DURATION_MS_MAX], 300);
	event.measures[M_DURATION_MS_MAX] = 900;
	add(window, event);
	assert_int_equal(window_hours(window, &count)->measures[M_DURATION_MS_MAX], 900);
	assert_int_equal(window_minutes(window, &count)->measures[M_DURATION_MS_MAX], 900);
	window_free(window);
}

static void a_late_event_goes_to_its_own_buckets(void **state)
{
	struct window *window = window_new();
	struct event event = an_event();
	size_t count;

	(void)state;
	add(window, event);
	event.time_us -= 26 * US_PER_HOUR;
	add(window, event);
	check_counts(window, 2, 2, 2, 4);
	assert_int_equal(window_hours(window, &count)[1].bucket_us, TEN_O_CLOCK - 26 * US_PER_HOUR);
	event.time_us = -1; /* the last microsecond of 1969 */
	add(window, event);
	assert_int_equal(window_hours(window, &count)[2].bucket_us, -US_PER_HOUR);
	assert_int_equal(window_minutes(window, &count)[2].bucket_us, -US_PER_MINUTE);
	assert_int_equal(window_sessions(window, &count)[2].slot_us, -US_PER_SLOT);
	window_free(window);
}

static void buckets_start_exactly_at_their_first_microsecond(void **state)
{
	struct window *window = window_new();
	struct event event = an_event();

	(void)state;
	event.time_us = TEN_O_CLOCK;
	add(window, event);
	event.time_us = TEN_O_CLOCK + US_PER_MINUTE - 1;
	add(window, event);
	check_counts(window, 1, 1, 1, 2);
	event.time_us = TEN_O_CLOCK + US_PER_MINUTE;
	add(window, event);
	check_counts(window, 1, 2, 1, 4);
	event.time_us = TEN_O_CLOCK + US_PER_SLOT;
	add(window, event);
	check_counts(window, 1, 3, 2, 6);
	event.time_us = TEN_O_CLOCK - 1;
	add(window, event);
	check_counts(window, 2, 4, 3, 8);
	window_free(window);
}

static void a_session_slot_keeps_its_first_and_last_call(void **state)
{
	struct window *window = window_new();
	struct event event = an_event();
	const struct session_row *session;
	size_t count;

	(void)state;
	add(window, event);
	event.time_us += 100;
	add(window, event);
	event.time_us -= 300;
	add(window, event);
	session = window_sessions(window, &count);
	assert_int_equal(count, 1);
	assert_int_equal(session->first_us, an_event().time_us - 200);
	assert_int_equal(session->last_us, an_event().time_us + 100);
	window_free(window);
}

static void what_was_not_sent_makes_no_row(void **state)
{
	struct window *window = window_new();
	struct event event = an_event();
	size_t count;

	(void)state;
	event.session = (struct span){ NULL, 0 };
	event.duration_class = event.ttft_class = LATENCY_CLASS_NONE;
	add(window, event);
	check_counts(window, 1, 1, 0, 0);
	window_names(window, NAME_SESSION, &count);
	assert_int_equal(count, 0);
	/* An empty team, app and provider are names like others: "unknown". */
	event.team = event.app = event.provider = (struct span){ NULL, 0 };
	add(window, event);
	check_counts(window, 2, 2, 0, 0);
	check_name(window, NAME_TEAM, window_hours(window, &count)[1].team, "");
	window_free(window);
}

/* Each field of a key makes rows of its own, and only where it is part of the key. */
static void rows_are_told_apart_by_every_field_of_their_key(void **state)
{
	struct window *window = window_new();
	struct event event = an_event();

	(void)state;
	add(window, event);
	event.user = SPAN("bob");
	add(window, event);
	check_counts(window, 2, 1, 2, 2);
	event.team = SPAN("blue");
	add(window, event);
	check_counts(window, 3, 2, 2, 2);
	event.app = SPAN("shell");
	add(window, event);
	check_counts(window, 3, 3, 2, 2);
	event.price_class = 5;
	add(window, event);
	check_counts(window, 4, 4, 2, 2);
	event.session = SPAN("s-2");
	add(window, event);
	check_counts(window, 4, 4, 3, 2);
	event.ttft_class = 81;
	add(window, event);
	check_counts(window, 4, 4, 3, 3);
	event.model = SPAN("small");
	add(window, event);
	check_counts(window, 5, 5, 3, 5);
	window_free(window);
}

static void provider_and_model_are_one_name_of_two_parts(void **state)
{
	struct window *window = window_new();
	struct event event = an_event();
	struct span provider, model;
	const struct window_name *names;
	size_t count;

	(void)state;
	event.provider = SPAN("ab");
	event.model = SPAN("c");
	add(window, event);
	event.provider = SPAN("a");
	event.model = SPAN("bc");
	add(window, event);
	event.provider = SPAN("");
	add(window, event);
	names = window_names(window, NAME_MODEL, &count);
	assert_int_equal(count, 3);
	window_model_name(&names[0], &provider, &model);
	assert_true(span_is(provider, "ab") && span_is(model, "c"));
	window_model_name(&names[1], &provider, &model);
	assert_true(span_is(provider, "a") && span_is(model, "bc"));
	window_model_name(&names[2], &provider, &model);
	assert_true(span_is(provider, "") && span_is(model, "bc"));
	window_free(window);
}

static void names_are_the_windows_own_copies(void **state)
{
	struct window *window = window_new();
	struct event event = an_event();
	char user[] = "carol";
	size_t count;

	(void)state;
	event.user = span_of(user);
	add(window, event);
	memset(user, 'x', sizeof user - 1);
	check_name(window, NAME_PERSON, window_hours(window, &count)->person, "carol");
	event.user = SPAN("x");
	add(window, event);
	check_name(window, NAME_PERSON, window_hours(window, &count)[1].person, "x");
	window_free(window);
}

/* An event that would overflow one row, and would make new names and rows besides. */
static void check_refused(struct window *window, const struct event *event)
{
	struct ledger *before = ledger_new(), *after = ledger_new();
	size_t names_before, names_after;

	ledger_add_window(before, window);
	window_names(window, NAME_PERSON, &names_before);
	assert_false(window_add(window, event));
	ledger_add_window(after, window);
	window_names(window, NAME_PERSON, &names_after);
	assert_int_equal(names_after, names_before);
	assert_true(ledger_equal(before, after));
	ledger_free(before);
	ledger_free(after);
}

static void an_event_that_would_overflow_changes_nothing(void **state)
{
	(void)state;
	for (int measure = 0; measure < MEASURES; measure++) {
		struct window *window = window_new();
		struct event event = an_event();

		event.measures[measure] = INT64_MAX - 1;
		add(window, event);
		event.measures[measure] = 1;
		if (measure != M_DURATION_MS_MAX)
			add(window, event);
		event.measures[measure] = 1;
		if (measure == M_DURATION_MS_MAX) { /* a maximum never overflows */
			add(window, event);
		} else {
			check_refused(window, &event);
			event.user = SPAN("new"); /* now only the minute row is full */
			check_refused(window, &event);
		}
		window_free(window);
	}
}

static void clear_empties_and_keeps_what_it_may(void **state)
{
	struct window *window = window_new();
	struct event event = an_event();
	size_t empty = window_bytes(window), full;
	char user[32];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 20000; i++) {
			snprintf(user, sizeof user, "user-%d", i);
			event.user = span_of(user);
			add(window, event);
		}
		check_counts(window, 20000, 1, 20000, 2);
		full = window_bytes(window);
		assert_true(full > 20000 * (sizeof(struct hour_row) + sizeof(struct session_row)));
		window_clear(window, round == 0 ? SIZE_MAX : round == 1 ? full / 2 : 0);
		check_counts(window, 0, 0, 0, 0);
		if (round == 1)
			assert_true(window_bytes(window) <= empty + full / 2);
	}
	assert_true(window_bytes(window) <= empty + 1024);
	add(window, event);
	check_counts(window, 1, 1, 1, 2);
	window_free(window);
	window_free(NULL);
}

/* --- Chopping --- */

#define LOG_EVENTS 5000
#define NAMES 40

/* The text is the kind's letter and a number; empty when that is 0 and it may be. */
static struct span random_name(char kind, int64_t count, bool may_be_empty)
{
	static char texts['z' - 'a' + 1][NAMES][8];
	int64_t number = seed_below(count);
	char *text = texts[kind - 'a'][number];

	if (may_be_empty && number == 0)
		return SPAN("");
	snprintf(text, sizeof texts[0][0], "%c-%d", kind, (int)number);
	return span_of(text);
}

static struct event random_event(void)
{
	struct event event = {
		/* Late and early ones, over three hours. */
		.time_us = TEN_O_CLOCK + seed_below(3 * US_PER_HOUR),
		.user = random_name('u', NAMES, false),
		.team = random_name('t', 5, true),
		.provider = random_name('p', 3, true),
		.model = random_name('m', 4, false),
		.app = random_name('a', 4, true),
		.session = random_name('s', NAMES, true),
		.price_class = (int16_t)seed_below(3),
		.duration_class = (int16_t)(seed_below(6) - 1),
		.ttft_class = (int16_t)(seed_below(6) - 1),
	};

	for (int i = 0; i < MEASURES; i++)
		event.measures[i] = seed_below(1000);
	event.measures[M_CALLS] = 1;
	return event;
}

static void shuffle(struct event *events, size_t count)
{
	for (size_t i = count - 1; i > 0; i--) {
		size_t other = (size_t)seed_below((int64_t)i + 1);
		struct event event = events[i];

		events[i] = events[other];
		events[other] = event;
	}
}

/* Through windows of random lengths, one after the other in the same memory. */
static struct ledger *chopped(const struct event *events, size_t count, int64_t length_max)
{
	struct ledger *ledger = ledger_new();
	struct window *window = window_new();
	int64_t left = 1 + seed_below(length_max);

	for (size_t i = 0; i < count; i++) {
		add(window, events[i]);
		if (--left == 0) {
			ledger_add_window(ledger, window);
			window_clear(window, (size_t)seed_below(1 << 20));
			left = 1 + seed_below(length_max);
		}
	}
	ledger_add_window(ledger, window);
	window_free(window);
	return ledger;
}

static void any_chopping_of_the_same_log_gives_the_same_sums(void **state)
{
	static const int64_t lengths_max[] = { 1, 3, 50, 1000, LOG_EVENTS };
	struct event *events = xrealloc_array(NULL, LOG_EVENTS, sizeof *events);
	struct ledger *expected = ledger_new();

	(void)state;
	seed_start(__func__);
	for (size_t i = 0; i < LOG_EVENTS; i++) {
		events[i] = random_event();
		ledger_add_event(expected, &events[i]);
	}
	for (size_t i = 0; i < sizeof lengths_max / sizeof lengths_max[0]; i++) {
		struct ledger *got = chopped(events, LOG_EVENTS, lengths_max[i]);

		assert_true(ledger_equal(expected, got));
		ledger_free(got);
		shuffle(events, LOG_EVENTS);
	}
	ledger_free(expected);
	free(events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_event_makes_one_row_of_each_kind),
		cmocka_unit_test(a_call_in_the_shadow_makes_one_row_of_its_own),
		cmocka_unit_test(a_shadow_that_would_overflow_changes_nothing),
		cmocka_unit_test(latency_rows_name_kind_and_class),
		cmocka_unit_test(measures_add_up_and_the_longest_duration_stays),
		cmocka_unit_test(a_late_event_goes_to_its_own_buckets),
		cmocka_unit_test(buckets_start_exactly_at_their_first_microsecond),
		cmocka_unit_test(a_session_slot_keeps_its_first_and_last_call),
		cmocka_unit_test(what_was_not_sent_makes_no_row),
		cmocka_unit_test(rows_are_told_apart_by_every_field_of_their_key),
		cmocka_unit_test(provider_and_model_are_one_name_of_two_parts),
		cmocka_unit_test(names_are_the_windows_own_copies),
		cmocka_unit_test(an_event_that_would_overflow_changes_nothing),
		cmocka_unit_test(clear_empties_and_keeps_what_it_may),
		cmocka_unit_test(any_chopping_of_the_same_log_gives_the_same_sums),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
