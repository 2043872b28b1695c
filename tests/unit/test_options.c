/* SPDX-License-Identifier: Apache-2.0
 *
 * test_options: files and -o arguments -> values, or every fault with its place. Faults are
 * compared whole, with "conf" for the path of the file.
 */
#include "autoconf.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mem.h"
#include "options.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define DAY_MS INT64_C(86400000)

/* 6 lines that are enough, so that what follows begins in line 7. */
#define ENOUGH_WITHOUT_KEY "[kafka]\ntopics = a\ngroup.id = g\nbootstrap.servers = h:1\n[privacy]\n"
#define ENOUGH ENOUGH_WITHOUT_KEY "key = k\n"

static char directory[] = "/tmp/tokentally-test-XXXXXX";
static char conf[64], value_file[64];

static int make_directory(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(conf, sizeof(conf), "%s/conf", directory);
	snprintf(value_file, sizeof(value_file), "%s/value", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(conf);
	unlink(value_file);
	return rmdir(directory);
}

static void write_file(const char *path, const char *data, size_t len)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
}

/* Overrides are separated by newlines; NULL: none. */
static struct options *load(const char *text, size_t len, const char *overrides,
			    struct faults *faults)
{
	CLEANUP(free_ptr) char *copy = xstrdup(overrides ? overrides : "");
	char *list[20], *rest = copy;
	size_t count = 0;

	for (char *one; (one = strtok_r(rest, "\n", &rest)); count++)
		list[count] = one;
	write_file(conf, text, len);
	faults_init(faults);
	return options_load(conf, list, count, faults);
}

static struct options *load_good(const char *text, const char *overrides)
{
	struct faults faults;
	struct options *options = load(text, strlen(text), overrides, &faults);

	if (!options)
		fail_msg("%s", faults.texts[0]);
	assert_int_equal(faults.count, 0);
	faults_release(&faults);
	return options;
}

/* The faults, each with its newline, with the path of the file and of the value file cut to their
 * names. */
static char *joined(const struct faults *faults)
{
	struct buf out;

	buf_init(&out, 100000);
	for (size_t i = 0; i < faults->count; i++) {
		const char *text = faults->texts[i], *at;

		while ((at = strstr(text, directory))) {
			buf_add(&out, text, (size_t)(at - text));
			text = at + strlen(directory) + 1;
		}
		buf_addf(&out, "%s\n", text);
	}
	return out.data;
}

static void expect_faults_of(const char *text, size_t len, const char *overrides,
			     const char *expected)
{
	struct faults faults;
	struct options *options = load(text, len, overrides, &faults);
	char *found = joined(&faults);

	assert_null(options);
	assert_string_equal(found, expected);
	free(found);
	faults_release(&faults);
}

static void expect_faults(const char *text, const char *overrides, const char *expected)
{
	expect_faults_of(text, strlen(text), overrides, expected);
}

