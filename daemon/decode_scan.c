/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_scan: see decode_scan.h. The validator is a loop over two questions, "a value" and "what
 * may stand after a value"; which containers are open is one bit a level. Its time goes into
 * strings, so plain ASCII in them is passed eight bytes at a time.
 */
#include "autoconf.h"

#include "decode_scan.h"

#include <stdint.h>
#include <string.h>

#define BYTES(b) (UINT64_C(0x0101010101010101) * (b))

struct scanner {
	const uint8_t *at, *end;
	int depth, depth_max;
	uint64_t objects[SCAN_DEPTH_MAX / 64 + 1]; /* bit of a level: an object, not an array */
	enum dead_reason reason;
	const char *what;
};

static bool fault(struct scanner *s, enum dead_reason reason, const char *what)
{
	s->reason = reason;
	s->what = what;
	return false;
}

static bool syntax(struct scanner *s, const char *what)
{
	return fault(s, DEAD_NOT_JSON, s->at == s->end ? "ends too early" : what);
}

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

static bool is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

static const uint8_t *pass_blanks(const uint8_t *at, const uint8_t *end)
{
	while (at < end && is_blank(*at))
		at++;
	return at;
}

/* Bytes of a string that mean themselves: ASCII but quote, backslash and control characters. */
static bool is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* The first byte that is not plain, or end. The subtractions set the high bit of a byte below 0x20,
 * of a quote and of a backslash; a borrow can reach only bytes after such a one, so the first mark
 * is right. */
static const uint8_t *pass_plain(const uint8_t *at, const uint8_t *end)
{
	for (; end - at >= 8; at += 8) {
		uint64_t word, marks;

		memcpy(&word, at, sizeof(word));
		marks = (word - BYTES(0x20)) | ((word ^ BYTES('"')) - BYTES(1)) |
			((word ^ BYTES('\\')) - BYTES(1)) | word;
		marks &= BYTES(0x80);
		if (marks == 0)
			continue;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		return at + __builtin_ctzll(marks) / 8;
#else
		break;
#endif
	}
	while (at < end && is_plain(*at))
		at++;
	return at;
}

/* Length of the UTF-8 sequence at `at` of a character beyond ASCII, 0 when it is none: table 3-7 of
 * Unicode. */
static size_t utf8_len(const uint8_t *at, const uint8_t *end)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t len;

	if (*at < 0xc2 || *at > 0xf4)
		return 0;
	len = *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
	if ((size_t)(end - at) < len)
		return 0;
	if (*at == 0xe0)
		low = 0xa0;
	else if (*at == 0xed)
		high = 0x9f;
	else if (*at == 0xf0)
		low = 0x90;
	else if (*at == 0xf4)
		high = 0x8f;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/* Four hexadecimal digits, or -1. */
static int hex4(const uint8_t *at, const uint8_t *end)
{
	int value = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		uint8_t digit = at[i];

		if (is_digit(digit))
			digit -= '0';
		else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
			digit = (digit | 0x20) - 'a' + 10;
		else
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* Length of the escape whose backslash is at `at`, 0 when it is none; a surrogate pair is one
 * escape. *code is its UTF-16 unit (the first of a pair), or 1 where it is not of the \u form; *odd
 * as in the header. */
static size_t escape_len(const uint8_t *at, const uint8_t *end, int *code, bool *odd)
{
	int low;

	*odd = false;
	*code = 1;
	if (end - at < 2)
		return 0;
	if (at[1] != 'u')
		return at[1] != '\0' && strchr("\"\\/bfnrt", at[1]) != NULL ? 2 : 0;
	*code = hex4(at + 2, end);
	if (*code < 0)
		return 0;
	if (*code >= 0xd800 && *code < 0xdc00 && end - at >= 8 && at[6] == '\\' && at[7] == 'u') {
		low = hex4(at + 8, end);
		if (low >= 0xdc00 && low < 0xe000)
			return 12;
	}
	*odd = *code == 0 || (*code >= 0xd800 && *code < 0xe000);
	return 6;
}

static bool read_escape(struct scanner *s)
{
	bool odd;
	int code;
	size_t len = escape_len(s->at, s->end, &code, &odd);

	if (len == 0)
		return fault(s, DEAD_NOT_JSON, "bad escape");
	s->at += len;
	return true;
}

/* At the opening quote; ends behind the closing one. */
static bool read_string(struct scanner *s)
{
	s->at++;
	while (true) {
		size_t len;

		s->at = pass_plain(s->at, s->end);
		if (s->at == s->end)
			return syntax(s, "");
		if (*s->at == '"')
			break;
		if (*s->at == '\\') {
			if (!read_escape(s))
				return false;
			continue;
		}
		if (*s->at < 0x20)
			return fault(s, DEAD_NOT_JSON, "control character in a string");
		len = utf8_len(s->at, s->end);
		if (len == 0)
			return fault(s, DEAD_NOT_UTF8, "bad UTF-8");
		s->at += len;
	}
	s->at++;
	return true;
}

static bool read_digits(struct scanner *s)
{
	const uint8_t *from = s->at;

	while (s->at < s->end && is_digit(*s->at))
		s->at++;
	return s->at > from || syntax(s, "bad number");
}

static bool read_number(struct scanner *s)
{
	if (*s->at == '-')
		s->at++;
	if (s->at < s->end && *s->at == '0')
		s->at++; /* a digit after it is not part of the number, hence an error for the
			    caller */
	else if (!read_digits(s))
		return false;
	if (s->at < s->end && *s->at == '.') {
		s->at++;
		if (!read_digits(s))
			return false;
	}
	if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
		s->at++;
		if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
			s->at++;
		return read_digits(s);
	}
	return true;
}

