/* SPDX-License-Identifier: Apache-2.0
 *
 * http: the socket is made here, so that a failure can be said with its cause; libmicrohttpd does
 * the rest. The only place with microhttpd.h.
 */
#include "autoconf.h"

#include "http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mem.h"
#include "metrics.h"

#define CONNECTIONS_MAX 32
#define CONNECTION_BYTES_MAX (16 * 1024)
#define IDLE_SECONDS_MAX 10
#define BACKLOG 16
#define REASONS_BYTES_MAX (16 * 1024)
#define HOST_BYTES 256
#define PORT_BYTES 6
#define PLAIN_TEXT "text/plain; charset=utf-8"
#define METRICS_TEXT "text/plain; version=0.0.4; charset=utf-8"

struct http {
	struct MHD_Daemon *daemon;
	struct http_callbacks callbacks;
	uint16_t port;
};

struct address {
	char host[HOST_BYTES], port[PORT_BYTES];
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
			      const struct buf *body)
{
	struct MHD_Response *response =
	    MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (!response)
		return MHD_NO; /* closes the connection */
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status,
				   const char *text)
{
	const struct buf body = { .data = (char *)text, .len = strlen(text) };

	return answer(connection, status, PLAIN_TEXT, &body);
}

static enum MHD_Result answer_metrics(struct MHD_Connection *connection)
{
	CLEANUP(buf_release) struct buf body;

	buf_init(&body, METRICS_BYTES_MAX);
	metrics_render(&body);
	if (body.truncated)
		return answer_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
				   "the metrics outgrew their buffer\n");
	return answer(connection, MHD_HTTP_OK, METRICS_TEXT, &body);
}

static enum MHD_Result answer_health(const struct http *http, struct MHD_Connection *connection)
{
	if (http->callbacks.alive(http->callbacks.ctx))
		return answer_text(connection, MHD_HTTP_OK, "ok\n");
	return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
			   "the main loop does not move\n");
}

static enum MHD_Result answer_ready(const struct http *http, struct MHD_Connection *connection)
{
	CLEANUP(buf_release) struct buf reasons;

	buf_init(&reasons, REASONS_BYTES_MAX);
	if (http->callbacks.ready(http->callbacks.ctx, &reasons))
		return answer_text(connection, MHD_HTTP_OK, "ready\n");
	return answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE, PLAIN_TEXT, &reasons);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_bytes, void **state)
{
	const struct http *http = ctx;

	(void)version;
	(void)upload;
	(void)upload_bytes;
	(void)state;
	/* Answered at the first call, before any body is read. */
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (strcmp(url, "/metrics") == 0)
		return answer_metrics(connection);
	if (strcmp(url, "/healthz") == 0)
		return answer_health(http, connection);
	if (strcmp(url, "/readyz") == 0)
		return answer_ready(http, connection);
	return answer_text(connection, MHD_HTTP_NOT_FOUND, "here are /metrics /healthz /readyz\n");
}

/* Splits HOST:PORT or [HOST]:PORT. */
static bool parse_address(const char *listen_text, struct address *out, struct err *err)
{
	const char *colon = strrchr(listen_text, ':');
	struct span host, port = span_of(colon ? colon + 1 : "");
	struct err port_err;
	int64_t number;

	if (!colon || colon == listen_text)
		return err_set(err, ERR_CONFIG, "'%s' is not HOST:PORT, such as 127.0.0.1:9188",
			       listen_text);
	host = (struct span){ listen_text, (size_t)(colon - listen_text) };
	if (host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
		host = (struct span){ host.data + 1, host.len - 2 };
	else if (memchr(host.data, ':', host.len))
		return err_set(err, ERR_CONFIG,
			       "'%s': an IPv6 address stands in brackets, such as [::1]:9188",
			       listen_text);
	if (!parse_int64(port, 0, UINT16_MAX, &number, &port_err) || port.len >= PORT_BYTES)
		return err_set(err, ERR_CONFIG, "'%s': the port is not a number from 0 to 65535",
			       listen_text);
	if (host.len >= HOST_BYTES)
		return err_set(err, ERR_CONFIG, "'%s': the host is too long", listen_text);
	*out = (struct address){ 0 };
	memcpy(out->host, host.data, host.len);
	memcpy(out->port, port.data, port.len);
	return true;
}

static int listen_at(const struct addrinfo *info)
{
	const int on = 1;
	int saved, fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	/* A restart must not wait for connections of the last run to time out. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static bool report_listen(const char *listen_text, int error, struct err *err)
{
	if (error == EADDRINUSE)
		return err_set(err, ERR_FATAL,
			       "cannot listen on '%s': the port is in use: stop what uses it (see "
			       "`ss -ltnp`), or give "
			       "http.listen another port or 'off'",
			       listen_text);
	if (error == EACCES)
		return err_set(err, ERR_CONFIG,
			       "cannot listen on '%s': %s: give http.listen a port from 1024 up",
			       listen_text, strerror(error));
	return err_set(err, ERR_FATAL, "cannot listen on '%s': %s", listen_text, strerror(error));
}

static bool open_socket(const char *listen_text, int *out_fd, struct err *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found;
	struct address address;
	int code, error, fd = -1;

	if (!parse_address(listen_text, &address, err))
		return false;
	code = getaddrinfo(address.host, address.port, &hints, &found);
	if (code != 0)
		return err_set(err, ERR_FATAL, "cannot find the address of '%s': %s", listen_text,
			       gai_strerror(code));
	for (const struct addrinfo *info = found; info && fd < 0; info = info->ai_next)
		fd = listen_at(info);
	error = errno;
	freeaddrinfo(found);
	if (fd < 0)
		return report_listen(listen_text, error, err);
	*out_fd = fd;
	return true;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;

	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		return 0;
	if (address.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&address)->sin6_port);
	return ntohs(((const struct sockaddr_in *)&address)->sin_port);
}

struct http *http_new(const char *listen_text, const struct http_callbacks *callbacks,
		      struct err *err)
{
	struct http *http;
	int fd;

	if (!open_socket(listen_text, &fd, err))
		return NULL;
	http = xcalloc(1, sizeof *http);
	http->callbacks = *callbacks;
	http->port = port_of(fd);
	/* The daemon closes the socket when it stops. */
	http->daemon = MHD_start_daemon(
	    MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_request, http,
	    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS_MAX, MHD_OPTION_END);
	if (!http->daemon) {
		free(http);
		err_set(err, ERR_FATAL, "cannot start the thread that serves '%s'", listen_text);
		return NULL;
	}
	return http;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	MHD_stop_daemon(http->daemon);
	free(http);
}

uint16_t http_port(const struct http *http)
{
	return http->port;
}
