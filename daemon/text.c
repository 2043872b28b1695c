/* SPDX-License-Identifier: Apache-2.0
 *
 * text: see text.h. Numbers are read digit by digit: strtol and its kin take blanks, signs and
 * other bases, and need a NUL.
 */
#include "autoconf.h"

#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define BUF_BYTES_FIRST 64
#define WORD_BYTES_MAX 64 /* of a word that nearest_word looks at */

struct unit {
	const char *name;
	int64_t factor;
};

struct span span_of(const char *text)
{
	return (struct span){ text, strlen(text) };
}

bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool span_is(struct span a, const char *text)
{
	return span_equal(a, span_of(text));
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct span span_trim(struct span s)
{
	while (s.len && is_blank(s.data[0])) {
		s.data++;
		s.len--;
	}
	while (s.len && is_blank(s.data[s.len - 1]))
		s.len--;
	return s;
}

void buf_init(struct buf *buf, size_t bytes_max)
{
	static char empty[1]; /* never written to: capacity is 0 */

	*buf = (struct buf){ .data = empty, .bytes_max = bytes_max };
}

void buf_release(struct buf *buf)
{
	if (buf->capacity)
		free(buf->data);
	buf_init(buf, buf->bytes_max);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->truncated = false;
	if (buf->capacity)
		buf->data[0] = '\0';
}

/* Makes room for len more bytes and the NUL; returns how many of them fit under the maximum. */
static size_t buf_reserve(struct buf *buf, size_t len)
{
	size_t capacity = buf->capacity;

	if (len > buf->bytes_max - buf->len) {
		len = buf->bytes_max - buf->len;
		buf->truncated = true;
	}
	if (buf->len + len < capacity || !len)
		return len;
	if (capacity < BUF_BYTES_FIRST)
		capacity = BUF_BYTES_FIRST;
	while (capacity <= buf->len + len && capacity <= buf->bytes_max / 2)
		capacity *= 2;
	if (capacity <= buf->len + len || capacity > buf->bytes_max)
		capacity = buf->bytes_max + 1;
	buf->data = xrealloc_array(buf->capacity ? buf->data : NULL, capacity, 1);
	buf->capacity = capacity;
	return len;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
	len = buf_reserve(buf, len);
	if (!len)
		return;
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_add_text(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_addf(struct buf *buf, const char *fmt, ...)
{
	va_list args, again;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len > 0) {
		size_t room = buf_reserve(buf, (size_t)len);

		/* With no room at all there may be no memory for the NUL either. */
		if (room)
			vsnprintf(buf->data + buf->len, room + 1, fmt, again);
		buf->len += room;
	}
	va_end(again);
}

static bool not_a(struct span s, const char *what, struct err *err)
{
	char shown[64];

	text_printable(shown, sizeof(shown), s);
	return err_set(err, ERR_CONFIG, "'%s' is not %s", shown, what);
}

/* Digits at the front of s -> value, and s goes on behind them. False: no digit, or too large. */
static bool take_digits(struct span *s, int64_t *value)
{
	size_t i;
	int64_t sum = 0;

	for (i = 0; i < s->len && s->data[i] >= '0' && s->data[i] <= '9'; i++) {
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, s->data[i] - '0', &sum))
			return false;
	}
	if (!i)
		return false;
	s->data += i;
	s->len -= i;
	*value = sum;
	return true;
}

bool parse_int64(struct span s, int64_t min, int64_t max, int64_t *out, struct err *err)
{
	struct span rest = s;
	bool minus = s.len && s.data[0] == '-';
	int64_t value;

	if (minus) {
		rest.data++;
		rest.len--;
	}
	/* The smallest int64 has no positive twin. */
	if (minus && span_is(rest, "9223372036854775808")) {
		value = INT64_MIN;
	} else {
		if (!take_digits(&rest, &value) || rest.len)
			return not_a(s, "a whole number", err);
		value = minus ? -value : value;
	}
	if (value < min || value > max)
		return err_set(err, ERR_CONFIG, "%lld is not in %lld..%lld", (long long)value,
			       (long long)min, (long long)max);
	*out = value;
	return true;
}

/* Digits and one of the units; a unit named "" allows none. */
static bool parse_scaled(struct span s, const struct unit *units, int64_t *out)
{
	struct span rest = s;
	int64_t value;

	if (!take_digits(&rest, &value))
		return false;
	for (; units->name; units++) {
		if (span_is(rest, units->name))
			return !__builtin_mul_overflow(value, units->factor, out);
	}
	return false;
}

