/* SPDX-License-Identifier: Apache-2.0
 *
 * names: see names.h. One cache for what has an id: entries in an array with their texts in an arena, found through
 * a hash index; and one for session keys, so that many sessions do not push out the people. When its bytes are used up
 * a cache is emptied: a name that is needed again costs part of a short statement, a session key two SHA-256 blocks.
 */
#include "autoconf.h"

#include "names.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "mem.h"
#include "metrics.h"
#include "period.h"
#include "table.h"

#define INTERN_NAMES_MAX 5000 /* a statement; short, so that another worker's interning does not wait long */
#define STATEMENT_TIMEOUT_MS 35000
#define USES_MAX 65536 /* then told again: it does no harm */
#define ARENA_CHUNK_BYTES (256 * 1024)

struct entry {
	uint64_t hash;
	struct span text;
	enum name_kind kind;
	int64_t id;
};

struct session_cache {
	struct table table;
	struct session_key *keys; /* found by id, which is a hash of 128 bits */
	size_t count, capacity, bytes_max;
};

/* Who used which app when, as the database was told. */
struct use {
	int64_t person, day_us;
	int32_t app;
};
struct use_cache {
	struct table table;
	struct use *uses;
	size_t count, capacity;
};

struct names {
	struct pseudonymizer *pseudonymizer;
	int64_t generation; /* of the names that are being resolved */
	size_t bytes_max;
	struct table table;
	struct entry *entries;
	size_t count, capacity;
	struct arena *texts;
	struct session_cache sessions;
	struct use_cache uses;
};

struct names *names_new(struct pseudonymizer *pseudonymizer, size_t bytes_max, size_t session_bytes_max)
{
	struct names *names = xcalloc(1, sizeof(*names));

	names->pseudonymizer = pseudonymizer;
	names->bytes_max = bytes_max;
	names->sessions.bytes_max = session_bytes_max;
	table_init(&names->table);
	table_init(&names->sessions.table);
	table_init(&names->uses.table);
	names->texts = arena_new(ARENA_CHUNK_BYTES);
	return names;
}

void names_free(struct names *names)
{
	if (!names)
		return;
	table_release(&names->table);
	table_release(&names->sessions.table);
	table_release(&names->uses.table);
	arena_free(names->texts);
	free(names->entries);
	free(names->sessions.keys);
	free(names->uses.uses);
	free(names);
}

static void forget_uses(struct use_cache *uses)
{
	table_release(&uses->table);
	table_init(&uses->table);
	free(uses->uses);
	uses->uses = NULL;
	uses->count = uses->capacity = 0;
}

void names_forget(struct names *names)
{
	forget_uses(&names->uses);
	table_release(&names->table);
	table_init(&names->table);
	arena_reset(names->texts, 0);
	free(names->entries);
	names->entries = NULL;
	names->count = names->capacity = 0;
}

static size_t bytes_used(const struct names *names)
{
	return table_bytes(&names->table) + arena_bytes(names->texts) + names->capacity * sizeof(*names->entries);
}

/* Two kinds may hold the same text. */
static uint64_t key_of(const struct window_name *name, enum name_kind kind)
{
	return name->hash ^ (uint64_t)kind * UINT64_C(0x9E3779B97F4A7C15);
}

static struct entry *find(struct names *names, const struct window_name *name, enum name_kind kind)
{
	struct table_cursor cursor = table_seek(&names->table, key_of(name, kind));
	uint32_t row;

	while (table_next(&names->table, &cursor, &row)) {
		struct entry *entry = &names->entries[row];

		if (entry->kind == kind && entry->hash == name->hash && span_equal(entry->text, name->text))
			return entry;
	}
	return NULL;
}

static struct entry *remember(struct names *names, const struct window_name *name, enum name_kind kind)
{
	struct entry *entry;
	char *text = arena_alloc(names->texts, name->text.len ? name->text.len : 1);

	if (names->count == names->capacity) {
		names->capacity = names->capacity ? 2 * names->capacity : 1024;
		names->entries = xrealloc_array(names->entries, names->capacity, sizeof(*names->entries));
	}
	if (name->text.len)
		memcpy(text, name->text.data, name->text.len);
	table_insert(&names->table, key_of(name, kind), (uint32_t)names->count);
	entry = &names->entries[names->count++];
	*entry = (struct entry){ .hash = name->hash, .text = { text, name->text.len }, .kind = kind };
	return entry;
}

static const char *const intern_statements[NAME_KINDS] = {
	[NAME_PERSON] = "SELECT unnest(intern_people($1::text[], $2::text[], $3::bigint))",
	[NAME_TEAM] = "SELECT unnest(intern_teams($1::text[]))",
	[NAME_MODEL] = "SELECT unnest(intern_models($1::text[], $2::text[]))",
	[NAME_APP] = "SELECT unnest(intern_apps($1::text[]))",
	[NAME_SESSION] = NULL,
};

