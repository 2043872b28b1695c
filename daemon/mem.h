/* SPDX-License-Identifier: Apache-2.0
 *
 * mem: allocation that cannot fail, an arena for what dies together, and cleanup of locals.
 *
 * Memory is bounded by design (every table and buffer has a maximum given at init), so an
 * allocation that fails is a broken promise of the machine: we abort, and the next start goes on
 * from the committed offsets (promise P6).
 */
#ifndef TOKENTALLY_MEM_H
#define TOKENTALLY_MEM_H

#include <stddef.h>

void *xmalloc(size_t bytes) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t bytes) __attribute__((malloc, returns_nonnull));
/* Checks count * bytes for overflow. */
void *xrealloc_array(void *old, size_t count, size_t bytes) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull));

/* `CLEANUP(free_ptr) char *x = NULL;` runs free_ptr(&x) when x leaves its scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
void free_ptr(void *ptr_to_ptr);

/* arena: a bump allocator. Not for sharing between threads. Chunks are kept over a reset, so a
 * steady load allocates nothing from the system. */
struct arena;
struct arena *arena_new(size_t chunk_bytes);
void arena_free(struct arena *arena); /* NULL is fine */
void *arena_alloc(struct arena *arena, size_t bytes) __attribute__((malloc, returns_nonnull));
/* Everything given out becomes invalid; keeps at most keep_bytes of chunks, frees the rest. */
void arena_reset(struct arena *arena, size_t keep_bytes);
size_t arena_bytes(const struct arena *arena); /* what it holds from the system now */

#endif
