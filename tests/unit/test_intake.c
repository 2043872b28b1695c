/* SPDX-License-Identifier: Apache-2.0
 *
 * intake: each record counts once as one of four, positions move past each message, and event ids
 * are remembered by our own clock, whatever the message times do.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xxhash.h>

#include "formats.h"
#include "intake.h"
#include "mapping.h"
#include "period.h"
#include "seed.h"

#define NOW_MS INT64_C(1795428000000)
#define MINUTE_MS INT64_C(60000)
#define WINDOW_MS (60 * MINUTE_MS)
#define SLACK_MS (10 * MINUTE_MS)
#define KEEP_BYTES ((size_t)1 << 20)
#define IDS_MAX 100000
#define IDS_FEW 400
#define EVENT(rest) "{\"time\":1795428000000,\"user\":\"u\",\"model\":\"m\"" rest "}"

static char auto_format[] = "auto";
static const struct options options = {
	.ingest_format = auto_format,
	.ingest_max_message_bytes = 1 << 20,
	.ingest_max_depth = 32,
	.ingest_max_future_ms = INT64_C(400) * 24 * 60 * MINUTE_MS,
	.ingest_max_age_ms = INT64_C(400) * 24 * 60 * MINUTE_MS,
	.ingest_dedupe_window_ms = WINDOW_MS,
	.ingest_dead_letter_payload_bytes = 8,
};
static const struct source_partition partitions[] = { { "t", 0, 0 }, { "t", 1, 0 } };

struct desk { /* an intake with its live batch */
	struct mappings *mappings;
	struct intake *intake;
	struct batch *batch;
	int64_t now_ms;
};

/* times_ms: where the two partitions stood at the claim. */
static void open_desk(struct desk *desk, size_t dedupe_ids, int64_t time_0_ms, int64_t time_1_ms)
{
	const struct batch_start starts[] = { { "t", 0, 0, -1, -1, 0 }, { "t", 1, 0, -1, -1, 0 } };
	const int64_t times_ms[] = { time_0_ms, time_1_ms };

	desk->mappings = mappings_new();
	desk->intake = intake_new(&options, desk->mappings, dedupe_ids);
	desk->batch = batch_new();
	desk->now_ms = NOW_MS;
	batch_begin(desk->batch, starts, 2, KEEP_BYTES);
	intake_begin(desk->intake, partitions, times_ms, 2);
}

static void close_desk(struct desk *desk)
{
	intake_free(desk->intake);
	mappings_free(desk->mappings);
	batch_free(desk->batch);
}

static bool put_at(struct desk *desk, size_t index, int64_t offset, int64_t time_ms, const char *text)
{
	struct source_message message = { .index = index, .offset = offset, .time_ms = time_ms };

	message.payload = text ? span_of(text) : (struct span){ NULL, 0 };
	return intake_add(desk->intake, desk->batch, &message, desk->now_ms * US_PER_MS);
}

static bool put(struct desk *desk, size_t index, int64_t time_ms, const char *text)
{
	return put_at(desk, index, desk->batch->progress[index].to_offset, time_ms, text);
}

/* True: it was counted; false: a duplicate. */
static bool put_id(struct desk *desk, size_t index, int64_t time_ms, int64_t id)
{
	const struct batch_progress *progress = &desk->batch->progress[index];
	int64_t accepted = progress->accepted, duplicate = progress->duplicate;
	char text[200];

	snprintf(text, sizeof text, EVENT(",\"event_id\":\"id-%lld\""), (long long)id);
	assert_true(put(desk, index, time_ms, text));
	assert_int_equal(progress->accepted + progress->duplicate, accepted + duplicate + 1);
	return progress->accepted > accepted;
}

/* What ingest does at a freeze, without the writer. */
static int64_t freeze(struct desk *desk)
{
	int64_t before_ms = intake_expire(desk->intake, desk->batch, desk->now_ms * US_PER_MS);
	struct batch *next = batch_new();

	batch_continue(next, desk->batch, KEEP_BYTES);
	batch_free(desk->batch);
	desk->batch = next;
	return before_ms;
}

