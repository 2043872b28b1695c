/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_story: see decode_story.h.
 */
#include "autoconf.h"

#include "decode_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "period.h"

struct story {
	struct buf text;
	bool with_details;
	int records;
	struct span message;
};

static struct buf last_text;
static struct event last_event;
static char last_texts[7][256]; /* what its spans point to */

int64_t noon_us(void)
{
	int64_t us = 0;

	assert_true(period_parse_rfc3339(span_of(NOON), &us));
	return us;
}

static void keep_event(const struct event *event)
{
	struct span *texts[7];

	last_event = *event;
	texts[0] = &last_event.user;
	texts[1] = &last_event.model;
	texts[2] = &last_event.provider;
	texts[3] = &last_event.team;
	texts[4] = &last_event.app;
	texts[5] = &last_event.session;
	texts[6] = &last_event.event_id;
	for (int i = 0; i < 7; i++) {
		assert_in_range(texts[i]->len, 0, sizeof(last_texts[i]));
		if (texts[i]->len > 0)
			memcpy(last_texts[i], texts[i]->data, texts[i]->len);
		texts[i]->data = last_texts[i];
	}
}

static void write_record(void *ctx, const struct record *record)
{
	struct story *story = ctx;

	assert_int_equal(record->index, story->records);
	if (story->records++ > 0)
		buf_add_text(&story->text, "; ");
	if (record->kind == RECORD_EVENT) {
		buf_add_text(&story->text, "event");
		if (story->with_details)
			buf_addf(&story->text, " %.*s", (int)record->event.user.len,
				 record->event.user.data);
		keep_event(&record->event);
		return;
	}
	assert_int_equal(record->kind, RECORD_DEAD);
	buf_add_text(&story->text, dead_reason_name(record->reason));
	if (story->with_details)
		buf_addf(&story->text, ": %s", record->detail);
	/* A dead letter carries its own bytes. */
	if (story->message.len > 0) {
		assert_true(record->raw.data >= story->message.data);
		assert_true(record->raw.data + record->raw.len <=
			    story->message.data + story->message.len);
	}
}

static const char *decode(enum format format, struct span message, bool with_details)
{
	const struct decode_limits limits = {
		.message_bytes_max = STORY_MESSAGE_BYTES_MAX,
		.depth_max = STORY_DEPTH_MAX,
		.future_us_max = 5 * US_PER_MINUTE,
		.age_us_max = 35 * US_PER_DAY,
	};
	struct decoder *decoder = decoder_new(&limits);
	struct story story = { .with_details = with_details, .message = message };
	char *copy = NULL;

	if (message.data != NULL) {
		copy = malloc(message.len);
		assert_true(copy != NULL || message.len == 0);
		memcpy(copy, message.data, message.len);
		story.message.data = copy;
	}
	buf_init(&story.text, 1 << 20);
	buf_add_text(&story.text, "");
	decode_message(decoder, format, story.message, noon_us(), write_record, &story);
	assert_true(story.records > 0);
	free(copy);
	decoder_free(decoder);
	if (last_text.data != NULL)
		buf_release(&last_text);
	last_text = story.text;
	return last_text.data;
}

const char *story_of(enum format format, struct span message)
{
	return decode(format, message, true);
}

const char *outcome_of(enum format format, struct span message)
{
	return decode(format, message, false);
}

const struct event *event_of(struct span message)
{
	const char *outcome = story_of(FORMAT_NATIVE, message);

	if (strncmp(outcome, "event", 5) != 0)
		fail_msg("not an event: %s", outcome);
	return &last_event;
}

void check_stories(const struct story_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *story = story_of(FORMAT_NATIVE, cases[i].message);

		if (strcmp(story, cases[i].story) != 0)
			fail_msg("%s:\n  is       '%s'\n  expected '%s'", cases[i].behaviour, story,
				 cases[i].story);
	}
}
