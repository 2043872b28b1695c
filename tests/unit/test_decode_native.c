/* SPDX-License-Identifier: Apache-2.0
 *
 * The canonical event: each field's type and range, what is told of several faults, and what an
 * event's measures are.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cost_vectors.h"
#include "decode.h"
#include "decode_story.h"
#include "period.h"

#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16
#define X256 X64 X64 X64 X64
#define E16                                                                                        \
	"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9" /* 8 letters, 16 bytes  \
									    */
#define E256 E16 E16 E16 E16 E16 E16 E16 E16 E16 E16 E16 E16 E16 E16 E16 E16
#define AT_TIME(time) BYTES("{\"time\":" time ",\"user\":\"alice\",\"model\":\"m\"}")
#define WITH(members) BYTES(CALL_WITH(members))

static void texts(void **state)
{
	static const struct story_case cases[] = {
		{ "user is required", BYTES("{\"time\":1,\"model\":\"m\"}"),
		  "missing_field: user is missing" },
		{ "model is required", BYTES("{\"time\":1,\"user\":\"u\"}"),
		  "missing_field: model is missing" },
		{ "time is required", BYTES("{\"user\":\"u\",\"model\":\"m\"}"),
		  "missing_field: time is missing" },
		{ "names are case sensitive", BYTES("{\"time\":1,\"User\":\"u\",\"model\":\"m\"}"),
		  "missing_field: user is missing" },
		{ "an empty user", BYTES(CALL_BY("")), "out_of_range: user is empty" },
		{ "an empty event_id", WITH("\"event_id\":\"\""),
		  "out_of_range: event_id is empty" },
		{ "other texts may be empty",
		  WITH("\"team\":\"\",\"app\":\"\",\"session\":\"\",\"provider\":\"\""),
		  "event alice" },
		{ "256 bytes", WITH("\"event_id\":\"" X256 "\""), "event alice" },
		{ "257 bytes", WITH("\"event_id\":\"" X256 "x\""),
		  "out_of_range: event_id is longer than 256 bytes" },
		{ "bytes count, not characters", WITH("\"team\":\"" E256 "\""), "event alice" },
		{ "257 bytes in 129 characters", WITH("\"team\":\"" E256 "x\""),
		  "out_of_range: team is longer than 256 bytes" },
		{ "an escape counts as what it stands for",
		  WITH("\"team\":\"" X64 X64 X64 "\\u00e9\\ud83d\\ude80" X16 "\""), "event alice" },
		{ "a number for a text", WITH("\"team\":7"), "bad_type: team is not a string" },
		{ "null for a text", WITH("\"session\":null"),
		  "bad_type: session is not a string" },
		{ "null for a required text", BYTES("{\"time\":1,\"user\":null,\"model\":\"m\"}"),
		  "bad_type: user is not a string" },
		{ "an object for a text", WITH("\"app\":{}"), "bad_type: app is not a string" },
		{ "a boolean for a text", WITH("\"provider\":true"),
		  "bad_type: provider is not a string" },
	};

	(void)state;
	CHECK_STORIES(cases);
}

