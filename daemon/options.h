/* SPDX-License-Identifier: Apache-2.0
 *
 * options: the configuration file and the -o arguments -> one typed struct. Everything is checked
 * here, once: who gets a struct options need not look at a value twice. It says what is wrong but
 * logs nothing.
 *
 * A struct options never changes after it was made. A reload makes another one, or fails and leaves
 * nothing. `kafka.*` goes to librdkafka as it stands and is not known here, but for what would
 * break a promise.
 */
#ifndef TOKENTALLY_OPTIONS_H
#define TOKENTALLY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "faults.h"
#include "log.h"
#include "text.h"

#define OPTIONS_DEFAULT_FILE "/etc/tokentally/tokentally.conf"

enum ingest_start { START_EARLIEST, START_LATEST };
enum privacy_names { PRIVACY_NAMED, PRIVACY_PSEUDONYM, PRIVACY_HIDDEN };

struct topic_option {
	char *name;
	char *format; /* NULL: ingest_format */
};

struct kafka_setting {
	char *key; /* as librdkafka knows it: without "kafka." */
	char *value;
};

struct options {
	struct topic_option *kafka_topics;
	size_t topic_count;
	char *kafka_group_id;
	struct kafka_setting *kafka_settings; /* all for librdkafka, without topics and group.id */
	size_t kafka_setting_count;
	char *postgres_conninfo; /* "": libpq's defaults */

	char *ingest_format;
	char *ingest_mapping_dir;
	int ingest_workers; /* 0: auto */
	int64_t ingest_flush_interval_ms;
	uint64_t ingest_memory_max_bytes;
	uint64_t ingest_max_message_bytes;
	int ingest_max_depth;
	enum ingest_start ingest_start;
	int64_t ingest_max_future_ms;
	int64_t ingest_max_age_ms;
	int64_t ingest_stop_timeout_ms;
	int64_t ingest_dedupe_window_ms; /* 0: no dedupe */
	int64_t ingest_dedupe_max_ids;	 /* 0: no dedupe */
	uint64_t ingest_dead_letter_payload_bytes;

	bool titles_enabled;
	int64_t titles_delay_ms;
	int64_t titles_max_wait_ms;
	int titles_catch_up_max;

	int64_t retention_minute_ms;
	int64_t retention_hour_ms;
	int64_t retention_day_ms;
	int64_t retention_session_ms;
	int64_t retention_dead_letter_ms;

	enum privacy_names privacy_names;
	char *privacy_key; /* NULL: not set, only with PRIVACY_NAMED */
	int privacy_min_group;

	char *http_listen; /* "HOST:PORT", "[V6]:PORT" or "off" */

	enum log_level log_level;
	enum log_format log_format;
};

/* Reads path (NULL: OPTIONS_DEFAULT_FILE), puts overrides ("SECTION.KEY=VALUE") over it and checks
 * all. On any fault returns NULL, and faults has every one of them, with file and line or with "-o
 * SECTION.KEY". */
struct options *options_load(const char *path, char *const *overrides, size_t override_count,
			     struct faults *faults) ATTR_MUST_CHECK;
void options_free(struct options *options); /* NULL is fine; secrets are wiped */

/* What options_load does, but keys that need a restart keep the values of `running`; their names,
 * where the file has another value now, are added to needs_restart, separated by ", ". */
struct options *options_reload(const struct options *running, const char *path,
			       char *const *overrides, size_t override_count,
			       struct buf *needs_restart, struct faults *faults) ATTR_MUST_CHECK;

/* The names of keys that differ and need a restart, separated by ", ", added to names; returns how
 * many. */
size_t options_reload_diff(const struct options *old_options, const struct options *new_options,
			   struct buf *names);

/* The effective values in the form of the file, with secrets masked. */
void options_print(FILE *out, const struct options *options);

/* True for a key of librdkafka whose value must not be printed: also not as part of librdkafka's
 * error text. */
bool options_kafka_key_is_secret(const char *key);

#define OPTION_RELOADABLE 1u
#define OPTION_SECRET 2u
#define OPTION_REQUIRED 4u

struct option_info {
	const char *name;     /* "section.key" */
	const char *fallback; /* the default as text; NULL: none */
	const char *help;
	unsigned flags;
};

/* The index-th of the options, NULL after the last: for --help and for tests. */
const struct option_info *options_info(size_t index);

#endif