static void defaults_are_those_of_the_contract(void **state)
{
	struct options *options = load_good(ENOUGH, NULL);

	(void)state;
	assert_int_equal(options->topic_count, 1);
	assert_string_equal(options->kafka_topics[0].name, "a");
	assert_null(options->kafka_topics[0].format);
	assert_string_equal(options->kafka_group_id, "g");
	assert_int_equal(options->kafka_setting_count, 1);
	assert_string_equal(options->kafka_settings[0].key, "bootstrap.servers");
	assert_string_equal(options->kafka_settings[0].value, "h:1");
	assert_string_equal(options->postgres_conninfo, "");
	assert_string_equal(options->ingest_format, "auto");
	assert_non_null(strstr(options->ingest_mapping_dir, "schemas"));
	assert_int_equal(options->ingest_workers, 0);
	assert_int_equal(options->ingest_flush_interval_ms, 5000);
	assert_int_equal(options->ingest_memory_max_bytes, 512 << 20);
	assert_int_equal(options->ingest_max_message_bytes, 16 << 20);
	assert_int_equal(options->ingest_max_depth, 32);
	assert_int_equal(options->ingest_start, START_EARLIEST);
	assert_int_equal(options->ingest_max_future_ms, 300000);
	assert_true(options->ingest_max_age_ms == 35 * DAY_MS);
	assert_int_equal(options->ingest_stop_timeout_ms, 20000);
	assert_int_equal(options->ingest_dedupe_window_ms, 3600000);
	assert_int_equal(options->ingest_dedupe_max_ids, 20000000);
	assert_int_equal(options->ingest_dead_letter_payload_bytes, 0);
	assert_true(options->titles_enabled);
	assert_int_equal(options->titles_delay_ms, 120000);
	assert_int_equal(options->titles_max_wait_ms, 3600000);
	assert_int_equal(options->titles_catch_up_max, 24);
	assert_true(options->retention_minute_ms == 14 * DAY_MS);
	assert_true(options->retention_hour_ms == 400 * DAY_MS);
	assert_true(options->retention_day_ms == 400 * DAY_MS);
	assert_true(options->retention_session_ms == 130 * DAY_MS);
	assert_true(options->retention_dead_letter_ms == 30 * DAY_MS);
	assert_int_equal(options->privacy_names, PRIVACY_PSEUDONYM);
	assert_string_equal(options->privacy_key, "k");
	assert_int_equal(options->privacy_min_group, 5);
	assert_string_equal(options->http_listen, "127.0.0.1:9188");
	assert_int_equal(options->log_level, LOG_LEVEL_INFO);
	assert_int_equal(options->log_format, LOG_FORMAT_AUTO);
	options_free(options);
}

static void value_is_all_after_the_first_equals(void **state)
{
	struct options *options =
	    load_good(ENOUGH "\n  # comment\n\t; comment\n\n"
			     "[postgres]\n\tconninfo =  host=a ; # port=1 \" \t\r\n"
			     "[ kafka ]\nclient.id=x=y\nempty =\nlast = '",
		      NULL);

	(void)state;
	assert_string_equal(options->postgres_conninfo, "host=a ; # port=1 \"");
	assert_int_equal(options->kafka_setting_count, 4);
	assert_string_equal(options->kafka_settings[1].value, "x=y");
	assert_string_equal(options->kafka_settings[2].value, "");
	assert_string_equal(options->kafka_settings[3].value, "'");
	options_free(options);
}

static void topics_have_their_formats(void **state)
{
	struct options *options = load_good(ENOUGH, "kafka.topics= a.b_c-D:native ,x : auto,9");

	(void)state;
	assert_int_equal(options->topic_count, 3);
	assert_string_equal(options->kafka_topics[0].name, "a.b_c-D");
	assert_string_equal(options->kafka_topics[0].format, "native");
	assert_string_equal(options->kafka_topics[1].name, "x");
	assert_string_equal(options->kafka_topics[1].format, "auto");
	assert_null(options->kafka_topics[2].format);
	options_free(options);
}

static void every_fault_of_form_has_its_line(void **state)
{
	(void)state;
	expect_faults("early = 1\n" ENOUGH "no equals\n= value\n[kafka\ntopics = b\n[]\n[log] x\n"
		      "[privacy]\nkey = twice\n[kafka]\ntopics = again\n",
		      NULL,
		      "conf:1: key before the first section\n"
		      "conf:8: no '=' in this line (a value cannot go on in the next line)\n"
		      "conf:9: no key before the '='\n"
		      "conf:10: section without its closing ']'\n"
		      "conf:12: section without a name\n"
		      "conf:13: text after the ']' of a section\n"
		      "conf:15: privacy.key is given twice, first in line 7\n"
		      "conf:17: kafka.topics is given twice, first in line 3\n");
	expect_faults_of(ENOUGH "[log]\nlevel = info\0x\n", strlen(ENOUGH) + 21, NULL,
			 "conf:8: NUL byte in this line\n");
}

