/* SPDX-License-Identifier: Apache-2.0
 *
 * company: plays three weeks of a made-up company of 300 people into Kafka, as `native` events in
 * the order in which they would have arrived: some late, a few twice, and from one broken sender
 * some that are not events at all. The last line on standard output says what a correct consumer
 * must find: accepted + duplicates + dead = records.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <librdkafka/rdkafka.h>

#include "company.h"

struct options {
	const char *brokers, *topic;
	uint64_t seed;
	int days;
	int64_t until_ms, records_a_second; /* 0: as fast as it goes */
	bool print, dry_run;
};

struct truth {
	int64_t records, accepted, duplicates, dead, total_tokens;
};

static const char help[] =
    "usage: company -b BROKERS [-t TOPIC] [-r RATE] [-s SEED] [-d DAYS] [-u UNTIL]\n"
    "       company -p | -n [-s SEED] [-d DAYS] [-u UNTIL]\n"
    "  -b  bootstrap servers to send to; -t topic, default model-calls\n"
    "  -r  records a second, default as fast as it goes\n"
    "  -p  print the events, one a line, instead of sending them\n"
    "  -n  neither: only say what would be sent\n"
    "  -s  seed, default 1; -d days, default 21\n"
    "  -u  end of the play as Unix time in seconds, default now; same seed and end, same events\n";

static int64_t integer(const char *text, int64_t max)
{
	char *end;

	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno || end == text || *end || value < 0 || value > max) {
		fprintf(stderr, "company: not a number between 0 and %" PRId64 ": %s\n", max, text);
		exit(2);
	}
	return value;
}

static struct options parse_options(int argc, char **argv)
{
	struct options options = {
		.topic = "model-calls", .seed = 1, .days = 21, .until_ms = time(NULL) * 1000LL
	};
	int option;

	while ((option = getopt(argc, argv, "b:t:r:pns:d:u:h")) != -1) {
		switch (option) {
		case 'b':
			options.brokers = optarg;
			break;
		case 't':
			options.topic = optarg;
			break;
		case 'r':
			options.records_a_second = integer(optarg, 10000000);
			break;
		case 'p':
			options.print = true;
			break;
		case 'n':
			options.dry_run = true;
			break;
		case 's':
			options.seed = (uint64_t)integer(optarg, INT64_MAX);
			break;
		case 'd':
			options.days = (int)integer(optarg, 365);
			break;
		case 'u':
			options.until_ms = integer(optarg, INT32_MAX) * 1000LL;
			break;
		case 'h':
			fputs(help, stdout);
			exit(0);
		default:
			fputs(help, stderr);
			exit(2);
		}
	}
	if (optind < argc || (!options.brokers && !options.print && !options.dry_run)) {
		fputs(help, stderr);
		exit(2);
	}
	return options;
}

/* ---- from 300 people's calls to what arrives
 * -------------------------------------------------------- */

static int by_arrival(const void *left, const void *right)
{
	const struct call *a = left, *b = right;

	if (a->sent_ms != b->sent_ms)
		return a->sent_ms < b->sent_ms ? -1 : 1;
	return a->event_id < b->event_id ? -1 : a->event_id > b->event_id;
}

/* A sender that got no answer sends again: the same event_id, seconds later. */
static void add_duplicates(struct calls *calls, struct rng *rng)
{
	size_t count = calls->count, more = count / 500;

	calls->items = realloc(calls->items, (count + more + 1) * sizeof(*calls->items));
	if (!calls->items)
		abort();
	for (size_t i = 0; i < more; i++) {
		struct call again = calls->items[rng_below(rng, (int)count)];

		again.sent_ms += 2000 + rng_below(rng, 18000);
		again.duplicate = true;
		calls->items[calls->count++] = again;
	}
}

/* Five days before the end somebody deployed a broken sender for a while. */
static void mangle_some(struct calls *calls, struct rng *rng, int64_t until_ms)
{
	int64_t begin = workday_before(until_ms, 5) + 9 * HOUR_MS;

	for (size_t i = 0; i < calls->count; i++) {
		struct call *call = &calls->items[i];

		if (call->duplicate || call->sent_ms < begin ||
		    call->sent_ms > begin + 40 * MINUTE_MS)
			continue;
		if (rng_chance(rng, 0.12))
			call->mangle = (enum mangle)(HTML_PAGE + rng_below(rng, 4));
	}
}

/* Whatever would arrive after the end has not arrived yet. The original of each duplicate comes
 * before it. */
