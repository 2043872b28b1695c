/* SPDX-License-Identifier: Apache-2.0
 *
 * options_value: the value of one option, from text to its field and back. What the text of a value
 * can stand for ("@FILE") is here too. Rules between options are in options_check.c.
 */
#include "autoconf.h"

#include "options_table.h"

#include <stdlib.h>
#include <string.h>

#include "ini.h"
#include "mem.h"

#define VALUE_FILE_BYTES_MAX 65536
#define CREDENTIALS "CREDENTIALS_DIRECTORY"

/* Also for what is not secret: it costs nothing. */
void option_wipe(char *text)
{
	if (text)
		ini_wipe(text, strlen(text));
}

static void *field_of(const struct options *options, const struct option_def *def)
{
	return (char *)(uintptr_t)options + def->offset;
}

static bool read_value_file(const char *path, char **text, struct err *err)
{
	char *data;
	size_t len;

	if (!ini_file_bytes(path, VALUE_FILE_BYTES_MAX, &data, &len, err))
		return false;
	if (len && data[len - 1] == '\n')
		len--;
	if (memchr(data, '\0', len)) {
		ini_wipe(data, VALUE_FILE_BYTES_MAX + 1);
		return err_set(err, ERR_CONFIG, "'%s' has a NUL byte", path);
	}
	*text = xstrndup(len ? data : "", len);
	ini_wipe(data, VALUE_FILE_BYTES_MAX + 1);
	return true;
}

/* "$CREDENTIALS_DIRECTORY/NAME": the one variable that systemd makes and a file cannot know. */
static bool read_credential(const char *name, char **text, struct err *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };
	const char *directory = getenv(CREDENTIALS);

	if (strncmp(name, CREDENTIALS "/", strlen(CREDENTIALS "/")) != 0)
		return err_set(err, ERR_CONFIG,
			       "of variables only $" CREDENTIALS "/NAME is known after '@'");
	if (!directory || !*directory)
		return err_set(err, ERR_CONFIG,
			       "$" CREDENTIALS " is not set (systemd sets it for LoadCredential=)");
	buf_init(&path, 4096);
	buf_addf(&path, "%s%s", directory, name + strlen(CREDENTIALS));
	return read_value_file(path.data, text, err);
}

bool option_resolve(const char *value, char **text, bool *from_file, struct err *err)
{
	*from_file = value[0] == '@' && value[1] != '@';
	if (!*from_file) {
		*text = xstrdup(value[0] == '@' ? value + 1 : value);
		return true;
	}
	if (!value[1])
		return err_set(err, ERR_CONFIG,
			       "no file name after '@' (a value that is '@' is written '@@')");
	if (value[1] == '$')
		return read_credential(value + 2, text, err);
	return read_value_file(value + 1, text, err);
}

static void topics_free(struct topic_option *topics, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(topics[i].name);
		free(topics[i].format);
	}
	free(topics);
}

/* One element of the list, "TOPIC" or "TOPIC:FORMAT", to the end of the list. */
static bool add_topic(struct span item, struct topic_option **topics, size_t *count,
		      struct err *err)
{
	const char *colon = memchr(item.data, ':', item.len);
	struct span name = item, format = { "", 0 };
	struct topic_option topic = { NULL, NULL };

	if (colon) {
		name.len = (size_t)(colon - item.data);
		format = span_trim((struct span){ colon + 1, item.len - name.len - 1 });
		name = span_trim(name);
	}
	if (!options_check_topic(name, err))
		return false;
	for (size_t i = 0; i < *count; i++) {
		if (span_is(name, (*topics)[i].name))
			return err_set(err, ERR_CONFIG, "topic '%s' stands twice",
				       (*topics)[i].name);
	}
	if (colon) {
		topic.format = xstrndup(format.data, format.len);
		if (!options_check_format(topic.format, err)) {
			free(topic.format);
			return false;
		}
	}
	topic.name = xstrndup(name.data, name.len);
	*topics = xrealloc_array(*topics, *count + 1, sizeof(topic));
	(*topics)[(*count)++] = topic;
	return true;
}

static bool set_topics(struct options *options, const char *text, struct err *err)
{
	struct topic_option *topics = NULL;
	size_t count = 0;

	for (bool more = true; more;) {
		size_t len = strcspn(text, ",");

		if (!add_topic(span_trim((struct span){ text, len }), &topics, &count, err)) {
			topics_free(topics, count);
			return false;
		}
		more = text[len] == ',';
		text += len + more;
	}
	topics_free(options->kafka_topics, options->topic_count);
	options->kafka_topics = topics;
	options->topic_count = count;
	return true;
}

static bool set_string(char **field, const struct option_def *def, const char *text,
		       struct err *err)
{
	if (def->check && !def->check(text, err))
		return false;
	option_wipe(*field);
	*field = xstrdup(text);
	return true;
}

/* Text of any type that is a number -> that number, whatever its bounds. */
static bool number_of(const struct option_def *def, const char *text, int64_t *out, struct err *err)
{
	struct span s = span_of(text);
	uint64_t bytes;

	if (def->type == OPTION_DURATION)
		return parse_duration_ms(s, out, err);
	if (def->type == OPTION_COUNT)
		return parse_count(s, out, err);
	if (def->type == OPTION_SIZE) {
		if (!parse_size(s, &bytes, err))
			return false;
		*out = (int64_t)bytes;
		return true;
	}
	if (def->type == OPTION_WORKERS && span_is(s, "auto")) {
		*out = 0;
		return true;
	}
	return parse_int64(s, INT64_MIN, INT64_MAX, out, err);
}