static void texts_that_c_or_postgresql_would_cut(void **state)
{
	static const struct story_case cases[] = {
		{ "an escaped NUL", BYTES(CALL_BY("alice\\u0000mallory")),
		  "nul_byte: user has the escape \\u0000" },
		{ "first of all", BYTES(CALL_BY("\\u0000")),
		  "nul_byte: user has the escape \\u0000" },
		{ "in the event_id", WITH("\"event_id\":\"a\\u0000\""),
		  "nul_byte: event_id has the escape \\u0000" },
		{ "in the status", WITH("\"status\":\"ok\\u0000\""),
		  "nul_byte: status has the escape \\u0000" },
		{ "in the time", AT_TIME("\"" NOON "\\u0000\""),
		  "nul_byte: time has the escape \\u0000" },
		{ "a backslash before u0000 is a backslash", BYTES(CALL_BY("\\\\u0000")),
		  "event \\u0000" },
		{ "three of them are one and a NUL", BYTES(CALL_BY("\\\\\\u0000")),
		  "nul_byte: user has the escape \\u0000" },
		{ "\\u00001 is a NUL too", BYTES(CALL_BY("\\u00001")),
		  "nul_byte: user has the escape \\u0000" },
		{ "where nobody reads, it is harmless",
		  WITH("\"x\":\"\\u0000\",\"y\":[\"\\u0000\"]"), "event alice" },
		{ "a key with a NUL is another key",
		  WITH("\"user\\u0000\":\"mallory\",\"team\\u0000\":7"), "event alice" },
		{ "a key may be escaped", WITH("\"\\u0074eam\":7"),
		  "bad_type: team is not a string" },
		{ "half a surrogate pair", BYTES(CALL_BY("\\ud83d")),
		  "not_utf8: user has half a surrogate pair" },
		{ "the other half", BYTES(CALL_BY("\\ude80x")),
		  "not_utf8: user has half a surrogate pair" },
		{ "two first halves", BYTES(CALL_BY("\\ud83d\\ud83d")),
		  "not_utf8: user has half a surrogate pair" },
		{ "where nobody reads", WITH("\"x\":\"\\ud83d\""), "event alice" },
		{ "a whole pair", BYTES(CALL_BY("\\ud83d\\ude80")), "event \xf0\x9f\x9a\x80" },
		{ "a noncharacter is a character", BYTES(CALL_BY("\xef\xbf\xbf")),
		  "event \xef\xbf\xbf" },
		{ "only the bad element of an array",
		  BYTES("[" CALL_BY("a\\u0000") "," CALL_BY("b") "," CALL_BY("\\udead") "]"),
		  "nul_byte: user has the escape \\u0000; event b; not_utf8: user has half a "
		  "surrogate pair" },
	};

	(void)state;
	CHECK_STORIES(cases);
}

static void counts(void **state)
{
	static const struct story_case cases[] = {
		{ "zero", WITH("\"input_tokens\":0"), "event alice" },
		{ "minus zero is zero", WITH("\"input_tokens\":-0"), "event alice" },
		{ "5.0 is an integer", WITH("\"input_tokens\":5.0"), "event alice" },
		{ "1e2 is an integer", WITH("\"input_tokens\":1e2"), "event alice" },
		{ "0.5e1 is an integer", WITH("\"input_tokens\":0.5e1"), "event alice" },
		{ "2^53", WITH("\"input_tokens\":9007199254740992"), "event alice" },
		{ "2^53 in another form", WITH("\"input_tokens\":9007199254740.992e3"),
		  "event alice" },
		{ "2^53 + 1", WITH("\"input_tokens\":9007199254740993"),
		  "out_of_range: input_tokens is above 2^53" },
		{ "2^53 + 1 in another form", WITH("\"input_tokens\":0.9007199254740993e+16"),
		  "out_of_range: input_tokens is above 2^53" },
		{ "2^53 + 1 under an escaped key",
		  WITH("\"x\":1,\"input\\u005ftokens\" : 9007199254740993 "),
		  "out_of_range: input_tokens is above 2^53" },
		{ "2^53 + 2", WITH("\"output_tokens\":9007199254740994"),
		  "out_of_range: output_tokens is above 2^53" },
		{ "2^64", WITH("\"input_tokens\":18446744073709551616"),
		  "out_of_range: input_tokens is above 2^53" },
		{ "beyond any double", WITH("\"input_tokens\":1e400"),
		  "out_of_range: input_tokens is above 2^53" },
		{ "negative", WITH("\"reasoning_tokens\":-1"),
		  "out_of_range: reasoning_tokens is negative" },
		{ "negative beyond any double", WITH("\"input_tokens\":-1e400"),
		  "out_of_range: input_tokens is negative" },
		{ "not whole", WITH("\"input_tokens\":412.5"),
		  "bad_type: input_tokens is not an integer" },
		{ "negative and not whole", WITH("\"input_tokens\":-0.5"),
		  "bad_type: input_tokens is not an integer" },
		{ "a number as text", WITH("\"input_tokens\":\"412\""),
		  "bad_type: input_tokens is not an integer" },
		{ "null", WITH("\"cache_read_tokens\":null"),
		  "bad_type: cache_read_tokens is not an integer" },
		{ "a part of the cache writes",
		  WITH("\"cache_write_tokens\":7,\"cache_write_1h_tokens\":7"), "event alice" },
		{ "a part above its whole",
		  WITH("\"cache_write_tokens\":7,\"cache_write_1h_tokens\":8"),
		  "out_of_range: cache_write_1h_tokens is above cache_write_tokens" },
		{ "a part without its whole", WITH("\"reasoning_tokens\":1"),
		  "out_of_range: reasoning_tokens is above output_tokens" },
		{ "a total above 2^53",
		  WITH("\"input_tokens\":9007199254740992,\"output_tokens\":1"),
		  "out_of_range: total_tokens is above 2^53" },
		{ "a total far above",
		  WITH(
		      "\"input_tokens\":9007199254740992,\"cache_read_tokens\":9007199254740992,"
		      "\"cache_write_tokens\":9007199254740992,\"output_tokens\":9007199254740992"),
		  "out_of_range: total_tokens is above 2^53" },
		{ "parts are not in the total",
		  WITH("\"output_tokens\":9007199254740992,\"reasoning_tokens\":9007199254740992"),
		  "event alice" },
	};

	(void)state;
	CHECK_STORIES(cases);
}

