/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages: where a record begins and ends, what happens to a bad one and to its neighbours. What a
 * record's fields may be is in test_decode_native.c.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode.h"
#include "decode_story.h"
#include "mem.h"
#include "period.h"

#define BOM "\xef\xbb\xbf"

static void documents(void **state)
{
	static const struct story_case cases[] = {
		{ "an object is a record", BYTES(CALL), "event alice" },
		{ "white space around", BYTES(" \t\r\n" CALL "\n\n"), "event alice" },
		{ "a byte order mark", BYTES(BOM CALL), "event alice" },
		{ "an array's elements are records", BYTES("[" CALL_BY("a") "," CALL_BY("b") "]"),
		  "event a; event b" },
		{ "white space in an array", BYTES(" [ " CALL_BY("a") " ,\n" CALL_BY("b") "\n] "),
		  "event a; event b" },
		{ "other elements are dead letters of their own",
		  BYTES("[1,\"x\"," CALL ",null,[" CALL "],{}]"),
		  "bad_type: record is not an object; bad_type: record is not an object; event "
		  "alice; "
		  "bad_type: record is not an object; bad_type: record is not an object; "
		  "missing_field: time is missing" },
		{ "a scalar", BYTES("42"), "bad_type: record is not an object" },
		{ "a string", BYTES("\"user\""), "bad_type: record is not an object" },
		{ "null is no tombstone", BYTES("null"), "bad_type: record is not an object" },
		{ "an empty array", BYTES(" [ ] "), "empty: empty array" },
		{ "a byte order mark only", BYTES(BOM "\n"), "empty: nothing but white space" },
		{ "white space only", BYTES(" \r\n\t"), "empty: nothing but white space" },
		{ "no byte", { "", 0 }, "empty: empty message" },
		{ "a tombstone", { NULL, 0 }, "empty: tombstone" },
	};

	(void)state;
	CHECK_STORIES(cases);
}

static void broken_documents(void **state)
{
	static const struct story_case cases[] = {
		{ "not JSON", BYTES("hello"), "not_json: not a JSON value at byte 0" },
		{ "cut off", BYTES("{\"time\":"), "not_json: ends too early at byte 8" },
		{ "no closing brace", BYTES("{\"a\":1"), "not_json: ends too early at byte 6" },
		{ "cut off in a string", BYTES("{\"a"), "not_json: ends too early at byte 3" },
		{ "trailing garbage", BYTES("{} x"),
		  "not_json: text after the document at byte 2" },
		{ "a second document on the line", BYTES(CALL CALL),
		  "not_json: text after the document at byte 58" },
		{ "a fault in an array is one dead letter", BYTES("[" CALL "," CALL ",{]"),
		  "not_json: no key at byte 120" },
		{ "also over several lines", BYTES("[\n" CALL ",\n" CALL "\n{}\n]"),
		  "not_json: no comma or bracket after a value at byte 121" },
		{ "also in a broken object without a whole line", BYTES("{\n\"a\":\n}\n"),
		  "not_json: not a JSON value at byte 7" },
		{ "NaN", BYTES(CALL_WITH("\"cost_usd\":NaN")),
		  "not_json: not a JSON value at byte 69" },
		{ "Infinity", BYTES(CALL_WITH("\"cost_usd\":-Infinity")),
		  "not_json: bad number at byte 70" },
		{ "a leading zero", BYTES("{\"a\":01}"),
		  "not_json: no comma or brace after a value at byte 6" },
		{ "a raw tab in a string", BYTES("{\"a\":\"x\ty\"}"),
		  "not_json: control character in a string at byte 7" },
		{ "Latin-1", BYTES("{\"user\":\"caf\xe9\"}"), "not_utf8: bad UTF-8 at byte 12" },
		{ "an overlong form", BYTES("{\"user\":\"\xc0\xaf\"}"),
		  "not_utf8: bad UTF-8 at byte 9" },
		{ "a surrogate in UTF-8", BYTES("{\"user\":\"\xed\xa0\xbd\"}"),
		  "not_utf8: bad UTF-8 at byte 9" },
		{ "bad UTF-8 is told before bad syntax", BYTES("{user:\xff}"),
		  "not_utf8: bad UTF-8 at byte 6" },
		{ "a NUL byte in a string", BYTES("{\"user\":\"a\0b\"}"),
		  "nul_byte: NUL byte at byte 10" },
		{ "a NUL byte after the document", BYTES(CALL "\0"),
		  "nul_byte: NUL byte at byte 58" },
		{ "a NUL byte instead of one", BYTES("\0"), "nul_byte: NUL byte at byte 0" },
		{ "bad UTF-8 is told before NUL", BYTES("\0\xff"),
		  "not_utf8: bad UTF-8 at byte 1" },
	};

	(void)state;
	CHECK_STORIES(cases);
}

