/* SPDX-License-Identifier: Apache-2.0
 *
 * faultproxy: a TCP proxy that breaks connections on command, for tests. It listens on a free port of 127.0.0.1,
 * prints it, and passes everything on to HOST:PORT until standard input ends. Commands, one a line; each is
 * answered by "ok" or "error" and what it knows:
 *
 *   pass          forget all below, for connections to come as well
 *   cut N         pass N more bytes, then close every connection
 *   cut-commit N  pass N answers to a commit of ours on to the client, then swallow the next one and close that
 *                 connection: the database has committed, the client does not know
 *   delay MS      wait before each chunk
 *   stop          read nothing from anybody any more: half-open, as if a cable was pulled
 *   reset         close every connection with RST
 *   refuse        answer new connections with RST
 *   stats         "ok CONNECTIONS BYTES COMMITS CUTS": open ones, passed on, answers to commits seen, cut
 *
 * One thread, blocking writes: the speed of a test, not of a network.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"

#define PAIRS_MAX 256
#define CHUNK (64 * 1024)

struct pair {
	int client, server;
	bool committing; /* the client has sent a commit and has no answer yet */
};

static struct pair pairs[PAIRS_MAX];
static int pair_count;
static struct sockaddr_in target;
static int64_t cut_after = -1, commits_left = -1, delay_ms;
static bool stopped, refusing;
static uint64_t bytes_passed, commits_seen, cuts;

static void close_socket(int fd, bool with_reset)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	if (with_reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

static void drop_pair(int index, bool with_reset)
{
	close_socket(pairs[index].client, with_reset);
	close_socket(pairs[index].server, with_reset);
	pairs[index] = pairs[--pair_count];
}

static void drop_all(bool with_reset)
{
	cuts += (uint64_t)pair_count;
	while (pair_count)
		drop_pair(pair_count - 1, with_reset);
}

static void accept_one(int listener)
{
	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC), server, on = 1;

	if (client < 0)
		return;
	server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (refusing || pair_count == PAIRS_MAX || connect(server, (struct sockaddr *)&target, sizeof(target))) {
		close_socket(client, true);
		close(server);
		return;
	}
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	pairs[pair_count++] = (struct pair){ client, server, false };
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t done = send(fd, data, len, MSG_NOSIGNAL);

		if (done <= 0)
			return false;
		data += done;
		len -= (size_t)done;
	}
	return true;
}

/* PostgreSQL's CommandComplete of a SELECT with one row; it comes when the statement is through, and after it the
 * transaction is committed. Seen only where a commit was asked for, so the text cannot be meant by anything else. */
static bool answers_commit(struct pair *pair, const char *data, size_t len)
{
	static const char complete[] = "C\0\0\0\rSELECT 1";

	if (!pair->committing || !memmem(data, len, complete, sizeof(complete)))
		return false;
	pair->committing = false;
	commits_seen++;
	return true;
}

/* False: the pair is to be closed. */
static bool pass(struct pair *pair, bool from_client)
{
	static char data[CHUNK];
	ssize_t len = recv(from_client ? pair->client : pair->server, data, sizeof(data), 0);
	struct timespec pause = { delay_ms / 1000, delay_ms % 1000 * 1000000 };

	if (len <= 0)
		return false;
	if (from_client && memmem(data, (size_t)len, "ingest_commit(", 14))
		pair->committing = true;
	if (!from_client && answers_commit(pair, data, (size_t)len) && commits_left >= 0 && commits_left-- == 0) {
		cuts++;
		return false;
	}
	if (delay_ms)
		nanosleep(&pause, NULL);
	if (cut_after >= 0 && len > cut_after)
		len = cut_after;
	if (!write_all(from_client ? pair->server : pair->client, data, (size_t)len))
		return false;
	bytes_passed += (uint64_t)len;
	if (cut_after >= 0)
		cut_after -= len;
	return true;
}

static bool obey(const char *line)
{
	long long number = 0;
	char word[32] = "";

	if (sscanf(line, "%31s %lld", word, &number) < 1)
		return false;
	if (!strcmp(word, "pass")) {
		cut_after = commits_left = -1;
		delay_ms = 0;
		stopped = refusing = false;
	} else if (!strcmp(word, "cut")) {
		cut_after = number;
	} else if (!strcmp(word, "cut-commit")) {
		commits_left = number;
	} else if (!strcmp(word, "delay")) {
		delay_ms = number;
	} else if (!strcmp(word, "stop")) {
		stopped = true;
	} else if (!strcmp(word, "refuse")) {
		refusing = true;
	} else if (!strcmp(word, "reset")) {
		drop_all(true);
	} else if (strcmp(word, "stats") != 0) {
		return false;
	}
	return true;
}

static void answer(void *ctx, const char *line)
{
	bool ok = obey(line);

	(void)ctx;
	printf("%s %d %llu %llu %llu\n", ok ? "ok" : "error", pair_count, (unsigned long long)bytes_passed,
	       (unsigned long long)commits_seen, (unsigned long long)cuts);
}

/* One round of waiting and passing. False: the end. */
static bool turn(int listener)
{
	struct pollfd fds[2 + 2 * PAIRS_MAX];
	int count = pair_count;

	fds[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = stopped ? -1 : listener, .events = POLLIN };
	for (int i = 0; i < count; i++) {
		fds[2 + 2 * i] = (struct pollfd){ .fd = stopped ? -1 : pairs[i].client, .events = POLLIN };
		fds[3 + 2 * i] = (struct pollfd){ .fd = stopped ? -1 : pairs[i].server, .events = POLLIN };
	}
	if (poll(fds, (nfds_t)(2 + 2 * count), -1) < 0)
		return errno == EINTR;
	/* From the end: dropping a pair puts the last one in its place. */
	for (int i = count - 1; i >= 0; i--) {
		bool from_client = fds[2 + 2 * i].revents != 0, from_server = fds[3 + 2 * i].revents != 0;

		if ((from_client && !pass(&pairs[i], true)) || (from_server && !pass(&pairs[i], false)))
			drop_pair(i, false);
		if (cut_after == 0) {
			cut_after = -1;
			drop_all(false);
			break;
		}
	}
	if (fds[1].revents)
		accept_one(listener);
	return !fds[0].revents || commands_read(answer, NULL);
}

int main(int argc, char **argv)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(own);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (argc != 3 || inet_pton(AF_INET, argv[1], &target.sin_addr) != 1) {
		fputs("usage: faultproxy IPV4-ADDRESS PORT\n", stderr);
		return 2;
	}
	target.sin_family = AF_INET;
	target.sin_port = htons((uint16_t)strtol(argv[2], NULL, 10));
	if (listener < 0 || bind(listener, (struct sockaddr *)&own, sizeof(own)) || listen(listener, 64) ||
	    getsockname(listener, (struct sockaddr *)&own, &len)) {
		perror("faultproxy: cannot listen");
		return 1;
	}
	printf("%d\n", ntohs(own.sin_port));
	fflush(stdout);
	while (turn(listener))
		;
	return 0;
}
