/* SPDX-License-Identifier: Apache-2.0
 *
 * log: one line to stderr with one write(2), from any thread. Only modules that decide log; the
 * others return a struct err. A line that is not fatal says what happens next. Never log payloads,
 * conninfo or the value of a secret.
 *
 * A reader that does not read cannot stop the daemon: when stderr takes nothing for a moment the
 * line is dropped and counted, and the first line that gets through again is preceded by how many
 * were lost. The program must ignore SIGPIPE.
 */
#ifndef TOKENTALLY_LOG_H
#define TOKENTALLY_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/* LOG_FORMAT_AUTO: "<6>text" for journald (JOURNAL_STREAM or INVOCATION_ID is set and stderr is not
 * a terminal), else "2026-11-23T10:00:00Z info text". LOG_FORMAT_JSON:
 * {"time":…,"level":…,"message":…}. */
enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_JSON };

/* The longest line, its newline included; the rest is cut. */
#define LOG_LINE_BYTES_MAX 2048

/* At the start (before it: info, auto) and at any reload, from any thread. */
void log_set(enum log_level level, enum log_format format);

/* For messages that are costly to make. */
bool log_enabled(enum log_level level);

/* Control bytes and bytes that are not UTF-8 come out as \xNN: no message can forge a line. errno
 * stays. */
void log_debug(const char *fmt, ...) ATTR_PRINTF(1, 2);
void log_info(const char *fmt, ...) ATTR_PRINTF(1, 2);
void log_warn(const char *fmt, ...) ATTR_PRINTF(1, 2);
void log_error(const char *fmt, ...) ATTR_PRINTF(1, 2);

/* Lines lost since the start because stderr took none. */
uint64_t log_dropped(void);

#endif
