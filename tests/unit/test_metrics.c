/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics: sums are right whoever adds, and the text is what Prometheus takes.
 */
#include "autoconf.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"
#include "mem.h"
#include "metrics.h"

#define THREADS 4
#define ADDS 50000

static int reset(void **state)
{
	(void)state;
	metrics_init("1.2.3-4-gabcdef", INT64_C(1795428000500000));
	return 0;
}

static void render(struct buf *buf)
{
	buf_init(buf, METRICS_BYTES_MAX);
	metrics_render(buf);
	assert_false(buf->truncated);
}

/* The whole line is in the text. */
static void check_line(const char *line)
{
	CLEANUP(buf_release) struct buf buf;
	char wanted[300];

	render(&buf);
	snprintf(wanted, sizeof wanted, "\n%s\n", line);
	if (!strstr(buf.data, wanted))
		fail_msg("no line '%s' in:\n%s", line, buf.data);
}

static void counters_and_gauges_are_shown(void **state)
{
	(void)state;
	metric_add(METRIC_EVENTS_ACCEPTED, 40);
	metric_add(METRIC_EVENTS_ACCEPTED, 2);
	metric_set(METRIC_DEDUPE_IDS, 7);
	metric_add(METRIC_DEDUPE_IDS, -3);
	metric_add_label(METRIC_RECORDS_DEAD, DEAD_NOT_UTF8, 3);
	metric_add_label(METRIC_LIMIT_REACHED, LIMIT_MESSAGE_SIZE, 1);
	metric_set(METRIC_TITLES_LAST_RUN, 1500000);
	check_line("tokentally_events_accepted_total 42");
	check_line("tokentally_dedupe_ids 4");
	check_line("tokentally_records_dead_total{reason=\"not_utf8\"} 3");
	check_line("tokentally_records_dead_total{reason=\"empty\"} 0");
	check_line("tokentally_limit_reached_total{limit=\"message_size\"} 1");
	check_line("tokentally_titles_last_run_seconds 1.500000");
	check_line("tokentally_build_info{version=\"1.2.3-4-gabcdef\"} 1");
	check_line("process_start_time_seconds 1795428000.500");
	assert_int_equal(metric_value(METRIC_RECORDS_DEAD, DEAD_NOT_UTF8), 3);
}

static void every_label_value_has_its_word(void **state)
{
	(void)state;
	check_line("tokentally_commit_rows_total{kind=\"dedupe\"} 0");
	check_line("tokentally_commit_retries_total{kind=\"retry\"} 0");
	check_line("tokentally_commit_retries_total{kind=\"missing_partition\"} 0");
	check_line("tokentally_batches_forgotten_total{reason=\"database_went_back\"} 0");
	check_line("tokentally_titles_runs_total{result=\"skipped\"} 0");
}

static void a_shared_gauge_is_the_sum_of_its_shares(void **state)
{
	int64_t one = 0, other = 0;

	(void)state;
	metric_share(METRIC_LAG_MESSAGES, &one, 100);
	metric_share(METRIC_LAG_MESSAGES, &other, 30);
	metric_share(METRIC_LAG_MESSAGES, &one, 50);
	assert_int_equal(metric_value(METRIC_LAG_MESSAGES, 0), 80);
	metric_share(METRIC_LAG_MESSAGES, &other, 0);
	assert_int_equal(metric_value(METRIC_LAG_MESSAGES, 0), 50);
}

static void a_histogram_counts_up_to_its_bounds(void **state)
{
	(void)state;
	metric_observe(METRIC_COMMIT_TIME, 5000); /* on a bound: in it */
	metric_observe(METRIC_COMMIT_TIME, 5001);
	metric_observe(METRIC_COMMIT_TIME, 700000);
	metric_observe(METRIC_COMMIT_TIME, 60000000);
	check_line("tokentally_commit_seconds_bucket{le=\"0.005\"} 1");
	check_line("tokentally_commit_seconds_bucket{le=\"0.01\"} 2");
	check_line("tokentally_commit_seconds_bucket{le=\"0.5\"} 2");
	check_line("tokentally_commit_seconds_bucket{le=\"1\"} 3");
	check_line("tokentally_commit_seconds_bucket{le=\"30\"} 3");
	check_line("tokentally_commit_seconds_bucket{le=\"+Inf\"} 4");
	check_line("tokentally_commit_seconds_sum 60.710001");
	check_line("tokentally_commit_seconds_count 4");
	assert_int_equal(metric_value(METRIC_COMMIT_TIME, 0), 4);
}