static void assert_counts(const struct batch_progress *progress, int accepted, int dead, int duplicate,
			  int skipped)
{
	assert_int_equal(progress->accepted, accepted);
	assert_int_equal(progress->dead, dead);
	assert_int_equal(progress->duplicate, duplicate);
	assert_int_equal(progress->skipped, skipped);
}

static void each_record_is_one_of_four(void **state)
{
	static const struct {
		const char *name, *text; /* NULL: a tombstone */
		int accepted, dead, duplicate, skipped;
	} cases[] = {
		{ "an event", EVENT(""), 1, 0, 0, 0 },
		{ "the same, without an id", EVENT(""), 1, 0, 0, 0 },
		{ "with an id", EVENT(",\"event_id\":\"1\""), 1, 0, 0, 0 },
		{ "with the same id", EVENT(",\"event_id\":\"1\""), 0, 0, 1, 0 },
		{ "a tombstone", NULL, 0, 1, 0, 0 },
		{ "not JSON", "x", 0, 1, 0, 0 },
		{ "empty", "", 0, 1, 0, 0 },
		{ "three in an array, one of them bad, one twice",
		  "[" EVENT(",\"event_id\":\"2\"") ",{}," EVENT(",\"event_id\":\"2\"") "]", 1, 1, 1, 0 },
		{ "two lines", EVENT("") "\n" EVENT(",\"event_id\":\"1\"") "\n", 1, 0, 1, 0 },
	};
	struct desk desk;

	(void)state;
	open_desk(&desk, IDS_MAX, -1, -1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct batch_progress before = desk.batch->progress[1], *now = &desk.batch->progress[1];

		assert_true(put(&desk, 1, NOW_MS, cases[i].text));
		if (now->accepted - before.accepted != cases[i].accepted ||
		    now->dead - before.dead != cases[i].dead ||
		    now->duplicate - before.duplicate != cases[i].duplicate ||
		    now->skipped - before.skipped != cases[i].skipped)
			fail_msg("%s: counted wrongly", cases[i].name);
		assert_int_equal(now->to_offset, i + 1);
		assert_int_equal(desk.batch->messages, i + 1);
	}
	assert_counts(&desk.batch->progress[0], 0, 0, 0, 0);
	close_desk(&desk);
}

static void without_dedupe_an_id_counts_every_time(void **state)
{
	struct desk desk;

	(void)state;
	open_desk(&desk, 0, -1, -1);
	assert_null(intake_dedupe(desk.intake));
	assert_true(put_id(&desk, 0, NOW_MS, 1));
	assert_true(put_id(&desk, 1, NOW_MS, 1));
	assert_int_equal(dedupe_log_blocks(desk.batch->progress[0].ids), 0);
	assert_true(freeze(&desk) == INT64_MIN);
	close_desk(&desk);
}

static void an_id_is_logged_where_it_was_counted(void **state)
{
	struct desk desk;
	struct dedupe_block block;

	(void)state;
	open_desk(&desk, IDS_MAX, -1, -1);
	assert_true(put_id(&desk, 0, NOW_MS - 5, 1));
	assert_false(put_id(&desk, 1, NOW_MS, 1));
	assert_true(put_id(&desk, 1, NOW_MS + WINDOW_MS, 1)); /* another call: out of the window */
	assert_int_equal(dedupe_log_blocks(desk.batch->progress[0].ids), 1);
	assert_int_equal(dedupe_log_blocks(desk.batch->progress[1].ids), 1);
	block = dedupe_log_block(desk.batch->progress[0].ids, 0);
	assert_int_equal(block.count, 1);
	assert_true(block.t_min_ms == NOW_MS - 5);
	assert_int_equal(dedupe_log_block(desk.batch->progress[1].ids, 0).count, 1);
	close_desk(&desk);
}