static void numbers_and_words(void **state)
{
	static const struct story_case cases[] = {
		{ "a million dollars", WITH("\"cost_usd\":1000000"), "event alice" },
		{ "more", WITH("\"cost_usd\":1000000.01"),
		  "out_of_range: cost_usd is above 1000000" },
		{ "negative cost", WITH("\"cost_usd\":-0.01"),
		  "out_of_range: cost_usd is negative" },
		{ "infinite cost", WITH("\"cost_usd\":1e400"),
		  "out_of_range: cost_usd is above 1000000" },
		{ "cost as text", WITH("\"cost_usd\":\"0.1\""),
		  "bad_type: cost_usd is not a number" },
		{ "cost null", WITH("\"cost_usd\":null"), "bad_type: cost_usd is not a number" },
		{ "10^9 ms", WITH("\"duration_ms\":1e9,\"ttft_ms\":1000000000.0"), "event alice" },
		{ "more ms", WITH("\"duration_ms\":1000000000.5"),
		  "out_of_range: duration_ms is above 1000000000" },
		{ "negative ms", WITH("\"ttft_ms\":-1"), "out_of_range: ttft_ms is negative" },
		{ "ms as boolean", WITH("\"ttft_ms\":true"), "bad_type: ttft_ms is not a number" },
		{ "status ok", WITH("\"status\":\"ok\""), "event alice" },
		{ "another status", WITH("\"status\":\"OK\""),
		  "out_of_range: status is none of ok error" },
		{ "status as boolean", WITH("\"status\":true"),
		  "bad_type: status is not a string" },
		{ "another tier", WITH("\"service_tier\":\"auto\""),
		  "out_of_range: service_tier is none of standard batch flex priority" },
		{ "no tier", WITH("\"service_tier\":null"),
		  "bad_type: service_tier is not a string" },
	};

	(void)state;
	CHECK_STORIES(cases);
}

static void times(void **state)
{
	static const struct story_case cases[] = {
		{ "milliseconds since 1970", AT_TIME("1795435200000"), "event alice" },
		{ "the same as 1.7954352e12", AT_TIME("1.7954352e12"), "event alice" },
		{ "an offset", AT_TIME("\"2026-11-23T17:30:00.5+05:30\""), "event alice" },
		{ "no offset", AT_TIME("\"2026-11-23T12:00:00\""),
		  "bad_time: time is not RFC 3339 with an offset" },
		{ "an empty text", AT_TIME("\"\""),
		  "bad_time: time is not RFC 3339 with an offset" },
		{ "a number as text", AT_TIME("\"1795435200000\""),
		  "bad_time: time is not RFC 3339 with an offset" },
		{ "not whole", AT_TIME("1795435200000.5"),
		  "bad_time: time is not a whole number of milliseconds" },
		{ "microseconds", AT_TIME("1795435200000000"),
		  "bad_time: time is outside the years 0 to 9999" },
		{ "beyond any double", AT_TIME("-1e400"),
		  "bad_time: time is outside the years 0 to 9999" },
		{ "null", AT_TIME("null"), "bad_type: time is neither a string nor an integer" },
		{ "a boolean", AT_TIME("true"),
		  "bad_type: time is neither a string nor an integer" },
		{ "five minutes ahead", AT_TIME("\"2026-11-23T12:05:00Z\""), "event alice" },
		{ "a microsecond more", AT_TIME("\"2026-11-23T12:05:00.000001Z\""),
		  "in_future: time is further ahead than ingest.max_future" },
		{ "the end of time", AT_TIME("253402300799999"),
		  "in_future: time is further ahead than ingest.max_future" },
		{ "35 days back", AT_TIME("\"2026-10-19T12:00:00Z\""), "event alice" },
		{ "a microsecond more", AT_TIME("\"2026-10-19T11:59:59.999999Z\""),
		  "too_old: time is further back than ingest.max_age" },
		{ "the beginning of time", AT_TIME("-62167219200000"),
		  "too_old: time is further back than ingest.max_age" },
		{ "seconds since 1970", AT_TIME("1795435200"),
		  "too_old: time is further back than ingest.max_age" },
	};

	(void)state;
	CHECK_STORIES(cases);
	assert_true(event_of(AT_TIME("1795435200123"))->time_us == noon_us() + 123000);
	assert_true(event_of(AT_TIME("\"2026-11-23T10:30:00.123456-01:30\""))->time_us ==
		    noon_us() + 123456);
}

