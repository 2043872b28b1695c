/* SPDX-License-Identifier: Apache-2.0
 *
 * source: see source.h. Settings first, then the group's callbacks, then polling.
 */
#include "autoconf.h"

#include "source.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "fault.h"
#include "mem.h"
#include "metrics.h"
#include "period.h"

#define QUEUE_KBYTES_MAX 2097151 /* librdkafka refuses more: 2 GiB */
#define QUEUE_MESSAGES_MAX 10000000 /* nor this */
#define MESSAGE_BYTES 448	    /* what librdkafka takes for a message besides the message */
#define FETCHES_OF_QUEUE 64
#define FETCH_BYTES_MIN (64 * 1024)
#define FETCH_BYTES_MAX (50 * 1024 * 1024)

struct source {
	rd_kafka_t *kafka;
	const struct options *options;
	struct source_callbacks callbacks;
	struct source_partition *started;
	size_t started_count, last_index;
	atomic_bool reachable;
	rd_kafka_t *checker; /* of source_check_marks; made when it is first needed */
};

#define CHECKER_QUEUE_BYTES (256 * 1024)
#define WAKE_EVERY_MS 20

/* In this order: what we would like, the user's own, what the promises need. */
struct setting {
	const char *key, *value;
};
static const struct setting wished[] = {
	{ "client.id", "tokentally" },
	{ "fetch.queue.backoff.ms", "5" }, /* known from 2.2.0 on */
	{ "fetch.wait.max.ms", "100" },
	{ "socket.keepalive.enable", "true" },
	{ "log.connection.close", "false" },
	/* A lost broker should be found again soon, not after the default 10 s. */
	{ "reconnect.backoff.max.ms", "3000" },
	/* So should a topic that was deleted and made again, an added partition, and a topic that comes later. */
	{ "topic.metadata.refresh.interval.ms", "10000" },
};
static const struct setting needed[] = {
	{ "enable.auto.commit", "false" },
	{ "enable.auto.offset.store", "false" },
	{ "auto.offset.reset", "error" },
	{ "isolation.level", "read_committed" },
	{ "partition.assignment.strategy", "roundrobin" },
	{ "enable.partition.eof", "true" }, /* carries progress over control records */
	{ "allow.auto.create.topics", "false" },
	{ "check.crcs", "true" },
};

static bool set(rd_kafka_conf_t *conf, const char *key, const char *value, bool may_be_unknown, struct err *err)
{
	char text[256] = "";
	rd_kafka_conf_res_t res = rd_kafka_conf_set(conf, key, value, text, sizeof(text));

	if (res == RD_KAFKA_CONF_OK || (res == RD_KAFKA_CONF_UNKNOWN && may_be_unknown))
		return true;
	/* librdkafka's text quotes the value. */
	if (options_kafka_key_is_secret(key))
		snprintf(text, sizeof(text), "librdkafka refuses the value");
	return err_set(err, ERR_CONFIG, "kafka.%s: %s", key, text);
}

static bool set_number(rd_kafka_conf_t *conf, const char *key, size_t value, struct err *err)
{
	char number[32];

	snprintf(number, sizeof(number), "%zu", value);
	return set(conf, key, number, false, err);
}

/* What librdkafka holds unread. It counts the bytes of messages, not the 430 of its own for each (2.0.2), so small messages
 * are bound by number: messages of 150 bytes took 120 MB of a queue of 36. It looks at the queue before it asks for
 * more, and what it asked for comes in whole and is decompressed, ten times as large where messages resemble each
 * other; a batch larger than fetch.max.bytes comes all the same (KIP-74). As large as memory allows: a full queue makes 2.0.2
 * wait a fixed second. */
static bool set_queue(rd_kafka_conf_t *conf, size_t queue_bytes, struct err *err)
{
	size_t kbytes = queue_bytes / 4 * 3 / 1024;
	size_t messages = queue_bytes / 2 / MESSAGE_BYTES + 1;
	size_t fetch_bytes = queue_bytes / FETCHES_OF_QUEUE;

	if (fetch_bytes < FETCH_BYTES_MIN)
		fetch_bytes = FETCH_BYTES_MIN;
	if (fetch_bytes > FETCH_BYTES_MAX)
		fetch_bytes = FETCH_BYTES_MAX;
	return set_number(conf, "queued.max.messages.kbytes", kbytes < QUEUE_KBYTES_MAX ? kbytes : QUEUE_KBYTES_MAX, err) &&
	       set_number(conf, "queued.min.messages", messages < QUEUE_MESSAGES_MAX ? messages : QUEUE_MESSAGES_MAX, err) &&
	       set_number(conf, "fetch.max.bytes", fetch_bytes, err) &&
	       /* A producer's limit, but librdkafka wants fetch.max.bytes to be no less. */
	       set_number(conf, "message.max.bytes", fetch_bytes, err);
}

