/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_value: one value of a message where it stands, and typed reading of it. Part of `decode`.
 *
 * A value is a span into the message: nothing is copied before somebody reads it, so what nobody
 * asks for (a prompt) is never copied at all.
 */
#ifndef TOKENTALLY_DECODE_VALUE_H
#define TOKENTALLY_DECODE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "event.h"
#include "mem.h"
#include "text.h"

enum value_kind {
	VALUE_NONE,
	VALUE_NULL,
	VALUE_TEXT,
	VALUE_NUMBER,
	VALUE_BOOL,
	VALUE_OTHER, /* an object or an array */
};

struct value {
	uint8_t kind;	  /* enum value_kind */
	bool escaped;	  /* VALUE_TEXT: with JSON's escapes, as it was sent */
	bool unchecked;	  /* VALUE_TEXT: nobody looked yet whether it is UTF-8 */
	bool twice;	  /* its key stands twice in its object */
	struct span text; /* VALUE_TEXT: without quotes; else as it was sent */
};

/* json: a value that passed scan_document(), followed by another byte of the document. */
struct value value_of_json(struct span json);
struct value value_of_text(struct span text); /* to be checked when it is read */

/* Why a value was not read. The readers below fill it and return false; *out is then untouched. */
struct value_fault {
	enum dead_reason reason;
	char what[96];
};
bool value_fault_set(struct value_fault *fault, enum dead_reason reason, const char *fmt, ...)
    ATTR_PRINTF(3, 4);

/* Any string that can be kept: UTF-8, no NUL, no half of a surrogate pair. */
bool value_read_string(const struct value *value, struct arena *arena, struct span *out,
		       struct value_fault *fault);
/* The same of len_min to 256 bytes. */
bool value_read_text(const struct value *value, struct arena *arena, size_t len_min,
		     struct span *out, struct value_fault *fault);
/* An integer from 0 to 2^53; 5.0 and 1e2 are integers. */
bool value_read_count(const struct value *value, int64_t *out, struct value_fault *fault);
/* A number from 0 to max. */
bool value_read_number(const struct value *value, double max, double *out,
		       struct value_fault *fault);

#define TEXT_BYTES_MAX 256

/* Whether all of text is a number of JSON. */
bool text_is_number(struct span text);
/* number * 10^exponent, exactly, the fraction cut off. False: not within int64. */
bool number_scaled(struct span number, int exponent, int64_t *out);
/* The double nearest to a number of JSON. */
double number_double(struct span number);

#endif
