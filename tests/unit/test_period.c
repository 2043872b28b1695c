/* SPDX-License-Identifier: Apache-2.0
 *
 * test_period: strict RFC 3339, and the calendar held against timegm(3).
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "period.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define US_2026_11_23 INT64_C(1795392000000000)

static void times_are_read_exactly(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2000-01-01T00:00:00Z", US_PG_EPOCH },
		{ "2026-11-23T00:00:00Z", US_2026_11_23 },
		{ "2026-11-23t00:00:00z", US_2026_11_23 },
		{ "2026-11-23 00:00:00Z", US_2026_11_23 },
		{ "2026-11-23T00:00:00+00:00", US_2026_11_23 },
		{ "2026-11-23T00:00:00-00:00", US_2026_11_23 },
		{ "2026-11-23T05:30:00+05:30", US_2026_11_23 },
		{ "2026-11-22T19:00:00-05:00", US_2026_11_23 },
		{ "2026-11-23T23:59:00+23:59", US_2026_11_23 },
		{ "2026-11-22T00:01:00-23:59", US_2026_11_23 },
		{ "2026-11-23T00:00:00.1Z", US_2026_11_23 + 100000 },
		{ "2026-11-23T00:00:00.123456Z", US_2026_11_23 + 123456 },
		{ "2026-11-23T00:00:00.1234569999999Z", US_2026_11_23 + 123456 },
		{ "2026-11-23T00:00:00.000000999Z", US_2026_11_23 },
		{ "2026-11-22T23:59:60Z", US_2026_11_23 },
		{ "2026-11-22T23:59:60.5Z", US_2026_11_23 + 500000 },
		{ "2024-02-29T00:00:00Z", INT64_C(1709164800000000) },
		{ "2000-02-29T00:00:00Z", INT64_C(951782400000000) },
		{ "1969-12-31T23:59:59.999999Z", -1 },
		{ "0000-01-01T00:00:00Z", INT64_C(-62167219200000000) },
		{ "0000-01-01T00:00:00+23:59", INT64_C(-62167219200000000) - 1439 * US_PER_MINUTE },
		{ "9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999) },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		int64_t us = -7;

		if (!period_parse_rfc3339(span_of(cases[i].text), &us) || us != cases[i].us)
			fail_msg("%s: %lld, not %lld", cases[i].text, (long long)us,
				 (long long)cases[i].us);
	}
}

static void everything_else_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"2026-11-23",
		"2026-11-23T00:00:00",
		"2026-11-23T00:00Z",
		"2026-11-23T24:00:00Z",
		"2026-11-23T00:60:00Z",
		"2026-11-23T00:00:61Z",
		"2026-11-23T00:00:00,5Z",
		"2026-11-23T00:00:00.Z",
		"2026-11-23T00:00:00.5",
		"2026-11-23T00:00:00+24:00",
		"2026-11-23T00:00:00+01:60",
		"2026-11-23T00:00:00+0100",
		"2026-11-23T00:00:00+01",
		"2026-11-23T00:00:00 Z",
		"2026-11-23T00:00:00Z ",
		" 2026-11-23T00:00:00Z",
		"2026-11-23_00:00:00Z",
		"2026-11-23\t00:00:00Z",
		"2026-11-23  00:00:00Z",
		"20261123T000000Z",
		"2026-1-23T00:00:00Z",
		"2026-11-23T0:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-11-00T00:00:00Z",
		"2026-11-31T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2024-02-30T00:00:00Z",
		"+2026-11-23T00:00:00Z",
		"-001-11-23T00:00:00Z",
		"12026-11-23T00:00:00Z",
		"2026-11-23T00:00:00Zulu",
		"2026-11-23T00:00:00\xe2\x88\x92"
		"01:00",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		int64_t us = -7;

		if (period_parse_rfc3339(span_of(cases[i]), &us) || us != -7)
			fail_msg("taken: '%s'", cases[i]);
	}
	/* A span ends where it ends, also before the digits behind it. */
	assert_false(period_parse_rfc3339((struct span){ "2026-11-23T00:00:00+01:00", 24 },
					  &(int64_t){ 0 }));
	assert_false(
	    period_parse_rfc3339((struct span){ "2026-11-23T00:00:00\0Z", 21 }, &(int64_t){ 0 }));
}

/* Every day of the years 0 to 9999, against the C library. */
static void calendar_agrees_with_timegm(void **state)
{
	struct tm tm = { .tm_year = -1900, .tm_mday = 1 };
	int64_t first_day = timegm(&tm) / 86400;

	(void)state;
	for (int64_t day = first_day; day < first_day + 3652425; day += 1 + (day & 3)) {
		time_t seconds = day * 86400 + 3661;
		char ours[32], theirs[64];
		int64_t us;

		gmtime_r(&seconds, &tm);
		snprintf(theirs, sizeof(theirs), "%04d-%02d-%02dT01:01:01Z", tm.tm_year + 1900,
			 tm.tm_mon + 1, tm.tm_mday);
		period_format(seconds * US_PER_SECOND, ours, sizeof(ours));
		if (strcmp(ours, theirs) != 0 || !period_parse_rfc3339(span_of(theirs), &us) ||
		    us != seconds * US_PER_SECOND)
			fail_msg("%s, timegm: %s", ours, theirs);
	}
}

static void times_are_written_with_their_fraction(void **state)
{
	char out[32];

	(void)state;
	period_format(US_2026_11_23 + 10 * US_PER_HOUR, out, sizeof(out));
	assert_string_equal(out, "2026-11-23T10:00:00Z");
	period_format(US_2026_11_23 + 1, out, sizeof(out));
	assert_string_equal(out, "2026-11-23T00:00:00.000001Z");
	period_format(-1, out, sizeof(out));
	assert_string_equal(out, "1969-12-31T23:59:59.999999Z");
	period_format(INT64_MIN, out, sizeof(out));
	assert_string_equal(out, "-290308-12-21T19:59:05.224192Z");
	period_format(INT64_MAX, out, sizeof(out));
	assert_string_equal(out, "294247-01-10T04:00:54.775807Z");
}

static void periods_start_at_or_before(void **state)
{
	(void)state;
	assert_true(period_floor(US_2026_11_23 + 1, US_PER_DAY) == US_2026_11_23);
	assert_true(period_floor(US_2026_11_23, US_PER_DAY) == US_2026_11_23);
	assert_true(period_floor(US_2026_11_23 - 1, US_PER_HOUR) == US_2026_11_23 - US_PER_HOUR);
	assert_true(period_floor(US_2026_11_23 + 31 * US_PER_MINUTE, US_PER_SLOT) ==
		    US_2026_11_23 + US_PER_SLOT);
	assert_true(period_floor(-1, US_PER_MINUTE) == -US_PER_MINUTE);
	assert_true(period_floor(-US_PER_MINUTE, US_PER_MINUTE) == -US_PER_MINUTE);
	assert_true(period_floor(0, US_PER_HOUR) == 0);
	assert_true(period_floor(INT64_MIN, US_PER_DAY) == INT64_MIN);
}

static void clocks_go(void **state)
{
	int64_t before_ms = now_monotonic_ms();

	(void)state;
	assert_true(now_wall_us() > INT64_C(1700000000000000));
	assert_true(now_monotonic_ms() >= before_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read_exactly),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(calendar_agrees_with_timegm),
		cmocka_unit_test(times_are_written_with_their_fraction),
		cmocka_unit_test(periods_start_at_or_before),
		cmocka_unit_test(clocks_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
