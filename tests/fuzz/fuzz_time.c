/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_time: any bytes as a time and as a number: what is taken can be written and read again, and numbers of all units
 * agree with each other.
 */
#include "autoconf.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode_value.h"
#include "period.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_time(struct span text)
{
	char again[40];
	int64_t us, us_again;

	if (!period_parse_rfc3339(text, &us))
		return;
	/* Year 0 and 9999 at an offset reach a day beyond. */
	if (us < INT64_C(-62167219200) * US_PER_SECOND || us >= INT64_C(253402300800) * US_PER_SECOND)
		return;
	period_format(us, again, sizeof(again));
	MUST(period_parse_rfc3339(span_of(again), &us_again));
	MUST(us == us_again);
	MUST(period_floor(us, US_PER_HOUR) <= us && us - period_floor(us, US_PER_HOUR) < US_PER_HOUR);
}

static void check_number(struct span text)
{
	struct value value = { .kind = VALUE_NUMBER, .text = text };
	struct value_fault fault;
	int64_t scaled, count;
	double number;

	if (!text_is_number(text))
		return;
	number = number_double(text);
	MUST(!isnan(number));
	for (int exponent = -9; exponent <= 9; exponent++) {
		double meant = number * pow(10, exponent);

		if (!number_scaled(text, exponent, &scaled))
			MUST(fabs(meant) > 1e17);
		else if (fabs(meant) < 1e15)
			MUST(fabs((double)scaled - meant) <= 1 + fabs(meant) * 1e-12);
	}
	if (value_read_count(&value, &count, &fault))
		MUST(count >= 0 && count <= INT64_C(1) << 53 && (double)count == number);
	else
		MUST(*fault.what != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size > 0 ? size : 1);

	MUST(copy != NULL);
	memcpy(copy, data, size);
	check_time((struct span){ copy, size });
	check_number((struct span){ copy, size });
	free(copy);
	return 0;
}
