/* SPDX-License-Identifier: Apache-2.0
 *
 * options_check: rules of single strings, rules between options, and what may not go to librdkafka
 * because it would break a promise of ours.
 */
#include "autoconf.h"

#include "options_table.h"

#include <stdlib.h>
#include <string.h>

#include "ini.h"
#include "mem.h"

#define TOPIC_BYTES_MAX 249
#define DAY_MS (INT64_C(86400) * 1000)

bool options_check_filled(const char *value, struct err *err)
{
	return *value ? true : err_set(err, ERR_CONFIG, "it is empty");
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool only_alnum_or(struct span s, const char *others)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!is_alnum(s.data[i]) && !strchr(others, s.data[i]))
			return false;
	}
	return s.len > 0;
}

/* Whether there is such a format the mapping files decide: formats.c. */
bool options_check_format(const char *value, struct err *err)
{
	char shown[64];

	if (only_alnum_or(span_of(value), "_"))
		return true;
	text_printable(shown, sizeof(shown), span_of(value));
	return err_set(err, ERR_CONFIG, "'%s' is no name of a format", shown);
}

bool options_check_topic(struct span name, struct err *err)
{
	char shown[64];

	text_printable(shown, sizeof(shown), name);
	if (!name.len)
		return err_set(err, ERR_CONFIG, "a topic without a name is in the list");
	if (name.data[0] == '^')
		return err_set(err, ERR_CONFIG, "'%s' is a pattern: topics are named one by one",
			       shown);
	if (name.len > TOPIC_BYTES_MAX)
		return err_set(err, ERR_CONFIG, "topic '%s...' is longer than 249 bytes", shown);
	if (!only_alnum_or(name, "._-") || span_is(name, ".") || span_is(name, ".."))
		return err_set(err, ERR_CONFIG,
			       "'%s' cannot be a topic (letters, digits, '.', '_', '-')", shown);
	return true;
}