/* A user's own message.max.bytes may be above our fetch.max.bytes. */
static bool fit_fetch(rd_kafka_conf_t *conf, struct err *err)
{
	char fetch[32] = "", message[32] = "";
	size_t cap = sizeof(fetch);

	rd_kafka_conf_get(conf, "fetch.max.bytes", fetch, &cap);
	cap = sizeof(message);
	rd_kafka_conf_get(conf, "message.max.bytes", message, &cap);
	return strtoul(fetch, NULL, 10) >= strtoul(message, NULL, 10) || set(conf, "fetch.max.bytes", message, false, err);
}

static bool set_all(rd_kafka_conf_t *conf, const struct options *options, size_t queue_bytes, struct err *err)
{
	for (size_t i = 0; i < sizeof(wished) / sizeof(*wished); i++) {
		if (!set(conf, wished[i].key, wished[i].value, true, err))
			return false;
	}
	if (!set_queue(conf, queue_bytes, err))
		return false;
	for (size_t i = 0; i < options->kafka_setting_count; i++) {
		if (!set(conf, options->kafka_settings[i].key, options->kafka_settings[i].value, false, err))
			return false;
	}
	if (!fit_fetch(conf, err))
		return false;
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		if (!set(conf, needed[i].key, needed[i].value, false, err))
			return false;
	}
	return set(conf, "group.id", options->kafka_group_id, false, err);
}

static void on_log(const rd_kafka_t *kafka, int level, const char *facility, const char *text)
{
	struct source *source = rd_kafka_opaque(kafka);
	char line[600];

	snprintf(line, sizeof(line), "librdkafka %s: %s", facility, text);
	source->callbacks.log(level, line);
}

static void on_error(rd_kafka_t *kafka, int code, const char *reason, void *ctx)
{
	struct source *source = ctx;

	(void)kafka;
	(void)reason; /* librdkafka logs it as well */
	metric_add(METRIC_KAFKA_ERRORS, 1);
	if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		atomic_store(&source->reachable, false);
}

static int compare_partitions(const void *a, const void *b)
{
	const struct source_partition *x = a, *y = b;
	int by_topic = strcmp(x->topic, y->topic);

	return by_topic ? by_topic : (x->partition > y->partition) - (x->partition < y->partition);
}

/* The name as the options hold it, which outlives librdkafka's lists. NULL: not ours (can't be). */
static const char *own_topic(const struct source *source, const char *name)
{
	for (size_t i = 0; i < source->options->topic_count; i++) {
		if (!strcmp(source->options->kafka_topics[i].name, name))
			return source->options->kafka_topics[i].name;
	}
	return NULL;
}

static void assigned(struct source *source, const rd_kafka_topic_partition_list_t *list)
{
	size_t count = 0;
	CLEANUP(free_ptr) struct source_partition *partitions = xcalloc((size_t)list->cnt + 1, sizeof(*partitions));

	for (int i = 0; i < list->cnt; i++) {
		const char *topic = own_topic(source, list->elems[i].topic);

		if (topic)
			partitions[count++] = (struct source_partition){ topic, list->elems[i].partition, 0 };
	}
	qsort(partitions, count, sizeof(*partitions), compare_partitions);
	atomic_store(&source->reachable, true);
	source->callbacks.assigned(source->callbacks.ctx, partitions, count);
}

static void on_rebalance(rd_kafka_t *kafka, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list, void *ctx)
{
	struct source *source = ctx;
	rd_kafka_topic_partition_list_t *none;

	if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		FAULT("assign.before");
		source->started_count = 0;
		none = rd_kafka_topic_partition_list_new(0);
		rd_kafka_assign(kafka, none);
		rd_kafka_topic_partition_list_destroy(none);
		assigned(source, list);
		FAULT("assign.after");
		return;
	}
	FAULT("revoke.before");
	source->callbacks.revoked(source->callbacks.ctx,
				  code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS || rd_kafka_assignment_lost(kafka));
	source->started_count = 0;
	FAULT("revoke.flushed");
	rd_kafka_assign(kafka, NULL);
	FAULT("revoke.after");
}