static void sort_and_cut(struct calls *calls, int64_t until_ms)
{
	qsort(calls->items, calls->count, sizeof(*calls->items), by_arrival);
	while (calls->count && calls->items[calls->count - 1].sent_ms > until_ms)
		calls->count--;
}

static struct calls play(const struct options *options, const struct person people[PEOPLE])
{
	struct calls calls = { 0 };
	struct rng rng = rng_of(options->seed, 1);
	struct span_of_time span = { .to_ms = options->until_ms };

	span.from_ms = span.to_ms / DAY_MS * DAY_MS - options->days * DAY_MS;
	for (int i = 0; i < PEOPLE; i++)
		calls_of_person(&calls, &people[i], i, options->seed, span);
	mangle_some(&calls, &rng, options->until_ms);
	add_duplicates(&calls, &rng);
	sort_and_cut(&calls, options->until_ms);
	return calls;
}

static struct truth truth_of(const struct calls *calls)
{
	struct truth truth = { .records = (int64_t)calls->count };

	for (size_t i = 0; i < calls->count; i++) {
		const struct call *call = &calls->items[i];

		if (call->mangle) {
			truth.dead++;
		} else if (call->duplicate) {
			truth.duplicates++;
		} else {
			truth.accepted++;
			truth.total_tokens +=
			    call->input + call->cache_read + call->cache_write + call->output;
		}
	}
	return truth;
}

/* ---- from a call to bytes
 * --------------------------------------------------------------------------- */

struct line {
	char text[2048];
	size_t len;
};

static void add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int len = vsnprintf(line->text + line->len, sizeof(line->text) - line->len, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(line->text) - line->len)
		abort();
	line->len += (size_t)len;
}

/* RFC 3339 in the office's own time, as a person's tool would say it. */
static void add_time(struct line *line, int64_t time_ms, int offset_min)
{
	time_t local = (time_t)(time_ms / 1000 + offset_min * 60);
	int minutes = abs(offset_min);
	char text[32];
	struct tm tm;

	gmtime_r(&local, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	add(line, "{\"time\":\"%s.%03d", text, (int)(time_ms % 1000));
	if (offset_min)
		add(line, "%c%02d:%02d\"", offset_min < 0 ? '-' : '+', minutes / 60, minutes % 60);
	else
		add(line, "Z\"");
}

static void add_counter(struct line *line, const char *name, int64_t value)
{
	if (value)
		add(line, ",\"%s\":%" PRId64, name, value);
}

static void add_event(struct line *line, const struct call *call, const struct person *person)
{
	const struct model *model = model_of((enum model_id)call->model);

	add_time(line, call->time_ms, person->office->offset_min);
	if (call->mangle != NO_USER)
		add(line, ",\"user\":\"%s\"", person->key);
	add(line, ",\"model\":\"%s\",\"provider\":\"%s\"", model->name, model->provider);
	add(line, ",\"event_id\":\"req_%016" PRIx64 "%08" PRIx64 "\"", call->event_id,
	    call->event_id_low >> 32);
	if (person->team->name[0])
		add(line, ",\"team\":\"%s\"", person->team->name);
	add(line, ",\"app\":\"%s\"", call->app);
	if (call->session)
		add(line, ",\"session\":\"%016" PRIx64 "\"", call->session);
	if (call->error)
		add(line, ",\"status\":\"error\"");
	if (call->tier)
		add(line, ",\"service_tier\":\"%s\"", call->tier);
	if (call->mangle == TEXT_AS_NUMBER)
		add(line, ",\"input_tokens\":\"lots\"");
	else
		add_counter(line, "input_tokens", call->input);
	add_counter(line, "cache_read_tokens", call->cache_read);
	add_counter(line, "cache_write_tokens", call->cache_write);
	add_counter(line, "output_tokens", call->output);
	add_counter(line, "reasoning_tokens", call->reasoning);
	if (call->cost >= 0)
		add(line, ",\"cost_usd\":%.7f", call->cost);
	add(line, ",\"duration_ms\":%d", call->duration_ms);
	if (call->ttft_ms >= 0)
		add(line, ",\"ttft_ms\":%d", call->ttft_ms);
	add(line, "}");
}

static void write_line(struct line *line, const struct call *call, const struct person *person)
{
	line->len = 0;
	if (call->mangle == HTML_PAGE)
		add(line, "<html><head><title>502 Bad Gateway</title></head></html>");
	else
		add_event(line, call, person);
	if (call->mangle == HALF_A_LINE)
		line->len /= 2;
}

/* ---- where the bytes go
 * ----------------------------------------------------------------------------- */

static void print_all(const struct calls *calls, const struct person people[PEOPLE])
{
	struct line line;

	for (size_t i = 0; i < calls->count; i++) {
		write_line(&line, &calls->items[i], &people[calls->items[i].person]);
		fwrite(line.text, 1, line.len, stdout);
		putchar('\n');
	}
}

static int64_t failed_messages;

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	(void)rk;
	(void)opaque;
	failed_messages += message->err != 0;
}

