/* SPDX-License-Identifier: Apache-2.0
 *
 * notify: libsystemd's sd_notify in our words. The only place with sd-daemon.h.
 */
#include "autoconf.h"

#include "notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "period.h"

#define STATUS_BYTES_MAX 512

void notify_ready(void)
{
	sd_notify(0, "READY=1");
}

void notify_status(const char *fmt, ...)
{
	char text[STATUS_BYTES_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	/* A line of the message is a variable of its own: a status never gets two. */
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	sd_notifyf(0, "STATUS=%s", text);
}

/* The time lets systemd (253 and newer, Type=notify-reload) match the READY=1 that follows. */
void notify_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		   (int64_t)now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000);
}

void notify_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

int64_t notify_watchdog_interval_ms(void)
{
	uint64_t timeout_us;

	if (sd_watchdog_enabled(0, &timeout_us) <= 0)
		return 0;
	/* Below 2 ms it would be 0, which means never. */
	return timeout_us < 2 * US_PER_MS ? 1 : (int64_t)timeout_us / (2 * US_PER_MS);
}

void notify_watchdog(void)
{
	sd_notify(0, "WATCHDOG=1");
}
