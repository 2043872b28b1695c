/* SPDX-License-Identifier: Apache-2.0
 *
 * notify: what arrives at NOTIFY_SOCKET, and that nothing happens without it.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "notify.h"

static int receiver = -1;

/* In place of systemd: an abstract socket, which leaves no file behind. */
static int listen_as_systemd(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int len = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "tokentally-test-%d",
			   (int)getpid());
	char name[128];

	(void)state;
	receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(receiver, (struct sockaddr *)&address,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) != 0)
		return -1;
	snprintf(name, sizeof name, "@%s", address.sun_path + 1);
	return setenv("NOTIFY_SOCKET", name, 1);
}

static int stop_listening(void **state)
{
	(void)state;
	close(receiver);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return unsetenv("NOTIFY_SOCKET");
}

static const char *received(void)
{
	static char message[1024];
	ssize_t len = recv(receiver, message, sizeof message - 1, 0);

	message[len > 0 ? len : 0] = '\0';
	return message;
}

static void each_call_is_one_message(void **state)
{
	(void)state;
	notify_ready();
	assert_string_equal(received(), "READY=1");
	notify_stopping();
	assert_string_equal(received(), "STOPPING=1");
	notify_watchdog();
	assert_string_equal(received(), "WATCHDOG=1");
	notify_status("lag %d", 7);
	assert_string_equal(received(), "STATUS=lag 7");
}

static void a_reload_carries_the_monotonic_time(void **state)
{
	const char *message;
	long long now_us;

	(void)state;
	notify_reloading();
	message = received();
	assert_int_equal(sscanf(message, "RELOADING=1\nMONOTONIC_USEC=%lld", &now_us), 1);
	assert_true(now_us > 0);
}

/* A line feed in it would start another variable of the message. */
static void a_status_is_one_line_and_cut(void **state)
{
	char text[2000];

	(void)state;
	notify_status("%s", "cannot connect\nREADY=1");
	assert_string_equal(received(), "STATUS=cannot connect READY=1");
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	notify_status("%s", text);
	assert_in_range(strlen(received()), 100, 600);
}

static void the_watchdog_is_fed_twice_in_its_time(void **state)
{
	(void)state;
	assert_int_equal(notify_watchdog_interval_ms(), 0);
	setenv("WATCHDOG_USEC", "60000000", 1);
	assert_int_equal(notify_watchdog_interval_ms(), 30000);
	setenv("WATCHDOG_USEC", "1000", 1);
	assert_int_equal(notify_watchdog_interval_ms(), 1);
	setenv("WATCHDOG_PID", "1", 1); /* another process is meant */
	assert_int_equal(notify_watchdog_interval_ms(), 0);
}

static void without_a_socket_nothing_happens(void **state)
{
	(void)state;
	notify_ready();
	notify_status("nobody hears this");
	notify_reloading();
	notify_stopping();
	notify_watchdog();
	assert_int_equal(notify_watchdog_interval_ms(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_call_is_one_message, listen_as_systemd,
						stop_listening),
		cmocka_unit_test_setup_teardown(a_reload_carries_the_monotonic_time,
						listen_as_systemd, stop_listening),
		cmocka_unit_test_setup_teardown(a_status_is_one_line_and_cut, listen_as_systemd,
						stop_listening),
		cmocka_unit_test_setup_teardown(the_watchdog_is_fed_twice_in_its_time,
						listen_as_systemd, stop_listening),
		cmocka_unit_test(without_a_socket_nothing_happens),
	};

	unsetenv("NOTIFY_SOCKET");
	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