static void put_name(struct names *names, const struct window_name *name, enum name_kind kind, struct pg_array *first,
		     struct pg_array *second)
{
	struct span provider, model;
	char pseudonym[PSEUDONYM_LEN + 1];

	if (kind == NAME_MODEL) {
		window_model_name(name, &provider, &model);
		pg_array_text(first, provider);
		pg_array_text(second, model);
		return;
	}
	pg_array_text(first, name->text);
	if (kind == NAME_PERSON) {
		pseudonym_of(names->pseudonymizer, name->text, pseudonym);
		pg_array_text(second, span_of(pseudonym));
	}
}

/* missing: slots of the window. Their ids go into ids and the cache. */
static bool intern(struct names *names, struct pg *pg, enum name_kind kind, const struct window_name *all,
		   const uint32_t *missing, size_t count, int64_t *ids, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	CLEANUP(pg_array_release) struct pg_array first;
	CLEANUP(pg_array_release) struct pg_array second;
	struct pg_params params = { 0 };

	pg_array_init(&first, PG_OID_TEXT, 0, SIZE_MAX);
	pg_array_init(&second, PG_OID_TEXT, 0, SIZE_MAX);
	for (size_t i = 0; i < count; i++)
		put_name(names, &all[missing[i]], kind, &first, &second);
	pg_param_array(&params, PG_OID_TEXT_ARRAY, &first);
	if (kind == NAME_PERSON || kind == NAME_MODEL)
		pg_param_array(&params, PG_OID_TEXT_ARRAY, &second);
	if (kind == NAME_PERSON)
		pg_param_int8(&params, names->generation);
	if (!pg_exec(pg, intern_statements[kind], &params, PG_TEXT, STATEMENT_TIMEOUT_MS, &result, err))
		return false;
	if ((size_t)pg_rows(result) != count)
		return err_set(err, ERR_FATAL, "interned %zu names and got %d ids", count, pg_rows(result));
	for (size_t i = 0; i < count; i++) {
		ids[missing[i]] = pg_int8(result, (int)i, 0);
		remember(names, &all[missing[i]], kind)->id = ids[missing[i]];
	}
	metric_add(METRIC_NAMES_INTERNED, (int64_t)count);
	return true;
}

static bool resolve_kind(struct names *names, struct pg *pg, const struct window *window, enum name_kind kind,
			 struct name_ids *ids, struct err *err)
{
	size_t count, missing_count = 0;
	const struct window_name *all = window_names(window, kind, &count);
	CLEANUP(free_ptr) uint32_t *missing = xrealloc_array(NULL, count + 1, sizeof(*missing));

	if (ids->capacity[kind] < count) {
		ids->ids[kind] = xrealloc_array(ids->ids[kind], count, sizeof(*ids->ids[kind]));
		ids->capacity[kind] = count;
	}
	for (size_t i = 0; i < count; i++) {
		struct entry *entry = find(names, &all[i], kind);

		if (entry)
			ids->ids[kind][i] = entry->id;
		else
			missing[missing_count++] = (uint32_t)i;
	}
	for (size_t done = 0; done < missing_count; done += INTERN_NAMES_MAX) {
		size_t part = missing_count - done < INTERN_NAMES_MAX ? missing_count - done : INTERN_NAMES_MAX;

		if (!intern(names, pg, kind, all, missing + done, part, ids->ids[kind], err))
			return false;
	}
	return true;
}

static void forget_sessions(struct session_cache *sessions)
{
	table_release(&sessions->table);
	table_init(&sessions->table);
	free(sessions->keys);
	sessions->keys = NULL;
	sessions->count = sessions->capacity = 0;
}

void names_use_key(struct names *names, struct pseudonymizer *pseudonymizer)
{
	names->pseudonymizer = pseudonymizer;
	names_forget(names);
	forget_sessions(&names->sessions);
}

static const struct session_key *find_session(const struct session_cache *sessions, const struct session_key *key,
					      uint64_t hash)
{
	struct table_cursor cursor = table_seek(&sessions->table, hash);
	uint32_t row;

	while (table_next(&sessions->table, &cursor, &row)) {
		if (!memcmp(sessions->keys[row].id, key->id, sizeof(key->id)))
			return &sessions->keys[row];
	}
	return NULL;
}

static void remember_session(struct session_cache *sessions, const struct session_key *key, uint64_t hash)
{
	if (sessions->count == sessions->capacity) {
		sessions->capacity = sessions->capacity ? 2 * sessions->capacity : 1024;
		sessions->keys = xrealloc_array(sessions->keys, sessions->capacity, sizeof(*sessions->keys));
	}
	table_insert(&sessions->table, hash, (uint32_t)sessions->count);
	sessions->keys[sessions->count++] = *key;
}