static void the_last_message_is_kept_in_mind(void **state)
{
	const struct batch_progress *progress;
	struct desk desk;

	(void)state;
	open_desk(&desk, IDS_MAX, -1, -1);
	progress = &desk.batch->progress[0];
	assert_true(put_at(&desk, 0, 7, NOW_MS, EVENT("")));
	assert_true(put_at(&desk, 0, 9, NOW_MS - 3, "not JSON"));
	assert_int_equal(progress->from_offset, 0);
	assert_int_equal(progress->to_offset, 10);
	assert_int_equal(progress->last_offset, 9);
	assert_true(progress->last_time_ms == NOW_MS - 3);
	assert_int_equal(progress->last_crc, (uint32_t)XXH3_64bits("not JSON", 8));
	assert_true(progress->event_time_max_us == NOW_MS * US_PER_MS);
	assert_true(progress->time_min_ms == NOW_MS - 3);
	assert_true(put(&desk, 0, NOW_MS + WINDOW_MS, NULL)); /* in the future: counts as now */
	assert_true(progress->last_time_ms == NOW_MS + WINDOW_MS);
	assert_int_equal(progress->last_crc, (uint32_t)XXH3_64bits(NULL, 0));
	assert_true(progress->time_min_ms == NOW_MS - 3);
	close_desk(&desk);
}

static void a_message_behind_the_position_is_dropped(void **state)
{
	const struct batch_progress *progress;
	struct desk desk;

	(void)state;
	open_desk(&desk, IDS_MAX, -1, -1);
	progress = &desk.batch->progress[0];
	assert_true(put_at(&desk, 0, 7, NOW_MS, EVENT("")));
	for (int64_t offset = 0; offset <= 7; offset++)
		assert_true(put_at(&desk, 0, offset, NOW_MS - 1, EVENT("")));
	assert_counts(progress, 1, 0, 0, 0);
	assert_int_equal(progress->to_offset, 8);
	assert_true(progress->last_time_ms == NOW_MS);
	assert_int_equal(desk.batch->messages, 1);
	close_desk(&desk);
}

static void the_end_of_the_log_moves_the_position_forward_only(void **state)
{
	const struct batch_progress *progress;
	struct desk desk;

	(void)state;
	open_desk(&desk, IDS_MAX, -1, -1);
	progress = &desk.batch->progress[0];
	assert_true(put_at(&desk, 0, 7, NOW_MS, EVENT("")));
	intake_end_reached(desk.intake, desk.batch, 0, 3);
	assert_int_equal(progress->to_offset, 8);
	intake_end_reached(desk.intake, desk.batch, 0, 12);
	assert_int_equal(progress->to_offset, 12);
	assert_int_equal(progress->last_offset, 7);
	assert_true(put_at(&desk, 0, 11, NOW_MS, EVENT("")));
	assert_counts(progress, 1, 0, 0, 0);
	close_desk(&desk);
}

static void beyond_1000_a_minute_dead_letters_are_folded(void **state)
{
	const struct batch *batch;
	struct desk desk;

	(void)state;
	open_desk(&desk, IDS_MAX, -1, -1);
	for (int i = 0; i < BATCH_DEAD_ROWS_A_MINUTE + 100; i++)
		assert_true(put(&desk, 0, NOW_MS, "this is no JSON"));
	batch = desk.batch;
	assert_int_equal(batch->dead_count, BATCH_DEAD_ROWS_A_MINUTE + 1);
	assert_int_equal(batch->dead[BATCH_DEAD_ROWS_A_MINUTE].count, 100);
	assert_int_equal(batch->dead[0].payload_len, 8);
	assert_int_equal(batch->progress[0].dead, BATCH_DEAD_ROWS_A_MINUTE + 100);
	assert_true(put(&desk, 1, NOW_MS, "x")); /* another partition has its own share */
	assert_non_null(batch->dead[BATCH_DEAD_ROWS_A_MINUTE + 1].payload);
	freeze(&desk); /* the share is that of the minute, not of the batch */
	assert_true(put(&desk, 0, NOW_MS, "x"));
	assert_null(desk.batch->dead[0].payload);
	desk.now_ms += MINUTE_MS;
	assert_true(put(&desk, 0, NOW_MS, "x"));
	assert_non_null(desk.batch->dead[1].payload);
	close_desk(&desk);
}

