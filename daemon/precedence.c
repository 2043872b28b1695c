/* SPDX-License-Identifier: Apache-2.0
 *
 * precedence: see precedence.h. Rules in an array, found by a hash of provider and team; a call looks up to four
 * times, most specific first, and only for pairs of a kind that some rule is of.
 */
#include "autoconf.h"

#include "precedence.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "mem.h"
#include "table.h"

#define ARENA_CHUNK_BYTES 4096
#define ANY "*"

struct rule {
	struct span provider, team, source;
};

/* What of provider and team a rule names: bit 0 the provider, bit 1 the team. */
#define KINDS 4
enum { NAMES_PROVIDER = 1, NAMES_TEAM = 2 };

struct precedence {
	struct rule *rules;
	size_t count, capacity;
	struct table index;
	struct arena *texts;
	bool has_kind[KINDS];
};

struct precedence *precedence_new(void)
{
	struct precedence *precedence = xcalloc(1, sizeof(*precedence));

	table_init(&precedence->index);
	return precedence;
}

void precedence_clear(struct precedence *precedence)
{
	free(precedence->rules);
	table_release(&precedence->index);
	arena_free(precedence->texts);
	memset(precedence, 0, sizeof(*precedence));
	table_init(&precedence->index);
}

void precedence_free(struct precedence *precedence)
{
	if (!precedence)
		return;
	precedence_clear(precedence);
	free(precedence);
}

static uint64_t hash_of(struct span provider, struct span team)
{
	return XXH3_64bits_withSeed(team.data, team.len, XXH3_64bits(provider.data, provider.len));
}

static struct span copy(struct precedence *precedence, struct span text)
{
	char *to = arena_alloc(precedence->texts, text.len + 1);

	if (text.len)
		memcpy(to, text.data, text.len);
	to[text.len] = '\0';
	return (struct span){ to, text.len };
}

void precedence_add(struct precedence *precedence, struct span provider, struct span team, struct span source)
{
	unsigned kind = (span_is(provider, ANY) ? 0 : NAMES_PROVIDER) | (span_is(team, ANY) ? 0 : NAMES_TEAM);

	if (precedence->count == precedence->capacity) {
		precedence->capacity = precedence->capacity ? 2 * precedence->capacity : 16;
		precedence->rules =
			xrealloc_array(precedence->rules, precedence->capacity, sizeof(*precedence->rules));
	}
	if (!precedence->texts)
		precedence->texts = arena_new(ARENA_CHUNK_BYTES);
	table_insert(&precedence->index, hash_of(provider, team), (uint32_t)precedence->count);
	precedence->rules[precedence->count++] = (struct rule){ copy(precedence, provider), copy(precedence, team),
								copy(precedence, source) };
	precedence->has_kind[kind] = true;
}

/* Whether a rule of exactly this pair names the source; *found: there is a rule of it. */
static bool pair_counts(const struct precedence *precedence, struct span provider, struct span team,
			struct span source, bool *found)
{
	struct table_cursor cursor = table_seek(&precedence->index, hash_of(provider, team));
	uint32_t at;

	while (table_next(&precedence->index, &cursor, &at)) {
		const struct rule *rule = &precedence->rules[at];

		if (!span_equal(rule->provider, provider) || !span_equal(rule->team, team))
			continue;
		*found = true;
		if (span_equal(rule->source, source))
			return true;
	}
	return false;
}

bool precedence_counts(const struct precedence *precedence, struct span provider, struct span team, struct span source)
{
	static const unsigned order[KINDS] = { NAMES_PROVIDER | NAMES_TEAM, NAMES_TEAM, NAMES_PROVIDER, 0 };
	bool found = false;

	for (int i = 0; i < KINDS && precedence->count; i++) {
		bool counts;

		if (!precedence->has_kind[order[i]])
			continue;
		counts = pair_counts(precedence, order[i] & NAMES_PROVIDER ? provider : SPAN(ANY),
				     order[i] & NAMES_TEAM ? team : SPAN(ANY), source, &found);
		if (found)
			return counts;
	}
	return true;
}

size_t precedence_count(const struct precedence *precedence)
{
	return precedence->count;
}

size_t precedence_bytes(const struct precedence *precedence)
{
	return precedence->capacity * sizeof(*precedence->rules) + table_bytes(&precedence->index) +
	       (precedence->texts ? arena_bytes(precedence->texts) : 0);
}
