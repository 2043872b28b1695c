/* SPDX-License-Identifier: Apache-2.0
 *
 * window_ledger: the rows of windows by their names instead of slots, summed. Two ledgers are equal
 * when the same was counted, whatever windows it went through. For test_window and test_chopping.
 */
#ifndef TOKENTALLY_TESTS_WINDOW_LEDGER_H
#define TOKENTALLY_TESTS_WINDOW_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "batch.h"
#include "event.h"
#include "window.h"

struct ledger;
struct ledger *ledger_new(void);
void ledger_free(struct ledger *ledger);
/* Adds what the window holds. */
void ledger_add_window(struct ledger *ledger, const struct window *window);
/* Adds its window and its dead letters. */
void ledger_add_batch(struct ledger *ledger, const struct batch *batch);
/* Adds what an event should make, reckoned without window. */
void ledger_add_event(struct ledger *ledger, const struct event *event);
/* Of all rows of a kind: "hour", "minute", "session", "latency", "use", "shadow", "dead". */
int64_t ledger_sum(const struct ledger *ledger, const char *kind, int measure);
/* False: says on stderr where they differ. */
bool ledger_equal(struct ledger *a, struct ledger *b);

#endif