struct source *source_new(const struct options *options, size_t queue_bytes, const struct source_callbacks *callbacks,
			  struct err *err)
{
	struct source *source = xcalloc(1, sizeof(*source));
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char text[256];

	source->options = options;
	source->callbacks = *callbacks;
	atomic_init(&source->reachable, false);
	rd_kafka_conf_set_opaque(conf, source);
	rd_kafka_conf_set_log_cb(conf, on_log);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
	if (!set_all(conf, options, queue_bytes, err)) {
		rd_kafka_conf_destroy(conf);
		free(source);
		return NULL;
	}
	source->kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
	if (!source->kafka) {
		rd_kafka_conf_destroy(conf);
		free(source);
		err_set(err, ERR_CONFIG, "cannot set up the Kafka consumer: %s", text);
		return NULL;
	}
	rd_kafka_poll_set_consumer(source->kafka);
	return source;
}

bool source_subscribe(struct source *source, struct err *err)
{
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new((int)source->options->topic_count);
	rd_kafka_resp_err_t code;

	for (size_t i = 0; i < source->options->topic_count; i++)
		rd_kafka_topic_partition_list_add(topics, source->options->kafka_topics[i].name, RD_KAFKA_PARTITION_UA);
	code = FAULT("subscribe") ? RD_KAFKA_RESP_ERR__FAIL : rd_kafka_subscribe(source->kafka, topics);
	rd_kafka_topic_partition_list_destroy(topics);
	return !code || err_set(err, ERR_FATAL, "cannot subscribe: %s", rd_kafka_err2str(code));
}

static bool find_started(struct source *source, const rd_kafka_message_t *message, size_t *index)
{
	const char *topic = message->rkt ? rd_kafka_topic_name(message->rkt) : "";
	size_t count = source->started_count;

	/* Messages come in runs of one partition. */
	for (size_t tried = 0; tried < count; tried++) {
		size_t i = (source->last_index + tried) % count;

		if (source->started[i].partition == message->partition && !strcmp(source->started[i].topic, topic)) {
			source->last_index = *index = i;
			return true;
		}
	}
	return false;
}

static enum err_kind kind_of(rd_kafka_t *kafka, rd_kafka_resp_err_t code)
{
	char text[1];

	if (code == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_fatal_error(kafka, text, sizeof(text)))
		return ERR_FATAL;
	if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
	    code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED)
		return ERR_CONFIG;
	return ERR_RETRY;
}

static enum source_got classify(struct source *source, const rd_kafka_message_t *got, struct source_message *message,
				struct err *err)
{
	const char *topic = got->rkt ? rd_kafka_topic_name(got->rkt) : "";

	if (got->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		message->offset = got->offset;
		atomic_store_explicit(&source->reachable, true, memory_order_relaxed);
		return find_started(source, got, &message->index) ? SOURCE_END : SOURCE_NOTHING;
	}
	if (got->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || got->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
		return find_started(source, got, &message->index) ? SOURCE_OUT_OF_RANGE : SOURCE_NOTHING;
	err_set(err, kind_of(source->kafka, got->err), "Kafka says%s%s: %s", *topic ? " of topic " : "", topic,
		rd_kafka_message_errstr(got));
	return SOURCE_FAILED;
}

enum source_got source_poll(struct source *source, int timeout_ms, struct source_message *message, struct err *err)
{
	rd_kafka_message_t *got = rd_kafka_consumer_poll(source->kafka, timeout_ms);
	enum source_got what;

	if (!got)
		return SOURCE_NOTHING;
	if (got->err) {
		what = classify(source, got, message, err);
		rd_kafka_message_destroy(got);
		return what;
	}
	if (!find_started(source, got, &message->index)) {
		rd_kafka_message_destroy(got);
		return SOURCE_NOTHING;
	}
	message->offset = got->offset;
	message->time_ms = rd_kafka_message_timestamp(got, NULL);
	message->payload = (struct span){ got->payload, got->len };
	message->handle = got;
	return SOURCE_MESSAGE;
}

void source_release(struct source_message *message)
{
	rd_kafka_message_destroy(message->handle);
	message->handle = NULL;
}

static rd_kafka_topic_partition_list_t *list_of(const struct source_partition *partitions, size_t count)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);

	for (size_t i = 0; i < count; i++) {
		rd_kafka_topic_partition_list_add(list, partitions[i].topic, partitions[i].partition)->offset =
			partitions[i].next_offset;
	}
	return list;
}

