/* SPDX-License-Identifier: Apache-2.0
 *
 * options_table: every option, once: name, field, default, bounds, help. Defaults and bounds are
 * text and go through the same parser as the file, so none can be outside an option's own grammar.
 * The manual and the sample file are held against this table by build-aux/check-options.sh, which
 * wants a name per macro call.
 */
#include "autoconf.h"

#include "options_table.h"

#include <string.h>

#ifndef TOKENTALLY_MAPPING_DIR
#define TOKENTALLY_MAPPING_DIR "/usr/share/tokentally/schemas"
#endif

/* offsetof, but only if the field has exactly this type: otherwise the array has size -1. */
#define FIELD_OF_TYPE(field, type)                                                                 \
	(offsetof(struct options, field) +                                                         \
	 0 * sizeof(char[_Generic(&((struct options *)0)->field, type * : 1, default               \
				  : -1)]))

#define INFO(name, fallback, flags, help)                                                          \
	{                                                                                          \
		name, fallback, help, flags                                                        \
	}

#define OPT_STRING(name, field, fallback, flags, check, help)                                      \
	{                                                                                          \
		INFO(name, fallback, flags, help), OPTION_STRING, FIELD_OF_TYPE(field, char *),    \
		    NULL, NULL, NULL, check                                                        \
	}
#define OPT_TOPICS(name, field, flags, help)                                                       \
	{                                                                                          \
		INFO(name, NULL, flags, help), OPTION_TOPICS,                                      \
		    FIELD_OF_TYPE(field, struct topic_option *), NULL, NULL, NULL, NULL            \
	}
#define OPT_NUMBER(name, field, ctype, type, fallback, min, max, flags, help)                      \
	{                                                                                          \
		INFO(name, fallback, flags, help), type, FIELD_OF_TYPE(field, ctype), min, max,    \
		    NULL, NULL                                                                     \
	}
#define OPT_INT(name, field, fallback, min, max, flags, help)                                      \
	OPT_NUMBER(name, field, int, OPTION_INT, fallback, min, max, flags, help)
#define OPT_WORKERS(name, field, fallback, min, max, flags, help)                                  \
	OPT_NUMBER(name, field, int, OPTION_WORKERS, fallback, min, max, flags, help)
#define OPT_COUNT(name, field, fallback, min, max, flags, help)                                    \
	OPT_NUMBER(name, field, int64_t, OPTION_COUNT, fallback, min, max, flags, help)
#define OPT_SIZE(name, field, fallback, min, max, flags, help)                                     \
	OPT_NUMBER(name, field, uint64_t, OPTION_SIZE, fallback, min, max, flags, help)
#define OPT_MS(name, field, fallback, min, max, flags, help)                                       \
	OPT_NUMBER(name, field, int64_t, OPTION_DURATION, fallback, min, max, flags, help)
#define OPT_BOOL(name, field, fallback, flags, help)                                               \
	OPT_NUMBER(name, field, bool, OPTION_BOOL, fallback, NULL, NULL, flags, help)
#define OPT_WORD(name, field, etype, words, fallback, flags, help)                                 \
	{                                                                                          \
		INFO(name, fallback, flags, help), OPTION_WORD, FIELD_OF_TYPE(field, etype), NULL, \
		    NULL, words, NULL                                                              \
	}

/* In the order of their enums, all of which are read and written as int. */
static const char *const start_words[] = { "earliest", "latest", NULL };
static const char *const names_words[] = { "named", "pseudonym", "hidden", NULL };
static const char *const level_words[] = { "debug", "info", "warn", "error", NULL };
static const char *const log_format_words[] = { "auto", "json", NULL };
_Static_assert(sizeof(enum ingest_start) == sizeof(int), "enum ingest_start is not an int");
_Static_assert(sizeof(enum privacy_names) == sizeof(int), "enum privacy_names is not an int");
_Static_assert(sizeof(enum log_level) == sizeof(int), "enum log_level is not an int");
_Static_assert(sizeof(enum log_format) == sizeof(int), "enum log_format is not an int");

#define LIVE OPTION_RELOADABLE
#define LONGEST "40000d" /* a bound against slips: 109 years */

const char *const option_sections[] = { "kafka",   "postgres", "ingest", "titles", "retention",
					"privacy", "http",     "log",	 NULL };