static void a_refused_message_is_one_dead_letter(void **state)
{
	struct desk desk;
	const struct batch_dead *row;

	(void)state;
	open_desk(&desk, IDS_MAX, -1, -1);
	intake_refuse(desk.intake, "t", 0, 1, "the database\nsays no");
	intake_refuse(desk.intake, "other", 0, 0, "another topic");
	intake_refuse(desk.intake, "t", 1, 0, "another partition");
	for (int i = 0; i < 3; i++)
		assert_true(put(&desk, 0, NOW_MS, "[" EVENT("") "," EVENT(",\"event_id\":\"1\"") "]"));
	assert_counts(&desk.batch->progress[0], 3, 1, 1, 0);
	assert_int_equal(desk.batch->dead_count, 1);
	row = &desk.batch->dead[0];
	assert_int_equal(row->offset, 1);
	assert_int_equal(row->record, 0);
	assert_int_equal(row->reason, DEAD_OUT_OF_RANGE);
	assert_string_equal(row->detail, "the database\\x0asays no");
	assert_int_equal(row->payload_len, 8);
	close_desk(&desk);
}

static void many_refused_messages_make_room_for_the_newest(void **state)
{
	struct desk desk;

	(void)state;
	open_desk(&desk, IDS_MAX, -1, -1);
	for (int64_t offset = 0; offset < 200; offset++) {
		intake_refuse(desk.intake, "t", 0, offset, "no");
		assert_true(put_at(&desk, 0, offset, NOW_MS, EVENT("")));
	}
	assert_counts(&desk.batch->progress[0], 0, 200, 0, 0);
	close_desk(&desk);
}

/* 2^53 tokens an event: the 1024th leaves 63 bits. */
static void a_sum_that_would_leave_64_bits_is_told(void **state)
{
	struct desk desk;
	int added = 0;

	(void)state;
	open_desk(&desk, IDS_MAX, -1, -1);
	while (added < 2000 && put(&desk, 0, NOW_MS, EVENT(",\"output_tokens\":9007199254740992")))
		added++;
	assert_int_equal(added, 1023);
	batch_begin(desk.batch, &(struct batch_start){ "t", 0, 0, -1, -1, 0 }, 1, KEEP_BYTES);
	assert_true(put(&desk, 0, NOW_MS, EVENT(",\"output_tokens\":9007199254740992")));
	assert_counts(&desk.batch->progress[0], 1, 0, 0, 0);
	close_desk(&desk);
}

static size_t rows_of(const struct desk *desk, size_t *shadows)
{
	size_t hours;

	window_hours(desk->batch->window, &hours);
	window_shadows(desk->batch->window, shadows);
	return hours;
}

static void check_teams(const struct desk *desk, const char *const *teams, size_t count)
{
	size_t found;
	const struct window_name *names = window_names(desk->batch->window, NAME_TEAM, &found);

	assert_int_equal(found, count);
	for (size_t i = 0; i < count; i++)
		assert_true(span_is(names[i].text, teams[i]));
}

static void an_event_without_a_team_gets_that_of_its_time(void **state)
{
	static const char *const teams[] = { "", "red", "blue", "own" };
	struct rules *rules;
	struct desk desk;

	(void)state;
	open_desk(&desk, IDS_MAX, -1, -1);
	rules = intake_rules(desk.intake);
	assert_int_equal(rules->generation, RULES_UNKNOWN);
	roster_add(rules->roster, SPAN("u"), (NOW_MS - 2) * US_PER_MS, SPAN("red"));
	roster_add(rules->roster, SPAN("u"), NOW_MS * US_PER_MS, SPAN("blue"));
	roster_sort(rules->roster);
	assert_true(put(&desk, 0, NOW_MS, "{\"time\":1795427999997,\"user\":\"u\",\"model\":\"m\"}"));
	assert_true(put(&desk, 0, NOW_MS, "{\"time\":1795427999999,\"user\":\"u\",\"model\":\"m\",\"team\":\"\"}"));
	assert_true(put(&desk, 0, NOW_MS, EVENT("")));
	assert_true(put(&desk, 0, NOW_MS, EVENT(",\"team\":\"own\"")));
	assert_true(put(&desk, 0, NOW_MS, "{\"time\":1795428000000,\"user\":\"someone else\",\"model\":\"m\"}"));
	check_teams(&desk, teams, 4);
	assert_counts(&desk.batch->progress[0], 5, 0, 0, 0);
	close_desk(&desk);
}

