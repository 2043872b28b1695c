/* SPDX-License-Identifier: Apache-2.0
 *
 * The byte-level scan: the grammar of JSON and of UTF-8 to the letter, and walking of what passed.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode_scan.h"

#define DEPTH_MAX 8

/* Scans a heap block of exactly this size, so that a sanitizer sees a read beyond it. */
static bool scan_copy(struct span text, struct scan *scan)
{
	char *copy = malloc(text.len);
	bool ok;

	assert_true(copy != NULL || text.len == 0);
	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	ok = scan_document((struct span){ copy, text.len }, DEPTH_MAX, scan);
	free(copy);
	return ok;
}

static bool is_document(struct span text)
{
	struct scan scan;

	return scan_copy(text, &scan) && scan.end == text.len;
}

/* clang-format off */
static const char *const good_texts[] = {
	"{}", "[]", "null", "true", "false", "\"\"", "0", "-0", "-1", "10", "1.5", "0.0", "1e5",
	"1E+5", "1e-05", "0e0", "-1.25e10", "[ ]", "{ }", "[1,2]", "[ 1 , 2 ]", "[[],[[]],{}]",
	"{\"a\":1}", "{\"a\" : 1 , \"b\" : {}}", "\n\t\r {}",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", "\"\\ud83d\\ude80\"", "\"\\ud83d\"",
	"\"\\u0000\"", "\"\x7f\"", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x80\"",
	"{\"\":{\"\":[]}}", "[[[[[[[[]]]]]]]]", "123456789012345678901234567890", "\"eight by\"",
	"\"eight bytes and then some more, to be long\"", "{\"a\":null,\"a\":null}",
};
/* clang-format on */

static void what_rfc_8259_allows_passes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good_texts) / sizeof(good_texts[0]); i++)
		if (!is_document(span_of(good_texts[i])))
			fail_msg("refused: %s", good_texts[i]);
}

/* clang-format off */
static const char *const bad_texts[] = {
	"", " ", "{", "}", "[", "]", "[1", "[1,", "[,1]", "[1,]", "[1 2]", "{\"a\"", "{\"a\":",
	"{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{a:1}", "{'a':1}", "{1:1}", "{\"a\" 1}",
	"{\"a\":1 \"b\":2}", "[1}", "{\"a\":1]", "tru", "nul", "True", "NaN", "Infinity",
	"-Infinity", "+1", "01", "-01", "1.", ".5", "-", "1e", "1e+", "1.e5", "0x10", "1_000",
	"\"", "\"a", "\"\\", "\"\\\"", "\"\\x41\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u123",
	"\"\n\"", "\"\t\"", "\"\x1f\"", "'a'", "// c\n1", "/* c */1", "[1]]", "{}}",
	"[[[[[[[[[]]]]]]]]]", "\x0b{}", "{\"a\":\xc2\xa0" 	"1}", "\xef\xbb\xbf{}",
};
/* clang-format on */

static void what_it_does_not_allow_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_texts) / sizeof(bad_texts[0]); i++)
		if (is_document(span_of(bad_texts[i])))
			fail_msg("passed: %s", bad_texts[i]);
}

static void text_after_the_document_is_left_to_the_caller(void **state)
{
	struct scan scan;

	(void)state;
	assert_true(scan_copy(SPAN(" {} \n[1]"), &scan));
	assert_int_equal(scan.end, 3);
	assert_true(scan_copy(SPAN("1 2"), &scan));
	assert_int_equal(scan.end, 1);
	assert_true(scan_copy(SPAN("{}\0"), &scan));
	assert_int_equal(scan.end, 2);
}

static void or_refused_on_demand(void **state)
{
	struct scan scan;

	(void)state;
	assert_true(scan_whole(SPAN(" {} \n"), DEPTH_MAX, &scan));
	assert_false(scan_whole(SPAN("{} {}"), DEPTH_MAX, &scan));
	assert_int_equal(scan.reason, DEAD_NOT_JSON);
	assert_false(scan_whole(SPAN("{}\0"), DEPTH_MAX, &scan));
	assert_int_equal(scan.reason, DEAD_NUL_BYTE);
	assert_false(scan_whole(SPAN("{} \0\xff"), DEPTH_MAX, &scan));
	assert_int_equal(scan.reason, DEAD_NOT_UTF8);
	assert_int_equal(scan.at, 4);
}

