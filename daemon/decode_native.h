/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_native: the canonical event as JSON, format `native`: schemas/model-call.schema.json as a
 * table. Part of `decode`.
 */
#ifndef TOKENTALLY_DECODE_NATIVE_H
#define TOKENTALLY_DECODE_NATIVE_H

#include <stdbool.h>

#include "decode.h"
#include "decode_call.h"
#include "decode_paths.h"
#include "mem.h"

const char *native_field_name(int field); /* 0 to NATIVE_FIELDS - 1 */

/* Slots are those of the fields, in their order. */

/* Whether it may be a native record at all: it has one of the required fields. */
bool native_knows(const struct values *values, const uint16_t *slots);

/* Fills *call, or makes the record a dead letter and returns false. The first fault is told: a
 * duplicate key, a missing field, then the fields in the order of the schema, each for its type and
 * then for its range. */
bool native_read(const struct values *values, const uint16_t *slots, struct arena *arena,
		 struct call *call, struct record *record);

#endif