static bool read_literal(struct scanner *s)
{
	static const struct span words[] = { { "true", 4 }, { "false", 5 }, { "null", 4 } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((size_t)(s->end - s->at) < words[i].len ||
		    memcmp(s->at, words[i].data, words[i].len) != 0)
			continue;
		s->at += words[i].len;
		return true;
	}
	return syntax(s, "not a JSON value");
}

static bool in_object(const struct scanner *s)
{
	return s->objects[s->depth / 64] >> (s->depth % 64) & 1;
}

static bool open_container(struct scanner *s, bool object)
{
	uint64_t bit;

	if (s->depth == s->depth_max)
		return fault(s, DEAD_TOO_DEEP, "nested too deeply");
	s->depth++;
	bit = UINT64_C(1) << (s->depth % 64);
	if (object)
		s->objects[s->depth / 64] |= bit;
	else
		s->objects[s->depth / 64] &= ~bit;
	s->at = pass_blanks(s->at + 1, s->end);
	return true;
}

static bool read_key(struct scanner *s)
{
	if (s->at == s->end || *s->at != '"')
		return syntax(s, "no key");
	if (!read_string(s))
		return false;
	s->at = pass_blanks(s->at, s->end);
	if (s->at == s->end || *s->at != ':')
		return syntax(s, "no colon after a key");
	s->at++;
	return true;
}

/* Goes down to the first scalar or empty container. */
static bool read_value(struct scanner *s)
{
	while (true) {
		bool object;

		s->at = pass_blanks(s->at, s->end);
		if (s->at == s->end)
			return syntax(s, "");
		if (*s->at == '"')
			return read_string(s);
		if (*s->at == '-' || is_digit(*s->at))
			return read_number(s);
		object = *s->at == '{';
		if (!object && *s->at != '[')
			return read_literal(s);
		if (!open_container(s, object))
			return false;
		if (s->at < s->end && *s->at == (object ? '}' : ']')) {
			s->at++;
			s->depth--;
			return true;
		}
		if (object && !read_key(s))
			return false;
	}
}

/* Behind a value: closes what ends here, up to the place of the next value or the end of the
 * document. */
static bool read_after_value(struct scanner *s)
{
	while (s->depth > 0) {
		bool object = in_object(s);

		s->at = pass_blanks(s->at, s->end);
		if (s->at == s->end)
			return syntax(s, "");
		if (*s->at == ',') {
			s->at = pass_blanks(s->at + 1, s->end);
			return !object || read_key(s);
		}
		if (*s->at != (object ? '}' : ']'))
			return syntax(s, object ? "no comma or brace after a value"
						: "no comma or bracket after a value");
		s->at++;
		s->depth--;
	}
	return true;
}

