/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_bare: what a daemon cannot be faster than: takes messages one by one from librdkafka and
 * parses each with cJSON in an arena, and does nothing with them. Prints events, seconds from the
 * first message to the last, CPU seconds of the process and its peak memory in MB, by blanks.
 *
 *   bench_bare BROKERS TOPIC PARTITIONS EVENTS
 */
#include <cjson/cJSON.h>
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define ARENA_BYTES (1 << 20)
#define ALIGN 16
#define SILENT_MS 30000

static _Alignas(ALIGN) char arena[ARENA_BYTES];
static size_t arena_used;

static void *arena_alloc(size_t size)
{
	size_t start = arena_used;

	arena_used += (size + ALIGN - 1) / ALIGN * ALIGN;
	return arena_used <= ARENA_BYTES ? arena + start : NULL;
}

static void arena_free(void *memory)
{
	(void)memory;
}

static void fail(const char *text)
{
	fprintf(stderr, "bench_bare: %s\n", text);
	exit(1);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Debian 12's librdkafka waits a whole second when its queue is full: so the queue is made large.
 */
static rd_kafka_t *consumer_new(const char *brokers)
{
	const char *const settings[][2] = {
		{ "bootstrap.servers", brokers },      { "group.id", "bench_bare" },
		{ "enable.auto.commit", "false" },     { "auto.offset.reset", "earliest" },
		{ "queued.min.messages", "10000000" }, { "queued.max.messages.kbytes", "262144" },
	};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char text[512];
	rd_kafka_t *kafka;

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof(text)) !=
		    RD_KAFKA_CONF_OK)
			fail(text);
	kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
	if (!kafka)
		fail(text);
	rd_kafka_poll_set_consumer(kafka);
	return kafka;
}

static void assign(rd_kafka_t *kafka, const char *topic, int partitions)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);

	for (int i = 0; i < partitions; i++)
		rd_kafka_topic_partition_list_add(list, topic, i)->offset =
		    RD_KAFKA_OFFSET_BEGINNING;
	if (rd_kafka_assign(kafka, list))
		fail("cannot assign partitions");
	rd_kafka_topic_partition_list_destroy(list);
}

static void parse(const rd_kafka_message_t *message)
{
	if (message->err)
		fail(rd_kafka_message_errstr(message));
	arena_used = 0;
	if (!cJSON_ParseWithLength(message->payload, message->len))
		fail("a message is not JSON");
}

int main(int argc, char **argv)
{
	cJSON_Hooks hooks = { arena_alloc, arena_free };
	rd_kafka_message_t *message;
	struct rusage usage;
	double first = 0;
	rd_kafka_t *kafka;
	long long events;

	if (argc != 5) {
		fputs("usage: bench_bare BROKERS TOPIC PARTITIONS EVENTS\n", stderr);
		return 2;
	}
	events = atoll(argv[4]);
	cJSON_InitHooks(&hooks);
	kafka = consumer_new(argv[1]);
	assign(kafka, argv[2], atoi(argv[3]));
	for (long long i = 0; i < events; i++) {
		message = rd_kafka_consumer_poll(kafka, SILENT_MS);
		if (!message)
			fail("no message for 30 s");
		if (!i)
			first = now_s();
		parse(message);
		rd_kafka_message_destroy(message);
	}
	first = now_s() - first;
	getrusage(RUSAGE_SELF, &usage);
	printf("%lld %.3f %.3f %.1f\n", events, first,
	       (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
	       (double)usage.ru_maxrss / 1e3);
	rd_kafka_consumer_close(kafka);
	rd_kafka_destroy(kafka);
	return 0;
}