static void a_source_that_does_not_count_goes_into_the_shadow(void **state)
{
	struct rules *rules;
	struct desk desk;
	size_t shadows;

	(void)state;
	open_desk(&desk, IDS_MAX, -1, -1);
	rules = intake_rules(desk.intake);
	precedence_add(rules->precedence, SPAN("acme"), SPAN("*"), SPAN("litellm"));
	assert_true(put(&desk, 0, NOW_MS, EVENT(",\"provider\":\"acme\"")));
	assert_true(put(&desk, 0, NOW_MS, EVENT(",\"provider\":\"other\"")));
	assert_counts(&desk.batch->progress[0], 1, 0, 0, 1);
	assert_int_equal(rows_of(&desk, &shadows), 1);
	assert_int_equal(shadows, 1);
	assert_true(desk.batch->progress[0].event_time_max_us == NOW_MS * US_PER_MS);
	precedence_add(rules->precedence, SPAN("acme"), SPAN("*"), SPAN("native"));
	assert_true(put(&desk, 0, NOW_MS, EVENT(",\"provider\":\"acme\"")));
	assert_counts(&desk.batch->progress[0], 2, 0, 0, 1);
	close_desk(&desk);
}

static void a_rule_of_a_team_holds_for_one_from_the_roster(void **state)
{
	struct rules *rules;
	struct desk desk;

	(void)state;
	open_desk(&desk, IDS_MAX, -1, -1);
	rules = intake_rules(desk.intake);
	roster_add(rules->roster, SPAN("u"), 0, SPAN("red"));
	roster_sort(rules->roster);
	precedence_add(rules->precedence, SPAN("*"), SPAN("red"), SPAN("litellm"));
	assert_true(put(&desk, 0, NOW_MS, EVENT("")));
	assert_true(put(&desk, 0, NOW_MS, EVENT(",\"team\":\"blue\"")));
	assert_counts(&desk.batch->progress[0], 1, 0, 0, 1);
	close_desk(&desk);
}

/* The senders of docs/FORMATS.md, by the names that their formats have there. */
static void a_gateway_and_an_agent_are_told_apart(void **state)
{
	static const char gateway[] =
		"{\"id\":\"1\",\"call_type\":\"anthropic_messages\",\"status\":\"success\",\"custom_llm_provider\":\"anthropic\","
		"\"model\":\"claude-sonnet-5\",\"startTime\":1795427999.5,\"endTime\":1795428000.1,\"prompt_tokens\":10,\"completion_tokens\":5,"
		"\"total_tokens\":15,\"metadata\":{\"user_api_key_user_email\":\"alice@corp.example\"}}";
	static const char agent[] =
		"{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"claude-code\"}}]},"
		"\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":\"1795428000100000000\",\"body\":{\"stringValue\":\"claude_code.api_request\"},"
		"\"attributes\":[{\"key\":\"event.name\",\"value\":{\"stringValue\":\"api_request\"}},"
		"{\"key\":\"user.email\",\"value\":{\"stringValue\":\"alice@corp.example\"}},"
		"{\"key\":\"model\",\"value\":{\"stringValue\":\"claude-sonnet-5\"}},{\"key\":\"input_tokens\",\"value\":{\"intValue\":\"10\"}},"
		"{\"key\":\"output_tokens\",\"value\":{\"intValue\":\"5\"}}]}]}]}]}";
	const struct window_name *names;
	struct mappings *mappings;
	struct rules *rules;
	struct desk desk;
	size_t count;
	struct err err;

	(void)state;
	open_desk(&desk, IDS_MAX, -1, -1);
	mappings = formats_builtin(&err);
	assert_non_null(mappings);
	intake_reload(desk.intake, mappings);
	rules = intake_rules(desk.intake);
	precedence_add(rules->precedence, SPAN("anthropic"), SPAN("*"), SPAN("litellm"));
	precedence_add(rules->precedence, SPAN("anthropic"), SPAN("lab"), SPAN("claude_code"));
	assert_true(put(&desk, 0, NOW_MS, gateway));
	assert_true(put(&desk, 0, NOW_MS, agent));
	assert_counts(&desk.batch->progress[0], 1, 0, 0, 1);
	names = window_names(desk.batch->window, NAME_SOURCE, &count);
	assert_int_equal(count, 1);
	assert_true(span_is(names[0].text, "claude_code"));
	roster_add(rules->roster, SPAN("alice@corp.example"), 0, SPAN("lab"));
	roster_sort(rules->roster);
	assert_true(put(&desk, 0, NOW_MS, gateway));
	assert_true(put(&desk, 0, NOW_MS, agent));
	assert_counts(&desk.batch->progress[0], 2, 0, 0, 2);
	names = window_names(desk.batch->window, NAME_SOURCE, &count);
	assert_int_equal(count, 2);
	assert_true(span_is(names[1].text, "litellm"));
	close_desk(&desk);
	mappings_free(mappings);
}