/* Only for text with a fault: an encoding that is broken anywhere is the better explanation. */
static void prefer_encoding_fault(struct scanner *s, const uint8_t *begin)
{
	const uint8_t *nul = memchr(begin, '\0', (size_t)(s->end - begin));

	for (const uint8_t *at = begin; at < s->end;) {
		size_t len = *at < 0x80 ? 1 : utf8_len(at, s->end);

		if (len == 0) {
			s->at = at;
			fault(s, DEAD_NOT_UTF8, "bad UTF-8");
			return;
		}
		at += len;
	}
	if (nul != NULL) {
		s->at = nul;
		fault(s, DEAD_NUL_BYTE, "NUL byte");
	}
}

static bool scan(struct span text, int depth_max, bool whole, struct scan *out)
{
	struct scanner s;
	const uint8_t *begin = (const uint8_t *)text.data;
	bool ok;

	s.at = begin;
	s.end = begin + text.len;
	s.depth = 0;
	s.depth_max = depth_max < SCAN_DEPTH_MAX ? depth_max : SCAN_DEPTH_MAX;
	do
		ok = read_value(&s) && read_after_value(&s);
	while (ok && s.depth > 0);
	if (ok && whole && pass_blanks(s.at, s.end) < s.end)
		ok = fault(&s, DEAD_NOT_JSON, "text after the document");
	if (ok) {
		*out = (struct scan){ .end = (size_t)(s.at - begin) };
		return true;
	}
	prefer_encoding_fault(&s, begin);
	*out = (struct scan){ .reason = s.reason, .what = s.what, .at = (size_t)(s.at - begin) };
	return false;
}

bool scan_document(struct span text, int depth_max, struct scan *out)
{
	return scan(text, depth_max, false, out);
}

bool scan_whole(struct span text, int depth_max, struct scan *out)
{
	return scan(text, depth_max, true, out);
}

struct span scan_trim(struct span text)
{
	const uint8_t *at = (const uint8_t *)text.data, *end = at + text.len;

	at = pass_blanks(at, end);
	while (end > at && is_blank(end[-1]))
		end--;
	return (struct span){ (const char *)at, (size_t)(end - at) };
}

bool scan_line(struct span *rest, struct span *line)
{
	while (rest->len > 0) {
		const char *newline = memchr(rest->data, '\n', rest->len);
		size_t len = newline == NULL ? rest->len : (size_t)(newline - rest->data);

		*line = scan_trim((struct span){ rest->data, len });
		len += newline != NULL;
		rest->data += len;
		rest->len -= len;
		if (line->len > 0)
			return true;
	}
	return false;
}

/* From here on, text is known to be valid. */

/* At the opening quote; returns what follows the closing one. */
static const uint8_t *pass_string(const uint8_t *at, const uint8_t *end)
{
	at++;
	while (*(at = pass_plain(at, end)) != '"')
		at += *at == '\\' ? 2 : 1;
	return at + 1;
}

static const uint8_t *pass_value(const uint8_t *at, const uint8_t *end)
{
	int depth = 0;

	while (at < end) {
		if (*at == '"') {
			at = pass_string(at, end);
			if (depth == 0)
				return at;
			continue;
		}
		if (*at == '{' || *at == '[')
			depth++;
		else if (*at == '}' || *at == ']')
			depth--;
		else if (depth == 0 && (*at == ',' || is_blank(*at)))
			return at;
		/* Below zero: the bracket that closes what the value is in. */
		if (depth < 0)
			return at;
		at++;
		if (depth == 0 && (at[-1] == '}' || at[-1] == ']'))
			return at;
	}
	return at;
}

/* Takes a value off *at, and the comma after it. */
static struct span take_value(const uint8_t **at, const uint8_t *end)
{
	const uint8_t *from = pass_blanks(*at, end), *to = pass_value(from, end);

	*at = pass_blanks(to, end);
	if (*at < end && **at == ',')
		*at = pass_blanks(*at + 1, end);
	return (struct span){ (const char *)from, (size_t)(to - from) };
}

bool scan_element(struct span *rest, struct span *value)
{
	const uint8_t *at = (const uint8_t *)rest->data, *end = at + rest->len;

	at = pass_blanks(at, end);
	if (at == end || *at == ']')
		return false;
	*value = take_value(&at, end);
	*rest = (struct span){ (const char *)at, (size_t)(end - at) };
	return true;
}

