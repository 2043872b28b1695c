/* SPDX-License-Identifier: Apache-2.0
 *
 * mem: see mem.h. Under AddressSanitizer the bytes of an arena that were not given out are
 * poisoned, so that a span used after the reset is found.
 */
#include "autoconf.h"

#include "mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define WITH_ASAN 1
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(data, len) ((void)(data), (void)(len))
#define ASAN_UNPOISON_MEMORY_REGION(data, len) ((void)(data), (void)(len))
#endif

#define ARENA_ALIGN _Alignof(max_align_t)

/* One piece from the system; what it gives out follows the header. */
struct chunk {
	struct chunk *next;
	size_t capacity, used; /* without the header */
	max_align_t data[];
};

struct arena {
	struct chunk *first;
	struct chunk *current; /* those before it are full, those after it are empty */
	size_t chunk_bytes;
	size_t bytes; /* of all chunks with their headers */
};

static void *or_abort(void *data, size_t bytes)
{
	if (!data) {
		fprintf(stderr, "out of memory: cannot allocate %zu bytes\n", bytes);
		abort();
	}
	return data;
}

void *xmalloc(size_t bytes)
{
	return or_abort(malloc(bytes ? bytes : 1), bytes);
}

void *xcalloc(size_t count, size_t bytes)
{
	if (!count || !bytes)
		count = bytes = 1;
	return or_abort(calloc(count, bytes), bytes);
}

void *xrealloc_array(void *old, size_t count, size_t bytes)
{
	size_t total;

	if (__builtin_mul_overflow(count, bytes, &total))
		or_abort(NULL, SIZE_MAX);
	return or_abort(realloc(old, total ? total : 1), total);
}

char *xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

char *xstrndup(const char *text, size_t len)
{
	size_t used = strnlen(text, len);
	char *copy = xmalloc(used + 1);

	memcpy(copy, text, used);
	copy[used] = '\0';
	return copy;
}

void free_ptr(void *ptr_to_ptr)
{
	void *data;

	/* By memcpy: the pointer may have any type. */
	memcpy(&data, ptr_to_ptr, sizeof(data));
	free(data);
	data = NULL;
	memcpy(ptr_to_ptr, &data, sizeof(data));
}

static struct chunk *chunk_new(struct arena *arena, size_t capacity)
{
	struct chunk *chunk = xmalloc(sizeof(*chunk) + capacity);

	*chunk = (struct chunk){ .capacity = capacity };
	ASAN_POISON_MEMORY_REGION(chunk->data, capacity);
	arena->bytes += sizeof(*chunk) + capacity;
	return chunk;
}

static void chunk_free(struct arena *arena, struct chunk *chunk)
{
	arena->bytes -= sizeof(*chunk) + chunk->capacity;
	ASAN_UNPOISON_MEMORY_REGION(chunk->data, chunk->capacity);
	free(chunk);
}

struct arena *arena_new(size_t chunk_bytes)
{
	struct arena *arena = xcalloc(1, sizeof(*arena));

	arena->chunk_bytes = chunk_bytes;
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	arena_reset(arena, 0);
	free(arena);
}

static bool chunk_has_room(const struct chunk *chunk, size_t bytes)
{
	return chunk && chunk->capacity - chunk->used >= bytes;
}

/* Makes a chunk with room for bytes the current one: the next kept one, or a new one before it. */
static void arena_grow(struct arena *arena, size_t bytes)
{
	struct chunk **link = arena->current ? &arena->current->next : &arena->first;

	if (!chunk_has_room(*link, bytes)) {
		struct chunk *chunk =
		    chunk_new(arena, bytes > arena->chunk_bytes ? bytes : arena->chunk_bytes);

		chunk->next = *link;
		*link = chunk;
	}
	arena->current = *link;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	struct chunk *chunk;
	size_t room;
	char *data;

	if (bytes > SIZE_MAX / 2)
		or_abort(NULL, bytes);
	room = bytes ? (bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN : ARENA_ALIGN;
	if (!chunk_has_room(arena->current, room))
		arena_grow(arena, room);
	chunk = arena->current;
	data = (char *)chunk->data + chunk->used;
	chunk->used += room;
	ASAN_UNPOISON_MEMORY_REGION(data, bytes);
	return data;
}

void arena_reset(struct arena *arena, size_t keep_bytes)
{
	size_t kept = 0;

	for (struct chunk **link = &arena->first; *link;) {
		struct chunk *chunk = *link;
		size_t bytes = sizeof(*chunk) + chunk->capacity;

		if (bytes > keep_bytes - kept) {
			*link = chunk->next;
			chunk_free(arena, chunk);
			continue;
		}
		kept += bytes;
		chunk->used = 0;
		ASAN_POISON_MEMORY_REGION(chunk->data, chunk->capacity);
		link = &chunk->next;
	}
	arena->current = NULL;
}

size_t arena_bytes(const struct arena *arena)
{
	return arena->bytes;
}