/* The gateway and the agent may well use the request's id both: the copy that counts must count. */
static void in_the_shadow_ids_are_those_of_the_shadow(void **state)
{
	struct rules *rules;
	struct desk desk;

	(void)state;
	open_desk(&desk, IDS_MAX, -1, -1);
	rules = intake_rules(desk.intake);
	precedence_add(rules->precedence, SPAN("acme"), SPAN("*"), SPAN("litellm"));
	assert_true(put(&desk, 0, NOW_MS, EVENT(",\"provider\":\"acme\",\"event_id\":\"1\"")));
	assert_true(put(&desk, 0, NOW_MS, EVENT(",\"provider\":\"acme\",\"event_id\":\"1\"")));
	assert_counts(&desk.batch->progress[0], 0, 0, 1, 1);
	precedence_clear(rules->precedence);
	assert_true(put(&desk, 0, NOW_MS, EVENT(",\"provider\":\"acme\",\"event_id\":\"1\"")));
	assert_counts(&desk.batch->progress[0], 1, 0, 1, 1);
	close_desk(&desk);
}

/* Runs the clock for a while, one quiet commit a minute. */
static int64_t wait_minutes(struct desk *desk, int minutes)
{
	int64_t before_ms = INT64_MIN;

	for (int i = 0; i < minutes; i++) {
		desk->now_ms += MINUTE_MS;
		before_ms = freeze(desk);
	}
	return before_ms;
}

/* The same with a message a minute in partition 0, whose time is the clock's. */
static int64_t flow_minutes(struct desk *desk, int minutes, int64_t first_id)
{
	int64_t before_ms = INT64_MIN;

	for (int i = 0; i < minutes; i++) {
		desk->now_ms += MINUTE_MS;
		assert_true(put_id(desk, 0, desk->now_ms, first_id + i));
		before_ms = freeze(desk);
	}
	return before_ms;
}

static void nothing_is_forgotten_soon_after_a_claim(void **state)
{
	struct desk desk;

	(void)state;
	open_desk(&desk, IDS_MAX, NOW_MS, NOW_MS);
	intake_end_reached(desk.intake, desk.batch, 1, 0);
	assert_true(flow_minutes(&desk, 70, 0) == INT64_MIN);
	assert_true(flow_minutes(&desk, 10, 100) > INT64_MIN);
	/* And a claim begins anew. */
	intake_begin(desk.intake, partitions, (const int64_t[]){ NOW_MS, NOW_MS }, 2);
	assert_true(flow_minutes(&desk, 70, 200) == INT64_MIN);
	close_desk(&desk);
}

static void old_ids_are_forgotten_in_the_end(void **state)
{
	struct desk desk;
	int64_t before_ms;

	(void)state;
	open_desk(&desk, IDS_MAX, NOW_MS, NOW_MS);
	intake_end_reached(desk.intake, desk.batch, 1, 0);
	before_ms = flow_minutes(&desk, 600, 0);
	/* About two windows and the slack twice behind the clock, in steps. */
	assert_in_range(desk.now_ms - before_ms, 2 * (WINDOW_MS + SLACK_MS), 2 * (WINDOW_MS + SLACK_MS) + SLACK_MS);
	assert_in_range(dedupe_count(intake_dedupe(desk.intake)), 140, 330);
	close_desk(&desk);
}

