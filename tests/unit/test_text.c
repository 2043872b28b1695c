/* SPDX-License-Identifier: Apache-2.0
 *
 * test_text: spans, the bounded buffer, the strict little parsers, printable text; and err's two
 * verbs.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void spans_compare_and_trim(void **state)
{
	(void)state;
	assert_true(span_is(span_trim(SPAN(" \t\r\n\v\fa b ")), "a b"));
	assert_true(span_is(span_trim(SPAN("  ")), ""));
	assert_true(span_is(span_trim((struct span){ NULL, 0 }), ""));
	assert_true(span_equal((struct span){ NULL, 0 }, SPAN("")));
	assert_false(span_equal(SPAN("a"), SPAN("ab")));
	assert_false(span_is(SPAN("a\0b"), "a"));
}

static void buffer_never_exceeds_its_maximum(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	assert_string_equal(buf.data, "");
	for (int i = 0; i < 33; i++)
		buf_add(&buf, "abc", 3);
	assert_int_equal(buf.len, 99);
	assert_false(buf.truncated);
	buf_addf(&buf, "%d", 4711);
	assert_int_equal(buf.len, 100);
	assert_true(buf.truncated);
	assert_int_equal(buf.data[99], '4');
	buf_addf(&buf, "%d", 4711);
	buf_add_text(&buf, "more");
	assert_int_equal(strlen(buf.data), 100);
	buf_clear(&buf);
	assert_false(buf.truncated);
	assert_string_equal(buf.data, "");
	buf_addf(&buf, "%s-%d", "x", 1);
	assert_string_equal(buf.data, "x-1");
	buf_release(&buf);
	buf_release(&buf);
}

static void buffer_of_every_small_maximum_is_filled_exactly(void **state)
{
	(void)state;
	for (size_t bytes_max = 0; bytes_max < 300; bytes_max++) {
		struct buf buf;

		buf_init(&buf, bytes_max);
		for (int i = 0; i < 100; i++)
			buf_addf(&buf, "%s", "12345");
		assert_int_equal(buf.len, bytes_max);
		assert_int_equal(strlen(buf.data), bytes_max);
		assert_true(buf.capacity <= bytes_max + 1);
		buf_release(&buf);
	}
}

static void integers_are_strict(void **state)
{
	static const char *const bad[] = { "",
					   "-",
					   "+1",
					   " 1",
					   "1 ",
					   "1a",
					   "0x10",
					   "1.0",
					   "--1",
					   "1e3",
					   "9223372036854775808",
					   "-9223372036854775809",
					   "99999999999999999999999" };
	struct err err;
	int64_t out = 7;

	(void)state;
	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_false(parse_int64(span_of(bad[i]), INT64_MIN, INT64_MAX, &out, &err));
	assert_int_equal(out, 7);
	assert_true(parse_int64(SPAN("9223372036854775807"), 0, INT64_MAX, &out, &err));
	assert_true(out == INT64_MAX);
	assert_true(parse_int64(SPAN("-9223372036854775808"), INT64_MIN, 0, &out, &err));
	assert_true(out == INT64_MIN);
	assert_true(parse_int64(SPAN("-0007"), INT64_MIN, 0, &out, &err));
	assert_int_equal(out, -7);
	assert_false(parse_int64(SPAN("11"), 1, 10, &out, &err));
	assert_string_equal(err.text, "11 is not in 1..10");
	assert_int_equal(err.kind, ERR_CONFIG);
}

static void durations_have_a_unit(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = { { "0", 0 },
		     { "0s", 0 },
		     { "500ms", 500 },
		     { "10s", 10000 },
		     { "5m", 300000 },
		     { "2h", 7200000 },
		     { "14d", 1209600000 },
		     { "106751991167d", INT64_C(9223372036828800000) } };
	static const char *const bad[] = { "",	    "5",
					   "00",    "s",
					   "-1s",   "1 s",
					   "1S",    "1.5s",
					   "1h30m", "106751991168d",
					   "1w",    "9223372036854775808ms",
					   "1ms " };
	struct err err;
	int64_t out;

	(void)state;
	for (size_t i = 0; i < LENGTH(good); i++) {
		assert_true(parse_duration_ms(span_of(good[i].text), &out, &err));
		assert_true(out == good[i].ms);
	}
	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_false(parse_duration_ms(span_of(bad[i]), &out, &err));
	assert_true(out == good[LENGTH(good) - 1].ms);
}

static void sizes_and_counts_differ_in_their_thousand(void **state)
{
	static const char *const bad[] = { "",	  "M",	"-1", "1MB", "1.5M", "9007199254740992G",
					   "1 M", "0x1" };
	struct err err;
	uint64_t bytes;
	int64_t count;

	(void)state;
	assert_true(parse_size(SPAN("64M"), &bytes, &err));
	assert_int_equal(bytes, 64 << 20);
	assert_true(parse_size(SPAN("1048576"), &bytes, &err));
	assert_int_equal(bytes, 1 << 20);
	assert_true(parse_size(SPAN("2T"), &bytes, &err));
	assert_true(bytes == UINT64_C(2) << 40);
	assert_true(parse_count(SPAN("20M"), &count, &err));
	assert_int_equal(count, 20000000);
	assert_true(parse_count(SPAN("500k"), &count, &err));
	assert_int_equal(count, 500000);
	assert_true(parse_count(SPAN("0"), &count, &err));
	assert_int_equal(count, 0);
	for (size_t i = 0; i < LENGTH(bad); i++) {
		assert_false(parse_size(span_of(bad[i]), &bytes, &err));
		assert_false(parse_count(
		    span_of(strcmp(bad[i], "9007199254740992G") ? bad[i] : "9223372037G"), &count,
		    &err));
	}
	assert_false(parse_size(SPAN("64m"), &bytes, &err));
	assert_int_equal(count, 0);
}

static void booleans_are_eight_words(void **state)
{
	struct err err;
	bool out = false;

	(void)state;
	assert_true(parse_bool(SPAN("true"), &out, &err) && out);
	assert_true(parse_bool(SPAN("off"), &out, &err) && !out);
	assert_true(parse_bool(SPAN("1"), &out, &err) && out);
	assert_true(parse_bool(SPAN("no"), &out, &err) && !out);
	assert_false(parse_bool(SPAN("True"), &out, &err));
	assert_false(parse_bool(SPAN(""), &out, &err));
	assert_false(out);
}

static void nearest_word_is_near(void **state)
{
	static const char *const words[] = { "kafka.topics", "ingest.workers", "ingest.max_age",
					     NULL };
	char longer[200];

	(void)state;
	assert_string_equal(nearest_word("ingest.workres", words), "ingest.workers");
	assert_string_equal(nearest_word("ingest.maxage", words), "ingest.max_age");
	assert_string_equal(nearest_word("kafka.topic", words), "kafka.topics");
	assert_null(nearest_word("zzz", words));
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_null(nearest_word(longer, words));
}

static void printable_text_has_no_control_bytes(void **state)
{
	static const struct {
		struct span in;
		const char *out;
	} cases[] = {
		{ SPAN("plain"), "plain" },
		{ SPAN("a\nb\0c\x7f"), "a\\x0ab\\x00c\\x7f" },
		{ SPAN("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
		  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ SPAN("\xc2\x85"), "\\xc2\\x85" }, /* a C1 control: next line */
		{ SPAN("\xff\xc3"), "\\xff\\xc3" }, /* not UTF-8, cut */
		{ SPAN("\xc0\xaf"), "\\xc0\\xaf" }, /* overlong */
		{ SPAN("\xe0\x80\xaf"), "\\xe0\\x80\\xaf" },
		{ SPAN("\xed\xa0\x80"), "\\xed\\xa0\\x80" },	      /* surrogate */
		{ SPAN("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		text_printable(out, sizeof(out), cases[i].in);
		assert_string_equal(out, cases[i].out);
	}
	text_printable(out, 4, SPAN("ab\xe2\x82\xac")); /* never a part of a character */
	assert_string_equal(out, "ab");
	text_printable(out, 4, SPAN("\n"));
	assert_string_equal(out, "");
	text_printable(out, 5, SPAN("\n"));
	assert_string_equal(out, "\\x0a");
	text_printable(out, 1, SPAN("a"));
	assert_string_equal(out, "");
}