static void of_several_faults_the_first_is_told(void **state)
{
	static const struct story_case cases[] = {
		{ "a duplicate key", BYTES("{\"user\":1,\"user\":2}"), "bad_type: duplicate key" },
		{ "of any field we read", WITH("\"ttft_ms\":1,\"ttft_ms\":1"),
		  "bad_type: duplicate key" },
		{ "however it is written", WITH("\"us\\u0065r\":\"bob\""),
		  "bad_type: duplicate key" },
		{ "not of others", WITH("\"x\":1,\"x\":2,\"User\":1,\"User\":2"), "event alice" },
		{ "not in other objects", WITH("\"x\":{\"user\":1,\"user\":2}"), "event alice" },
		{ "missing before type", BYTES("{\"time\":true,\"user\":1}"),
		  "missing_field: model is missing" },
		{ "the schema's order, not the sender's", WITH("\"ttft_ms\":-1,\"team\":1"),
		  "bad_type: team is not a string" },
		{ "fields before parts", WITH("\"reasoning_tokens\":1,\"ttft_ms\":-1"),
		  "out_of_range: ttft_ms is negative" },
		{ "age comes last",
		  BYTES("{\"time\":0,\"user\":\"u\",\"model\":\"m\",\"reasoning_tokens\":1}"),
		  "out_of_range: reasoning_tokens is above output_tokens" },
	};

	(void)state;
	CHECK_STORIES(cases);
}

static void every_field_arrives(void **state)
{
	const struct event *event = event_of(WITH(
	    "\"event_id\":\"id\",\"team\":\"t\",\"app\":\"a\",\"session\":\"s\",\"provider\":\"p\","
	    "\"status\":\"error\",\"service_tier\":\"flex\",\"input_tokens\":200001,\"cache_read_"
	    "tokens\":2,"
	    "\"cache_write_tokens\":30,\"cache_write_1h_tokens\":20,\"output_tokens\":500,"
	    "\"reasoning_tokens\":400,"
	    "\"cost_usd\":0.25,\"duration_ms\":1234.5,\"ttft_ms\":0.5"));
	static const int64_t measures[MEASURES] = {
		[M_CALLS] = 1,
		[M_ERRORS] = 1,
		[M_INPUT_TOKENS] = 200001,
		[M_CACHE_READ_TOKENS] = 2,
		[M_CACHE_WRITE_TOKENS] = 30,
		[M_CACHE_WRITE_1H_TOKENS] = 20,
		[M_OUTPUT_TOKENS] = 500,
		[M_REASONING_TOKENS] = 400,
		[M_COST_NANO] = 250000000,
		[M_CACHE_KNOWN_TOKENS] = 200033,
		[M_DURATION_MS_SUM] = 1234,
		[M_DURATION_MS_MAX] = 1234,
	};

	(void)state;
	assert_true(event->time_us == noon_us());
	assert_true(span_is(event->user, "alice"));
	assert_true(span_is(event->model, "m"));
	assert_true(span_is(event->event_id, "id"));
	assert_true(span_is(event->team, "t"));
	assert_true(span_is(event->app, "a"));
	assert_true(span_is(event->session, "s"));
	assert_true(span_is(event->provider, "p"));
	assert_memory_equal(event->measures, measures, sizeof(measures));
	assert_int_equal(event->price_class, PROMPT_272K * 4 + TIER_FLEX);
	assert_int_equal(event->duration_class, latency_class_of(1234.5));
	assert_int_equal(event->ttft_class, 0);
}