static void lines(void **state)
{
	static const struct story_case cases[] = {
		{ "each line is a record", BYTES(CALL_BY("a") "\n" CALL_BY("b")),
		  "event a; event b" },
		{ "blank lines don't count",
		  BYTES("\n" CALL_BY("a") "\r\n \t\r\n\n" CALL_BY("b") "\n\n"),
		  "event a; event b" },
		{ "a bad line is its own dead letter",
		  BYTES(CALL_BY("a") "\n{\"user\":\n" CALL_BY("b")),
		  "event a; not_json: ends too early at byte 8; event b" },
		{ "also when it is the first", BYTES("{\"user\":\n" CALL_BY("b")),
		  "not_json: ends too early at byte 8; event b" },
		{ "and not even begins like an object", BYTES("hello\n" CALL_BY("b")),
		  "not_json: not a JSON value at byte 0; event b" },
		{ "bad UTF-8 hurts its own line", BYTES("{\"user\":\"\xff\"}\n" CALL_BY("b")),
		  "not_utf8: bad UTF-8 at byte 9; event b" },
		{ "so does a NUL byte", BYTES(CALL_BY("a") "\n\0\n" CALL_BY("b")),
		  "event a; nul_byte: NUL byte at byte 0; event b" },
		{ "and an escaped one", BYTES(CALL_BY("a\\u0000") "\n" CALL_BY("b")),
		  "nul_byte: user has the escape \\u0000; event b" },
		{ "a line is one object", BYTES(CALL_BY("a") "\n[" CALL "]\n1\n" CALL_BY("b")),
		  "event a; bad_type: record is not an object; bad_type: record is not an object; "
		  "event b" },
		{ "all of the line", BYTES(CALL_BY("a") CALL_BY("b") "\n" CALL_BY("c")),
		  "not_json: text after the document at byte 54; event c" },
		{ "also when the first line is an array",
		  BYTES("[" CALL_BY("a") "]\n" CALL_BY("b")),
		  "bad_type: record is not an object; event b" },
		{ "a broken array in front hides the lines",
		  BYTES("[" CALL_BY("a") "\n" CALL_BY("b")),
		  "not_json: no comma or bracket after a value at byte 56" },
		{ "lines of which none is whole are one document", BYTES("{\"a\":\n{\"b\":\n"),
		  "not_json: ends too early at byte 11" },
		{ "an object over several lines is not lines", BYTES("{\n\"time\":\n1}"),
		  "missing_field: user is missing" },
		{ "a carriage return alone ends no line", BYTES(CALL_BY("a") "\r" CALL_BY("b")),
		  "not_json: text after the document at byte 54" },
	};

	(void)state;
	CHECK_STORIES(cases);
}

static char *fill(char *to, char with, size_t count)
{
	memset(to, with, count);
	return to + count;
}

/* CALL_WITH("x": [[...]]), `levels` deep in all. */
static struct span nested(size_t levels)
{
	static const char open[] =
	    "{\"time\":\"" NOON "\",\"user\":\"alice\",\"model\":\"m\",\"x\":";
	char *text = malloc(sizeof(open) + 2 * levels), *to = text;

	assert_non_null(text);
	memcpy(to, open, sizeof(open) - 1);
	to = fill(to + sizeof(open) - 1, '[', levels - 1);
	to = fill(to, ']', levels - 1);
	*to++ = '}';
	return (struct span){ text, (size_t)(to - text) };
}

