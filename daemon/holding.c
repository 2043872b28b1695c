/* SPDX-License-Identifier: Apache-2.0
 *
 * holding: see holding.h.
 */
#include "autoconf.h"

#include "holding.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

void holding_release(struct holding *holding)
{
	free(holding->assigned);
	free(holding->claims);
	free(holding->other_log);
	free(holding->held);
	free(holding->held_claims);
	free(holding->known);
	memset(holding, 0, sizeof(*holding));
}

void holding_assign(struct holding *holding, const struct source_partition *partitions, size_t count)
{
	holding->assigned = xrealloc_array(holding->assigned, count + 1, sizeof(*partitions));
	if (count)
		memcpy(holding->assigned, partitions, count * sizeof(*partitions));
	free(holding->other_log);
	holding->other_log = xcalloc(count + 1, sizeof(*holding->other_log));
	holding->assigned_count = count;
	holding->held_count = 0;
}

struct claim_partition *holding_ask(struct holding *holding)
{
	size_t count = holding->assigned_count;

	holding->claims = xrealloc_array(holding->claims, count + 1, sizeof(*holding->claims));
	for (size_t i = 0; i < count; i++)
		holding->claims[i] = (struct claim_partition){ .topic = holding->assigned[i].topic,
							       .partition = holding->assigned[i].partition,
							       .other_log = holding->other_log[i] };
	return holding->claims;
}

size_t holding_take(struct holding *holding)
{
	size_t count = holding->assigned_count, held = 0;

	holding->held = xrealloc_array(holding->held, count + 1, sizeof(*holding->held));
	holding->held_claims = xrealloc_array(holding->held_claims, count + 1, sizeof(*holding->held_claims));
	for (size_t i = 0; i < count; i++) {
		const struct claim_partition *claim = &holding->claims[i];

		holding->other_log[i] = false; /* is recorded now, and ends when a reset is accepted */
		if (claim->quarantined)
			continue;
		holding->held[held] = (struct source_partition){ claim->topic, claim->partition, claim->next_offset };
		holding->held_claims[held++] = claim;
	}
	holding->held_count = held;
	return count - held;
}

void holding_stop(struct holding *holding)
{
	holding->held_count = 0;
}

void holding_remember(struct holding *holding)
{
	size_t count = holding->held_count;

	holding->known = xrealloc_array(holding->known, count + 1, sizeof(*holding->known));
	if (count)
		memcpy(holding->known, holding->held, count * sizeof(*holding->known));
	holding->known_count = count;
}

int64_t holding_known_offset(const struct holding *holding, const struct claim_partition *claim)
{
	for (size_t i = 0; i < holding->known_count; i++) {
		if (holding->known[i].topic == claim->topic && holding->known[i].partition == claim->partition)
			return holding->known[i].next_offset;
	}
	return -1;
}

void holding_mark_other_log(struct holding *holding, size_t held_index)
{
	const struct source_partition *held = &holding->held[held_index];

	for (size_t i = 0; i < holding->assigned_count; i++) {
		if (holding->assigned[i].topic == held->topic && holding->assigned[i].partition == held->partition)
			holding->other_log[i] = true;
	}
}
