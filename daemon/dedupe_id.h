/* SPDX-License-Identifier: Apache-2.0
 *
 * dedupe_id: the 12 bytes of an id in a stored block, for dedupe and dedupe_log only: u64
 * fingerprint, i32 distance in ms from the block's base, both little-endian.
 */
#ifndef TOKENTALLY_DEDUPE_ID_H
#define TOKENTALLY_DEDUPE_ID_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define DEDUPE_ID_BYTES 12

static inline void dedupe_id_pack(unsigned char *to, uint64_t fingerprint, int32_t distance_ms)
{
	uint64_t fingerprint_le = htole64(fingerprint);
	uint32_t distance_le = htole32((uint32_t)distance_ms);

	memcpy(to, &fingerprint_le, sizeof fingerprint_le);
	memcpy(to + sizeof fingerprint_le, &distance_le, sizeof distance_le);
}

/* A time beyond int64, of a block that is not ours, becomes the nearest. */
static inline void dedupe_id_unpack(const unsigned char *from, int64_t base_ms,
				    uint64_t *fingerprint, int64_t *time_ms)
{
	uint64_t fingerprint_le;
	uint32_t distance_le;

	memcpy(&fingerprint_le, from, sizeof fingerprint_le);
	memcpy(&distance_le, from + sizeof fingerprint_le, sizeof distance_le);
	*fingerprint = le64toh(fingerprint_le);
	if (__builtin_add_overflow(base_ms, (int64_t)(int32_t)le32toh(distance_le), time_ms))
		*time_ms = base_ms < 0 ? INT64_MIN : INT64_MAX;
}

#endif