/* "HOST" or "[V6]" */
static bool is_host(struct span host)
{
	if (host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
		return only_alnum_or((struct span){ host.data + 1, host.len - 2 }, ":.%");
	return only_alnum_or(host, ".-_*");
}

bool options_check_listen(const char *value, struct err *err)
{
	const char *colon = strrchr(value, ':');
	struct err ignored;
	char shown[64];
	int64_t port;

	if (!strcmp(value, "off"))
		return true;
	if (colon && is_host((struct span){ value, (size_t)(colon - value) }) &&
	    parse_int64(span_of(colon + 1), 1, 65535, &port, &ignored))
		return true;
	text_printable(shown, sizeof(shown), span_of(value));
	return err_set(err, ERR_CONFIG, "'%s' is not HOST:PORT, [IPV6]:PORT or 'off'", shown);
}

bool options_kafka_key_allowed(const char *key, struct err *err)
{
	static const struct {
		const char *key, *reason;
	} refused[] = {
		{ "enable.auto.commit", "offsets are committed in PostgreSQL with the counts" },
		{ "auto.commit.enable", "offsets are committed in PostgreSQL with the counts" },
		{ "enable.auto.offset.store",
		  "offsets are committed in PostgreSQL with the counts" },
		{ "auto.offset.reset",
		  "an offset that is lost must stop its partition, not skip or "
		  "recount; see ingest.start for new topics" },
		{ "isolation.level", "only committed messages are counted" },
		{ "partition.assignment.strategy",
		  "a rebalance must be of the kind that the ingest "
		  "position is handed over with" },
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (!strcmp(key, refused[i].key))
			return err_set(err, ERR_CONFIG, "is not for you to set: %s",
				       refused[i].reason);
	}
	return true;
}

bool options_kafka_key_is_secret(const char *key)
{
	static const char *const parts[] = { "password", "passphrase", "secret", "jaas" };
	size_t len = strlen(key);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strstr(key, parts[i]))
			return true;
	}
	return len >= 4 && !strcmp(key + len - 4, ".pem");
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* A copy without %XX, since a URI may write any letter so. */
static char *percent_decoded(const char *text)
{
	char *copy = xstrdup(text), *to = copy;

	for (; *text; text++) {
		int high = *text == '%' ? hex_digit(text[1]) : -1;
		int low = high >= 0 ? hex_digit(text[2]) : -1;

		if (low >= 0) {
			*to++ = (char)(high * 16 + low);
			text += 2;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
	return copy;
}

/* "word = ..." anywhere; too careful is fine. */
static bool has_setting(const char *text, const char *word)
{
	for (const char *at = text; (at = strstr(at, word)); at++) {
		if (at[strlen(word) + strspn(at + strlen(word), " \t\r\n\f\v")] == '=')
			return true;
	}
	return false;
}

bool options_conninfo_is_secret(const char *conninfo)
{
	static const char *const words[] = { "password", "secret", "scram_client_key",
					     "scram_server_key" };
	const char *authority = strstr(conninfo, "://");
	char *decoded = percent_decoded(conninfo);
	bool secret = false;

	/* scheme://user:password@host; up to the last '@', in case the password was not encoded. */
	if (authority) {
		const char *at = strrchr(authority, '@');

		secret = at && memchr(authority + 3, ':', (size_t)(at - authority) - 3);
	}
	for (size_t i = 0; !secret && i < sizeof(words) / sizeof(words[0]); i++)
		secret = has_setting(conninfo, words[i]) || has_setting(decoded, words[i]);
	option_wipe(decoded);
	return secret;
}

void option_fault(const struct option_place *place, const char *name, const char *text,
		  struct faults *faults)
{
	size_t len = strcspn(name, ".");
	const struct ini_entry *entry =
	    place->ini ? ini_find(place->ini, (struct span){ name, len }, span_of(name + len + 1))
		       : NULL;

	if (entry && entry->line)
		faults_add(faults, "%s:%d: %s: %s", place->path, entry->line, name, text);
	else if (entry)
		faults_add(faults, "-o %s: %s", name, text);
	else
		faults_add(faults, "%s: %s: %s", place->path, name, text);
}

static void check_retention(const struct options *options, const struct option_place *place,
			    struct faults *faults)
{
	const struct {
		const char *name;
		int64_t ms;
	} spans[] = {
		{ "retention.hour", options->retention_hour_ms },
		{ "retention.day", options->retention_day_ms },
		{ "retention.session", options->retention_session_ms },
	};
	int64_t least_ms = options->ingest_max_age_ms + DAY_MS;

	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		if (spans[i].ms < least_ms)
			option_fault(
			    place, spans[i].name,
			    "is less than ingest.max_age and a day: rows would be dropped while "
			    "events for them still arrive",
			    faults);
	}
}

static const char *kafka_value(const struct options *options, const char *key)
{
	const char *value = NULL; /* librdkafka takes the last one */

	for (size_t i = 0; i < options->kafka_setting_count; i++) {
		if (!strcmp(options->kafka_settings[i].key, key))
			value = options->kafka_settings[i].value;
	}
	return value;
}

/* Each worker has a consumer, and each consumer a queue. queued.min.messages is for who knows how large the messages
 * are: the manual says what each costs. */
static void check_queue(const struct options *options, const struct option_place *place,
			struct faults *faults)
{
	const char *text = kafka_value(options, "queued.max.messages.kbytes");
	int64_t workers = options->ingest_workers ? options->ingest_workers : 1;
	int64_t kbytes;
	struct err err;

	if (!text)
		return;
	if (!parse_int64(span_of(text), 1, 2097151, &kbytes, &err))
		option_fault(place, "kafka.queued.max.messages.kbytes",
			     "is not a number of 1..2097151", faults);
	else if ((uint64_t)(kbytes * 1024 * workers) > options->ingest_memory_max_bytes / 2)
		option_fault(place, "kafka.queued.max.messages.kbytes",
			     "the queues of all workers are above half of ingest.memory_max",
			     faults);
}

/* Then what is wrong with it was said already. */
static bool is_given(const struct option_place *place, const char *section, const char *key)
{
	return place->ini && ini_find(place->ini, span_of(section), span_of(key));
}

static void check_servers(const struct options *options, const struct option_place *place,
			  struct faults *faults)
{
	const char *servers = kafka_value(options, "bootstrap.servers");

	if (!servers)
		servers = kafka_value(options, "metadata.broker.list");
	if (servers ? !*servers
		    : !is_given(place, "kafka", "bootstrap.servers") &&
			  !is_given(place, "kafka", "metadata.broker.list"))
		option_fault(place, "kafka.bootstrap.servers", "is required", faults);
}

static void check_privacy(const struct options *options, const struct option_place *place,
			  struct faults *faults)
{
	if (!options->privacy_key && options->privacy_names != PRIVACY_NAMED &&
	    !is_given(place, "privacy", "key"))
		option_fault(
		    place, "privacy.key",
		    "is required unless privacy.names = named (to make a file for it: head -c "
		    "32 /dev/urandom | base64)",
		    faults);
}

void options_check_together(const struct options *options, const struct option_place *place,
			    struct faults *faults)
{
	check_servers(options, place, faults);
	check_queue(options, place, faults);
	check_retention(options, place, faults);
	check_privacy(options, place, faults);
}
