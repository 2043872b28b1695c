/* SPDX-License-Identifier: Apache-2.0
 *
 * run: the story of the process. The main thread waits for signals and looks, twice a second, whether all is
 * well. SIGTERM and SIGINT: last commits, leave the group, 0. SIGHUP: reload, a file with a fault is refused
 * whole. Any crash is as good as a stop: nothing is kept here that the database does not have.
 */
#include "autoconf.h"

#include "run.h"

#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "formats.h"
#include "http.h"
#include "log.h"
#include "mem.h"
#include "metrics.h"
#include "notify.h"
#include "period.h"
#include "status.h"
#include "upkeep.h"
#include "worker.h"

#define TICK_MS 500
#define ALIVE_WITHIN_MS 10000
#define STOP_MARGIN_MS 1000 /* between our own deadline and stop_timeout: for the end of the process itself */
#define REPORT_BYTES_MAX 4096
#define FREED_BYTE 0xa5
/* From here on glibc maps memory and gives it back when it is freed. By itself it would raise this border to 32M with the
 * first large buffer, and keep batches and Kafka's fetches in arenas: 356 MB instead of 258 for memory_max = 256M. */
#define MAPPED_BYTES_MIN (256 * 1024)

/* One reload. It is kept to the end: a thread may still be reading what a later one replaced, and reloads are rare. */
struct reload {
	struct options *options;
	struct mappings *mappings;
	struct reload *before;
};

struct daemon {
	struct options *options; /* as started; the workers hold on to it, as to the mappings */
	struct mappings *mappings;
	struct reload *reloads; /* newest first */
	const char *path;
	char *const *overrides;
	size_t override_count;
	int signal_fd;
	struct upkeep *upkeep;
	struct workers *workers;
	struct http *http;
	_Atomic int64_t ticked_ms;
	int64_t watchdog_ms, watchdog_at_ms;
	bool was_ready;
};

static bool is_alive(void *ctx)
{
	struct daemon *daemon = ctx;

	return now_monotonic_ms() - atomic_load(&daemon->ticked_ms) < ALIVE_WITHIN_MS;
}

static bool is_ready(void *ctx, struct buf *reasons)
{
	struct daemon *daemon = ctx;
	size_t before = reasons->len;

	if (!upkeep_is_connected(daemon->upkeep))
		buf_add_text(reasons, "PostgreSQL does not answer\n");
	workers_report(daemon->workers, reasons);
	return reasons->len == before;
}

static int open_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	/* Before any thread is made: they inherit it, and only the main thread reads signals. */
	if (pthread_sigmask(SIG_BLOCK, &set, NULL))
		abort();
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static bool start(struct daemon *daemon, struct err *err)
{
	struct http_callbacks callbacks = { daemon, is_alive, is_ready };

	daemon->mappings = formats_load(daemon->options, err);
	if (!daemon->mappings)
		return false;
	daemon->upkeep = upkeep_new(daemon->options, daemon->mappings, err);
	if (!daemon->upkeep)
		return false;
	daemon->workers = workers_new(daemon->options, daemon->mappings, err);
	if (!daemon->workers)
		return false;
	if (!strcmp(daemon->options->http_listen, "off"))
		return true;
	daemon->http = http_new(daemon->options->http_listen, &callbacks, err);
	return daemon->http != NULL;
}

static void use_reloaded(struct daemon *daemon, struct options *fresh, struct mappings *mappings,
			 const struct buf *needs_restart)
{
	struct reload *reload = xcalloc(1, sizeof(*reload));

	*reload = (struct reload){ fresh, mappings, daemon->reloads };
	daemon->reloads = reload;
	log_set(fresh->log_level, fresh->log_format);
	workers_reload(daemon->workers, fresh, mappings);
	upkeep_reload(daemon->upkeep, fresh, mappings);
	log_info("configuration reloaded");
	if (needs_restart->len)
		log_warn("changed but needs a restart: %s", needs_restart->data);
}

static void reload(struct daemon *daemon)
{
	struct mappings *mappings = NULL;
	struct faults faults;
	struct buf needs_restart;
	struct options *fresh;
	struct err err;

	notify_reloading();
	faults_init(&faults);
	buf_init(&needs_restart, REPORT_BYTES_MAX);
	fresh = options_reload(daemon->options, daemon->path, daemon->overrides, daemon->override_count, &needs_restart,
			       &faults);
	for (size_t i = 0; i < faults.count; i++)
		log_error("%s", faults.texts[i]);
	/* Which formats the topics have, and where the files are, is as at the start. */
	if (fresh)
		mappings = formats_load(daemon->options, &err);
	if (mappings) {
		use_reloaded(daemon, fresh, mappings, &needs_restart);
	} else {
		if (fresh) {
			log_error("%s", err.text);
			options_free(fresh);
		}
		log_error("the configuration has faults, going on with the one before");
	}
	buf_release(&needs_restart);
	faults_release(&faults);
	notify_ready();
}

