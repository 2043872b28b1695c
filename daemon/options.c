/* SPDX-License-Identifier: Apache-2.0
 *
 * options: see options.h. The way of a value: file (ini.c) -> -o over it -> what "@FILE" stands for
 * -> its field (options_value.c) -> rules between options (options_check.c).
 */
#include "autoconf.h"

#include "options.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ini.h"
#include "mem.h"
#include "options_table.h"

#define SHOWN_BYTES_MAX (1024 * 1024)
#define OPTIONS_MAX 100 /* whose names are looked at for the nearest */

/* One load. */
struct loader {
	struct options *options;
	struct ini ini;
	struct option_place place;
	struct faults *faults;
};

static void add_setting(struct options *options, const char *key, const char *value)
{
	size_t count = options->kafka_setting_count;

	options->kafka_settings =
	    xrealloc_array(options->kafka_settings, count + 1, sizeof(*options->kafka_settings));
	options->kafka_settings[count] = (struct kafka_setting){ xstrdup(key), xstrdup(value) };
	options->kafka_setting_count++;
}

static void free_settings(struct options *options)
{
	for (size_t i = 0; i < options->kafka_setting_count; i++) {
		free(options->kafka_settings[i].key);
		option_wipe(options->kafka_settings[i].value);
	}
	free(options->kafka_settings);
	options->kafka_settings = NULL;
	options->kafka_setting_count = 0;
}

static bool is_section(const char *name)
{
	for (size_t i = 0; option_sections[i]; i++) {
		if (!strcmp(option_sections[i], name))
			return true;
	}
	return false;
}

static void add_unknown(struct faults *faults, const char *place, const char *what,
			const char *name, const char *const *words)
{
	const char *nearest = nearest_word(name, words);
	char shown[96];

	text_printable(shown, sizeof(shown), span_of(name));
	faults_add(faults, "%s: unknown %s '%s'%s%s%s", place, what, shown,
		   nearest ? ", the nearest known one is '" : "", nearest ? nearest : "",
		   nearest ? "'" : "");
}

static void add_unknown_key(struct faults *faults, const char *place, const char *name)
{
	const char *words[OPTIONS_MAX + 1];
	size_t count = 0;

	for (; count < OPTIONS_MAX && options_info(count); count++)
		words[count] = options_info(count)->name;
	words[count] = NULL;
	add_unknown(faults, place, "key", name, words);
}

static bool is_secret(const struct option_def *def, const char *key, const char *value)
{
	if (!def)
		return options_kafka_key_is_secret(key);
	return (def->info.flags & OPTION_SECRET) ||
	       (!strcmp(def->info.name, "postgres.conninfo") && options_conninfo_is_secret(value));
}

/* One -o, whose key is made sure to exist, so that it can be told from a key of the file later. */
static void set_override(struct loader *loader, const char *section, const char *key,
			 const char *value)
{
	const struct option_def *def = option_find(section, key);
	char name[256];

	snprintf(name, sizeof(name), "%s.%s", section, key);
	if (!is_section(section))
		add_unknown(loader->faults, "-o", "section", section, option_sections);
	else if (!def && strcmp(section, "kafka") != 0)
		add_unknown_key(loader->faults, "-o", name);
	else if (is_secret(def, key, value) && (value[0] != '@' || value[1] == '@'))
		faults_add(
		    loader->faults,
		    "-o %s: a secret is not taken from the command line, where everybody on this "
		    "machine can read it: write %s=@FILE",
		    name, name);
	else
		ini_set(&loader->ini, span_of(section), span_of(key), value);
}

static void add_override(struct loader *loader, const char *text, size_t index)
{
	const char *equals = strchr(text, '=');
	const char *dot = equals ? memchr(text, '.', (size_t)(equals - text)) : NULL;
	struct span section, key, value;
	CLEANUP(free_ptr) char *section_text = NULL;
	CLEANUP(free_ptr) char *key_text = NULL;
	char *value_text;

	if (!dot) {
		/* The text is not shown: it can be a secret in the wrong place. */
		faults_add(loader->faults, "-o: argument %zu is not of the form SECTION.KEY=VALUE",
			   index + 1);
		return;
	}
	section = span_trim((struct span){ text, (size_t)(dot - text) });
	key = span_trim((struct span){ dot + 1, (size_t)(equals - dot) - 1 });
	value = span_trim(span_of(equals + 1));
	section_text = xstrndup(section.data, section.len);
	key_text = xstrndup(key.data, key.len);
	value_text = xstrndup(value.data, value.len);
	set_override(loader, section_text, key_text, value_text);
	option_wipe(value_text);
}

