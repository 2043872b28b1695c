/* SPDX-License-Identifier: Apache-2.0
 *
 * http: GET /metrics, /healthz and /readyz for Prometheus, supervisors and load balancers. Nothing
 * else: no names, no writes, no TLS (it listens on the loopback address unless told otherwise).
 *
 * One thread of its own (libmicrohttpd), made by http_new and joined by http_free. The callbacks
 * run in it.
 */
#ifndef TOKENTALLY_HTTP_H
#define TOKENTALLY_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "text.h"

/* Must not block: a lock that the main loop holds while it waits would make a busy process look
 * dead. */
struct http_callbacks {
	void *ctx;
	/* /healthz: has the main loop moved lately? */
	bool (*alive)(void *ctx);
	/* /readyz: does all run? If not, adds a line for each reason. */
	bool (*ready)(void *ctx, struct buf *reasons);
};

struct http;
/* listen_text is HOST:PORT; an IPv6 address stands in brackets, "[::1]:9188". Port 0 takes any free
 * one. NULL: it does not listen; ERR_CONFIG when it cannot be right, else ERR_FATAL. */
struct http *http_new(const char *listen_text, const struct http_callbacks *callbacks,
		      struct err *err) ATTR_MUST_CHECK;
void http_free(struct http *http);

uint16_t http_port(const struct http *http);

#endif