static void lines_of_8192_bytes_are_taken(void **state)
{
	char text[9000] = ENOUGH "[kafka]\n";
	size_t start = strlen(text);
	struct options *options;

	(void)state;
	memset(text + start, 'v', 8193);
	memcpy(text + start, "x=", 2);
	text[start + 8192] = '\0';
	options = load_good(text, NULL);
	assert_int_equal(strlen(options->kafka_settings[1].value), 8190);
	options_free(options);
	text[start + 8192] = 'v';
	expect_faults(text, NULL, "conf:8: line is longer than 8192 bytes\n");
}

static void unknown_names_come_with_the_nearest(void **state)
{
	(void)state;
	expect_faults(
	    ENOUGH "[ingets]\nworkers = 1\n[ingest]\nworkres = 1\nqqqqqqqqqqqqq = 1\n[xyzxyz]\n",
	    "log.lvel=info\nprivcy.key=@x\nnonsense\nnodot=1",
	    "-o: unknown key 'log.lvel', the nearest known one is 'log.level'\n"
	    "-o: unknown section 'privcy', the nearest known one is 'privacy'\n"
	    "-o: argument 3 is not of the form SECTION.KEY=VALUE\n"
	    "-o: argument 4 is not of the form SECTION.KEY=VALUE\n"
	    "conf:7: unknown section 'ingets', the nearest known one is 'ingest'\n"
	    "conf:10: unknown key 'ingest.workres', the nearest known one is 'ingest.workers'\n"
	    "conf:11: unknown key 'ingest.qqqqqqqqqqqqq'\n"
	    "conf:12: unknown section 'xyzxyz'\n");
}

static void required_keys_are_named(void **state)
{
	(void)state;
	expect_faults(
	    "[kafka]\n", NULL,
	    "conf: kafka.topics: is required\n"
	    "conf: kafka.group.id: is required\n"
	    "conf: kafka.bootstrap.servers: is required\n"
	    "conf: privacy.key: is required unless privacy.names = named (to make a file for it: "
	    "head -c 32 /dev/urandom | base64)\n");
	options_free(load_good("[kafka]\ntopics=a\ngroup.id=g\nmetadata.broker.list=h\n[privacy]\n"
			       "names=named\n",
			       NULL));
}

static void values_outside_their_type_or_range_are_refused(void **state)
{
	static const char *const bad[] = {
		"kafka.topics=",
		"kafka.topics=a,",
		"kafka.topics=^a.*",
		"kafka.topics=a,a:native",
		"kafka.topics=a b",
		"kafka.topics=..",
		"kafka.topics=a:",
		"kafka.topics=a:lite-llm",
		"kafka.group.id=",
		"kafka.bootstrap.servers=",
		"ingest.format=lite/llm",
		"ingest.mapping_dir=",
		"ingest.workers=0",
		"ingest.workers=65",
		"ingest.workers=-1",
		"ingest.workers=Auto",
		"ingest.flush_interval=5",
		"ingest.flush_interval=99ms",
		"ingest.flush_interval=6m",
		"ingest.memory_max=63M",
		"ingest.memory_max=1Q",
		"ingest.max_message=1023",
		"ingest.max_message=65M",
		"ingest.max_depth=0",
		"ingest.max_depth=1001",
		"ingest.start=latset",
		"ingest.max_future=-1s",
		"ingest.max_age=0",
		"ingest.stop_timeout=0s",
		"ingest.stop_timeout=11m",
		"ingest.dedupe_window=31d",
		"ingest.dedupe_max_ids=x",
		"ingest.dead_letter_payload=2M",
		"titles.enabled=maybe",
		"titles.delay=2d",
		"titles.catch_up_max=1.5",
		"retention.minute=59m",
		"retention.hour=40001d",
		"privacy.names=none",
		"privacy.min_group=0",
		"http.listen=9188",
		"http.listen=:9188",
		"http.listen=h:0",
		"http.listen=h:65536",
		"http.listen=[::1]",
		"http.listen=a b:1",
		"log.level=warning",
		"log.format=plain",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(bad); i++) {
		struct faults faults;
		struct options *options = load(ENOUGH, strlen(ENOUGH), bad[i], &faults);
		size_t name_len = strcspn(bad[i], "=");

		if (options || faults.count != 1 ||
		    strncmp(faults.texts[0] + 3, bad[i], name_len) != 0)
			fail_msg("%s: %zu faults, %s", bad[i], faults.count,
				 faults.count ? faults.texts[0] : "");
		faults_release(&faults);
	}
}