static bool in_bounds(const struct option_def *def, int64_t value, struct err *err)
{
	int64_t min = 0, max = INT64_MAX;

	if (def->type == OPTION_WORKERS && value == 0)
		return true;
	if ((def->min && !number_of(def, def->min, &min, err)) ||
	    (def->max && !number_of(def, def->max, &max, err)))
		return false;
	return value >= min && value <= max;
}

static bool set_number(void *field, const struct option_def *def, const char *text, struct err *err)
{
	int64_t value;

	if (!number_of(def, text, &value, err))
		return false;
	/* "0" workers is not "auto". */
	if (!in_bounds(def, value, err) ||
	    (def->type == OPTION_WORKERS && value == 0 && strcmp(text, "auto") != 0))
		return err_set(err, ERR_CONFIG, "'%.60s' is not in %s..%s%s", text, def->min,
			       def->max, def->type == OPTION_WORKERS ? ", nor 'auto'" : "");
	if (def->type == OPTION_INT || def->type == OPTION_WORKERS)
		*(int *)field = (int)value;
	else if (def->type == OPTION_SIZE)
		*(uint64_t *)field = (uint64_t)value;
	else
		*(int64_t *)field = value;
	return true;
}

static bool set_word(int *field, const struct option_def *def, const char *text, struct err *err)
{
	CLEANUP(buf_release) struct buf list = { 0 };
	char shown[64];

	for (int i = 0; def->words[i]; i++) {
		if (!strcmp(def->words[i], text)) {
			*field = i;
			return true;
		}
	}
	buf_init(&list, 256);
	for (int i = 0; def->words[i]; i++)
		buf_addf(&list, "%s%s", i ? ", " : "", def->words[i]);
	text_printable(shown, sizeof(shown), span_of(text));
	return err_set(err, ERR_CONFIG, "'%s' is none of %s", shown, list.data);
}

bool option_set(struct options *options, const struct option_def *def, const char *text,
		struct err *err)
{
	void *field = field_of(options, def);

	switch (def->type) {
	case OPTION_STRING:
		return set_string(field, def, text, err);
	case OPTION_TOPICS:
		return set_topics(options, text, err);
	case OPTION_BOOL:
		return parse_bool(span_of(text), field, err);
	case OPTION_WORD:
		return set_word(field, def, text, err);
	case OPTION_INT:
	case OPTION_WORKERS:
	case OPTION_COUNT:
	case OPTION_SIZE:
	case OPTION_DURATION:
		break;
	}
	return set_number(field, def, text, err);
}

struct scale {
	const char *unit;
	int64_t factor;
};

/* By the largest unit that leaves no rest. scales goes down to a factor of 1. */
static void show_scaled(struct buf *out, int64_t value, const struct scale *scales)
{
	while (value && value % scales->factor)
		scales++;
	if (value)
		buf_addf(out, "%lld%s", (long long)(value / scales->factor), scales->unit);
	else
		buf_add_text(out, "0");
}

static void show_number(struct buf *out, const struct option_def *def, const void *field)
{
	static const struct scale durations[] = {
		{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }
	};
	static const struct scale sizes[] = { { "T", INT64_C(1) << 40 },
					      { "G", 1 << 30 },
					      { "M", 1 << 20 },
					      { "K", 1 << 10 },
					      { "", 1 } };
	static const struct scale counts[] = { { "M", 1000000 }, { "k", 1000 }, { "", 1 } };

	if (def->type == OPTION_DURATION)
		show_scaled(out, *(const int64_t *)field, durations);
	else if (def->type == OPTION_SIZE)
		show_scaled(out, *(const int64_t *)field, sizes);
	else if (def->type == OPTION_COUNT)
		show_scaled(out, *(const int64_t *)field, counts);
	else if (def->type == OPTION_WORKERS && !*(const int *)field)
		buf_add_text(out, "auto");
	else
		buf_addf(out, "%d", *(const int *)field);
}

static void show_topics(struct buf *out, const struct options *options)
{
	for (size_t i = 0; i < options->topic_count; i++) {
		const struct topic_option *topic = &options->kafka_topics[i];

		buf_addf(out, "%s%s%s%s", i ? ", " : "", topic->name, topic->format ? ":" : "",
			 topic->format ? topic->format : "");
	}
}

void option_show(const struct options *options, const struct option_def *def, struct buf *out)
{
	const void *field = field_of(options, def);

	switch (def->type) {
	case OPTION_STRING:
		if (*(char *const *)field)
			buf_add_text(out, *(char *const *)field);
		return;
	case OPTION_TOPICS:
		show_topics(out, options);
		return;
	case OPTION_BOOL:
		buf_add_text(out, *(const bool *)field ? "true" : "false");
		return;
	case OPTION_WORD:
		buf_add_text(out, def->words[*(const int *)field]);
		return;
	case OPTION_INT:
	case OPTION_WORKERS:
	case OPTION_COUNT:
	case OPTION_SIZE:
	case OPTION_DURATION:
		break;
	}
	show_number(out, def, field);
}

void option_release(struct options *options, const struct option_def *def)
{
	if (def->type == OPTION_STRING) {
		char **field = field_of(options, def);

		option_wipe(*field);
		*field = NULL;
	} else if (def->type == OPTION_TOPICS) {
		topics_free(options->kafka_topics, options->topic_count);
		options->kafka_topics = NULL;
		options->topic_count = 0;
	}
}
