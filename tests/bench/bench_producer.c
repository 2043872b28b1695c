/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_producer: fills a topic with the load of the ingest benchmark: native events of 420 bytes
 * with event_id, 85,000 users, 3 sessions each, 200 teams, 8 models, keyed by user, lz4, event time
 * spreading evenly over 1,000 s. Same arguments, same events. Ends with 0 when the broker has
 * acknowledged all.
 *
 *   bench_producer BROKERS TOPIC PARTITIONS EVENTS FIRST_TIME_MS
 */
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_BYTES 420
#define USERS 85000
#define SESSIONS 3
#define TEAMS 200
#define MODELS 8
#define SPAN_MS 1000000

static const char *const models[MODELS] = {
	"claude-sonnet-4-5", "claude-haiku-4-5", "gpt-5-mini",	     "gpt-5",
	"gemini-2.5-flash",  "gemini-2.5-pro",	 "llama-4-maverick", "mistral-large",
};
static const char *const providers[MODELS] = {
	"anthropic", "anthropic", "openai", "openai", "google", "google", "meta", "mistral",
};

static uint64_t random_state = 1;
static long failed;

static uint64_t next_random(void)
{
	uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static unsigned below(unsigned limit)
{
	return (unsigned)(next_random() % limit);
}

/* The unknown field "pad" brings each event to the same size; it is ignored, as the contract has
 * it. */
static void write_event(char *out, size_t cap, int64_t time_ms, unsigned user)
{
	unsigned model = below(MODELS), input = below(4000), output = 1 + below(2000),
		 duration_ms = 300 + below(20000);
	int used = snprintf(
	    out, cap,
	    "{\"time\":%lld,\"event_id\":\"%016llx%016llx\",\"user\":\"user-%05u@corp\",\"team\":"
	    "\"team-%03u\","
	    "\"model\":\"%s\",\"provider\":\"%s\",\"session\":\"%05u-%u\",\"input_tokens\":%u,"
	    "\"cache_read_tokens\":%u,\"cache_write_tokens\":%u,\"output_tokens\":%u,\"reasoning_"
	    "tokens\":%u,"
	    "\"cost_usd\":%.6f,\"duration_ms\":%u,\"ttft_ms\":%u,\"status\":\"%s\",\"pad\":\"",
	    (long long)time_ms, (unsigned long long)next_random(),
	    (unsigned long long)next_random(), user, user % TEAMS, models[model], providers[model],
	    user, below(SESSIONS), input, below(40000), below(3000), output, output / 3,
	    input * 3e-6 + output * 15e-6, duration_ms, duration_ms / 5,
	    below(100) ? "ok" : "error");

	if (used < 0 || used > EVENT_BYTES - 2) {
		fprintf(stderr, "bench_producer: an event has %d bytes\n", used);
		exit(1);
	}
	for (; used < EVENT_BYTES - 2; used++)
		out[used] = (char)('a' + (used * 7) % 23);
	memcpy(out + used, "\"}", 3);
}

static void delivered(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *context)
{
	(void)kafka;
	(void)context;
	failed += message->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_t *producer_new(const char *brokers)
{
	static const char *const settings[][2] = {
		{ "compression.codec", "lz4" },	   { "linger.ms", "20" },
		{ "batch.num.messages", "10000" }, { "queue.buffering.max.messages", "200000" },
		{ "enable.idempotence", "true" },  { "log_level", "3" },
		{ "bootstrap.servers", NULL },
	};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char text[512];
	rd_kafka_t *kafka;

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		const char *value = settings[i][1] ? settings[i][1] : brokers;

		if (rd_kafka_conf_set(conf, settings[i][0], value, text, sizeof(text)) !=
		    RD_KAFKA_CONF_OK) {
			fprintf(stderr, "bench_producer: %s\n", text);
			exit(2);
		}
	}
	rd_kafka_conf_set_dr_msg_cb(conf, delivered);
	kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
	if (!kafka) {
		fprintf(stderr, "bench_producer: %s\n", text);
		exit(1);
	}
	return kafka;
}

static void produce(rd_kafka_t *kafka, rd_kafka_topic_t *topic, int32_t partition, char *event)
{
	while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, event, EVENT_BYTES, NULL, 0,
				NULL)) {
		if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
			fprintf(stderr, "bench_producer: %s\n",
				rd_kafka_err2str(rd_kafka_last_error()));
			exit(1);
		}
		rd_kafka_poll(kafka, 50);
	}
}

int main(int argc, char **argv)
{
	char event[EVENT_BYTES + 64];
	rd_kafka_topic_t *topic;
	rd_kafka_t *kafka;
	unsigned partitions;
	long long events, first_ms;

	if (argc != 6) {
		fputs("usage: bench_producer BROKERS TOPIC PARTITIONS EVENTS FIRST_TIME_MS\n",
		      stderr);
		return 2;
	}
	partitions = (unsigned)atoi(argv[3]);
	events = atoll(argv[4]);
	first_ms = atoll(argv[5]);
	kafka = producer_new(argv[1]);
	topic = rd_kafka_topic_new(kafka, argv[2], NULL);
	for (long long i = 0; i < events; i++) {
		unsigned user = below(USERS);

		write_event(event, sizeof(event), first_ms + i * SPAN_MS / events, user);
		produce(kafka, topic, (int32_t)(user % partitions), event);
		if (i % 1000 == 0)
			rd_kafka_poll(kafka, 0);
	}
	rd_kafka_flush(kafka, 120000);
	failed += rd_kafka_outq_len(kafka);
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(kafka);
	if (failed)
		fprintf(stderr, "bench_producer: %ld events were not delivered\n", failed);
	return failed != 0;
}