static void faults_are_told_with_their_place(void **state)
{
	static const struct {
		struct span text;
		enum dead_reason reason;
		size_t at;
	} cases[] = {
		{ SPAN("{\"a\":+1}"), DEAD_NOT_JSON, 5 },
		{ SPAN("{\"a\":1."), DEAD_NOT_JSON, 7 },
		{ SPAN("[[[[[[[[["), DEAD_TOO_DEEP, 8 },
		{ SPAN("{\"a\":[[[[[[[[1]]]]]]]]}"), DEAD_TOO_DEEP, 12 },
		{ SPAN("[\"\xff\"]"), DEAD_NOT_UTF8, 2 },
		{ SPAN("x \xff"), DEAD_NOT_UTF8, 2 },
		{ SPAN("[[[[[[[[[ \0"), DEAD_NUL_BYTE, 10 },
		{ SPAN("\"\0\""), DEAD_NUL_BYTE, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scan scan;

		assert_false(scan_copy(cases[i].text, &scan));
		assert_int_equal(scan.reason, cases[i].reason);
		assert_int_equal(scan.at, cases[i].at);
		assert_non_null(scan.what);
	}
}

/* Writes code as UTF-8 of `len` bytes, though it be too long or no character. */
static void encode(uint32_t code, size_t len, char *out)
{
	static const uint8_t marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = len - 1; i > 0; i--, code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(marks[len] | code);
}

/* All code points in all lengths that can hold them, at two places of a word of eight bytes. */
static void utf8_is_strict(void **state)
{
	static const uint32_t first[] = { 0, 0, 0x80, 0x800, 0x10000 },
			      space[] = { 0, 0, 1 << 11, 1 << 16, 1 << 21 };

	(void)state;
	for (size_t len = 2; len <= 4; len++) {
		for (uint32_t code = 0; code < space[len]; code++) {
			bool good = code >= first[len] && code <= 0x10ffff &&
				    (code < 0xd800 || code > 0xdfff);
			char text[16] = "\"abcd";
			size_t from = 1 + code % 2 * 4;
			struct scan scan;

			encode(code, len, text + from);
			text[from + len] = '"';
			if (scan_document((struct span){ text, from + len + 1 }, 1, &scan) != good)
				fail_msg("U+%04X in %zu bytes", code, len);
		}
	}
}

static void utf8_that_is_cut_or_mixed_is_refused(void **state)
{
	static const char *const texts[] = {
		"\"\x80\"",
		"\"\xbf\"",
		"\"\xc3\"",
		"\"\xc3\xa9\xa9\"",
		"\"\xe2\x82\"",
		"\"\xe2\x28\xa1\"",
		"\"\xf0\x9f\x9a\"",
		"\"\xf0\x28\x8c\xbc\"",
		"\"\xf8\x88\x80\x80\x80\"",
		"\"\xfe\"",
		"\"\xff\"",
		"\"\xc3",
		"\"\xf0\x9f",
		"\"1234567\xc3\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct scan scan;

		assert_false(scan_copy(span_of(texts[i]), &scan));
		assert_int_equal(scan.reason, DEAD_NOT_UTF8);
	}
}

/* The fast way through a string, eight bytes at a time, must stop at each byte that is not plain.
 */
static void each_byte_in_a_string_at_each_place(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		for (size_t place = 1; place < 20; place++) {
			char text[24];
			struct scan scan;
			bool good = byte >= 0x20 && byte < 0x80 && byte != '\\' && byte != '"';

			memset(text, 'x', sizeof(text));
			text[0] = text[sizeof(text) - 1] = '"';
			text[place] = (char)byte;
			if (scan_copy((struct span){ text, sizeof(text) }, &scan) !=
			    (good || byte == '"'))
				fail_msg("byte %d at %zu", byte, place);
			if (byte == '"')
				assert_int_equal(scan.end, place + 1);
		}
	}
}

static void escapes_become_what_they_stand_for(void **state)
{
	static const struct {
		const char *text, *plain;
		enum scan_odd odd;
	} cases[] = {
		{ "", "", SCAN_ODD_NONE },
		{ "abc", "abc", SCAN_ODD_NONE },
		{ "\\u0000", "", SCAN_ODD_NUL },
		{ "\\\\u0000", "\\u0000", SCAN_ODD_NONE },
		{ "\\\\\\u0000", "\\", SCAN_ODD_NUL },
		{ "\\u00001", "1", SCAN_ODD_NUL },
		{ "\\u0001", "\x01", SCAN_ODD_NONE },
		{ "\\\"\\/\\b\\f\\n\\r\\t", "\"/\b\f\n\r\t", SCAN_ODD_NONE },
		{ "\\u0041\\u00e9\\u20ac", "A\u00e9\u20ac", SCAN_ODD_NONE },
		{ "\\ud83d\\ude80", "\U0001f680", SCAN_ODD_NONE },
		{ "\\uD83D\\uDE80", "\U0001f680", SCAN_ODD_NONE },
		{ "\\udbff\\udfff", "\U0010ffff", SCAN_ODD_NONE },
		{ "\\ud83d", "", SCAN_ODD_SURROGATE },
		{ "\\ude80\\ud83d", "", SCAN_ODD_SURROGATE },
		{ "\\ud83dx", "x", SCAN_ODD_SURROGATE },
		{ "\\ud83d\\u0041", "A", SCAN_ODD_SURROGATE },
		{ "\\ud83d\\ud83d\\ude80", "\U0001f680", SCAN_ODD_SURROGATE },
		{ "\\ud83d\\u0000", "", SCAN_ODD_NUL },
		{ "\\uffff", "\uffff", SCAN_ODD_NONE },
		{ "u0000", "u0000", SCAN_ODD_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[64];
		enum scan_odd odd;
		size_t len = scan_unescape(span_of(cases[i].text), out, &odd);

		if (odd != cases[i].odd || !span_is((struct span){ out, len }, cases[i].plain))
			fail_msg("%s", cases[i].text);
	}
}

static void utf8_is_told_from_other_bytes(void **state)
{
	(void)state;
	assert_true(scan_is_utf8(SPAN("")));
	assert_true(scan_is_utf8(SPAN("a\0b")));
	assert_true(scan_is_utf8(SPAN("\u00e9\u20ac\U0001f680")));
	assert_false(scan_is_utf8(SPAN("\xe9")));
	assert_false(scan_is_utf8(SPAN("\xc0\xaf")));
	assert_false(scan_is_utf8(SPAN("\xed\xa0\x80")));
	assert_false(scan_is_utf8(SPAN("a\xe2\x82")));
}

static void elements_and_members_are_found(void **state)
{
	struct span rest = SPAN(" 1 ,\"a,]\\\"\", [ [],{} ] ,{\"b\":[1]}, true]"), key, value;
	static const char *const elements[] = { "1", "\"a,]\\\"\"", "[ [],{} ]", "{\"b\":[1]}",
						"true" };
	static const char *const members[] = { "a", "1", "b\\u0041", "{\"c\":\"}\"}", "", "[]" };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		assert_true(scan_element(&rest, &value));
		assert_true(span_is(value, elements[i]));
	}
	assert_false(scan_element(&rest, &value));
	rest = SPAN("\"a\":1 , \"b\\u0041\" : {\"c\":\"}\"},\"\":[]}");
	for (size_t i = 0; i < 6; i += 2) {
		assert_true(scan_member(&rest, &key, &value));
		assert_true(span_is(key, members[i]));
		assert_true(span_is(value, members[i + 1]));
	}
	assert_false(scan_member(&rest, &key, &value));
	rest = SPAN("}");
	assert_false(scan_member(&rest, &key, &value));
}