static void bounds_themselves_are_taken(void **state)
{
	struct options *options = load_good(
	    ENOUGH, "ingest.workers=64\ningest.flush_interval=100ms\ningest.memory_max=64M\n"
		    "ingest.max_depth=1000\ningest.dedupe_window=0\ningest.dedupe_max_ids=0\n"
		    "http.listen=[::1]:1\nlog.level=error\ntitles.enabled=no\ningest.start=latest\n"
		    "privacy.names=hidden\nretention.hour=36d\ningest.stop_timeout=10m");

	(void)state;
	assert_int_equal(options->ingest_workers, 64);
	assert_int_equal(options->ingest_dedupe_window_ms, 0);
	assert_int_equal(options->ingest_dedupe_max_ids, 0);
	assert_string_equal(options->http_listen, "[::1]:1");
	assert_int_equal(options->log_level, LOG_LEVEL_ERROR);
	assert_false(options->titles_enabled);
	assert_int_equal(options->ingest_start, START_LATEST);
	assert_int_equal(options->privacy_names, PRIVACY_HIDDEN);
	options_free(options);
	options_free(load_good(ENOUGH, "http.listen=off"));
}

static void options_must_fit_each_other(void **state)
{
	static const char retention[] =
	    "is less than ingest.max_age and a day: rows would be dropped while events for them "
	    "still arrive\n";
	char expected[1000];

	(void)state;
	snprintf(expected, sizeof(expected),
		 "conf:8: retention.hour: %s-o retention.day: %sconf: retention.session: %s",
		 retention, retention, retention);
	expect_faults(ENOUGH "[retention]\nhour = 130d\n",
		      "retention.day=130d\ningest.max_age=130d", expected);
	expect_faults(
	    ENOUGH, "kafka.queued.max.messages.kbytes=262145",
	    "-o kafka.queued.max.messages.kbytes: the queues of all workers are above half of "
	    "ingest.memory_max\n");
	expect_faults(
	    ENOUGH, "kafka.queued.max.messages.kbytes=131072\ningest.workers=3",
	    "-o kafka.queued.max.messages.kbytes: the queues of all workers are above half of "
	    "ingest.memory_max\n");
	options_free(load_good(ENOUGH, "kafka.queued.max.messages.kbytes=262144\n"
				       "kafka.queued.min.messages=10000000"));
}

static void keys_that_break_a_promise_are_refused(void **state)
{
	static const char *const keys[] = {
		"enable.auto.commit", "auto.commit.enable", "enable.auto.offset.store",
		"auto.offset.reset",  "isolation.level",    "partition.assignment.strategy"
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(keys); i++) {
		char text[400], expected[200];
		struct faults faults;

		snprintf(text, sizeof(text), "%s[kafka]\n%s = x\n", ENOUGH, keys[i]);
		snprintf(expected, sizeof(expected),
			 "%s:8: kafka.%s: is not for you to set: ", conf, keys[i]);
		assert_null(load(text, strlen(text), NULL, &faults));
		assert_int_equal(faults.count, 1);
		assert_memory_equal(faults.texts[0], expected, strlen(expected));
		faults_release(&faults);
	}
}

static void values_come_from_files(void **state)
{
	char text[600];
	struct options *options;

	(void)state;
	write_file(value_file, " 7\n\n", 4);
	setenv("CREDENTIALS_DIRECTORY", directory, 1);
	snprintf(text, sizeof(text),
		 "%s[kafka]\na = @%s\nb = @$CREDENTIALS_DIRECTORY/value\nc = @@literal\nd = x@y\n",
		 ENOUGH, value_file);
	options = load_good(text, NULL);
	assert_string_equal(options->kafka_settings[1].value, " 7\n");
	assert_string_equal(options->kafka_settings[2].value, " 7\n");
	assert_string_equal(options->kafka_settings[3].value, "@literal");
	assert_string_equal(options->kafka_settings[4].value, "x@y");
	options_free(options);
	write_file(value_file, "250ms", 5);
	snprintf(text, sizeof(text), "ingest.flush_interval=@%s", value_file);
	options = load_good(ENOUGH, text);
	assert_int_equal(options->ingest_flush_interval_ms, 250);
	options_free(options);
}