bool source_start(struct source *source, const struct source_partition *partitions, size_t count, struct err *err)
{
	rd_kafka_topic_partition_list_t *list = list_of(partitions, count);
	rd_kafka_resp_err_t code = FAULT("start") ? RD_KAFKA_RESP_ERR__FAIL : rd_kafka_assign(source->kafka, list);

	rd_kafka_topic_partition_list_destroy(list);
	if (code)
		return err_set(err, ERR_FATAL, "cannot assign partitions: %s", rd_kafka_err2str(code));
	source->started = xrealloc_array(source->started, count + 1, sizeof(*source->started));
	if (count)
		memcpy(source->started, partitions, count * sizeof(*partitions));
	source->started_count = count;
	source->last_index = 0;
	return true;
}

typedef rd_kafka_resp_err_t change_fn(rd_kafka_t *kafka, rd_kafka_topic_partition_list_t *list);

static bool change_flow(struct source *source, change_fn *change, const char *what, struct err *err)
{
	rd_kafka_topic_partition_list_t *list = list_of(source->started, source->started_count);
	rd_kafka_resp_err_t code = FAULT(what) ? RD_KAFKA_RESP_ERR__FAIL : change(source->kafka, list);

	rd_kafka_topic_partition_list_destroy(list);
	return !code || err_set(err, ERR_FATAL, "cannot %s partitions: %s", what, rd_kafka_err2str(code));
}

bool source_pause(struct source *source, struct err *err)
{
	return change_flow(source, rd_kafka_pause_partitions, "pause", err);
}

bool source_resume(struct source *source, struct err *err)
{
	return change_flow(source, rd_kafka_resume_partitions, "resume", err);
}

bool source_watermarks(struct source *source, const char *topic, int32_t partition, int timeout_ms, int64_t *low,
		       int64_t *high, struct err *err)
{
	rd_kafka_resp_err_t code =
		FAULT("watermarks") ? RD_KAFKA_RESP_ERR__TIMED_OUT
				    : rd_kafka_query_watermark_offsets(source->kafka, topic, partition, low, high, timeout_ms);

	if (!code)
		atomic_store(&source->reachable, true);
	return !code || err_set(err, ERR_RETRY, "cannot ask Kafka for the offsets of %s/%d: %s", topic, (int)partition,
				rd_kafka_err2str(code));
}

uint32_t source_checksum(struct span payload)
{
	return (uint32_t)XXH3_64bits(payload.data, payload.len);
}

/* As our consumer, but one message at a time and in no group. NULL: then nothing can be checked. */
static rd_kafka_t *new_checker(struct source *source)
{
	static const struct setting settings[] = {
		{ "queued.min.messages", "100000" }, /* counted over all partitions: one must not hold up the others */
		{ "fetch.message.max.bytes", "16384" },
		{ "fetch.min.bytes", "1" },
		{ "fetch.wait.max.ms", "10" },
	};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	struct err ignored;
	char text[256];
	bool ok = set_all(conf, source->options, CHECKER_QUEUE_BYTES, &ignored);
	rd_kafka_t *checker;

	for (size_t i = 0; ok && i < sizeof(settings) / sizeof(*settings); i++)
		ok = set(conf, settings[i].key, settings[i].value, false, &ignored);
	rd_kafka_conf_set_opaque(conf, source);
	rd_kafka_conf_set_log_cb(conf, on_log);
	checker = ok ? rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text)) : NULL;
	if (checker)
		rd_kafka_poll_set_consumer(checker);
	else
		rd_kafka_conf_destroy(conf);
	return checker;
}

static struct source_mark *find_mark(struct source_mark *marks, size_t count, const rd_kafka_message_t *message)
{
	const char *topic = message->rkt ? rd_kafka_topic_name(message->rkt) : "";

	for (size_t i = 0; i < count; i++) {
		if (marks[i].partition == message->partition && !strcmp(marks[i].topic, topic))
			return &marks[i];
	}
	return NULL;
}

/* The first answer of a partition decides. */
static void judge(struct source_mark *mark, const rd_kafka_message_t *message)
{
	if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
		mark->other = message->offset <= mark->offset;
	else if (!message->err && message->offset == mark->offset)
		mark->other = rd_kafka_message_timestamp(message, NULL) != mark->time_ms ||
			      source_checksum((struct span){ message->payload, message->len }) != mark->checksum;
	mark->offset = -1;
}

/* librdkafka 2.0.2 doesn't wake a sleeping broker thread for a partition that has become fetchable, but up to a second
 * later; a request does wake it, and so does its answer. */
