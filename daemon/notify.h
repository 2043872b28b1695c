/* SPDX-License-Identifier: Apache-2.0
 *
 * notify: tells systemd how we are (sd_notify). Every call does nothing when no one listens, that
 * is without NOTIFY_SOCKET. A message that cannot be sent is lost: the watchdog is what notices
 * that.
 */
#ifndef TOKENTALLY_NOTIFY_H
#define TOKENTALLY_NOTIFY_H

#include <stdint.h>

#include "err.h"

/* After configuration and schema were right and the threads run; also ends a reload. */
void notify_ready(void);
/* One line for `systemctl status`. */
void notify_status(const char *fmt, ...) ATTR_PRINTF(1, 2);
/* At SIGHUP; notify_ready() must follow, whether the new file was taken or refused. */
void notify_reloading(void);
void notify_stopping(void);

/* How often notify_watchdog() must be called: half of WatchdogSec; 0: never, there is no watchdog
 * for us. */
int64_t notify_watchdog_interval_ms(void);
void notify_watchdog(void);

#endif