static void deep_nesting_costs_nothing(void **state)
{
	static const struct {
		size_t levels;
		const char *outcome;
	} cases[] = { { 2, "event" },
		      { STORY_DEPTH_MAX, "event" },
		      { STORY_DEPTH_MAX + 1, "too_deep" },
		      { 1000, "too_deep" },
		      { 400000, "too_deep" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span message = nested(cases[i].levels);

		assert_string_equal(outcome_of(FORMAT_NATIVE, message), cases[i].outcome);
		free((void *)(uintptr_t)message.data);
	}
}

static void a_deep_line_hurts_no_other(void **state)
{
	struct span deep = nested(1000);
	char *text = malloc(deep.len + 2 * sizeof(CALL) + 2), *to = text;

	(void)state;
	assert_non_null(text);
	memcpy(to, deep.data, deep.len);
	to += deep.len;
	memcpy(to, "\n" CALL "\n" CALL, 2 * sizeof(CALL));
	to += 2 * sizeof(CALL);
	assert_string_equal(outcome_of(FORMAT_NATIVE, (struct span){ text, (size_t)(to - text) }),
			    "too_deep; event; event");
	free(text);
	free((void *)(uintptr_t)deep.data);
}

/* A call with a member that nobody reads, so that the message has len bytes. */
static struct span padded(size_t len)
{
	static const char open[] =
	    "{\"time\":\"" NOON "\",\"user\":\"alice\",\"model\":\"m\",\"x\":\"";
	char *text = malloc(len), *to = text;

	assert_non_null(text);
	memcpy(to, open, sizeof(open) - 1);
	to = fill(to + sizeof(open) - 1, 'x', len - (sizeof(open) - 1) - 2);
	*to++ = '"';
	*to++ = '}';
	return (struct span){ text, len };
}

static void a_message_above_the_limit_is_too_large(void **state)
{
	struct span fits = padded(STORY_MESSAGE_BYTES_MAX),
		    above = padded(STORY_MESSAGE_BYTES_MAX + 1), far_above = padded(20 << 20);

	(void)state;
	assert_string_equal(outcome_of(FORMAT_NATIVE, fits), "event");
	assert_string_equal(story_of(FORMAT_NATIVE, above),
			    "too_large: message is above ingest.max_message");
	assert_string_equal(outcome_of(FORMAT_NATIVE, far_above), "too_large");
	free((void *)(uintptr_t)fits.data);
	free((void *)(uintptr_t)above.data);
	free((void *)(uintptr_t)far_above.data);
}

/* Large records go to cJSON without what nobody reads: the verdicts must be the same as for small
 * ones. */
static void a_large_record_is_judged_like_a_small_one(void **state)
{
	static const struct {
		const char *members, *outcome;
	} cases[] = {
		{ "\"team\":\"t\"", "event" },
		{ "\"team\":null", "bad_type" },
		{ "\"team\":[1,2]", "bad_type" },
		{ "\"team\":{\"a\":1}", "bad_type" },
		{ "\"t\\u0065am\":null", "bad_type" },
		{ "\"team\":\"\",\"team\":\"\"", "bad_type" },
		{ "\"team\":\"\",\"t\\u0065am\":\"\"", "bad_type" },
		{ "\"team\":\"\\u0000\"", "nul_byte" },
		{ "\"team\":\"\\ud83d\"", "not_utf8" },
		{ "\"team\\u0000\":null,\"y\":\"\\u0000\",\"z\":[{\"team\":1}]", "event" },
		{ "\"team\" : \"t\" , \"app\" : \"a\"", "event" },
		{ "\"input_tokens\":9007199254740992", "event" },
		{ "\"input_tokens\":9007199254740993", "out_of_range" },
	};
	struct span large = padded(200000);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].members), size = large.len + 1 + len;
		char *text = malloc(size);

		assert_non_null(text);
		memcpy(text, large.data, large.len - 1);
		text[large.len - 1] = ',';
		memcpy(text + large.len, cases[i].members, len);
		text[size - 1] = '}';
		if (strcmp(outcome_of(FORMAT_NATIVE, (struct span){ text, size }),
			   cases[i].outcome) != 0)
			fail_msg("%s: is not %s", cases[i].members, cases[i].outcome);
		free(text);
	}
	free((void *)(uintptr_t)large.data);
}

static void ignore_record(void *ctx, const struct record *record)
{
	(void)record;
	++*(int *)ctx;
}

/* Promise P7: as a tree, this message would be 32 times as large as it is. */
static void memory_stays_bounded(void **state)
{
	static const char head[] = "{\"x\":[0";
	size_t len = 8 << 20, at = sizeof(head) - 1;
	const struct decode_limits limits = { len, STORY_DEPTH_MAX, 0, 0 };
	struct decoder *decoder = decoder_new(&limits);
	char *text = malloc(len);
	int records = 0;

	(void)state;
	assert_non_null(text);
	memcpy(text, head, at);
	for (; at < len - 3; at += 2)
		memcpy(text + at, ",0", 2);
	memcpy(text + at, "]}", 2);
	decode_message(decoder, FORMAT_NATIVE, (struct span){ text, at + 2 }, 0, ignore_record,
		       &records);
	assert_int_equal(records, 1);
	assert_in_range(decoder_bytes(decoder), 1, 2 << 20);

	/* The same as a message of a million records. */
	decode_message(decoder, FORMAT_NATIVE, (struct span){ text + 5, at - 4 }, 0, ignore_record,
		       &records);
	assert_in_range(records, 1 << 20, 8 << 20);
	assert_in_range(decoder_bytes(decoder), 1, 2 << 20);
	free(text);
	decoder_free(decoder);
}