static void a_partition_that_lags_behind_holds_its_ids(void **state)
{
	const int64_t behind_ms = NOW_MS - 100 * WINDOW_MS;
	struct desk desk;

	(void)state;
	open_desk(&desk, IDS_MAX, NOW_MS, behind_ms); /* partition 1 has not been read since the claim */
	assert_true(flow_minutes(&desk, 300, 0) == behind_ms - WINDOW_MS - SLACK_MS);
	for (int i = 0; i < 300; i++) { /* then it catches up slowly: a minute of it in ten */
		desk.now_ms += 10 * MINUTE_MS;
		assert_true(put_id(&desk, 0, desk.now_ms, 1000 + i));
		assert_true(put_id(&desk, 1, behind_ms + i * MINUTE_MS, 2000 + i));
		assert_true(freeze(&desk) <= behind_ms + i * MINUTE_MS - WINDOW_MS - SLACK_MS);
		if (i > 30) {
			assert_false(put_id(&desk, 1, behind_ms + (i - 30) * MINUTE_MS, 2000 + i - 30));
			assert_true(desk.batch->progress[1].duplicate == 1);
		}
	}
	close_desk(&desk);
}

static void a_partition_not_known_and_not_at_its_end_holds_all_ids(void **state)
{
	struct desk desk;

	(void)state;
	open_desk(&desk, IDS_MAX, NOW_MS, -1);
	assert_true(flow_minutes(&desk, 300, 0) == INT64_MIN);
	intake_end_reached(desk.intake, desk.batch, 1, 0); /* it is empty */
	assert_true(flow_minutes(&desk, 100, 300) > INT64_MIN);
	close_desk(&desk);
}

static void silence_forgets_nothing_from_the_database(void **state)
{
	struct desk desk;

	(void)state;
	open_desk(&desk, IDS_MAX, NOW_MS, NOW_MS);
	assert_true(put_id(&desk, 0, NOW_MS, 1));
	intake_end_reached(desk.intake, desk.batch, 0, 0);
	intake_end_reached(desk.intake, desk.batch, 1, 0);
	wait_minutes(&desk, 200);
	assert_true(wait_minutes(&desk, 1) == INT64_MIN);
	assert_false(put_id(&desk, 1, NOW_MS + WINDOW_MS, 1));
	close_desk(&desk);
}

/* What a message time may be, from its good to its worst. */
static int64_t wild_time_ms(const struct desk *desk)
{
	switch (seed_below(8)) {
	case 0: return -1;
	case 1: return desk->now_ms + seed_below(1000 * WINDOW_MS);
	case 2: return desk->now_ms - seed_below(1000 * WINDOW_MS);
	case 3: return seed_below(2) ? INT64_MAX : 0;
	default: return desk->now_ms - seed_below(5 * MINUTE_MS);
	}
}

struct counted {
	int64_t at_ms, time_ms;
};

/* All ids counted within dedupe_window and ten minutes of our clock are still known. */
static void assert_known(struct desk *desk, const struct counted *ids, int count, int64_t before_ms)
{
	for (int i = 0; i < count; i++) {
		if (desk->now_ms - ids[i].at_ms > WINDOW_MS + SLACK_MS)
			continue;
		if (before_ms > ids[i].time_ms || put_id(desk, (size_t)seed_below(2), ids[i].time_ms, i))
			fail_msg("id %d of time %lld, counted %lld ms ago, is forgotten", i,
				 (long long)ids[i].time_ms, (long long)(desk->now_ms - ids[i].at_ms));
	}
}

