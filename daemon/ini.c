/* SPDX-License-Identifier: Apache-2.0
 *
 * ini: see ini.h. The file is read whole, into memory that never moves, so that nothing of a secret
 * is left behind when it is wiped.
 */
#include "autoconf.h"

#include "ini.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

/* Where the reader is. */
struct reader {
	struct ini *ini;
	struct faults *faults;
	const char *path;
	int line;
	char *section;	   /* NULL before the first one and after a broken one */
	bool before_first; /* no section line so far */
};

void ini_init(struct ini *ini)
{
	*ini = (struct ini){ 0 };
}

void ini_wipe(char *data, size_t len)
{
	if (data)
		explicit_bzero(data, len);
	free(data);
}

static void wipe_text(char *text)
{
	if (text)
		ini_wipe(text, strlen(text));
}

void ini_release(struct ini *ini)
{
	for (size_t i = 0; i < ini->count; i++) {
		free(ini->entries[i].section);
		free(ini->entries[i].key);
		wipe_text(ini->entries[i].value);
	}
	free(ini->entries);
	ini_init(ini);
}

static struct ini_entry *find(const struct ini *ini, struct span section, struct span key)
{
	for (size_t i = 0; i < ini->count; i++) {
		struct ini_entry *entry = &ini->entries[i];

		if (entry->key && span_is(section, entry->section) && span_is(key, entry->key))
			return entry;
	}
	return NULL;
}

const struct ini_entry *ini_find(const struct ini *ini, struct span section, struct span key)
{
	return find(ini, section, key);
}

static struct ini_entry *add_entry(struct ini *ini, struct span section)
{
	ini->entries = xrealloc_array(ini->entries, ini->count + 1, sizeof(*ini->entries));
	ini->entries[ini->count] =
	    (struct ini_entry){ .section = xstrndup(section.data, section.len) };
	return &ini->entries[ini->count++];
}

void ini_set(struct ini *ini, struct span section, struct span key, const char *value)
{
	struct ini_entry *entry = find(ini, section, key);

	if (entry) {
		wipe_text(entry->value);
	} else {
		entry = add_entry(ini, section);
		entry->key = xstrndup(key.data, key.len);
	}
	entry->value = xstrdup(value);
	entry->line = 0;
}

static bool read_all(int fd, char *data, size_t bytes_max, size_t *len)
{
	ssize_t got;

	*len = 0;
	do {
		got = read(fd, data + *len, bytes_max - *len);
		if (got > 0)
			*len += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	return got == 0;
}

bool ini_file_bytes(const char *path, size_t bytes_max, char **data, size_t *len, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t capacity = bytes_max + 1;
	char *bytes;
	size_t got;
	bool done;

	if (fd < 0)
		return err_set(err, ERR_CONFIG, "cannot open '%s': %s", path, strerror(errno));
	bytes = xmalloc(capacity);
	done = read_all(fd, bytes, capacity, &got);
	if (!done)
		err_set(err, ERR_CONFIG, "cannot read '%s': %s", path, strerror(errno));
	else if (got > bytes_max)
		done = err_set(err, ERR_CONFIG, "'%s' is larger than %zu bytes", path, bytes_max);
	close(fd);
	if (!done) {
		ini_wipe(bytes, capacity);
		return false;
	}
	*data = bytes;
	*len = got;
	return true;
}

static void fault(struct reader *reader, const char *text)
{
	faults_add(reader->faults, "%s:%d: %s", reader->path, reader->line, text);
}

static void read_section(struct reader *reader, struct span line)
{
	const char *end = memchr(line.data, ']', line.len);
	struct span name;

	reader->before_first = false;
	free_ptr(&reader->section);
	if (!end) {
		fault(reader, "section without its closing ']'");
		return;
	}
	name = span_trim((struct span){ line.data + 1, (size_t)(end - line.data) - 1 });
	if (!name.len) {
		fault(reader, "section without a name");
	} else if (end != line.data + line.len - 1) {
		fault(reader, "text after the ']' of a section");
	} else {
		reader->section = xstrndup(name.data, name.len);
		add_entry(reader->ini, name)->line = reader->line;
	}
}

static void read_pair(struct reader *reader, struct span line)
{
	const char *equals = memchr(line.data, '=', line.len);
	const struct ini_entry *twin;
	struct ini_entry *entry;
	struct span key, value;

	if (!equals) {
		fault(reader, "no '=' in this line (a value cannot go on in the next line)");
		return;
	}
	key = span_trim((struct span){ line.data, (size_t)(equals - line.data) });
	value = span_trim((struct span){ equals + 1, (size_t)(line.data + line.len - equals) - 1 });
	if (!key.len)
		fault(reader, "no key before the '='");
	else if (reader->before_first)
		fault(reader, "key before the first section");
	if (!key.len || !reader->section)
		return;
	twin = find(reader->ini, span_of(reader->section), key);
	if (twin) {
		faults_add(reader->faults, "%s:%d: %s.%s is given twice, first in line %d",
			   reader->path, reader->line, twin->section, twin->key, twin->line);
		return;
	}
	entry = add_entry(reader->ini, span_of(reader->section));
	entry->key = xstrndup(key.data, key.len);
	entry->value = xstrndup(value.data, value.len);
	entry->line = reader->line;
}

static void read_line(struct reader *reader, struct span line)
{
	if (memchr(line.data, '\0', line.len)) {
		fault(reader, "NUL byte in this line");
		return;
	}
	if (line.len > INI_LINE_BYTES_MAX) {
		fault(reader, "line is longer than 8192 bytes");
		return;
	}
	line = span_trim(line);
	if (!line.len || line.data[0] == '#' || line.data[0] == ';')
		return;
	if (line.data[0] == '[')
		read_section(reader, line);
	else
		read_pair(reader, line);
}

bool ini_read(struct ini *ini, const char *path, struct faults *faults)
{
	struct reader reader = { ini, faults, path, 0, NULL, true };
	struct err err;
	char *data;
	size_t len;

	if (!ini_file_bytes(path, INI_FILE_BYTES_MAX, &data, &len, &err)) {
		faults_add(faults, "%s", err.text);
		return false;
	}
	for (size_t at = 0; at < len;) {
		const char *end = memchr(data + at, '\n', len - at);
		size_t line_len = end ? (size_t)(end - data) - at : len - at;

		reader.line++;
		if (ini->count == INI_ENTRIES_MAX) {
			fault(&reader, "too many lines with keys");
			break;
		}
		read_line(&reader, (struct span){ data + at, line_len });
		at += line_len + 1;
	}
	free(reader.section);
	ini_wipe(data, INI_FILE_BYTES_MAX + 1);
	return true;
}