bool parse_duration_ms(struct span s, int64_t *out_ms, struct err *err)
{
	static const struct unit units[] = {
		{ "ms", 1 },	      { "s", 1000 },	     { "m", 60 * 1000 },
		{ "h", 3600 * 1000 }, { "d", 86400 * 1000 }, { NULL, 0 },
	};
	int64_t value;

	if (span_is(s, "0"))
		value = 0;
	else if (!parse_scaled(s, units, &value))
		return not_a(s, "a duration (such as 500ms, 10s, 5m, 2h, 14d)", err);
	*out_ms = value;
	return true;
}

bool parse_size(struct span s, uint64_t *out_bytes, struct err *err)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "K", INT64_C(1) << 10 },
		{ "M", INT64_C(1) << 20 },
		{ "G", INT64_C(1) << 30 },
		{ "T", INT64_C(1) << 40 },
		{ NULL, 0 },
	};
	int64_t value;

	if (!parse_scaled(s, units, &value))
		return not_a(s, "a size (bytes, or such as 512K, 64M, 1G)", err);
	*out_bytes = (uint64_t)value;
	return true;
}

bool parse_count(struct span s, int64_t *out, struct err *err)
{
	static const struct unit units[] = {
		{ "", 1 },	  { "k", 1000 },       { "K", 1000 },
		{ "M", 1000000 }, { "G", 1000000000 }, { NULL, 0 },
	};
	int64_t value;

	if (!parse_scaled(s, units, &value))
		return not_a(s, "a count (such as 1000, 500k, 20M)", err);
	*out = value;
	return true;
}

bool parse_bool(struct span s, bool *out, struct err *err)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on", "0", "1" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (span_is(s, words[i])) {
			*out = i % 2;
			return true;
		}
	}
	return not_a(s, "true or false", err);
}

/* Levenshtein: how many bytes to put in, take out or change. Both at most WORD_BYTES_MAX long. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[WORD_BYTES_MAX + 1];
	size_t len = strlen(b);

	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[len];
}

const char *nearest_word(const char *word, const char *const *words)
{
	const char *nearest = NULL;
	size_t least = strlen(word) / 3 + 2; /* what is this far off is another word */

	if (strlen(word) > WORD_BYTES_MAX)
		return NULL;
	for (; *words; words++) {
		size_t distance;

		if (strlen(*words) > WORD_BYTES_MAX)
			continue;
		distance = edit_distance(word, *words);
		if (distance < least) {
			least = distance;
			nearest = *words;
		}
	}
	return nearest;
}

static bool in_range(unsigned char c, unsigned char first, unsigned char last)
{
	return c >= first && c <= last;
}

/* How long the character at the start of s is, 0 when it is not UTF-8 or is a control character. */
static size_t printable_len(struct span s)
{
	const unsigned char *c = (const unsigned char *)s.data;
	size_t len;

	if (c[0] < 0x80)
		return c[0] >= ' ' && c[0] != 0x7f;
	len = in_range(c[0], 0xc2, 0xdf)   ? 2
	      : in_range(c[0], 0xe0, 0xef) ? 3
	      : in_range(c[0], 0xf0, 0xf4) ? 4
					   : 0;
	if (!len || s.len < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if (!in_range(c[i], 0x80, 0xbf))
			return 0;
	}
	/* C1 controls, overlong forms, surrogates, beyond U+10FFFF. */
	if ((c[0] == 0xc2 && c[1] < 0xa0) || (c[0] == 0xe0 && c[1] < 0xa0) ||
	    (c[0] == 0xed && c[1] > 0x9f) || (c[0] == 0xf0 && c[1] < 0x90) ||
	    (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return len;
}

void text_printable(char *out, size_t cap, struct span s)
{
	size_t used = 0;

	if (!cap)
		return;
	while (s.len) {
		size_t len = printable_len(s);
		size_t room = len ? len : 4;

		if (room >= cap - used)
			break;
		if (len)
			memcpy(out + used, s.data, len);
		else
			snprintf(out + used, cap - used, "\\x%02x",
				 (unsigned)(unsigned char)s.data[0]);
		used += room;
		s.data += len ? len : 1;
		s.len -= len ? len : 1;
	}
	out[used] = '\0';
}
