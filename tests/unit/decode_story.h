/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_story: what decode makes of a message, written down as text, so that a test is a message
 * and the sentence it should become: "event alice; bad_type: team is not a string; event bob". For
 * the tests of decode only.
 */
#ifndef TOKENTALLY_DECODE_STORY_H
#define TOKENTALLY_DECODE_STORY_H

#include <stddef.h>

#include "decode.h"

#define STORY_MESSAGE_BYTES_MAX (1 << 20)
#define STORY_DEPTH_MAX 32

/* A literal with its length: NUL bytes count. */
#define BYTES(literal) SPAN(literal)

/* The three required fields, a record of them, and one with more. The decoder's clock stands at
 * NOON. */
#define NOON "2026-11-23T12:00:00Z"
#define CALL_BY(user) "{\"time\":\"" NOON "\",\"user\":\"" user "\",\"model\":\"m\"}"
#define CALL CALL_BY("alice")
#define CALL_WITH(members) "{\"time\":\"" NOON "\",\"user\":\"alice\",\"model\":\"m\"," members "}"

int64_t noon_us(void);

/* Decodes from a heap block of exactly the message's size, so that a sanitizer sees a read beyond
 * it. The story lives until the next call. */
const char *story_of(enum format format, struct span message);
/* The story without details: "event; bad_type; event". */
const char *outcome_of(enum format format, struct span message);
/* The last record of the message, which must be an event. Its spans are valid until the next call.
 */
const struct event *event_of(struct span message);

struct story_case {
	const char *behaviour;
	struct span message;
	const char *story;
};
/* Runs a table under FORMAT_NATIVE; says the behaviour of a row that fails. */
void check_stories(const struct story_case *cases, size_t count);
#define CHECK_STORIES(cases) check_stories((cases), sizeof(cases) / sizeof((cases)[0]))

#endif
