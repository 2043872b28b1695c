/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_tokens: the counters of a sender, whose convention is one of a dozen, into ours, where
 * input, cache read, cache write and output share no token and reasoning is a part of the output.
 * The table behind it is in docs/FORMATS.md; nearly every tool got one of its rows wrong once, so
 * nothing here is taken at its word when there is something to check it by.
 */
#include "autoconf.h"

#include <strings.h>

#include "mapping.h"

static void mark(struct record *record, enum suspect suspect)
{
	record->suspects |= 1u << suspect;
}

static bool starts_with(struct span text, struct span word)
{
	return text.len >= word.len && strncasecmp(text.data, word.data, word.len) == 0;
}

static bool has_word(struct span text, struct span word)
{
	for (size_t i = 0; i + word.len <= text.len; i++)
		if (strncasecmp(text.data + i, word.data, word.len) == 0)
			return true;
	return false;
}

/* Whose own interface reports cached tokens on top of the input: Anthropic, wherever it is hosted,
 * and what Bedrock serves. */
static bool adds_cache(const struct call *call)
{
	return has_word(call->provider, SPAN("anthropic")) ||
	       has_word(call->provider, SPAN("bedrock")) ||
	       starts_with(call->model, SPAN("claude")) || has_word(call->model, SPAN("anthropic"));
}

/* What a sum of the parts would be under each reading. A sender may add up naively, so a total
 * without the cached tokens proves nothing; one with them proves that they are outside. */
struct sums {
	bool cache_outside, reasoning_outside;
};

static bool fits(const struct call *call, int64_t total, struct sums sums)
{
	int64_t sum = call->input + call->output;

	if (sums.cache_outside)
		sum += call->cache_read + call->cache_write;
	if (sums.reasoning_outside)
		sum += call->reasoning;
	return sum == total;
}

/* Corrects the declared reading by the total where that is proof. */
static void believe_total(const struct call *call, int64_t total, struct sums *sums,
			  struct record *record)
{
	struct sums declared = *sums;
	int64_t cached = call->cache_read + call->cache_write;

	if (fits(call, total, declared) ||
	    (declared.cache_outside &&
	     fits(call, total, (struct sums){ false, declared.reasoning_outside })))
		return;
	for (int other = 1; other < 4; other++) {
		struct sums tried = { declared.cache_outside ^ (other & 1),
				      declared.reasoning_outside ^ (other >> 1) };

		if (declared.cache_outside && !tried.cache_outside)
			continue;
		if (!fits(call, total, tried))
			continue;
		if (tried.cache_outside != declared.cache_outside && cached > 0)
			mark(record, SUSPECT_CACHE_OUTSIDE);
		if (tried.reasoning_outside != declared.reasoning_outside && call->reasoning > 0)
			mark(record, tried.reasoning_outside ? SUSPECT_REASONING_OUTSIDE
							     : SUSPECT_REASONING_INSIDE);
		*sums = tried;
		return;
	}
	mark(record, SUSPECT_TOTAL);
}

static void cut(int64_t *count, int64_t most, enum suspect suspect, struct record *record)
{
	if (*count > most) {
		*count = most;
		mark(record, suspect);
	}
}

static void settle_cache(struct call *call, bool outside, struct record *record)
{
	cut(&call->cache_write_1h, call->cache_write, SUSPECT_CACHE_PART, record);
	if (!outside && call->cache_read + call->cache_write > call->input && adds_cache(call)) {
		mark(record, SUSPECT_CACHE_OUTSIDE);
		outside = true;
	}
	if (outside)
		return;
	cut(&call->cache_read, call->input, SUSPECT_CACHED_ABOVE_INPUT, record);
	call->input -= call->cache_read;
	cut(&call->cache_write, call->input, SUSPECT_CACHED_ABOVE_INPUT, record);
	call->input -= call->cache_write;
	cut(&call->cache_write_1h, call->cache_write, SUSPECT_CACHED_ABOVE_INPUT, record);
}

static void settle_reasoning(struct call *call, bool outside, struct record *record)
{
	if (outside)
		call->output += call->reasoning;
	cut(&call->reasoning, call->output, SUSPECT_REASONING_ABOVE_OUTPUT, record);
}

void mapping_settle(const struct mapping *mapping, const struct raw_tokens *raw, struct call *call,
		    struct record *record)
{
	struct sums sums = { mapping->cache != CACHE_INSIDE,
			     mapping->reasoning == REASONING_OUTSIDE };
	bool parts = raw->sent[FIELD_INPUT] && raw->sent[FIELD_OUTPUT];

	call->input = raw->counts[FIELD_INPUT];
	call->cache_read = raw->counts[FIELD_CACHE_READ];
	call->cache_write = raw->counts[FIELD_CACHE_WRITE];
	call->cache_write_1h = raw->counts[FIELD_CACHE_WRITE_1H];
	call->output = raw->counts[FIELD_OUTPUT];
	call->reasoning = raw->counts[FIELD_REASONING];
	call->cache_known = mapping->cache != CACHE_UNREPORTED &&
			    (raw->sent[FIELD_CACHE_READ] || raw->sent[FIELD_CACHE_WRITE]);
	if (raw->sent[FIELD_TOTAL] && parts)
		believe_total(call, raw->counts[FIELD_TOTAL], &sums, record);
	settle_cache(call, sums.cache_outside, record);
	settle_reasoning(call, sums.reasoning_outside, record);
}