static void what_was_not_sent_has_a_default(void **state)
{
	const struct event *event = event_of(BYTES(CALL));
	static const int64_t measures[MEASURES] = {
		[M_CALLS] = 1,
		[M_UNPRICED_CALLS] = 1,
		[M_ZERO_OUTPUT_CALLS] = 1,
	};

	(void)state;
	assert_int_equal(event->event_id.len, 0);
	assert_int_equal(
	    event->team.len + event->app.len + event->session.len + event->provider.len, 0);
	assert_memory_equal(event->measures, measures, sizeof(measures));
	assert_int_equal(event->price_class, PRICE_CLASS_COMPUTED);
	assert_int_equal(event->duration_class, LATENCY_CLASS_NONE);
	assert_int_equal(event->ttft_class, LATENCY_CLASS_NONE);
}

static void a_call_without_output_is_marked_unless_it_embeds_or_failed(void **state)
{
	static const struct {
		struct span message;
		int64_t zero_output;
	} cases[] = {
		{ WITH("\"output_tokens\":0"), 1 },
		{ WITH("\"output_tokens\":1"), 0 },
		{ WITH("\"status\":\"error\""), 0 },
		{ BYTES("{\"time\":1795435200000,\"user\":\"u\",\"model\":\"text-embedding-3-"
			"small\"}"),
		  0 },
		{ BYTES("{\"time\":1795435200000,\"user\":\"u\",\"model\":\"Nomic-EMBED\"}"), 0 },
		{ BYTES("{\"time\":1795435200000,\"user\":\"u\",\"model\":\"embe\"}"), 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(event_of(cases[i].message)->measures[M_ZERO_OUTPUT_CALLS],
				 cases[i].zero_output);
}

static void durations_round_half_to_even(void **state)
{
	static const struct {
		const char *sent;
		int64_t whole;
	} cases[] = { { "0", 0 },	    { "0.5", 0 },
		      { "0.50000001", 1 },  { "1.5", 2 },
		      { "2.5", 2 },	    { "3.5", 4 },
		      { "2.4999999", 2 },   { "999999999.5", 1000000000 },
		      { "1e9", 1000000000 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		const struct event *event;
		int len =
		    snprintf(text, sizeof(text), CALL_WITH("\"duration_ms\":%s"), cases[i].sent);

		event = event_of((struct span){ text, (size_t)len });
		assert_int_equal(event->measures[M_DURATION_MS_SUM], cases[i].whole);
		assert_int_equal(event->measures[M_DURATION_MS_MAX], cases[i].whole);
	}
}

static void costs_are_exact_nano_dollars(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cost_vectors) / sizeof(cost_vectors[0]); i++) {
		char text[256];
		const struct event *event;
		int len = snprintf(text, sizeof(text), CALL_WITH("\"cost_usd\":%s"),
				   cost_vectors[i].sent);

		event = event_of((struct span){ text, (size_t)len });
		if (event->measures[M_COST_NANO] != cost_vectors[i].nano)
			fail_msg("%s USD: %lld", cost_vectors[i].sent,
				 (long long)event->measures[M_COST_NANO]);
		assert_int_equal(event->measures[M_UNPRICED_CALLS], 0);
		assert_in_range(event->price_class, 0, PRICE_CLASS_COMPUTED - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(texts_that_c_or_postgresql_would_cut),
		cmocka_unit_test(counts),
		cmocka_unit_test(numbers_and_words),
		cmocka_unit_test(times),
		cmocka_unit_test(of_several_faults_the_first_is_told),
		cmocka_unit_test(every_field_arrives),
		cmocka_unit_test(what_was_not_sent_has_a_default),
		cmocka_unit_test(a_call_without_output_is_marked_unless_it_embeds_or_failed),
		cmocka_unit_test(durations_round_half_to_even),
		cmocka_unit_test(costs_are_exact_nano_dollars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