const struct option_def option_defs[] = {
	OPT_TOPICS("kafka.topics", kafka_topics, OPTION_REQUIRED,
		   "topics to read, separated by commas; TOPIC:FORMAT fixes a format"),
	OPT_STRING("kafka.group.id", kafka_group_id, NULL, OPTION_REQUIRED, options_check_filled,
		   "consumer group; one database belongs to one group"),
	OPT_STRING("postgres.conninfo", postgres_conninfo, "", 0, NULL,
		   "connection string or URI of libpq; empty: libpq's defaults"),

	OPT_STRING("ingest.format", ingest_format, "auto", 0, options_check_format,
		   "format of topics that have none of their own"),
	OPT_STRING("ingest.mapping_dir", ingest_mapping_dir, TOKENTALLY_MAPPING_DIR, 0,
		   options_check_filled, "directory of the mapping files"),
	OPT_WORKERS("ingest.workers", ingest_workers, "auto", "1", "64", 0,
		    "threads that read and commit; auto: by processors and memory_max"),
	OPT_MS("ingest.flush_interval", ingest_flush_interval_ms, "5s", "100ms", "5m", LIVE,
	       "longest time between an event's arrival and its commit"),
	OPT_SIZE("ingest.memory_max", ingest_memory_max_bytes, "512M", "64M", "1T", 0,
		 "bound on all that the process holds"),
	OPT_SIZE("ingest.max_message", ingest_max_message_bytes, "16M", "1K", "64M", 0,
		 "a larger message is a dead letter"),
	OPT_INT("ingest.max_depth", ingest_max_depth, "32", "1", "1000", 0,
		"a message nested deeper is a dead letter"),
	OPT_WORD("ingest.start", ingest_start, enum ingest_start, start_words, "earliest", 0,
		 "where to start in a topic that the database does not know: earliest, latest"),
	OPT_MS("ingest.max_future", ingest_max_future_ms, "5m", "0", LONGEST, 0,
	       "an event further in the future is a dead letter"),
	OPT_MS("ingest.max_age", ingest_max_age_ms, "35d", "1m", LONGEST, 0,
	       "an older event is a dead letter"),
	OPT_MS("ingest.stop_timeout", ingest_stop_timeout_ms, "20s", "1s", "10m", 0,
	       "longest time from SIGTERM to exit"),
	OPT_MS("ingest.dedupe_window", ingest_dedupe_window_ms, "1h", "0", "30d", 0,
	       "how far apart two messages with one event_id count once; 0: off"),
	OPT_COUNT("ingest.dedupe_max_ids", ingest_dedupe_max_ids, "20M", "0", "10G", 0,
		  "most event_ids remembered; 0: off"),
	OPT_SIZE("ingest.dead_letter_payload", ingest_dead_letter_payload_bytes, "0", "0", "1M", 0,
		 "bytes of a bad message that are kept"),

	OPT_BOOL("titles.enabled", titles_enabled, "true", LIVE, "recompute titles every hour"),
	OPT_MS("titles.delay", titles_delay_ms, "2m", "0", "1d", LIVE, "wait after the full hour"),
	OPT_MS("titles.max_wait", titles_max_wait_ms, "1h", "0", "7d", LIVE,
	       "longest wait for partitions that are behind"),
	OPT_INT("titles.catch_up_max", titles_catch_up_max, "24", "0", "10000", LIVE,
		"missed hours that are made up"),

	OPT_MS("retention.minute", retention_minute_ms, "14d", "1h", LONGEST, LIVE,
	       "age at which minute rows are dropped"),
	OPT_MS("retention.hour", retention_hour_ms, "400d", "1d", LONGEST, LIVE,
	       "age at which hour rows are dropped"),
	OPT_MS("retention.day", retention_day_ms, "400d", "1d", LONGEST, LIVE,
	       "age at which day rows are dropped"),
	OPT_MS("retention.session", retention_session_ms, "130d", "1d", LONGEST, LIVE,
	       "age at which session rows are dropped"),
	OPT_MS("retention.dead_letter", retention_dead_letter_ms, "30d", "1h", LONGEST, LIVE,
	       "age at which dead letters are dropped"),

	OPT_WORD("privacy.names", privacy_names, enum privacy_names, names_words, "pseudonym", LIVE,
		 "what readers see of a person: named, pseudonym, hidden"),
	OPT_STRING("privacy.key", privacy_key, NULL, OPTION_SECRET | LIVE, options_check_filled,
		   "key of the pseudonyms; required unless names are shown"),
	OPT_INT("privacy.min_group", privacy_min_group, "5", "1", "10000", LIVE,
		"teams and apps with fewer people are shown as one"),

	OPT_STRING("http.listen", http_listen, "127.0.0.1:9188", 0, options_check_listen,
		   "HOST:PORT of /metrics, /healthz and /readyz; or off"),

	OPT_WORD("log.level", log_level, enum log_level, level_words, "info", LIVE,
		 "least level that is logged: debug, info, warn, error"),
	OPT_WORD("log.format", log_format, enum log_format, log_format_words, "auto", LIVE,
		 "auto: journald's or plain; json: one object a line"),
	{ .info = { NULL, NULL, NULL, 0 } },
};

const struct option_def *option_find(const char *section, const char *key)
{
	size_t len = strlen(section);

	for (const struct option_def *def = option_defs; def->info.name; def++) {
		const char *name = def->info.name;

		if (!strncmp(name, section, len) && name[len] == '.' &&
		    !strcmp(name + len + 1, key))
			return def;
	}
	return NULL;
}

const struct option_info *options_info(size_t index)
{
	size_t count = sizeof(option_defs) / sizeof(option_defs[0]) - 1;

	return index < count ? &option_defs[index].info : NULL;
}
