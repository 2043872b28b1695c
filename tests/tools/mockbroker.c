/* SPDX-License-Identifier: Apache-2.0
 *
 * mockbroker: librdkafka's mock cluster as a program of its own, so that the demo and small tests
 * have consumer groups, rebalances and offsets without Java. It prints its bootstrap servers on one
 * line and runs until SIGTERM or SIGINT, or, with -e, until its standard input ends. With -e it obeys lines there,
 * each answered by "ok" or by what is wrong:
 *
 *   down BROKER | up BROKER              a broker is away, is back
 *   coordinator GROUP BROKER             the group moves to another broker
 *   leader TOPIC PARTITION BROKER        -1: nobody leads it
 *   error API CODE COUNT                 the next COUNT requests of that kind (Kafka's number: 1 Fetch, 11 JoinGroup,
 *                                        12 Heartbeat, 14 SyncGroup) fail with CODE (librdkafka's: -195 is a lost connection)
 *   rtt BROKER MS                        answers take longer
 *
 * It is not Kafka: it keeps 5 MiB and 100,000 batches a partition, in memory only, and knows no
 * aborted transactions, no deleted topics and no lookup by time. Load tests need the real thing.
 */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "commands.h"

#define TOPICS_MAX 16

struct options {
	const char *topics[TOPICS_MAX];
	int topic_count, partitions, brokers;
	bool end_with_stdin;
};

static void usage(FILE *out)
{
	fputs(
	    "usage: mockbroker [-t TOPIC]... [-p PARTITIONS] [-b BROKERS] [-e]\n"
	    "  -t  create TOPIC (others come into being, with 4 partitions, when first asked for)\n"
	    "  -p  partitions of each created topic, default 4\n"
	    "  -b  brokers of the cluster, default 1\n"
	    "  -e  end when standard input ends\n",
	    out);
}

static int positive(const char *text, const char *what)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < 1 || value > 1000) {
		fprintf(stderr, "mockbroker: %s must be between 1 and 1000, not \"%s\"\n", what,
			text);
		exit(2);
	}
	return (int)value;
}

static void add_topic(struct options *options, const char *topic)
{
	if (options->topic_count == TOPICS_MAX) {
		fprintf(stderr, "mockbroker: at most %d topics\n", TOPICS_MAX);
		exit(2);
	}
	options->topics[options->topic_count++] = topic;
}

static void parse_options(int argc, char **argv, struct options *options)
{
	int option;

	while ((option = getopt(argc, argv, "t:p:b:eh")) != -1) {
		switch (option) {
		case 't':
			add_topic(options, optarg);
			break;
		case 'p':
			options->partitions = positive(optarg, "-p");
			break;
		case 'b':
			options->brokers = positive(optarg, "-b");
			break;
		case 'e':
			options->end_with_stdin = true;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
	if (optind < argc) {
		usage(stderr);
		exit(2);
	}
}

/* Blocks the signals before any thread exists, so that only this descriptor sees them. */
static int signal_descriptor(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static rd_kafka_resp_err_t push_errors(rd_kafka_mock_cluster_t *cluster, int api, int code, int count)
{
	for (int i = 0; i < count; i++)
		rd_kafka_mock_push_request_errors(cluster, (int16_t)api, 1, (rd_kafka_resp_err_t)code);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t obey(rd_kafka_mock_cluster_t *cluster, const char *line)
{
	char name[64];
	int a, b, c;

	if (sscanf(line, "down %d", &a) == 1)
		return rd_kafka_mock_broker_set_down(cluster, a);
	if (sscanf(line, "up %d", &a) == 1)
		return rd_kafka_mock_broker_set_up(cluster, a);
	if (sscanf(line, "coordinator %63s %d", name, &a) == 2)
		return rd_kafka_mock_coordinator_set(cluster, "group", name, a);
	if (sscanf(line, "leader %63s %d %d", name, &a, &b) == 3)
		return rd_kafka_mock_partition_set_leader(cluster, name, a, b);
	if (sscanf(line, "error %d %d %d", &a, &b, &c) == 3)
		return push_errors(cluster, a, b, c);
	if (sscanf(line, "rtt %d %d", &a, &b) == 2)
		return rd_kafka_mock_broker_set_rtt(cluster, a, b);
	return RD_KAFKA_RESP_ERR__INVALID_ARG;
}

static void answer(void *ctx, const char *line)
{
	rd_kafka_resp_err_t code = obey(ctx, line);

	printf("%s\n", code ? rd_kafka_err2str(code) : "ok");
}

static void wait_for_the_end(rd_kafka_mock_cluster_t *cluster, int signals, bool end_with_stdin)
{
	struct pollfd fds[] = { { .fd = signals, .events = POLLIN },
				{ .fd = end_with_stdin ? STDIN_FILENO : -1, .events = POLLIN } };

	for (;;) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents)
			return;
		if (fds[1].revents && !commands_read(answer, cluster))
			return;
	}
}

static void create_topics(rd_kafka_mock_cluster_t *cluster, const struct options *options)
{
	for (int i = 0; i < options->topic_count; i++) {
		rd_kafka_resp_err_t code =
		    rd_kafka_mock_topic_create(cluster, options->topics[i], options->partitions, 1);

		if (code) {
			fprintf(stderr, "mockbroker: cannot create topic %s: %s\n",
				options->topics[i], rd_kafka_err2str(code));
			exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	struct options options = { .partitions = 4, .brokers = 1 };
	char errstr[256];

	parse_options(argc, argv, &options);
	int signals = signal_descriptor();
	/* The mock lives inside a client instance; this one never connects to anything, and says so
	 * at level 5. */
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_conf_set(conf, "log_level", "4", NULL, 0);
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, errstr, sizeof(errstr));
	rd_kafka_mock_cluster_t *cluster =
	    rk ? rd_kafka_mock_cluster_new(rk, options.brokers) : NULL;

	if (signals < 0 || !cluster) {
		fprintf(stderr, "mockbroker: cannot start%s%s\n", rk ? "" : ": ", rk ? "" : errstr);
		return 1;
	}
	create_topics(cluster, &options);
	printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
	fflush(stdout);
	wait_for_the_end(cluster, signals, options.end_with_stdin);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(rk);
	return 0;
}