static bool set_value(struct options *options, const struct option_def *def,
		      const struct ini_entry *entry, struct err *err)
{
	bool from_file, done = true;
	char *text;

	if (!def && !options_kafka_key_allowed(entry->key, err))
		return false;
	if (!option_resolve(entry->value, &text, &from_file, err))
		return false;
	if (def)
		done = option_set(options, def, text, err);
	else
		add_setting(options, entry->key, text);
	option_wipe(text);
	/* It may have been the wrong file: nothing of it is shown. */
	if (!done && from_file)
		err_set(err, ERR_CONFIG, "the text in the file that it names is not valid here");
	return done;
}

static void apply_entry(struct loader *loader, const struct ini_entry *entry)
{
	const struct option_def *def;
	struct err err;
	char place[512], name[256];

	snprintf(place, sizeof(place), "%s:%d", loader->place.path, entry->line);
	if (!is_section(entry->section)) {
		if (!entry->key)
			add_unknown(loader->faults, place, "section", entry->section,
				    option_sections);
		return;
	}
	if (!entry->key)
		return;
	snprintf(name, sizeof(name), "%s.%s", entry->section, entry->key);
	def = option_find(entry->section, entry->key);
	if (!def && strcmp(entry->section, "kafka") != 0)
		add_unknown_key(loader->faults, place, name);
	else if (!set_value(loader->options, def, entry, &err))
		option_fault(&loader->place, name, err.text, loader->faults);
}

static void set_defaults(struct options *options)
{
	struct err err;

	for (const struct option_def *def = option_defs; def->info.name; def++) {
		bool valid =
		    !def->info.fallback || option_set(options, def, def->info.fallback, &err);

		assert(valid);
		(void)valid;
	}
}

static void check_required(struct loader *loader)
{
	for (const struct option_def *def = option_defs; def->info.name; def++) {
		size_t len = strcspn(def->info.name, ".");

		if ((def->info.flags & OPTION_REQUIRED) &&
		    !ini_find(&loader->ini, (struct span){ def->info.name, len },
			      span_of(def->info.name + len + 1)))
			option_fault(&loader->place, def->info.name, "is required", loader->faults);
	}
}

static void load_entries(struct loader *loader, char *const *overrides, size_t override_count)
{
	for (size_t i = 0; i < override_count; i++)
		add_override(loader, overrides[i], i);
	set_defaults(loader->options);
	for (size_t i = 0; i < loader->ini.count; i++)
		apply_entry(loader, &loader->ini.entries[i]);
	check_required(loader);
	options_check_together(loader->options, &loader->place, loader->faults);
}

struct options *options_load(const char *path, char *const *overrides, size_t override_count,
			     struct faults *faults)
{
	size_t count_before = faults->count + faults->more;
	struct loader loader = { .options = xcalloc(1, sizeof(struct options)), .faults = faults };

	loader.place = (struct option_place){ path ? path : OPTIONS_DEFAULT_FILE, &loader.ini };
	ini_init(&loader.ini);
	/* Without the file it would be pointless to name all that is missing. */
	if (ini_read(&loader.ini, loader.place.path, faults))
		load_entries(&loader, overrides, override_count);
	ini_release(&loader.ini);
	if (faults->count + faults->more == count_before)
		return loader.options;
	options_free(loader.options);
	return NULL;
}

void options_free(struct options *options)
{
	if (!options)
		return;
	for (const struct option_def *def = option_defs; def->info.name; def++)
		option_release(options, def);
	free_settings(options);
	free(options);
}

static bool same_value(const struct options *a, const struct options *b,
		       const struct option_def *def)
{
	CLEANUP(buf_release) struct buf text_a = { 0 };
	CLEANUP(buf_release) struct buf text_b = { 0 };

	buf_init(&text_a, SHOWN_BYTES_MAX);
	buf_init(&text_b, SHOWN_BYTES_MAX);
	option_show(a, def, &text_a);
	option_show(b, def, &text_b);
	return !strcmp(text_a.data, text_b.data);
}

static const char *setting_of(const struct options *options, const char *key)
{
	for (size_t i = 0; i < options->kafka_setting_count; i++) {
		if (!strcmp(options->kafka_settings[i].key, key))
			return options->kafka_settings[i].value;
	}
	return NULL;
}