static void errors_are_wrapped_and_bounded(void **state)
{
	struct err err;
	char longer[1000];

	(void)state;
	assert_false(err_set(&err, ERR_RETRY, "cannot read '%s'", "x"));
	assert_false(err_wrap(&err, "topic '%s'", "t"));
	assert_string_equal(err.text, "topic 't': cannot read 'x'");
	assert_int_equal(err.kind, ERR_RETRY);
	assert_false(err_set(&err, ERR_DATA, "again: %s", err.text));
	assert_string_equal(err.text, "again: topic 't': cannot read 'x'");
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	err_wrap(&err, "%.505s", longer);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_wrap(&err, "%s", longer);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_string_equal(err_kind_name(ERR_FENCED), "fenced");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_compare_and_trim),
		cmocka_unit_test(buffer_never_exceeds_its_maximum),
		cmocka_unit_test(buffer_of_every_small_maximum_is_filled_exactly),
		cmocka_unit_test(integers_are_strict),
		cmocka_unit_test(durations_have_a_unit),
		cmocka_unit_test(sizes_and_counts_differ_in_their_thousand),
		cmocka_unit_test(booleans_are_eight_words),
		cmocka_unit_test(nearest_word_is_near),
		cmocka_unit_test(printable_text_has_no_control_bytes),
		cmocka_unit_test(errors_are_wrapped_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
