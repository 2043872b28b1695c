/* SPDX-License-Identifier: Apache-2.0
 *
 * run: `tokentally run`, the daemon in the foreground: starts the threads, answers signals, the watchdog and
 * the HTTP endpoint, and stops everything in reverse.
 */
#ifndef TOKENTALLY_RUN_H
#define TOKENTALLY_RUN_H

#include <stddef.h>

#include "options.h"

/* Takes over options. path and overrides are read again at SIGHUP. Returns the exit status. */
int run_daemon(struct options *options, const char *path, char *const *overrides, size_t override_count);

#endif
