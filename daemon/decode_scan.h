/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_scan: JSON as bytes, before and beside cJSON. Part of `decode`.
 *
 * scan_document() is a strict validator of RFC 8259 and of UTF-8 (RFC 3629: no surrogates, no
 * overlong forms) that never recurses, so a million levels of nesting cost nothing. What it passes,
 * the other functions walk without checking anything again: they may only be given text that it
 * passed. All of them stay inside the span; none needs a terminating NUL.
 *
 * cJSON cuts a string at \u0000 and refuses a lone surrogate, both legal JSON. Here they are called
 * odd escapes: the scan reports them, and scan_patch() makes them harmless.
 */
#ifndef TOKENTALLY_DECODE_SCAN_H
#define TOKENTALLY_DECODE_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "event.h"
#include "text.h"

#define SCAN_DEPTH_MAX 1000 /* cJSON goes no deeper */

struct scan {
	size_t end;		 /* ok: length of the document, without what follows it */
	bool odd_escapes;	 /* ok: it has \u0000 or a lone surrogate */
	enum dead_reason reason; /* not ok: DEAD_NOT_UTF8, _NUL_BYTE, _TOO_DEEP or _NOT_JSON */
	const char *what;	 /* not ok: what is wrong, for people */
	size_t at;		 /* not ok: and at which byte */
};

/* Reads one document at the start of text; leading white space is fine. Of several faults the
 * encoding's is told (bad UTF-8, then NUL, anywhere in text), else the first one. */
bool scan_document(struct span text, int depth_max, struct scan *out);
/* The same for text that has to be one document and nothing else. */
bool scan_whole(struct span text, int depth_max, struct scan *out);

/* The four bytes that JSON calls white space, off both ends. */
struct span scan_trim(struct span text);

/* Takes the next non-blank line off *rest, trimmed; false when there is none. */
bool scan_line(struct span *rest, struct span *line);

/* *rest is what follows the opening bracket of an array, or brace of an object; each call takes the
 * next element or member off it. False at the end. A key is without its quotes, and as escaped as
 * it was sent. */
bool scan_element(struct span *rest, struct span *value);
bool scan_member(struct span *rest, struct span *key, struct span *value);

/* The bytes a key stands for, into out. False when it has none of at most cap ASCII bytes: then it
 * is no key of ours. */
bool scan_key(struct span key, char *out, size_t cap, size_t *len);

/* Copies text to out (same length), \u0000 as \uFFFF and lone surrogates as \uFFFE: noncharacters,
 * which the reader of a string finds again. */
void scan_patch(struct span text, char *out);
#define SCAN_PATCHED_NUL "\xef\xbf\xbf"
#define SCAN_PATCHED_SURROGATE "\xef\xbf\xbe"

/* Whether a number, not negative, is above 2^53: exactly, by its digits. */
bool scan_above_2_53(struct span number);

#endif
