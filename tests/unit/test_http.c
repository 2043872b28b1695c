/* SPDX-License-Identifier: Apache-2.0
 *
 * http: what it answers, to friends and to others, and what it says when it cannot listen.
 */
#include "autoconf.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "http.h"
#include "metrics.h"

#define ANSWER_BYTES (128 * 1024)
#define CLOSE "Connection: close\r\n\r\n"

/* What the callbacks say. They run in http's thread, but only within a request. */
struct world {
	_Atomic bool alive, ready;
};

static bool world_alive(void *ctx)
{
	return ((struct world *)ctx)->alive;
}

static bool world_ready(void *ctx, struct buf *reasons)
{
	if (((struct world *)ctx)->ready)
		return true;
	buf_add_text(reasons, "postgres: not connected\nkafka: no partition assigned\n");
	return false;
}

static struct world world;
static char answer[ANSWER_BYTES];

static struct http *start(const char *where)
{
	const struct http_callbacks callbacks = { &world, world_alive, world_ready };
	struct err err = { 0 };
	struct http *http = http_new(where, &callbacks, &err);

	if (!http)
		print_message("# %s\n", err.text);
	return http;
}

static int connect_to(int family, uint16_t port)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET,
				   .sin_port = htons(port),
				   .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(port),
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(family, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	if (family == AF_INET)
		assert_int_equal(connect(fd, (struct sockaddr *)&in4, sizeof in4), 0);
	else
		assert_int_equal(connect(fd, (struct sockaddr *)&in6, sizeof in6), 0);
	return fd;
}

/* Sends the request and reads to the end: the whole answer is in `answer`. */
static void ask(int family, const struct http *http, const char *request)
{
	int fd = connect_to(family, http_port(http));
	size_t len = 0;
	ssize_t got;

	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	while ((got = recv(fd, answer + len, sizeof answer - 1 - len, 0)) > 0)
		len += (size_t)got;
	answer[len] = '\0';
	close(fd);
}

static void check_answer(const struct http *http, const char *request_line, int status,
			 const char *body)
{
	char request[200], start_of_answer[30];

	snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: x\r\n" CLOSE, request_line);
	ask(AF_INET, http, request);
	snprintf(start_of_answer, sizeof start_of_answer, "HTTP/1.1 %d ", status);
	if (strncmp(answer, start_of_answer, strlen(start_of_answer)) != 0 || !strstr(answer, body))
		fail_msg("%s: not %d with '%s' but:\n%s", request_line, status, body, answer);
}

static int set_up(void **state)
{
	metrics_init("1.0", 0);
	world.alive = world.ready = true;
	*state = start("127.0.0.1:0");
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	http_free(*state);
	return 0;
}

