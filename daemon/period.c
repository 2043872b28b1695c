/* SPDX-License-Identifier: Apache-2.0
 *
 * period: see period.h. Days are counted in the proleptic Gregorian calendar, in years that begin
 * in March, so that the leap day is the last of its year.
 */
#include "autoconf.h"

#include "period.h"

#include <stdio.h>
#include <time.h>

#define DAYS_PER_400_YEARS 146097
#define DAYS_0000_03_01_TO_1970 719468

int64_t period_floor(int64_t t_us, int64_t step_us)
{
	int64_t rest = t_us % step_us;
	int64_t start;

	if (rest < 0)
		rest += step_us;
	return __builtin_sub_overflow(t_us, rest, &start) ? INT64_MIN : start;
}

static int64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * DAYS_PER_400_YEARS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - DAYS_0000_03_01_TO_1970;
}

static void date_of_days(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t z = days + DAYS_0000_03_01_TO_1970;
	int64_t era = (z >= 0 ? z : z - (DAYS_PER_400_YEARS - 1)) / DAYS_PER_400_YEARS;
	int64_t doe = z - era * DAYS_PER_400_YEARS; /* day of era */
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / (DAYS_PER_400_YEARS - 1)) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t march_month = (5 * doy + 2) / 153;

	*day = (int)(doy - (153 * march_month + 2) / 5 + 1);
	*month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
	*year = yoe + era * 400 + (*month <= 2);
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_number(struct span *s, int digits, int min, int max, int *out)
{
	int value = 0;

	if (s->len < (size_t)digits)
		return false;
	for (int i = 0; i < digits; i++) {
		if (s->data[i] < '0' || s->data[i] > '9')
			return false;
		value = value * 10 + (s->data[i] - '0');
	}
	if (value < min || value > max)
		return false;
	s->data += digits;
	s->len -= (size_t)digits;
	*out = value;
	return true;
}

static bool take_one_of(struct span *s, const char *chars, char *out)
{
	for (; s->len && *chars; chars++) {
		if (s->data[0] == *chars) {
			*out = *chars;
			s->data++;
			s->len--;
			return true;
		}
	}
	return false;
}

static bool take_date(struct span *s, int64_t *days)
{
	int year, month, day;
	char c;

	if (!take_number(s, 4, 0, 9999, &year) || !take_one_of(s, "-", &c) ||
	    !take_number(s, 2, 1, 12, &month) || !take_one_of(s, "-", &c) ||
	    !take_number(s, 2, 1, days_in_month(year, month), &day))
		return false;
	*days = days_of_date(year, month, day);
	return true;
}

/* Of ".123": microseconds, further digits cut. None is fine, a point without a digit is not. */
static bool take_fraction(struct span *s, int64_t *us)
{
	int64_t unit = US_PER_SECOND / 10;
	char c;

	*us = 0;
	if (!take_one_of(s, ".", &c))
		return true;
	if (!take_one_of(s, "0123456789", &c))
		return false;
	do {
		*us += (c - '0') * unit;
		unit /= 10;
	} while (take_one_of(s, "0123456789", &c));
	return true;
}

static bool take_time(struct span *s, int64_t *us)
{
	int hour, minute, second;
	int64_t fraction;
	char c;

	if (!take_number(s, 2, 0, 23, &hour) || !take_one_of(s, ":", &c) ||
	    !take_number(s, 2, 0, 59, &minute) || !take_one_of(s, ":", &c) ||
	    !take_number(s, 2, 0, 60, &second) || !take_fraction(s, &fraction))
		return false;
	*us = hour * US_PER_HOUR + minute * US_PER_MINUTE + second * US_PER_SECOND + fraction;
	return true;
}

static bool take_offset(struct span *s, int64_t *us)
{
	int hour, minute;
	char c;

	*us = 0;
	if (take_one_of(s, "Zz", &c))
		return true;
	if (!take_one_of(s, "+-", &c))
		return false;
	char sign = c;

	if (!take_number(s, 2, 0, 23, &hour) || !take_one_of(s, ":", &c) ||
	    !take_number(s, 2, 0, 59, &minute))
		return false;
	*us = hour * US_PER_HOUR + minute * US_PER_MINUTE;
	if (sign == '-')
		*us = -*us;
	return true;
}

bool period_parse_rfc3339(struct span s, int64_t *out_us)
{
	int64_t days, time_us, offset_us;
	char c;

	if (!take_date(&s, &days) || !take_one_of(&s, "Tt ", &c) || !take_time(&s, &time_us) ||
	    !take_offset(&s, &offset_us) || s.len)
		return false;
	*out_us = days * US_PER_DAY + time_us - offset_us;
	return true;
}

void period_format(int64_t t_us, char *out, size_t cap)
{
	int64_t days = t_us / US_PER_DAY - (t_us % US_PER_DAY < 0);
	int64_t rest = t_us % US_PER_DAY + (t_us % US_PER_DAY < 0 ? US_PER_DAY : 0);
	int64_t year;
	int month, day;
	char fraction[16] = "";

	date_of_days(days, &year, &month, &day);
	if (rest % US_PER_SECOND)
		snprintf(fraction, sizeof(fraction), ".%06d", (int)(rest % US_PER_SECOND));
	snprintf(out, cap, "%04lld-%02d-%02dT%02d:%02d:%02d%sZ", (long long)year, month, day,
		 (int)(rest / US_PER_HOUR), (int)(rest / US_PER_MINUTE % 60),
		 (int)(rest / US_PER_SECOND % 60), fraction);
}

int64_t now_wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
}

int64_t now_monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