static void files_of_values_can_be_wrong(void **state)
{
	char override[200];

	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	expect_faults(
	    "[kafka]\ntopics = @/\ngroup.id = @\nbootstrap.servers = @$HOME/x\n"
	    "[privacy]\nkey = @$CREDENTIALS_DIRECTORY/x\n",
	    NULL,
	    "conf:2: kafka.topics: cannot read '/': Is a directory\n"
	    "conf:3: kafka.group.id: no file name after '@' (a value that is '@' is written '@@')\n"
	    "conf:4: kafka.bootstrap.servers: of variables only $CREDENTIALS_DIRECTORY/NAME is "
	    "known after '@'\n"
	    "conf:6: privacy.key: $CREDENTIALS_DIRECTORY is not set (systemd sets it for "
	    "LoadCredential=)\n");
	/* The text of a file is never shown: it may be the wrong file. */
	write_file(value_file, "hunter2\n", 8);
	snprintf(override, sizeof(override), "log.level=@%s", value_file);
	expect_faults(ENOUGH, override,
		      "-o log.level: the text in the file that it names is not valid here\n");
	write_file(value_file, "a\0b", 3);
	snprintf(override, sizeof(override), "privacy.key=@%s", value_file);
	expect_faults(ENOUGH, override, "-o privacy.key: 'value' has a NUL byte\n");
	write_file(value_file, "\n", 1);
	expect_faults(ENOUGH, override,
		      "-o privacy.key: the text in the file that it names is not valid here\n");
}

static void secrets_are_refused_on_the_command_line(void **state)
{
	static const char *const secrets[] = {
		"privacy.key=hunter2",
		"privacy.key=@@hunter2",
		"kafka.sasl.password=hunter2",
		"kafka.ssl.key.password=hunter2",
		"kafka.sasl.oauthbearer.client.secret=hunter2",
		"kafka.ssl.key.pem=hunter2",
		"postgres.conninfo=host=h password=hunter2",
		"postgres.conninfo=host=h password = hunter2",
		"postgres.conninfo=sslpassword=hunter2",
		"postgres.conninfo=postgresql://u:hunter2@h/d",
		"postgres.conninfo=postgresql://u:hun/ter2@h/d",
		"postgres.conninfo=postgresql://h/d?user=u&p%61ssword=hunter2",
	};
	static const char *const harmless[] = {
		"kafka.sasl.username=u",
		"kafka.ssl.ca.location=/x.pem",
		"postgres.conninfo=host=h passfile=/x user=password",
		"postgres.conninfo=postgresql://u@h:5432/d?require_auth=scram-sha-256",
		"postgres.conninfo=postgresql://h:5432/d",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(secrets); i++) {
		struct faults faults;

		assert_null(load(ENOUGH, strlen(ENOUGH), secrets[i], &faults));
		assert_int_equal(faults.count, 1);
		assert_non_null(
		    strstr(faults.texts[0], "a secret is not taken from the command line"));
		assert_null(strstr(faults.texts[0], "hunter2"));
		faults_release(&faults);
	}
	for (size_t i = 0; i < LENGTH(harmless); i++)
		options_free(load_good(ENOUGH, harmless[i]));
}

static char *printed(const struct options *options)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	options_print(out, options);
	fclose(out);
	return text;
}

