/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_value: see decode_value.h. Numbers are read from their digits, since a double cannot tell
 * 2^53 + 1 from 2^53; strings lose their escapes only here.
 */
#include "autoconf.h"

#include "decode_value.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode_scan.h"

#define COUNT_MAX 9007199254740992.0 /* 2^53 */
#define DIGITS_SURE 15		     /* that many make no number above 2^53 */
#define NUMBER_BYTES_MAX 400	     /* of a number that is not followed by other text */

struct value value_of_json(struct span json)
{
	struct value value = { .text = json };

	switch (json.data[0]) {
	case '"':
		value.kind = VALUE_TEXT;
		value.text = (struct span){ json.data + 1, json.len - 2 };
		value.escaped = memchr(value.text.data, '\\', value.text.len) != NULL;
		break;
	case '{':
	case '[':
		value.kind = VALUE_OTHER;
		break;
	case 'n':
		value.kind = VALUE_NULL;
		break;
	case 't':
	case 'f':
		value.kind = VALUE_BOOL;
		break;
	default:
		value.kind = VALUE_NUMBER;
		break;
	}
	return value;
}

struct value value_of_text(struct span text)
{
	return (struct value){ .kind = VALUE_TEXT, .unchecked = true, .text = text };
}

bool value_fault_set(struct value_fault *fault, enum dead_reason reason, const char *fmt, ...)
{
	va_list args;

	fault->reason = reason;
	va_start(args, fmt);
	vsnprintf(fault->what, sizeof(fault->what), fmt, args);
	va_end(args);
	return false;
}

static bool has_nul(struct span text)
{
	return text.len > 0 && memchr(text.data, '\0', text.len) != NULL;
}

bool value_read_string(const struct value *value, struct arena *arena, struct span *out,
		       struct value_fault *fault)
{
	enum scan_odd odd = SCAN_ODD_NONE;
	struct span text = value->text;

	if (value->kind != VALUE_TEXT)
		return value_fault_set(fault, DEAD_BAD_TYPE, "is not a string");
	if (value->escaped) {
		char *plain = arena_alloc(arena, text.len + 1);

		text.len = scan_unescape(text, plain, &odd);
		text.data = plain;
	}
	if (odd == SCAN_ODD_NUL)
		return value_fault_set(fault, DEAD_NUL_BYTE, "has the escape \\u0000");
	if (odd == SCAN_ODD_SURROGATE)
		return value_fault_set(fault, DEAD_NOT_UTF8, "has half a surrogate pair");
	if (value->unchecked && !scan_is_utf8(text))
		return value_fault_set(fault, DEAD_NOT_UTF8, "is not UTF-8");
	if (value->unchecked && has_nul(text))
		return value_fault_set(fault, DEAD_NUL_BYTE, "has a NUL byte");
	*out = text;
	return true;
}

bool value_read_text(const struct value *value, struct arena *arena, size_t len_min,
		     struct span *out, struct value_fault *fault)
{
	struct span text;

	if (!value_read_string(value, arena, &text, fault))
		return false;
	if (text.len < len_min)
		return value_fault_set(fault, DEAD_OUT_OF_RANGE, "is empty");
	if (text.len > TEXT_BYTES_MAX)
		return value_fault_set(fault, DEAD_OUT_OF_RANGE, "is longer than %d bytes",
				       TEXT_BYTES_MAX);
	*out = text;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The common case: nothing but a few digits. */
static bool read_plain_count(struct span number, int64_t *out)
{
	int64_t value = 0;

	if (number.len > DIGITS_SURE)
		return false;
	for (size_t i = 0; i < number.len; i++) {
		if (!is_digit(number.data[i]))
			return false;
		value = value * 10 + (number.data[i] - '0');
	}
	*out = value;
	return true;
}

bool value_read_count(const struct value *value, int64_t *out, struct value_fault *fault)
{
	double number;

	if (value->kind != VALUE_NUMBER)
		return value_fault_set(fault, DEAD_BAD_TYPE, "is not an integer");
	if (read_plain_count(value->text, out))
		return true;
	number = number_double(value->text);
	if (isfinite(number) && number != trunc(number))
		return value_fault_set(fault, DEAD_BAD_TYPE, "is not an integer");
	if (number < 0)
		return value_fault_set(fault, DEAD_OUT_OF_RANGE, "is negative");
	/* 2^53 + 1 becomes 2^53 in a double. */
	if (number > COUNT_MAX || (number == COUNT_MAX && scan_above_2_53(value->text)))
		return value_fault_set(fault, DEAD_OUT_OF_RANGE, "is above 2^53");
	*out = (int64_t)number;
	return true;
}

bool value_read_number(const struct value *value, double max, double *out,
		       struct value_fault *fault)
{
	double number;

	if (value->kind != VALUE_NUMBER)
		return value_fault_set(fault, DEAD_BAD_TYPE, "is not a number");
	number = number_double(value->text);
	if (number < 0)
		return value_fault_set(fault, DEAD_OUT_OF_RANGE, "is negative");
	if (number > max)
		return value_fault_set(fault, DEAD_OUT_OF_RANGE, "is above %.0f", max);
	*out = number;
	return true;
}

bool text_is_number(struct span text)
{
	struct scan scan;

	return text.len > 0 && text.len < NUMBER_BYTES_MAX &&
	       (text.data[0] == '-' || is_digit(text.data[0])) && scan_whole(text, 1, &scan) &&
	       is_digit(text.data[text.len - 1]);
}

double number_double(struct span number)
{
	char copy[NUMBER_BYTES_MAX];
	int64_t count;

	if (read_plain_count(number, &count))
		return (double)count;
	/* A number that is longer stands in JSON, and there something follows it that ends it for
	 * strtod too; a shorter one may be the last thing in its memory. */
	if (number.len >= sizeof(copy))
		return strtod(number.data, NULL);
	memcpy(copy, number.data, number.len);
	copy[number.len] = '\0';
	return strtod(copy, NULL);
}

struct decimal { /* digits * 10^scale */
	uint64_t digits;
	long scale;
	bool negative;
};

static long read_exponent(const char *at, const char *end)
{
	bool negative = at < end && *at == '-';
	long value = 0;

	if (at < end && (*at == '-' || *at == '+'))
		at++;
	for (; at < end; at++)
		if (value < 100000)
			value = value * 10 + (*at - '0');
	return negative ? -value : value;
}

/* The first 18 digits that count; those after them only move the scale. */
static struct decimal read_decimal(struct span number)
{
	struct decimal decimal = { 0 };
	const char *at = number.data, *end = at + number.len;
	bool fraction = false;

	if (at < end && *at == '-') {
		decimal.negative = true;
		at++;
	}
	for (; at < end && *at != 'e' && *at != 'E'; at++) {
		if (*at == '.') {
			fraction = true;
		} else if (decimal.digits < UINT64_C(100000000000000000)) {
			decimal.digits = decimal.digits * 10 + (uint64_t)(*at - '0');
			decimal.scale -= fraction;
		} else {
			decimal.scale += !fraction;
		}
	}
	if (at < end)
		decimal.scale += read_exponent(at + 1, end);
	return decimal;
}

bool number_scaled(struct span number, int exponent, int64_t *out)
{
	struct decimal decimal = read_decimal(number);
	long scale = decimal.scale + exponent;
	uint64_t value = decimal.digits;

	for (; scale < 0 && value > 0; scale++)
		value /= 10;
	for (; scale > 0 && value > 0; scale--) {
		if (value > INT64_MAX / 10)
			return false;
		value *= 10;
	}
	*out = decimal.negative ? -(int64_t)value : (int64_t)value;
	return true;
}