static void lines_are_found(void **state)
{
	static const char *const lines[] = { "a", "b c", "d" };
	struct span rest = SPAN("\n a\r\n\n \t\n b c \nd"), line;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_true(scan_line(&rest, &line));
		assert_true(span_is(line, lines[i]));
	}
	assert_false(scan_line(&rest, &line));
}

static void keys_are_unescaped(void **state)
{
	char out[8];
	size_t len = 0;

	(void)state;
	assert_true(scan_key(SPAN("us\\u0065r"), out, sizeof(out), &len));
	assert_int_equal(len, 4);
	assert_memory_equal(out, "user", 4);
	assert_true(scan_key(SPAN("user\\u0000"), out, sizeof(out), &len));
	assert_int_equal(len, 5);
	assert_true(scan_key(SPAN("12345678"), out, sizeof(out), &len));
	assert_false(scan_key(SPAN("123456789"), out, sizeof(out), &len));
	assert_false(scan_key(SPAN("us\\ner"), out, sizeof(out), &len));
	assert_false(scan_key(SPAN("\xc3\xa9"), out, sizeof(out), &len));
	assert_false(scan_key(SPAN("\\u00e9"), out, sizeof(out), &len));
}

static void digits_decide_about_2_53(void **state)
{
	static const struct {
		const char *number;
		bool above;
	} cases[] = {
		{ "0", false },
		{ "9007199254740991", false },
		{ "9007199254740992", false },
		{ "9007199254740993", true },
		{ "9007199254740992.0", false },
		{ "9007199254740992.000000000000001", true },
		{ "9007199254740991.999999999999999", false },
		{ "900719925474099.2e1", false },
		{ "900719925474099.3E+1", true },
		{ "90071992547409930e-1", true },
		{ "90071992547409920e-1", false },
		{ "0.9007199254740993e16", true },
		{ "0.0009007199254740993e19", true },
		{ "0.0009007199254740992e19", false },
		{ "1e16", true },
		{ "1e15", false },
		{ "9e15", false },
		{ "10000000000000000", true },
		{ "1e400", true },
		{ "1e-400", false },
		{ "0e999999999999999999999", false },
		{ "1e999999999999999999999", true },
		{ "1e-999999999999999999999", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (scan_above_2_53(span_of(cases[i].number)) != cases[i].above)
			fail_msg("%s", cases[i].number);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_rfc_8259_allows_passes),
		cmocka_unit_test(what_it_does_not_allow_is_refused),
		cmocka_unit_test(text_after_the_document_is_left_to_the_caller),
		cmocka_unit_test(or_refused_on_demand),
		cmocka_unit_test(faults_are_told_with_their_place),
		cmocka_unit_test(utf8_is_strict),
		cmocka_unit_test(utf8_that_is_cut_or_mixed_is_refused),
		cmocka_unit_test(each_byte_in_a_string_at_each_place),
		cmocka_unit_test(escapes_become_what_they_stand_for),
		cmocka_unit_test(utf8_is_told_from_other_bytes),
		cmocka_unit_test(elements_and_members_are_found),
		cmocka_unit_test(lines_are_found),
		cmocka_unit_test(keys_are_unescaped),
		cmocka_unit_test(digits_decide_about_2_53),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
