/* SPDX-License-Identifier: Apache-2.0
 *
 * source: what happens before there is a broker: settings that librdkafka refuses. The rest needs
 * Kafka: tests/integration.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "period.h"
#include "source.h"

#define QUEUE_BYTES ((size_t)1 << 24)
#define SECRET "hunter2"

static void ignore_assigned(void *ctx, const struct source_partition *partitions, size_t count)
{
	(void)ctx;
	(void)partitions;
	(void)count;
}

static void ignore_revoked(void *ctx, bool lost)
{
	(void)ctx;
	(void)lost;
}

static void ignore_log(int level, const char *text)
{
	(void)level;
	(void)text;
}

static const struct source_callbacks callbacks = { NULL, ignore_assigned, ignore_revoked, ignore_log };
static char group_id[] = "g";

static struct source *with(const char *key, const char *value, size_t queue_bytes, struct err *err)
{
	static char servers_key[] = "bootstrap.servers", servers[] = "127.0.0.1:1"; /* nobody listens there */
	struct kafka_setting settings[] = { { servers_key, servers }, { NULL, NULL } };
	const struct options options = { .kafka_group_id = group_id, .kafka_settings = settings,
					 .kafka_setting_count = key ? 2 : 1 };

	settings[1] = (struct kafka_setting){ (char *)(uintptr_t)key, (char *)(uintptr_t)value };
	return source_new(&options, queue_bytes, &callbacks, err);
}

static void a_refused_setting_is_named_and_no_secret_is_quoted(void **state)
{
	static const struct {
		const char *key, *value, *quoted; /* quoted: NULL: must not be */
	} cases[] = {
		{ "no.such.key", SECRET, NULL },
		{ "sasl.pasword", SECRET, NULL },
		{ "security.protocol", "hunter3", "hunter3" },
		{ "session.timeout.ms", "soon", NULL },
		{ "session.timeout.ms", "-1", NULL },
		{ "ssl.endpoint.identification.algorithm", "hunter3", "hunter3" },
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct source *source = with(cases[i].key, cases[i].value, QUEUE_BYTES, &err);
		char name[100];

		assert_null(source);
		snprintf(name, sizeof name, "kafka.%s: ", cases[i].key);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_non_null(strstr(err.text, name));
		assert_null(strstr(err.text, SECRET));
		if (cases[i].quoted)
			assert_non_null(strstr(err.text, cases[i].quoted));
	}
}

static void settings_that_do_not_go_together_are_a_fault_too(void **state)
{
	struct err err;

	(void)state;
	assert_null(with("max.poll.interval.ms", "1000", QUEUE_BYTES, &err)); /* below session.timeout.ms */
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, "max.poll.interval.ms"));
}

/* With memory_max = 32G the share of one worker is above what librdkafka takes. */
static void any_queue_size_is_made_fit(void **state)
{
	static const size_t sizes[] = { (size_t)1 << 20, (size_t)1 << 31, (size_t)10 << 30 };
	struct err err;

	(void)state;
#ifdef __SANITIZE_THREAD__
	skip(); /* Debian's librdkafka starts C11 threads, in which gcc 12's libtsan crashes at our log callback */
#endif
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct source *source = with(NULL, NULL, sizes[i], &err);

		if (!source)
			fail_msg("%zu bytes: %s", sizes[i], err.text);
		assert_false(source_is_reachable(source));
		assert_true(source_close(source, now_monotonic_ms() + 5000));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refused_setting_is_named_and_no_secret_is_quoted),
		cmocka_unit_test(settings_that_do_not_go_together_are_a_fault_too),
		cmocka_unit_test(any_queue_size_is_made_fit),
	};

	return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
