/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_scan: JSON as bytes, before and beside cJSON. Part of `decode`.
 *
 * scan_document() is a strict validator of RFC 8259 and of UTF-8 (RFC 3629: no surrogates, no
 * overlong forms) that never recurses, so a million levels of nesting cost nothing. What it passes,
 * the other functions walk without checking anything again: they may only be given text that it
 * passed. All of them stay inside the span; none needs a terminating NUL.
 *
 * \u0000 and a lone surrogate are legal JSON and no text that can be kept. Here they are called odd
 * escapes: harmless where nobody reads them, told by scan_unescape() where somebody does.
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

/* What a string without its quotes stands for, into out, which has room for as many bytes; returns
 * the length. *odd: the worst escape in it that stands for no character that can be kept. */
enum scan_odd { SCAN_ODD_NONE, SCAN_ODD_SURROGATE, SCAN_ODD_NUL };
size_t scan_unescape(struct span text, char *out, enum scan_odd *odd);

/* Whether these bytes are UTF-8. For text that no scan has passed. */
bool scan_is_utf8(struct span text);

/* Whether a number, not negative, is above 2^53: exactly, by its digits. */
bool scan_above_2_53(struct span number);

#endif