static void print_masks_secrets_and_is_read_back(void **state)
{
	static const char secret[] = ENOUGH "[kafka]\nsasl.password = hunter2\nx = @@y\n"
					    "[postgres]\nconninfo = password=hunter2\n";
	static const char open[] =
	    "[kafka]\ntopics = a:native, b\ngroup.id = g\nbootstrap.servers = h\n"
	    "x = @@y\n[privacy]\nnames = named\n[ingest]\nworkers = 3\n"
	    "flush_interval = 90s\nmemory_max = 1536M\ndedupe_max_ids = 1500000\n";
	struct options *options = load_good(secret, NULL);
	char *text = printed(options), *again;

	(void)state;
	assert_null(strstr(text, "hunter2"));
	assert_non_null(strstr(text, "\nsasl.password = (secret)\nx = @@y\n"));
	assert_non_null(strstr(text, "\nconninfo = (secret)\n"));
	assert_non_null(strstr(text, "\nkey = (secret)\n"));
	options_free(options);
	free(text);

	options = load_good(open, NULL);
	text = printed(options);
	options_free(options);
	assert_non_null(strstr(text, "\ndedupe_max_ids = 1500k\n"));
	assert_non_null(strstr(text, "\n# key is not set\n"));
	options = load_good(text, NULL);
	again = printed(options);
	assert_string_equal(again, text);
	options_free(options);
	free(text);
	free(again);
}

static struct options *reload(const struct options *running, const char *text, struct buf *names,
			      struct faults *faults)
{
	char override[] = "log.level=debug";
	char *overrides[] = { override };

	write_file(conf, text, strlen(text));
	faults_init(faults);
	buf_init(names, 1000);
	return options_reload(running, conf, overrides, 1, names, faults);
}

static void reload_keeps_what_needs_a_restart(void **state)
{
	struct options *running =
	    load_good(ENOUGH "[kafka]\ngone = 1\nchanged = 1\nsame = 1\n", "log.level=debug");
	struct options *fresh;
	struct faults faults;
	struct buf names;

	(void)state;
	fresh = reload(running,
		       ENOUGH "[kafka]\nchanged = 2\nsame = 1\nnew = 1\n[ingest]\nworkers = 2\n"
			      "flush_interval = 1s\n[log]\nlevel = error\nformat = json\n"
			      "[titles]\ndelay = 3m\n",
		       &names, &faults);
	assert_non_null(fresh);
	assert_string_equal(names.data, "ingest.workers, kafka.changed, kafka.new, kafka.gone");
	assert_int_equal(fresh->ingest_workers, 0);
	assert_int_equal(fresh->kafka_setting_count, 4);
	assert_string_equal(fresh->kafka_settings[1].key, "gone");
	assert_string_equal(fresh->kafka_settings[2].value, "1");
	assert_int_equal(fresh->ingest_flush_interval_ms, 1000);
	assert_int_equal(fresh->titles_delay_ms, 180000);
	assert_int_equal(fresh->log_format, LOG_FORMAT_JSON);
	/* -o wins after a reload, too. */
	assert_int_equal(fresh->log_level, LOG_LEVEL_DEBUG);
	options_free(fresh);
	options_free(running);
	buf_release(&names);
	faults_release(&faults);
}

/* It has no default, so a running daemon may have none; another is taken up, or let go. */
static void reload_takes_up_a_key(void **state)
{
	struct options *running = load_good(ENOUGH_WITHOUT_KEY "names = named\n", "log.level=debug");
	struct options *fresh;
	struct faults faults;
	struct buf names;

	(void)state;
	assert_null(running->privacy_key);
	fresh = reload(running, ENOUGH_WITHOUT_KEY "names = named\nkey = k\n", &names, &faults);
	assert_non_null(fresh);
	assert_string_equal(names.data, "");
	assert_string_equal(fresh->privacy_key, "k");
	options_free(running);
	buf_release(&names);
	faults_release(&faults);
	running = fresh;
	fresh = reload(running, ENOUGH_WITHOUT_KEY "names = named\n", &names, &faults);
	assert_non_null(fresh);
	assert_null(fresh->privacy_key);
	options_free(fresh);
	options_free(running);
	buf_release(&names);
	faults_release(&faults);
}