static size_t add_name(struct buf *names, const char *section, const char *name)
{
	buf_addf(names, "%s%s%s", names->len ? ", " : "", section, name);
	return 1;
}

/* Settings that a has and b has not, or (where also_changed) has with another value. */
static size_t diff_settings(const struct options *a, const struct options *b, bool also_changed,
			    struct buf *names)
{
	size_t count = 0;

	for (size_t i = 0; i < a->kafka_setting_count; i++) {
		const struct kafka_setting *setting = &a->kafka_settings[i];
		const char *other = setting_of(b, setting->key);

		if (!other || (also_changed && strcmp(other, setting->value) != 0))
			count += add_name(names, "kafka.", setting->key);
	}
	return count;
}

size_t options_reload_diff(const struct options *old_options, const struct options *new_options,
			   struct buf *names)
{
	size_t count = 0;

	for (const struct option_def *def = option_defs; def->info.name; def++) {
		if (!(def->info.flags & OPTION_RELOADABLE) &&
		    !same_value(old_options, new_options, def))
			count += add_name(names, "", def->info.name);
	}
	count += diff_settings(new_options, old_options, true, names);
	return count + diff_settings(old_options, new_options, false, names);
}

/* Gives fresh the values of running where a change needs a restart. */
static void keep_running(struct options *fresh, const struct options *running)
{
	struct err err;

	for (const struct option_def *def = option_defs; def->info.name; def++) {
		CLEANUP(buf_release) struct buf text = { 0 };
		bool valid;

		if (def->info.flags & OPTION_RELOADABLE)
			continue;
		buf_init(&text, SHOWN_BYTES_MAX);
		option_show(running, def, &text);
		valid = option_set(fresh, def, text.data, &err);
		assert(valid); /* it was when it was read */
		(void)valid;
	}
	free_settings(fresh);
	for (size_t i = 0; i < running->kafka_setting_count; i++)
		add_setting(fresh, running->kafka_settings[i].key,
			    running->kafka_settings[i].value);
}

struct options *options_reload(const struct options *running, const char *path,
			       char *const *overrides, size_t override_count,
			       struct buf *needs_restart, struct faults *faults)
{
	struct options *fresh = options_load(path, overrides, override_count, faults);
	struct option_place place = { path ? path : OPTIONS_DEFAULT_FILE, NULL };
	size_t count_before = faults->count + faults->more;

	if (!fresh)
		return NULL;
	options_reload_diff(running, fresh, needs_restart);
	keep_running(fresh, running);
	/* Once more, for new values beside kept ones. */
	options_check_together(fresh, &place, faults);
	if (faults->count + faults->more == count_before)
		return fresh;
	options_free(fresh);
	return NULL;
}

static void print_pair(FILE *out, const char *key, const char *value, bool secret)
{
	size_t cap = 4 * strlen(value) + 1;
	char *printable = xmalloc(cap);

	text_printable(printable, cap, span_of(value));
	if (secret)
		fprintf(out, "%s = (secret)\n", key);
	else
		fprintf(out, "%s =%s%s%s\n", key, *value ? " " : "", *value == '@' ? "@" : "",
			printable);
	free(printable);
}

static void print_option(FILE *out, const struct options *options, const struct option_def *def)
{
	CLEANUP(buf_release) struct buf text = { 0 };
	const char *key = strchr(def->info.name, '.') + 1;

	buf_init(&text, SHOWN_BYTES_MAX);
	option_show(options, def, &text);
	if (!text.len && !def->info.fallback)
		fprintf(out, "# %s is not set\n", key);
	else
		print_pair(out, key, text.data, is_secret(def, key, text.data));
}

void options_print(FILE *out, const struct options *options)
{
	for (size_t i = 0; option_sections[i]; i++) {
		const char *section = option_sections[i];
		size_t len = strlen(section);

		fprintf(out, "%s[%s]\n", i ? "\n" : "", section);
		for (const struct option_def *def = option_defs; def->info.name; def++) {
			if (!strncmp(def->info.name, section, len) && def->info.name[len] == '.')
				print_option(out, options, def);
		}
		for (size_t k = 0; !strcmp(section, "kafka") && k < options->kafka_setting_count;
		     k++) {
			const struct kafka_setting *setting = &options->kafka_settings[k];

			print_pair(out, setting->key, setting->value,
				   is_secret(NULL, setting->key, ""));
		}
	}
}
