/* SPDX-License-Identifier: Apache-2.0
 *
 * log: see log.h. A line is put together on the stack; only poll and write are under the mutex, so
 * that no thread takes the room that another one was just told of.
 */
#include "autoconf.h"

#include "log.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "period.h"
#include "text.h"

/* How long the first line waits for a reader; while there is none the next ones do not wait. */
#define WAIT_MS 100

static atomic_int level_now = LOG_LEVEL_INFO;
static atomic_int format_now = LOG_FORMAT_AUTO;
static atomic_uint_least64_t dropped;
static pthread_mutex_t stderr_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t dropped_in_row; /* under stderr_lock */

static const char *level_name(enum log_level level)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };

	return names[level];
}

/* syslog's numbers, which journald reads. */
static int level_priority(enum log_level level)
{
	static const int priorities[] = { 7, 6, 4, 3 };

	return priorities[level];
}

void log_set(enum log_level level, enum log_format format)
{
	atomic_store(&level_now, (int)level);
	atomic_store(&format_now, (int)format);
}

bool log_enabled(enum log_level level)
{
	return (int)level >= atomic_load_explicit(&level_now, memory_order_relaxed);
}

uint64_t log_dropped(void)
{
	return atomic_load(&dropped);
}

static bool journald_reads(void)
{
	return (getenv("JOURNAL_STREAM") || getenv("INVOCATION_ID")) && !isatty(STDERR_FILENO);
}

/* A line being made, on the stack: to log must not need memory. Always NUL-terminated. */
struct line {
	char data[LOG_LINE_BYTES_MAX + 1];
	size_t len;
};

static void add_text(struct line *line, const char *text)
{
	size_t len = strlen(text);

	assert(len <= LOG_LINE_BYTES_MAX - line->len);
	memcpy(line->data + line->len, text, len + 1);
	line->len += len;
}

/* Adds a message that has only printable UTF-8, whole characters of it and "..." when it is too
 * long. */
static void add_message(struct line *line, const char *message, bool json)
{
	const size_t end_bytes = strlen("...\"}\n");

	while (*message) {
		char one[8] = ""; /* a backslash and one character, which is at most 4 bytes of UTF-8 */
		size_t len = 1;

		while (((unsigned char)message[len] & 0xc0) == 0x80)
			len++;
		if (json && (*message == '"' || *message == '\\'))
			one[0] = '\\';
		memcpy(one + strlen(one), message, len < 6 ? len : 6);
		if (strlen(one) + end_bytes > LOG_LINE_BYTES_MAX - line->len) {
			add_text(line, "...");
			return;
		}
		add_text(line, one);
		message += len;
	}
}

static void make_line(struct line *line, enum log_level level, const char *message)
{
	bool json = atomic_load(&format_now) == LOG_FORMAT_JSON;
	char now[32], start[96];

	period_format(now_wall_us(), now, sizeof(now));
	if (json)
		snprintf(start, sizeof(start), "{\"time\":\"%s\",\"level\":\"%s\",\"message\":\"",
			 now, level_name(level));
	else if (journald_reads())
		snprintf(start, sizeof(start), "<%d>", level_priority(level));
	else
		snprintf(start, sizeof(start), "%s %s ", now, level_name(level));
	line->len = 0;
	add_text(line, start);
	add_message(line, message, json);
	add_text(line, json ? "\"}\n" : "\n");
}

/* A pipe that poll calls writable takes PIPE_BUF bytes, which is more than a line, at once. */
static bool stderr_takes(int wait_ms)
{
	struct pollfd pollfd = { .fd = STDERR_FILENO, .events = POLLOUT };
	int ready = poll(&pollfd, 1, wait_ms);

	return ready == 1 && (pollfd.revents & POLLOUT) && !(pollfd.revents & POLLERR);
}

static bool write_line(const struct line *line, int wait_ms)
{
	ssize_t written;

	if (!stderr_takes(wait_ms))
		return false;
	do {
		written = write(STDERR_FILENO, line->data, line->len);
	} while (written < 0 && errno == EINTR);
	return written == (ssize_t)line->len;
}

/* Says how many lines are missing before the first one that gets through again. */
static bool write_loss(void)
{
	struct line line;
	char text[64];

	snprintf(text, sizeof(text), "%llu log lines lost: stderr took none",
		 (unsigned long long)dropped_in_row);
	make_line(&line, LOG_LEVEL_WARN, text);
	return write_line(&line, 0);
}

static void write_or_drop(const struct line *line)
{
	int wait_ms = WAIT_MS;

	pthread_mutex_lock(&stderr_lock);
	if (dropped_in_row) {
		wait_ms = 0;
		if (write_loss())
			dropped_in_row = 0;
	}
	if (dropped_in_row || !write_line(line, wait_ms)) {
		dropped_in_row++;
		atomic_fetch_add(&dropped, 1);
	}
	pthread_mutex_unlock(&stderr_lock);
}

static void ATTR_PRINTF(2, 0) log_line(enum log_level level, const char *fmt, va_list args)
{
	char raw[LOG_LINE_BYTES_MAX];
	char printable[4 * LOG_LINE_BYTES_MAX]; /* a byte becomes at most four: \xNN */
	struct line line;
	int errno_before = errno;

	if (!log_enabled(level))
		return;
	if (vsnprintf(raw, sizeof(raw), fmt, args) < 0)
		raw[0] = '\0';
	text_printable(printable, sizeof(printable), span_of(raw));
	make_line(&line, level, printable);
	write_or_drop(&line);
	errno = errno_before;
}

void log_debug(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_DEBUG, fmt, args);
	va_end(args);
}

void log_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_INFO, fmt, args);
	va_end(args);
}

void log_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_WARN, fmt, args);
	va_end(args);
}

void log_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_ERROR, fmt, args);
	va_end(args);
}