static void reload_is_refused_whole(void **state)
{
	struct options *running = load_good(ENOUGH, "log.level=debug");
	struct faults faults;
	struct buf names;

	(void)state;
	assert_null(reload(running, ENOUGH "[log]\nformat = jsn\n", &names, &faults));
	assert_int_equal(faults.count, 1);
	faults_release(&faults);
	/* Good by itself, but not beside the max_age that stays until a restart. */
	assert_null(reload(running, ENOUGH "[ingest]\nmax_age = 1d\n[retention]\nhour = 10d\n",
			   &names, &faults));
	assert_int_equal(faults.count, 1);
	assert_non_null(strstr(faults.texts[0], "retention.hour"));
	faults_release(&faults);
	buf_release(&names);
	options_free(running);
}

static void missing_file_is_one_fault(void **state)
{
	struct faults faults;

	(void)state;
	faults_init(&faults);
	assert_null(options_load("/nonexistent/x.conf", NULL, 0, &faults));
	assert_int_equal(faults.count, 1);
	assert_string_equal(faults.texts[0],
			    "cannot open '/nonexistent/x.conf': No such file or directory");
	faults_release(&faults);
}

static void faults_are_bounded(void **state)
{
	struct faults faults;
	char text[3000] = "";

	(void)state;
	for (int i = 0; i < 250; i++)
		strcat(text, "no equals\n");
	assert_null(load(text, strlen(text), NULL, &faults));
	assert_int_equal(faults.count, FAULTS_MAX);
	assert_int_equal(faults.more, 250 + 4 - FAULTS_MAX);
	faults_release(&faults);
}

static void sample_file_is_good(void **state)
{
	const char *source = getenv("srcdir");
	char path[4096], override[200];
	char *overrides[] = { override };
	struct faults faults;
	struct options *options;

	(void)state;
	snprintf(path, sizeof(path), "%s/daemon/tokentally.conf.sample", source ? source : ".");
	write_file(value_file, "key\n", 4);
	/* Its own key file is where it is installed. */
	snprintf(override, sizeof(override), "privacy.key=@%s", value_file);
	faults_init(&faults);
	options = options_load(path, overrides, 1, &faults);
	if (!options)
		fail_msg("%s", faults.texts[0]);
	assert_string_equal(options->privacy_key, "key");
	options_free(options);
}

static void every_option_is_told(void **state)
{
	size_t count = 0;

	(void)state;
	for (const struct option_info *info; (info = options_info(count)); count++) {
		assert_non_null(strchr(info->name, '.'));
		assert_true(strlen(info->help) > 10);
	}
	assert_int_equal(count, 32);
	assert_true(options_kafka_key_is_secret("sasl.password"));
	assert_false(options_kafka_key_is_secret("sasl.username"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_contract),
		cmocka_unit_test(value_is_all_after_the_first_equals),
		cmocka_unit_test(topics_have_their_formats),
		cmocka_unit_test(every_fault_of_form_has_its_line),
		cmocka_unit_test(lines_of_8192_bytes_are_taken),
		cmocka_unit_test(unknown_names_come_with_the_nearest),
		cmocka_unit_test(required_keys_are_named),
		cmocka_unit_test(values_outside_their_type_or_range_are_refused),
		cmocka_unit_test(bounds_themselves_are_taken),
		cmocka_unit_test(options_must_fit_each_other),
		cmocka_unit_test(keys_that_break_a_promise_are_refused),
		cmocka_unit_test(values_come_from_files),
		cmocka_unit_test(files_of_values_can_be_wrong),
		cmocka_unit_test(secrets_are_refused_on_the_command_line),
		cmocka_unit_test(print_masks_secrets_and_is_read_back),
		cmocka_unit_test(reload_keeps_what_needs_a_restart),
		cmocka_unit_test(reload_takes_up_a_key),
		cmocka_unit_test(reload_is_refused_whole),
		cmocka_unit_test(missing_file_is_one_fault),
		cmocka_unit_test(faults_are_bounded),
		cmocka_unit_test(sample_file_is_good),
		cmocka_unit_test(every_option_is_told),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
