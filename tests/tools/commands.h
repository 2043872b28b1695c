/* SPDX-License-Identifier: Apache-2.0
 *
 * commands: lines on standard input that steer a test tool while it runs. For one poll loop of one thread.
 */
#ifndef TOKENTALLY_COMMANDS_H
#define TOKENTALLY_COMMANDS_H

#include <stdbool.h>

/* Reads what has come (it waits when nothing has) and calls obey for each whole line, without its end, in order; obey prints
 * the answer, which is flushed. False: standard input has ended, or a line is longer than 1,022 bytes. */
bool commands_read(void (*obey)(void *ctx, const char *line), void *ctx);

#endif
