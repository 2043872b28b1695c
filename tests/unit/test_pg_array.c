/* SPDX-License-Identifier: Apache-2.0
 *
 * pg_array: the very bytes of arrays and parameters, compared with ones written by hand from
 * PostgreSQL's array_recv and record_recv; and that an array stays within its bound.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "period.h"
#include "pg.h"

#define NO_BOUND (1u << 20)

/* Closes the array as a parameter and compares it with hex, in which blanks are for the eye. */
static void assert_bytes(struct pg_array *array, const char *hex)
{
	struct pg_params params = { 0 };
	char got[2048];
	size_t at = 0, len;

	pg_param_array(&params, PG_OID_INT8_ARRAY, array);
	len = (size_t)params.lengths[0];
	for (size_t i = 0; i < len; i++) {
		const char digits[] = "0123456789abcdef";
		unsigned char byte = (unsigned char)params.values[0][i];

		got[at++] = digits[byte >> 4];
		got[at++] = digits[byte & 15];
	}
	got[at] = '\0';
	at = 0;
	for (const char *p = hex; *p; p++) {
		if (*p == ' ')
			continue;
		if (got[at] != *p)
			fail_msg("byte %zu of %s is not that of %s", at / 2, got, hex);
		at++;
	}
	assert_int_equal(at, 2 * len);
	assert_int_equal(params.count, 1);
	assert_int_equal(params.types[0], PG_OID_INT8_ARRAY);
	assert_int_equal(params.formats[0], 1);
	pg_array_release(array);
}

static void an_empty_array_is_a_header_with_count_0(void **state)
{
	struct pg_array array;

	(void)state;
	pg_array_init(&array, PG_OID_INT4, 0, NO_BOUND);
	assert_bytes(&array, "00000001 00000000 00000017 00000000 00000001");
	pg_array_init(&array, 0x10203, 3, NO_BOUND);
	assert_bytes(&array, "00000001 00000000 00010203 00000000 00000001");
}

static void scalars_are_length_and_value(void **state)
{
	struct pg_array array;

	(void)state;
	pg_array_init(&array, PG_OID_INT4, 0, NO_BOUND);
	pg_array_int4(&array, 1);
	pg_array_int4(&array, -2);
	assert_bytes(&array, "00000001 00000000 00000017 00000002 00000001"
			     "00000004 00000001 00000004 fffffffe");
	pg_array_init(&array, PG_OID_INT8, 0, NO_BOUND);
	pg_array_int8(&array, INT64_MIN);
	pg_array_null(&array, PG_OID_INT8);
	pg_array_int8(&array, 258);
	assert_bytes(&array, "00000001 00000000 00000014 00000003 00000001"
			     "00000008 8000000000000000 ffffffff 00000008 0000000000000102");
	pg_array_init(&array, PG_OID_TEXT, 0, NO_BOUND);
	pg_array_text(&array, SPAN("\xc3\xa9,"));
	pg_array_text(&array, (struct span){ NULL, 0 });
	assert_bytes(&array, "00000001 00000000 00000019 00000002 00000001"
			     "00000003 c3a92c 00000000");
}

static void a_row_is_its_length_and_fields_with_types(void **state)
{
	static const unsigned char uuid[16] = { 0xab, [15] = 0xcd };
	struct pg_array array;

	(void)state;
	pg_array_init(&array, 0x4711, 6, NO_BOUND);
	pg_array_row(&array);
	pg_array_int2(&array, -1);
	pg_array_int4(&array, 7);
	pg_array_int8(&array, -9);
	pg_array_text(&array, SPAN("ab"));
	pg_array_null(&array, PG_OID_BYTEA);
	pg_array_bytes(&array, PG_OID_UUID, uuid, sizeof uuid);
	pg_array_row_end(&array);
	assert_bytes(&array, "00000001 00000000 00004711 00000001 00000001"
			     "00000054 00000006"
			     "00000015 00000002 ffff"
			     "00000017 00000004 00000007"
			     "00000014 00000008 fffffffffffffff7"
			     "00000019 00000002 6162"
			     "00000011 ffffffff"
			     "00000b86 00000010 ab0000000000000000000000000000cd");
}