static void auto_knows_native_by_its_required_fields(void **state)
{
	(void)state;
	assert_string_equal(outcome_of(FORMAT_AUTO, BYTES(CALL)), "event");
	assert_string_equal(story_of(FORMAT_AUTO, BYTES("{\"level\":\"info\"}")),
			    "unknown_format: no known format has these fields");
	assert_string_equal(outcome_of(FORMAT_AUTO, BYTES("{\"team\":1,\"team\":2}")),
			    "unknown_format");
	assert_string_equal(outcome_of(FORMAT_AUTO, BYTES("{\"user\":1}")), "missing_field");
	assert_string_equal(outcome_of(FORMAT_AUTO, BYTES("[{}," CALL ",7]")),
			    "unknown_format; event; bad_type");
	assert_string_equal(outcome_of(FORMAT_NATIVE, BYTES("{}")), "missing_field");
}

struct raw_ctx {
	char text[256];
};

static void write_raw(void *ctx, const struct record *record)
{
	struct raw_ctx *raw = ctx;
	size_t used = strlen(raw->text);

	if (record->kind == RECORD_DEAD && used + record->raw.len + 2 < sizeof(raw->text)) {
		memcpy(raw->text + used, record->raw.data, record->raw.len);
		strcpy(raw->text + used + record->raw.len, "|");
	}
}

static void a_dead_letter_carries_its_own_bytes(void **state)
{
	const struct decode_limits limits = { 1 << 20, STORY_DEPTH_MAX, 0, 0 };
	struct decoder *decoder = decoder_new(&limits);
	struct raw_ctx raw = { "" };

	(void)state;
	decode_message(decoder, FORMAT_NATIVE, SPAN("[7, {\"user\":[1, \"]\"]} ,[{}],\"a,b\"]"),
		       noon_us(), write_raw, &raw);
	decode_message(decoder, FORMAT_NATIVE, SPAN("{}\n  {\"a\":\r\n x \n"), noon_us(), write_raw,
		       &raw);
	decode_message(decoder, FORMAT_NATIVE, SPAN(" oops \n"), noon_us(), write_raw, &raw);
	assert_string_equal(raw.text, "7|{\"user\":[1, \"]\"]}|[{}]|\"a,b\"|{}|{\"a\":|x|oops|");
	decoder_free(decoder);
}

/* Every beginning of a message, each in a block of its own size: no read beyond it, and a verdict.
 */
static void any_truncation_is_told(void **state)
{
	static const char message[] =
	    "[{\"time\":\"" NOON "\",\"user\":\"Zo\xc3\xab \\ud83d\\ude80\",\"model\":\"m\\n\","
	    "\"x\":[true,false,null,-1.5e+3,{}]}]";

	(void)state;
	assert_string_equal(outcome_of(FORMAT_AUTO, span_of(message)), "event");
	for (size_t len = 1; len < sizeof(message) - 1; len++) {
		const char *outcome = outcome_of(FORMAT_AUTO, (struct span){ message, len });

		if (strcmp(outcome, "not_json") != 0 && strcmp(outcome, "not_utf8") != 0)
			fail_msg("%zu bytes: %s", len, outcome);
	}
}

static void formats_have_names(void **state)
{
	enum format format = FORMATS;

	(void)state;
	assert_true(format_from_name(SPAN("auto"), &format));
	assert_int_equal(format, FORMAT_AUTO);
	assert_true(format_from_name(SPAN("native"), &format));
	assert_int_equal(format, FORMAT_NATIVE);
	assert_false(format_from_name(SPAN("nativ"), &format));
	assert_false(format_from_name(SPAN("Native"), &format));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents),
		cmocka_unit_test(broken_documents),
		cmocka_unit_test(lines),
		cmocka_unit_test(deep_nesting_costs_nothing),
		cmocka_unit_test(a_deep_line_hurts_no_other),
		cmocka_unit_test(a_message_above_the_limit_is_too_large),
		cmocka_unit_test(a_large_record_is_judged_like_a_small_one),
		cmocka_unit_test(memory_stays_bounded),
		cmocka_unit_test(auto_knows_native_by_its_required_fields),
		cmocka_unit_test(a_dead_letter_carries_its_own_bytes),
		cmocka_unit_test(any_truncation_is_told),
		cmocka_unit_test(formats_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