static void metrics_are_served(void **state)
{
	metric_add(METRIC_COMMITS, 12);
	check_answer(*state, "GET /metrics", 200, "\ntokentally_commits_total 12\n");
	assert_non_null(
	    strstr(answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	assert_non_null(strstr(answer, "process_start_time_seconds"));
}

static void health_follows_the_main_loop(void **state)
{
	check_answer(*state, "GET /healthz", 200, "\r\n\r\nok\n");
	world.alive = false;
	check_answer(*state, "GET /healthz", 503, "main loop");
}

static void readiness_names_every_reason(void **state)
{
	check_answer(*state, "GET /readyz", 200, "\r\n\r\nready\n");
	world.ready = false;
	check_answer(*state, "GET /readyz", 503,
		     "\r\n\r\npostgres: not connected\nkafka: no partition assigned\n");
}

static void nothing_else_is_served(void **state)
{
	check_answer(*state, "GET /", 404, "/metrics");
	check_answer(*state, "GET /metrics/", 404, "/metrics");
	check_answer(*state, "GET /../etc/passwd", 404, "/metrics");
	check_answer(*state, "DELETE /metrics", 405, "Allow: GET, HEAD\r\n");
	check_answer(*state, "GET /metrics?name=value", 200, "tokentally_");
}

static void a_head_has_no_body(void **state)
{
	check_answer(*state, "HEAD /healthz", 200, "Content-Length: 3\r\n");
	assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

static void a_post_is_refused_before_its_body(void **state)
{
	ask(AF_INET, *state,
	    "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n");
	assert_non_null(strstr(answer, " 405 "));
}

static void garbage_does_no_harm(void **state)
{
	static char long_request[64 * 1024];

	ask(AF_INET, *state, "\x16\x03\x01 hello\r\n\r\n");
	ask(AF_INET, *state, "GET\r\n\r\n");
	memset(long_request, 'a', sizeof long_request - 1);
	memcpy(long_request, "GET /", 5);
	/* It may hang up before it has taken everything. */
	close(connect_to(AF_INET, http_port(*state)));
	{
		int fd = connect_to(AF_INET, http_port(*state));

		send(fd, long_request, sizeof long_request - 1, MSG_NOSIGNAL);
		while (recv(fd, answer, sizeof answer, 0) > 0)
			;
		close(fd);
	}
	check_answer(*state, "GET /healthz", 200, "ok\n");
}

/* 32 are served, the others wait in the backlog; when the idle ones have gone, it goes on. */
static void idle_connections_are_bounded(void **state)
{
	enum { IDLE = 40 };
	int fds[IDLE];

	for (int i = 0; i < IDLE; i++)
		fds[i] = connect_to(AF_INET, http_port(*state));
	for (int i = 0; i < IDLE; i++)
		close(fds[i]);
	/* The places are free again as soon as its thread has seen them close. */
	for (int i = 0; i < 100; i++) {
		ask(AF_INET, *state, "GET /healthz HTTP/1.1\r\nHost: x\r\n" CLOSE);
		if (strstr(answer, " 200 "))
			return;
		usleep(20000);
	}
	fail_msg("no answer after the idle connections were gone");
}

static void it_listens_on_ipv6(void **state)
{
	struct http *http = start("[::1]:0");

	(void)state;
	if (!http)
		skip(); /* no IPv6 here */
	ask(AF_INET6, http, "GET /healthz HTTP/1.1\r\nHost: x\r\n" CLOSE);
	assert_non_null(strstr(answer, " 200 "));
	http_free(http);
}

static void a_port_in_use_says_what_to_do(void **state)
{
	const struct http_callbacks callbacks = { &world, world_alive, world_ready };
	struct err err = { 0 };
	char where[32];

	snprintf(where, sizeof where, "127.0.0.1:%u", http_port(*state));
	assert_null(http_new(where, &callbacks, &err));
	assert_int_equal(err.kind, ERR_FATAL);
	assert_non_null(strstr(err.text, where));
	assert_non_null(strstr(err.text, "in use"));
	assert_non_null(strstr(err.text, "http.listen"));
}

static void the_port_is_free_again_afterwards(void **state)
{
	struct http *http = start("127.0.0.1:0"), *again;
	char where[32];

	(void)state;
	snprintf(where, sizeof where, "127.0.0.1:%u", http_port(http));
	ask(AF_INET, http, "GET /healthz HTTP/1.1\r\nHost: x\r\n" CLOSE);
	http_free(http);
	again = start(where);
	assert_non_null(again);
	http_free(again);
	http_free(NULL);
}

static void a_wrong_address_is_a_fault_of_the_configuration(void **state)
{
	static const char *const wrong[] = { "",
					     "9188",
					     ":9188",
					     "127.0.0.1",
					     "127.0.0.1:",
					     "127.0.0.1:http",
					     "127.0.0.1:65536",
					     "127.0.0.1:-1",
					     "127.0.0.1:9188 ",
					     "::1:9188",
					     "[::1]",
					     "127.0.0.1:000009188" };
	const struct http_callbacks callbacks = { &world, world_alive, world_ready };

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct err err = { 0 };

		if (http_new(wrong[i], &callbacks, &err))
			fail_msg("'%s' was taken", wrong[i]);
		assert_int_equal(err.kind, ERR_CONFIG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(metrics_are_served, set_up, tear_down),
		cmocka_unit_test_setup_teardown(health_follows_the_main_loop, set_up, tear_down),
		cmocka_unit_test_setup_teardown(readiness_names_every_reason, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_else_is_served, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_head_has_no_body, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_post_is_refused_before_its_body, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(garbage_does_no_harm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(idle_connections_are_bounded, set_up, tear_down),
		cmocka_unit_test(it_listens_on_ipv6),
		cmocka_unit_test_setup_teardown(a_port_in_use_says_what_to_do, set_up, tear_down),
		cmocka_unit_test(the_port_is_free_again_afterwards),
		cmocka_unit_test(a_wrong_address_is_a_fault_of_the_configuration),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
