/* SPDX-License-Identifier: Apache-2.0
 *
 * text: spans (text that somebody else owns), a growing buffer with a maximum, and strict parsing of
 * the small words of configuration: integers, durations, sizes, booleans. No atoi, no locale.
 */
#ifndef TOKENTALLY_TEXT_H
#define TOKENTALLY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Bytes owned by somebody else; not NUL-terminated. data may be NULL only when len is 0. */
struct span {
	const char *data;
	size_t len;
};

#define SPAN(literal) ((struct span){ "" literal, sizeof(literal) - 1 })
struct span span_of(const char *text);
bool span_equal(struct span a, struct span b);
bool span_is(struct span a, const char *text);
struct span span_trim(struct span s); /* ASCII white space off both ends */

/* buf: a growing byte buffer that never exceeds bytes_max; always NUL-terminated. What does not fit is
 * cut and `truncated` is set. */
struct buf {
	char *data;
	size_t len, capacity, bytes_max;
	bool truncated;
};
void buf_init(struct buf *buf, size_t bytes_max);
void buf_release(struct buf *buf);
void buf_clear(struct buf *buf);
void buf_add(struct buf *buf, const void *data, size_t len);
void buf_add_text(struct buf *buf, const char *text);
void buf_addf(struct buf *buf, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* Each takes the whole text (no leading or trailing rest) and sets *out only on success. */
bool parse_int64(struct span s, int64_t min, int64_t max, int64_t *out, struct err *err) ATTR_MUST_CHECK;
/* "500ms" "10s" "5m" "2h" "14d", and "0". A number without a unit is an error. */
bool parse_duration_ms(struct span s, int64_t *out_ms, struct err *err) ATTR_MUST_CHECK;
/* "64M" "1G" "512K" "1048576" (bytes); powers of 1024. */
bool parse_size(struct span s, uint64_t *out_bytes, struct err *err) ATTR_MUST_CHECK;
/* Counts: "20M" = 20,000,000; "500k"; plain digits. Powers of 1000. */
bool parse_count(struct span s, int64_t *out, struct err *err) ATTR_MUST_CHECK;
bool parse_bool(struct span s, bool *out, struct err *err) ATTR_MUST_CHECK; /* true false yes no on off 1 0 */

/* The nearest of `words` (NULL-terminated) by edit distance, or NULL when nothing is near: for messages. */
const char *nearest_word(const char *word, const char *const *words);

/* Copies at most cap-1 bytes with control bytes as \xNN, for logs. Always terminates. */
void text_printable(char *out, size_t cap, struct span s);

#endif