static void ids_are_remembered_by_our_clock_whatever_message_times_do(void **state)
{
	(void)state;
	seed_start("ids_are_remembered_by_our_clock_whatever_message_times_do");
	for (int round = 0; round < 30; round++) {
		bool wild = round % 3 != 0;
		struct counted ids[IDS_FEW];
		struct desk desk;
		int64_t before_ms;

		open_desk(&desk, IDS_MAX, NOW_MS, seed_below(2) ? -1 : NOW_MS - 10 * WINDOW_MS);
		for (int i = 0; i < IDS_FEW; i++) {
			int64_t time_ms = wild && seed_below(2) ? wild_time_ms(&desk)
								: desk.now_ms - seed_below(3 * WINDOW_MS);

			ids[i] = (struct counted){ desk.now_ms, time_ms };
			assert_true(put_id(&desk, (size_t)seed_below(2), time_ms, i));
			if (seed_below(4) == 0)
				intake_end_reached(desk.intake, desk.batch, (size_t)seed_below(2), 0);
			desk.now_ms += seed_below(4 * MINUTE_MS);
			if (seed_below(3) != 0)
				continue;
			before_ms = freeze(&desk);
			if (seed_below(10) == 0)
				assert_known(&desk, ids, i + 1, before_ms);
		}
		close_desk(&desk);
	}
}

static enum intake_check check_message(struct desk *desk, int64_t offset, int64_t time_ms, const char *text)
{
	struct source_message message = { .index = 0, .offset = offset, .time_ms = time_ms, .payload = span_of(text) };

	return intake_check(desk->intake, &message);
}

/* The position is 0 in this desk; the last message counted is at -3, and markers follow it. */
static void the_last_counted_message_tells_the_log(void **state)
{
	static const struct {
		int64_t offset, time_ms;
		const char *text;
		enum intake_check expected;
	} cases[] = {
		{ -3, 70, "seen", INTAKE_AS_EXPECTED },  { -3, 71, "seen", INTAKE_OTHER_LOG },
		{ -3, 70, "other", INTAKE_OTHER_LOG },   { -2, 70, "seen", INTAKE_OTHER_LOG },
		{ 0, 70, "next", INTAKE_UNVERIFIED },    { 9, 70, "next", INTAKE_UNVERIFIED },
		{ -4, 70, "before", INTAKE_AS_EXPECTED },
	};
	struct desk desk;

	(void)state;
	open_desk(&desk, 0, NOW_MS, NOW_MS);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		intake_expect(desk.intake, 0, -3, 70, source_checksum(SPAN("seen")));
		assert_int_equal(check_message(&desk, cases[i].offset, cases[i].time_ms, cases[i].text), cases[i].expected);
	}
	intake_expect(desk.intake, 0, -3, 70, source_checksum(SPAN("seen")));
	assert_true(intake_check_end(desk.intake, 0));
	assert_false(intake_check_end(desk.intake, 0));
	assert_int_equal(check_message(&desk, -3, 1, "anything"), INTAKE_AS_EXPECTED);
	close_desk(&desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_counted_message_tells_the_log),
		cmocka_unit_test(each_record_is_one_of_four),
		cmocka_unit_test(without_dedupe_an_id_counts_every_time),
		cmocka_unit_test(an_id_is_logged_where_it_was_counted),
		cmocka_unit_test(the_last_message_is_kept_in_mind),
		cmocka_unit_test(a_message_behind_the_position_is_dropped),
		cmocka_unit_test(the_end_of_the_log_moves_the_position_forward_only),
		cmocka_unit_test(beyond_1000_a_minute_dead_letters_are_folded),
		cmocka_unit_test(a_refused_message_is_one_dead_letter),
		cmocka_unit_test(many_refused_messages_make_room_for_the_newest),
		cmocka_unit_test(a_sum_that_would_leave_64_bits_is_told),
		cmocka_unit_test(an_event_without_a_team_gets_that_of_its_time),
		cmocka_unit_test(a_source_that_does_not_count_goes_into_the_shadow),
		cmocka_unit_test(a_rule_of_a_team_holds_for_one_from_the_roster),
		cmocka_unit_test(a_gateway_and_an_agent_are_told_apart),
		cmocka_unit_test(in_the_shadow_ids_are_those_of_the_shadow),
		cmocka_unit_test(nothing_is_forgotten_soon_after_a_claim),
		cmocka_unit_test(old_ids_are_forgotten_in_the_end),
		cmocka_unit_test(a_partition_that_lags_behind_holds_its_ids),
		cmocka_unit_test(a_partition_not_known_and_not_at_its_end_holds_all_ids),
		cmocka_unit_test(silence_forgets_nothing_from_the_database),
		cmocka_unit_test(ids_are_remembered_by_our_clock_whatever_message_times_do),
	};

	return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
