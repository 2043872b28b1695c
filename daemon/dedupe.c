/* SPDX-License-Identifier: Apache-2.0
 *
 * dedupe: the set of counted ids. (Their log and the packed blocks are dedupe_log.c.)
 *
 * An entry is (fingerprint, time counted). The same id may be counted again when the times are
 * further apart than the window, so a fingerprint may stand several times, and a message is
 * compared with all of them. A sender that repeats one id with ever new times must not make a chain
 * of millions: an entry is placed by its fingerprint and its span of time, SPAN_WINDOWS windows
 * long. One span holds few entries of an id, and a message looks into the one or two spans that its
 * window touches.
 *
 * The set is cut into shards, each a table with linear probing. Growing, shrinking and evicting
 * copy one shard at a time, so they need little memory beside the set and never hold up a message
 * for long.
 */
#include "autoconf.h"

#include "dedupe.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

#include "dedupe_id.h"
#include "mem.h"

#define WINDOW_MS_MAX (INT64_MAX / 64) /* longer than all time; keeps sums in range */
#define SHARDS_MAX 256
#define SHARD_IDS_MIN 65536 /* a smaller set is one shard, so that its bound is exact */
#define SLOTS_MIN 16
#define SPAN_WINDOWS 16
#define EMPTY_TIME INT64_MIN
/* Shards looked through by one dedupe_expire are 1 / this of all. */
#define EXPIRE_ROUND 64
/* A shard is copied only to be rid of a good part of its ids at once, so that an id costs little.
 */
#define EXPIRE_PART 8
#define EVICT_PART 16

struct entry {
	uint64_t fingerprint;
	int64_t time_ms; /* EMPTY_TIME: a free slot */
};

struct shard {
	struct entry *entries;
	size_t capacity, count;
	int64_t oldest_ms; /* no entry is older */
};

struct dedupe {
	int64_t window_ms, span_ms;
	int64_t forget_before_ms; /* older entries can meet no message any more */
	size_t shard_ids_max;
	unsigned shard_count, shard_bits, expire_next;
	size_t count, capacity; /* sums over the shards */
	uint64_t evicted;
	struct shard shards[SHARDS_MAX];
};

uint64_t dedupe_fingerprint(struct span event_id)
{
	return XXH3_64bits(event_id.data, event_id.len);
}

static int64_t saturating_add(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return a < 0 ? INT64_MIN : INT64_MAX;
	return sum;
}

struct dedupe *dedupe_new(int64_t window_ms, size_t ids_max)
{
	struct dedupe *dedupe = xcalloc(1, sizeof *dedupe);

	assert(window_ms >= 0 && ids_max > 0);
	dedupe->window_ms = window_ms < WINDOW_MS_MAX ? window_ms : WINDOW_MS_MAX;
	dedupe->span_ms = SPAN_WINDOWS * (dedupe->window_ms + 1);
	dedupe->shard_count = 1;
	while (dedupe->shard_count < SHARDS_MAX &&
	       ids_max / dedupe->shard_count >= 2 * SHARD_IDS_MIN) {
		dedupe->shard_count *= 2;
		dedupe->shard_bits++;
	}
	dedupe->shard_ids_max = ids_max / dedupe->shard_count;
	dedupe_clear(dedupe);
	return dedupe;
}

void dedupe_clear(struct dedupe *dedupe)
{
	for (unsigned i = 0; i < dedupe->shard_count; i++) {
		free(dedupe->shards[i].entries);
		dedupe->shards[i] = (struct shard){ .oldest_ms = INT64_MAX };
	}
	dedupe->count = dedupe->capacity = 0;
	dedupe->forget_before_ms = INT64_MIN;
}

void dedupe_free(struct dedupe *dedupe)
{
	if (!dedupe)
		return;
	dedupe_clear(dedupe);
	free(dedupe);
}

size_t dedupe_count(const struct dedupe *dedupe)
{
	return dedupe->count;
}

size_t dedupe_bytes(const struct dedupe *dedupe)
{
	return sizeof *dedupe + dedupe->capacity * sizeof(struct entry);
}

uint64_t dedupe_evicted(const struct dedupe *dedupe)
{
	return dedupe->evicted;
}

/* Rounds down, before 1970 too. */
static int64_t span_of_time(const struct dedupe *dedupe, int64_t time_ms)
{
	int64_t quotient = time_ms / dedupe->span_ms;

	return quotient - (time_ms % dedupe->span_ms < 0);
}

/* Fingerprints are evenly spread already; the golden ratio spreads the spans of one id. */
static uint64_t entry_hash(uint64_t fingerprint, int64_t span)
{
	return fingerprint + (uint64_t)span * UINT64_C(0x9E3779B97F4A7C15);
}

/* The first bits of a hash choose the shard... */
static struct shard *shard_of(struct dedupe *dedupe, uint64_t hash)
{
	return &dedupe->shards[dedupe->shard_bits ? hash >> (64 - dedupe->shard_bits) : 0];
}