static rd_kafka_t *new_producer(const char *brokers)
{
	/* Large compressed batches: the mock broker keeps 5 MiB a partition and searches batches
	 * one by one. */
	const char *settings[][2] = { { "bootstrap.servers", brokers },
				      { "compression.codec", "lz4" },
				      { "linger.ms", "200" },
				      { "batch.num.messages", "20000" },
				      { "enable.idempotence", "false" },
				      { "max.in.flight.requests.per.connection", "1" },
				      { "acks", "all" } };
	char errstr[512];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], errstr,
				      sizeof(errstr))) {
			fprintf(stderr, "company: %s\n", errstr);
			exit(1);
		}
	}
	rd_kafka_conf_set_dr_msg_cb(conf, delivered);
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, errstr, sizeof(errstr));
	if (!rk) {
		fprintf(stderr, "company: cannot make a producer: %s\n", errstr);
		exit(1);
	}
	return rk;
}

/* Keyed by person and stamped with the time of its arrival, as a live sender's would be. */
static void send_one(rd_kafka_t *rk, const char *topic, const struct call *call,
		     const struct person *person, const struct line *line)
{
	for (;;) {
		rd_kafka_resp_err_t code = rd_kafka_producev(
		    rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY(person->key, strlen(person->key)),
		    RD_KAFKA_V_VALUE((void *)line->text, line->len),
		    RD_KAFKA_V_TIMESTAMP(call->sent_ms), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
		    RD_KAFKA_V_END);

		if (!code)
			break;
		if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
			fprintf(stderr, "company: cannot send: %s\n", rd_kafka_err2str(code));
			exit(1);
		}
		rd_kafka_poll(rk, 100);
	}
	rd_kafka_poll(rk, 0);
}

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Sleeps as long as `sent` records are ahead of the rate. */
static void keep_the_rate(int64_t begin_ms, int64_t sent, int64_t records_a_second)
{
	int64_t ahead_ms =
	    records_a_second ? begin_ms + sent * 1000 / records_a_second - clock_ms() : 0;
	struct timespec pause = { .tv_sec = ahead_ms / 1000, .tv_nsec = ahead_ms % 1000 * 1000000 };

	if (ahead_ms > 0)
		nanosleep(&pause, NULL);
}

static bool send_all(const struct options *options, const struct calls *calls,
		     const struct person people[PEOPLE])
{
	rd_kafka_t *rk = new_producer(options->brokers);
	int64_t begin_ms = clock_ms();
	struct line line;

	for (size_t i = 0; i < calls->count; i++) {
		const struct call *call = &calls->items[i];

		if (i % 128 == 0)
			keep_the_rate(begin_ms, (int64_t)i, options->records_a_second);
		write_line(&line, call, &people[call->person]);
		send_one(rk, options->topic, call, &people[call->person], &line);
	}
	rd_kafka_resp_err_t code = rd_kafka_flush(rk, 60000);
	rd_kafka_destroy(rk);
	if (code || failed_messages)
		fprintf(stderr, "company: %" PRId64 " messages were not taken by the broker\n",
			failed_messages);
	return !code && !failed_messages;
}

int main(int argc, char **argv)
{
	struct options options = parse_options(argc, argv);
	static struct person people[PEOPLE];

	people_init(people, options.seed);
	struct calls calls = play(&options, people);
	struct truth truth = truth_of(&calls);
	bool sent = true;
	if (options.print)
		print_all(&calls, people);
	else if (!options.dry_run)
		sent = send_all(&options, &calls, people);
	free(calls.items);
	if (!options.print)
		printf("records=%" PRId64 " accepted=%" PRId64 " duplicates=%" PRId64
		       " dead=%" PRId64 " total_tokens=%" PRId64 "\n",
		       truth.records, truth.accepted, truth.duplicates, truth.dead,
		       truth.total_tokens);
	return sent ? 0 : 1;
}