static void resolve_session(struct names *names, struct span name, struct session_key *key)
{
	XXH128_hash_t hash = XXH3_128bits(name.data, name.len);
	const struct session_key *known;
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, hash);
	memcpy(key->id, canonical.digest, sizeof(key->id));
	known = find_session(&names->sessions, key, hash.high64);
	if (known) {
		*key = *known;
		return;
	}
	pseudonym_of(names->pseudonymizer, name, key->shown);
	remember_session(&names->sessions, key, hash.high64);
}

static void resolve_sessions(struct names *names, const struct window *window, struct name_ids *ids)
{
	struct session_cache *sessions = &names->sessions;
	size_t count;
	const struct window_name *all = window_names(window, NAME_SESSION, &count);

	if (table_bytes(&sessions->table) + sessions->capacity * sizeof(*sessions->keys) > sessions->bytes_max) {
		forget_sessions(sessions);
		metric_add_label(METRIC_LIMIT_REACHED, LIMIT_NAME_CACHE, 1);
	}
	if (ids->session_capacity < count) {
		ids->sessions = xrealloc_array(ids->sessions, count, sizeof(*ids->sessions));
		ids->session_capacity = count;
	}
	for (size_t i = 0; i < count; i++)
		resolve_session(names, all[i].text, &ids->sessions[i]);
}

/* False: it was known. */
static bool remember_use(struct use_cache *uses, const struct use *use)
{
	const uint64_t words[] = { (uint64_t)use->person, (uint64_t)use->day_us, (uint64_t)use->app };
	uint64_t hash = XXH3_64bits(words, sizeof(words));
	struct table_cursor cursor = table_seek(&uses->table, hash);
	uint32_t row;

	while (table_next(&uses->table, &cursor, &row)) {
		const struct use *known = &uses->uses[row];

		if (known->person == use->person && known->day_us == use->day_us && known->app == use->app)
			return false;
	}
	if (uses->count == uses->capacity) {
		uses->capacity = uses->capacity ? 2 * uses->capacity : 1024;
		uses->uses = xrealloc_array(uses->uses, uses->capacity, sizeof(*uses->uses));
	}
	table_insert(&uses->table, hash, (uint32_t)uses->count);
	uses->uses[uses->count++] = *use;
	return true;
}

/* Rollups by app know no person, so the database could not tell apps of few people. Days go as epoch days. */
static bool tell_uses(struct names *names, struct pg *pg, const struct window *window, const struct name_ids *ids,
		      struct err *err)
{
	CLEANUP(pg_array_release) struct pg_array apps;
	CLEANUP(pg_array_release) struct pg_array people;
	CLEANUP(pg_array_release) struct pg_array days;
	struct pg_params params = { 0 };
	size_t count;
	const struct use_row *rows = window_uses(window, &count);

	pg_array_init(&apps, PG_OID_INT4, 0, SIZE_MAX);
	pg_array_init(&people, PG_OID_INT8, 0, SIZE_MAX);
	pg_array_init(&days, PG_OID_INT4, 0, SIZE_MAX);
	if (names->uses.count + count > USES_MAX)
		forget_uses(&names->uses);
	for (size_t i = 0; i < count; i++) {
		struct use use = { ids->ids[NAME_PERSON][rows[i].person], rows[i].day_us,
				   (int32_t)ids->ids[NAME_APP][rows[i].app] };

		if (!remember_use(&names->uses, &use))
			continue;
		pg_array_int4(&apps, use.app);
		pg_array_int8(&people, use.person);
		pg_array_int4(&days, (int32_t)(use.day_us / US_PER_DAY));
	}
	if (!apps.count)
		return true;
	pg_param_array(&params, PG_OID_INT4_ARRAY, &apps);
	pg_param_array(&params, PG_OID_INT8_ARRAY, &people);
	pg_param_array(&params, PG_OID_INT4_ARRAY, &days);
	if (pg_exec(pg, "SELECT ingest_app_people($1::int[], $2::bigint[], $3::int[])", &params, PG_TEXT, STATEMENT_TIMEOUT_MS,
		    NULL, err))
		return true;
	forget_uses(&names->uses);
	return false;
}

bool names_resolve(struct names *names, struct pg *pg, int64_t generation, const struct window *window,
		   struct name_ids *ids, struct err *err)
{
	names->generation = generation;
	if (bytes_used(names) > names->bytes_max) {
		names_forget(names);
		metric_add_label(METRIC_LIMIT_REACHED, LIMIT_NAME_CACHE, 1);
	}
	for (enum name_kind kind = NAME_PERSON; kind < NAME_SESSION; kind++) {
		if (!resolve_kind(names, pg, window, kind, ids, err))
			return false;
	}
	resolve_sessions(names, window, ids);
	return tell_uses(names, pg, window, ids, err);
}

void name_ids_release(struct name_ids *ids)
{
	for (int kind = 0; kind < NAME_KINDS; kind++)
		free(ids->ids[kind]);
	free(ids->sessions);
	memset(ids, 0, sizeof(*ids));
}