/* ...and the rest the slot: a fraction of the capacity, which so need not be a power of two. */
static size_t slot_of(const struct dedupe *dedupe, const struct shard *shard, uint64_t hash)
{
	return (size_t)(((unsigned __int128)(hash << dedupe->shard_bits) * shard->capacity) >> 64);
}

static size_t slot_after(const struct shard *shard, size_t slot)
{
	return slot + 1 == shard->capacity ? 0 : slot + 1;
}

static uint64_t distance(int64_t a, int64_t b)
{
	return a < b ? (uint64_t)b - (uint64_t)a : (uint64_t)a - (uint64_t)b;
}

/* Is an entry of this id there, in this span, at most `within` from time_ms? */
static bool met_in_span(struct dedupe *dedupe, uint64_t fingerprint, int64_t span, int64_t time_ms,
			uint64_t within)
{
	uint64_t hash = entry_hash(fingerprint, span);
	const struct shard *shard = shard_of(dedupe, hash);

	if (shard->count == 0)
		return false;
	for (size_t slot = slot_of(dedupe, shard, hash);; slot = slot_after(shard, slot)) {
		const struct entry *entry = &shard->entries[slot];

		if (entry->time_ms == EMPTY_TIME)
			return false;
		if (entry->fingerprint == fingerprint &&
		    distance(entry->time_ms, time_ms) <= within)
			return true;
	}
}

static bool met(struct dedupe *dedupe, uint64_t fingerprint, int64_t time_ms)
{
	int64_t first = span_of_time(dedupe, saturating_add(time_ms, -dedupe->window_ms));
	int64_t last = span_of_time(dedupe, saturating_add(time_ms, dedupe->window_ms));
	uint64_t within = (uint64_t)dedupe->window_ms;

	return met_in_span(dedupe, fingerprint, first, time_ms, within) ||
	       (last != first && met_in_span(dedupe, fingerprint, last, time_ms, within));
}

static void place(const struct dedupe *dedupe, struct shard *shard, struct entry entry)
{
	uint64_t hash = entry_hash(entry.fingerprint, span_of_time(dedupe, entry.time_ms));
	size_t slot = slot_of(dedupe, shard, hash);

	while (shard->entries[slot].time_ms != EMPTY_TIME)
		slot = slot_after(shard, slot);
	shard->entries[slot] = entry;
	shard->count++;
	if (entry.time_ms < shard->oldest_ms)
		shard->oldest_ms = entry.time_ms;
}

/* A quarter more slots than ids: probing then meets a free slot soon enough, at 20 bytes an id. */
static size_t capacity_for(size_t ids)
{
	return ids + ids / 4 < SLOTS_MIN ? SLOTS_MIN : ids + ids / 4;
}

static size_t ids_for(size_t capacity)
{
	return capacity - capacity / 5;
}

/* What a rebuild leaves out: entries before a time, and some of those at it, evenly taken. Were they the first ones by
 * slot, many ids with one time would in the end fill all other slots, and probing would go through all of them. */
struct cut {
	int64_t before_ms;
	size_t more_at_it, of, turn;
};

static bool is_cut(struct cut *cut, int64_t time_ms)
{
	if (time_ms < cut->before_ms)
		return true;
	if (time_ms > cut->before_ms || cut->more_at_it == 0)
		return false;
	cut->turn += cut->more_at_it;
	if (cut->turn < cut->of)
		return false;
	cut->turn -= cut->of;
	return true;
}

static void shard_rebuild(struct dedupe *dedupe, struct shard *shard, size_t capacity,
			  struct cut cut)
{
	struct shard old = *shard;

	*shard = (struct shard){ .capacity = capacity, .oldest_ms = INT64_MAX };
	shard->entries = xrealloc_array(NULL, capacity, sizeof *shard->entries);
	for (size_t slot = 0; slot < capacity; slot++)
		shard->entries[slot].time_ms = EMPTY_TIME;
	for (size_t slot = 0; slot < old.capacity; slot++)
		if (old.entries[slot].time_ms != EMPTY_TIME &&
		    !is_cut(&cut, old.entries[slot].time_ms))
			place(dedupe, shard, old.entries[slot]);
	dedupe->count -= old.count - shard->count;
	dedupe->capacity = dedupe->capacity - old.capacity + capacity;
	free(old.entries);
}

static size_t count_before(const struct shard *shard, int64_t time_ms)
{
	size_t count = 0;

	for (size_t slot = 0; slot < shard->capacity; slot++)
		count += shard->entries[slot].time_ms < time_ms &&
			 shard->entries[slot].time_ms != EMPTY_TIME;
	return count;
}

static size_t count_at(const struct shard *shard, int64_t time_ms)
{
	size_t count = 0;

	for (size_t slot = 0; slot < shard->capacity; slot++)
		count += shard->entries[slot].time_ms == time_ms;
	return count;
}

static int64_t newest_of(const struct shard *shard)
{
	int64_t newest = INT64_MIN;

	for (size_t slot = 0; slot < shard->capacity; slot++)
		if (shard->entries[slot].time_ms > newest)
			newest = shard->entries[slot].time_ms;
	return newest;
}