static void each_row_has_its_own_length(void **state)
{
	struct pg_array array;

	(void)state;
	pg_array_init(&array, 1, 1, NO_BOUND);
	for (size_t len = 0; len < 3; len++) {
		pg_array_row(&array);
		pg_array_text(&array, (struct span){ "xx", len });
		pg_array_row_end(&array);
	}
	assert_bytes(&array, "00000001 00000000 00000001 00000003 00000001"
			     "0000000c 00000001 00000019 00000000"
			     "0000000d 00000001 00000019 00000001 78"
			     "0000000e 00000001 00000019 00000002 7878");
}

static void times_count_from_2000(void **state)
{
	struct pg_array array;

	(void)state;
	pg_array_init(&array, PG_OID_TIMESTAMPTZ, 0, NO_BOUND);
	pg_array_time(&array, US_PG_EPOCH);
	pg_array_time(&array, US_PG_EPOCH - 1);
	pg_array_time(&array, 0);
	pg_array_time(&array, INT64_C(1795428000123456));
	assert_bytes(&array, "00000001 00000000 000004a0 00000004 00000001"
			     "00000008 0000000000000000 00000008 ffffffffffffffff"
			     "00000008 fffca2fec4c82000 00000008 000303ed6cf2ea40");
}

static void what_does_not_fit_is_marked_and_stays_in_bounds(void **state)
{
	(void)state;
	for (size_t bytes_max = 0; bytes_max < 120; bytes_max++) {
		struct pg_array array;
		struct pg_params params = { 0 };

		pg_array_init(&array, 1, 2, bytes_max);
		for (int i = 0; i < 3; i++) {
			pg_array_row(&array);
			pg_array_int8(&array, i);
			pg_array_text(&array, SPAN("text"));
			pg_array_row_end(&array);
		}
		pg_param_array(&params, 1, &array);
		assert_true(array.buf.len <= bytes_max);
		assert_int_equal(array.buf.truncated, bytes_max < 20 + 3 * (8 + 16 + 12));
		assert_int_equal(array.count, 3);
		pg_array_release(&array);
	}
}

static void parameters_are_text_or_binary(void **state)
{
	static const unsigned char uuid[16] = { 1, 2, 3 };
	struct pg_params params = { 0 };

	(void)state;
	pg_param_text(&params, "it's");
	pg_param_text(&params, NULL);
	pg_param_int8(&params, INT64_MIN);
	pg_param_bool(&params, true);
	pg_param_bool(&params, false);
	pg_param_time(&params, US_PG_EPOCH + 1);
	pg_param_uuid(&params, uuid);
	assert_int_equal(params.count, 7);
	assert_string_equal(params.values[0], "it's");
	assert_null(params.values[1]);
	assert_string_equal(params.values[2], "-9223372036854775808");
	assert_string_equal(params.values[3], "true");
	assert_string_equal(params.values[4], "false");
	for (int i = 0; i < 5; i++)
		assert_int_equal(params.formats[i], 0);
	assert_int_equal(params.types[5], PG_OID_TIMESTAMPTZ);
	assert_int_equal(params.lengths[5], 8);
	assert_int_equal(params.formats[5], 1);
	assert_memory_equal(params.values[5], "\0\0\0\0\0\0\0\1", 8);
	assert_int_equal(params.types[6], PG_OID_UUID);
	assert_int_equal(params.lengths[6], 16);
	assert_memory_equal(params.values[6], uuid, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_array_is_a_header_with_count_0),
		cmocka_unit_test(scalars_are_length_and_value),
		cmocka_unit_test(a_row_is_its_length_and_fields_with_types),
		cmocka_unit_test(each_row_has_its_own_length),
		cmocka_unit_test(times_count_from_2000),
		cmocka_unit_test(what_does_not_fit_is_marked_and_stays_in_bounds),
		cmocka_unit_test(parameters_are_text_or_binary),
	};

	return cmocka_run_group_tests_name("pg_array", tests, NULL, NULL);
}