bool scan_member(struct span *rest, struct span *key, struct span *value)
{
	const uint8_t *at = (const uint8_t *)rest->data, *end = at + rest->len, *key_end;

	at = pass_blanks(at, end);
	if (at == end || *at == '}')
		return false;
	key_end = pass_string(at, end);
	*key = (struct span){ (const char *)at + 1, (size_t)(key_end - at) - 2 };
	at = pass_blanks(key_end, end) + 1; /* the colon */
	*value = take_value(&at, end);
	*rest = (struct span){ (const char *)at, (size_t)(end - at) };
	return true;
}

bool scan_key(struct span key, char *out, size_t cap, size_t *len)
{
	const uint8_t *at = (const uint8_t *)key.data, *end = at + key.len;
	size_t used = 0;

	while (at < end) {
		int code = *at;
		size_t step = 1;
		bool odd;

		if (code == '\\') {
			step = escape_len(at, end, &code, &odd);
			/* The short escapes stand for quotes, slashes and control characters: in no
			 * key of ours. */
			if (step == 2)
				return false;
		}
		if (code >= 0x80 || used == cap)
			return false;
		out[used++] = (char)code;
		at += step;
	}
	*len = used;
	return true;
}

static size_t put_utf8(char *out, uint32_t code)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* The character of an escape of len bytes at `at`, as escape_len() told them. */
static uint32_t escape_code(const uint8_t *at, const uint8_t *end, size_t len, int code)
{
	static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";

	if (len == 2) {
		const char *letter = strchr(letters, at[1]);

		return letter == NULL ? at[1] : (uint8_t)meant[letter - letters];
	}
	if (len == 12)
		return 0x10000 + (((uint32_t)code & 0x3ff) << 10) +
		       ((uint32_t)hex4(at + 8, end) & 0x3ff);
	return (uint32_t)code;
}

size_t scan_unescape(struct span text, char *out, enum scan_odd *odd)
{
	const uint8_t *at = (const uint8_t *)text.data, *end = at + text.len, *escape;
	char *to = out;

	*odd = SCAN_ODD_NONE;
	while ((escape = memchr(at, '\\', (size_t)(end - at))) != NULL) {
		bool is_odd;
		int code;
		size_t len = escape_len(escape, end, &code, &is_odd);

		memcpy(to, at, (size_t)(escape - at));
		to += escape - at;
		if (is_odd && *odd != SCAN_ODD_NUL)
			*odd = code == 0 ? SCAN_ODD_NUL : SCAN_ODD_SURROGATE;
		if (!is_odd)
			to += put_utf8(to, escape_code(escape, end, len, code));
		at = escape + len;
	}
	memcpy(to, at, (size_t)(end - at));
	return (size_t)(to - out) + (size_t)(end - at);
}

bool scan_is_utf8(struct span text)
{
	const uint8_t *at = (const uint8_t *)text.data, *end = at + text.len;

	while (at < end) {
		size_t len = *at < 0x80 ? 1 : utf8_len(at, end);

		if (len == 0)
			return false;
		at += len;
	}
	return true;
}

/* The decimal exponent behind 'e', clamped to where it decides alone. */
static long read_exponent(const char *at, const char *end)
{
	long value = 0;
	bool negative = at < end && *at == '-';

	if (at < end && (*at == '-' || *at == '+'))
		at++;
	for (; at < end; at++)
		if (value < 1000000000)
			value = value * 10 + (*at - '0');
	return negative ? -value : value;
}

bool scan_above_2_53(struct span number)
{
	static const char limit[] = "9007199254740992";
	const char *at = number.data, *end = at + number.len;
	char digits[sizeof(limit) - 1];
	size_t used = 0;
	long scale = 0; /* digits before the decimal point */
	bool fraction = false, more = false;

	for (; at < end && *at != 'e' && *at != 'E'; at++) {
		if (*at == '.') {
			fraction = true;
			continue;
		}
		if (used == 0 && *at == '0') {
			scale -= fraction;
			continue;
		}
		scale += !fraction;
		if (used < sizeof(digits))
			digits[used++] = *at;
		else
			more |= *at != '0';
	}
	if (at < end)
		scale += read_exponent(at + 1, end);
	if (used == 0 || scale != (long)sizeof(digits))
		return used > 0 && scale > (long)sizeof(digits);
	memset(digits + used, '0', sizeof(digits) - used);
	return memcmp(digits, limit, sizeof(digits)) > 0 ||
	       (more && memcmp(digits, limit, sizeof(digits)) == 0);
}