/* The cut that takes away exactly the `count` oldest. By halving the span of times: no copy, no bad
 * case. */
static struct cut cut_of_oldest(const struct shard *shard, size_t count)
{
	int64_t low = shard->oldest_ms, high = newest_of(shard); /* count_before(low) <= count */

	while (low < high) {
		int64_t middle = (int64_t)((uint64_t)low + distance(low, high) / 2 + 1);

		if (count_before(shard, middle) <= count)
			low = middle;
		else
			high = middle - 1;
	}
	return (struct cut){ low, count - count_before(shard, low), count_at(shard, low), 0 };
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void shard_evict(struct dedupe *dedupe, struct shard *shard)
{
	size_t count = shard->count / EVICT_PART + 1;

	/* The oldest are first those that have expired anyway. */
	dedupe->evicted += count - smaller(count, count_before(shard, dedupe->forget_before_ms));
	shard_rebuild(dedupe, shard, shard->capacity, cut_of_oldest(shard, count));
}

static void shard_expire(struct dedupe *dedupe, struct shard *shard)
{
	size_t expired, left;

	if (shard->oldest_ms >= dedupe->forget_before_ms)
		return;
	expired = count_before(shard, dedupe->forget_before_ms);
	if (expired < shard->count / EXPIRE_PART)
		return;
	left = shard->count - expired;
	/* Half as much again: room to grow without a rebuild at once. */
	shard_rebuild(dedupe, shard, capacity_for(smaller(left + left / 2, dedupe->shard_ids_max)),
		      (struct cut){ .before_ms = dedupe->forget_before_ms });
}

/* Room for one more: what has expired leaves, or the shard grows, or, at its bound, the oldest
 * leave. */
static void shard_make_room(struct dedupe *dedupe, struct shard *shard)
{
	if (shard->count < smaller(ids_for(shard->capacity), dedupe->shard_ids_max))
		return;
	shard_expire(dedupe, shard);
	if (shard->count >= dedupe->shard_ids_max)
		shard_evict(dedupe, shard);
	else if (shard->count >= ids_for(shard->capacity))
		shard_rebuild(
		    dedupe, shard,
		    capacity_for(smaller(2 * shard->count + SLOTS_MIN, dedupe->shard_ids_max)),
		    (struct cut){ .before_ms = INT64_MIN });
}

static void insert(struct dedupe *dedupe, uint64_t fingerprint, int64_t time_ms)
{
	struct shard *shard =
	    shard_of(dedupe, entry_hash(fingerprint, span_of_time(dedupe, time_ms)));

	shard_make_room(dedupe, shard);
	place(dedupe, shard, (struct entry){ fingerprint, time_ms });
	dedupe->count++;
}

/* The lowest time marks free slots. */
static int64_t storable(int64_t time_ms)
{
	return time_ms == EMPTY_TIME ? EMPTY_TIME + 1 : time_ms;
}

bool dedupe_add(struct dedupe *dedupe, uint64_t fingerprint, int64_t time_ms)
{
	time_ms = storable(time_ms);
	if (met(dedupe, fingerprint, time_ms))
		return false;
	insert(dedupe, fingerprint, time_ms);
	return true;
}

/* The time is taken as it is given now, not the highest ever: one wrong clock must not make the set
 * forget for good. */
void dedupe_expire(struct dedupe *dedupe, int64_t time_ms)
{
	unsigned shards = dedupe->shard_count / EXPIRE_ROUND;

	dedupe->forget_before_ms = saturating_add(time_ms, -2 * dedupe->window_ms);
	for (unsigned i = 0; i < shards || i == 0; i++) {
		shard_expire(dedupe, &dedupe->shards[dedupe->expire_next]);
		dedupe->expire_next = (dedupe->expire_next + 1) % dedupe->shard_count;
	}
}

bool dedupe_merge(struct dedupe *dedupe, int64_t base_ms, struct span ids, bool *met)
{
	if (ids.len % DEDUPE_ID_BYTES != 0)
		return false;
	for (size_t at = 0; at < ids.len; at += DEDUPE_ID_BYTES) {
		uint64_t fingerprint;
		int64_t time_ms;

		dedupe_id_unpack((const unsigned char *)ids.data + at, base_ms, &fingerprint,
				 &time_ms);
		if (!dedupe_add(dedupe, fingerprint, time_ms))
			*met = true;
	}
	return true;
}

bool dedupe_load(struct dedupe *dedupe, int64_t base_ms, struct span ids)
{
	if (ids.len % DEDUPE_ID_BYTES != 0)
		return false;
	for (size_t at = 0; at < ids.len; at += DEDUPE_ID_BYTES) {
		uint64_t fingerprint;
		int64_t time_ms;

		dedupe_id_unpack((const unsigned char *)ids.data + at, base_ms, &fingerprint,
				 &time_ms);
		time_ms = storable(time_ms);
		if (!met_in_span(dedupe, fingerprint, span_of_time(dedupe, time_ms), time_ms, 0))
			insert(dedupe, fingerprint, time_ms);
	}
	return true;
}