static void wake_brokers(rd_kafka_t *checker, const rd_kafka_topic_partition_list_t *list, int64_t deadline_ms)
{
	rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_copy(list);
	int64_t left_ms = deadline_ms - now_monotonic_ms();

	for (int i = 0; i < ends->cnt; i++)
		ends->elems[i].offset = RD_KAFKA_OFFSET_END;
	if (left_ms > 0)
		rd_kafka_offsets_for_times(checker, ends, (int)left_ms);
	rd_kafka_topic_partition_list_destroy(ends);
}

/* A judged partition has nothing more to tell: what it sends on would stand before the answers of the others. */
static void pause_mark(rd_kafka_t *checker, const struct source_mark *mark)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

	rd_kafka_topic_partition_list_add(list, mark->topic, mark->partition);
	rd_kafka_pause_partitions(checker, list);
	rd_kafka_topic_partition_list_destroy(list);
}

static void read_marks(rd_kafka_t *checker, struct source_mark *marks, size_t count,
		       const rd_kafka_topic_partition_list_t *list, int64_t deadline_ms)
{
	int open = list->cnt;

	wake_brokers(checker, list, deadline_ms);
	while (open && now_monotonic_ms() < deadline_ms) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(checker, WAKE_EVERY_MS);
		struct source_mark *mark = message ? find_mark(marks, count, message) : NULL;

		if (!message)
			wake_brokers(checker, list, deadline_ms);
		if (mark && mark->offset >= 0) {
			judge(mark, message);
			if (--open)
				pause_mark(checker, mark);
		}
		if (message)
			rd_kafka_message_destroy(message);
	}
}

void source_check_marks(struct source *source, struct source_mark *marks, size_t count, int timeout_ms)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);

	for (size_t i = 0; i < count; i++) {
		if (marks[i].offset >= 0)
			rd_kafka_topic_partition_list_add(list, marks[i].topic, marks[i].partition)->offset =
				marks[i].offset;
	}
	if (list->cnt && !source->checker)
		source->checker = new_checker(source);
	if (list->cnt && source->checker && !rd_kafka_assign(source->checker, list)) {
		rd_kafka_resume_partitions(source->checker, list); /* the pauses of the last time */
		read_marks(source->checker, marks, count, list, now_monotonic_ms() + timeout_ms);
		rd_kafka_assign(source->checker, NULL);
	}
	rd_kafka_topic_partition_list_destroy(list);
}

int64_t source_log_end(struct source *source, size_t index)
{
	const struct source_partition *p = &source->started[index];
	int64_t low = -1, high = -1;

	if (index >= source->started_count ||
	    rd_kafka_get_watermark_offsets(source->kafka, p->topic, p->partition, &low, &high))
		return -1;
	return high < 0 ? -1 : high;
}

void source_commit_async(struct source *source, const struct source_partition *partitions, size_t count)
{
	rd_kafka_topic_partition_list_t *list = list_of(partitions, count);

	if (!FAULT("kafka_commit"))
		rd_kafka_commit(source->kafka, list, 1);
	rd_kafka_topic_partition_list_destroy(list);
}

bool source_is_reachable(struct source *source)
{
	return atomic_load(&source->reachable);
}

void source_probe(struct source *source, int timeout_ms)
{
	const struct rd_kafka_metadata *metadata;

	if (rd_kafka_metadata(source->kafka, 0, NULL, &metadata, timeout_ms))
		return;
	rd_kafka_metadata_destroy(metadata);
	atomic_store(&source->reachable, true);
}

bool source_close(struct source *source, int64_t deadline_ms)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(source->kafka);
	rd_kafka_error_t *error;
	bool closed = false;

	FAULT("close.before");
	error = rd_kafka_consumer_close_queue(source->kafka, queue);
	if (error)
		rd_kafka_error_destroy(error);
	while (!closed && now_monotonic_ms() < deadline_ms) {
		rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 100);

		if (event && rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
			on_rebalance(source->kafka, rd_kafka_event_error(event),
				     rd_kafka_event_topic_partition_list(event), source);
		if (event)
			rd_kafka_event_destroy(event);
		closed = rd_kafka_consumer_closed(source->kafka);
	}
	rd_kafka_queue_destroy(queue);
	FAULT("close.after");
	if (!closed)
		return false;
	rd_kafka_destroy_flags(source->kafka, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	if (source->checker)
		rd_kafka_destroy_flags(source->checker, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	free(source->started);
	free(source);
	return true;
}