static void *add_many(void *unused)
{
	int64_t share = 0;

	for (int i = 0; i < ADDS; i++) {
		metric_add(METRIC_MESSAGES, 1);
		metric_add_label(METRIC_COMMIT_ROWS, ROWS_HOUR, 2);
		metric_observe(METRIC_COMMIT_TIME, i);
		metric_share(METRIC_WINDOW_BYTES, &share, i);
	}
	return unused;
}

static void threads_lose_nothing(void **state)
{
	CLEANUP(buf_release) struct buf buf;
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, NULL), 0);
	render(&buf); /* while they run */
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(metric_value(METRIC_MESSAGES, 0), THREADS * ADDS);
	assert_int_equal(metric_value(METRIC_COMMIT_ROWS, ROWS_HOUR), 2 * THREADS * ADDS);
	assert_int_equal(metric_value(METRIC_COMMIT_TIME, 0), THREADS * ADDS);
	assert_int_equal(metric_value(METRIC_WINDOW_BYTES, 0), THREADS * (ADDS - 1));
}

/* name, or name{label="value"}; then a number. Returns the length of the name. */
static size_t check_sample(const char *line)
{
	size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
	const char *rest = line + name;
	char *end;

	assert_true(name > 0);
	if (*rest == '{') {
		rest += 1 + strspn(rest + 1, "abcdefghijklmnopqrstuvwxyz");
		assert_memory_equal(rest, "=\"", 2);
		rest = strchr(rest + 2, '"');
		assert_non_null(rest);
		assert_memory_equal(rest, "\"} ", 3);
		rest += 2;
	}
	assert_int_equal(*rest, ' ');
	strtod(rest + 1, &end);
	assert_true(end > rest + 1 && *end == '\0');
	return name;
}

/* HELP and TYPE of a metric come once, right before its samples; counters end in _total. */
static void the_text_is_well_formed(void **state)
{
	CLEANUP(buf_release) struct buf buf;
	char name[100] = "", type[20] = "", *save = NULL;
	int metrics = 0;

	(void)state;
	render(&buf);
	assert_int_equal(buf.data[buf.len - 1], '\n');
	for (char *line = strtok_r(buf.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			assert_int_equal(sscanf(line, "# HELP %99s", name), 1);
			assert_int_equal(line[strlen(line) - 1], '.');
			line = strtok_r(NULL, "\n", &save);
			assert_memory_equal(line, "# TYPE ", 7);
			assert_memory_equal(line + 7, name, strlen(name));
			assert_int_equal(sscanf(line + 7 + strlen(name), " %19s", type), 1);
			metrics++;
			assert_int_equal(strcmp(type, "counter") == 0,
					 strlen(name) > 6 &&
					     strcmp(name + strlen(name) - 6, "_total") == 0);
			continue;
		}
		assert_true(check_sample(line) >= strlen(name));
		assert_memory_equal(line, name, strlen(name));
	}
	assert_int_equal(metrics, METRICS + 2);
}

static void the_largest_values_have_room(void **state)
{
	CLEANUP(buf_release) struct buf buf;

	(void)state;
	for (unsigned i = 0; i < DEAD_REASONS; i++)
		metric_add_label(METRIC_RECORDS_DEAD, i, INT64_MAX);
	for (unsigned i = 0; i < LIMITS; i++)
		metric_add_label(METRIC_LIMIT_REACHED, i, INT64_MAX);
	render(&buf);
	assert_true(buf.len < METRICS_BYTES_MAX / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(counters_and_gauges_are_shown, reset),
		cmocka_unit_test_setup(every_label_value_has_its_word, reset),
		cmocka_unit_test_setup(a_shared_gauge_is_the_sum_of_its_shares, reset),
		cmocka_unit_test_setup(a_histogram_counts_up_to_its_bounds, reset),
		cmocka_unit_test_setup(threads_lose_nothing, reset),
		cmocka_unit_test_setup(the_text_is_well_formed, reset),
		cmocka_unit_test_setup(the_largest_values_have_room, reset),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