static void tell_readiness(struct daemon *daemon)
{
	struct buf reasons;
	bool ready;

	buf_init(&reasons, REPORT_BYTES_MAX);
	ready = is_ready(daemon, &reasons);
	if (ready)
		notify_status("reading with %d workers, %lld messages behind", workers_count(daemon->workers),
			      (long long)metric_value(METRIC_LAG_MESSAGES, 0));
	else
		notify_status("not ready: %.*s", (int)strcspn(reasons.data, "\n"), reasons.data);
	if (ready != daemon->was_ready)
		log_info("%s%.*s", ready ? "ready" : "not ready: ", (int)strcspn(reasons.data, "\n"), reasons.data);
	daemon->was_ready = ready;
	buf_release(&reasons);
}

/* A watchdog that is only fed while every worker's loop turns: one that hangs gets us restarted. */
static void feed_watchdog(struct daemon *daemon)
{
	int64_t now_ms = now_monotonic_ms();

	if (!daemon->watchdog_ms || now_ms - daemon->watchdog_at_ms < daemon->watchdog_ms)
		return;
	daemon->watchdog_at_ms = now_ms;
	if (workers_moved(daemon->workers))
		notify_watchdog();
}

/* Returns the signal that ends us, or 0 when something failed. */
static int wait_for_end(struct daemon *daemon, struct err *err)
{
	struct pollfd fd = { .fd = daemon->signal_fd, .events = POLLIN };
	struct signalfd_siginfo info;

	for (;;) {
		atomic_store(&daemon->ticked_ms, now_monotonic_ms());
		if (!workers_are_well(daemon->workers, err) || !upkeep_is_well(daemon->upkeep, err))
			return 0;
		tell_readiness(daemon);
		feed_watchdog(daemon);
		metric_add(METRIC_LOG_DROPPED, (int64_t)log_dropped() - metric_value(METRIC_LOG_DROPPED, 0));
		if (poll(&fd, 1, TICK_MS) <= 0 || read(daemon->signal_fd, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo != SIGHUP)
			return (int)info.ssi_signo;
		reload(daemon);
	}
}

/* HTTP first: a probe looks at workers and their Kafka handles, which go now. It ends at once. Then the workers: their
 * last commits need all the time there is. */
static void stop(struct daemon *daemon, int status)
{
	int64_t deadline_ms = now_monotonic_ms() + daemon->options->ingest_stop_timeout_ms - STOP_MARGIN_MS;

	notify_stopping();
	http_free(daemon->http);
	if (daemon->workers && !workers_stop(daemon->workers, deadline_ms)) {
		log_warn("stopping without waiting longer: what was not committed is read again at the next start");
		_exit(status); /* threads still run: nothing may be freed under them */
	}
	upkeep_free(daemon->upkeep);
	close(daemon->signal_fd);
	while (daemon->reloads) {
		struct reload *reload = daemon->reloads;

		daemon->reloads = reload->before;
		options_free(reload->options);
		mappings_free(reload->mappings);
		free(reload);
	}
	mappings_free(daemon->mappings);
	options_free(daemon->options);
}

int run_daemon(struct options *options, const char *path, char *const *overrides, size_t override_count)
{
	struct daemon daemon = { .options = options, .path = path, .overrides = overrides,
				 .override_count = override_count };
	struct rlimit no_core = { 0, 0 };
	struct err err;
	int signal_number, status = 0;

	mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES_MIN);
	setrlimit(RLIMIT_CORE, &no_core); /* a core would hold names and events */
	/* Freed blocks are overwritten: librdkafka's buffers held whole messages, prompts and all. Measured:
	 * 1.09 instead of 1.04 s of CPU for 250,000 events. */
	mallopt(M_PERTURB, FREED_BYTE);
	log_set(options->log_level, options->log_format);
	metrics_init(PACKAGE_VERSION, now_wall_us());
	daemon.signal_fd = open_signals();
	atomic_init(&daemon.ticked_ms, now_monotonic_ms());
	log_info("tokentally %s starting", PACKAGE_VERSION);
	if (!start(&daemon, &err)) {
		log_error("%s", err.text);
		stop(&daemon, status_of(&err));
		return status_of(&err);
	}
	daemon.watchdog_ms = notify_watchdog_interval_ms();
	notify_ready();
	signal_number = wait_for_end(&daemon, &err);
	if (signal_number) {
		log_info("%s: committing and leaving the group", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
	} else {
		log_error("%s, stopping", err.text);
		status = status_of(&err);
	}
	stop(&daemon, status);
	log_info("stopped");
	return status;
}
