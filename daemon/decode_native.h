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
#include "decode_json.h"

const struct json_keys *native_keys(void); /* any thread */

/* Whether it may be a native record at all: it has one of the required fields. */
bool native_knows(const struct json_record *in);

/* Fills *call, or makes the record a dead letter and returns false. The first fault is told: a
 * duplicate key, a missing field, then the fields in the order of the schema, each for its type and
 * then for its range. */
bool native_read(const struct json_record *in, struct call *call, struct record *record);

#endif
