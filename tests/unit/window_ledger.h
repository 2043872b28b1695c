/* SPDX-License-Identifier: Apache-2.0
 *
 * window_ledger: the rows of windows by their names instead of slots, summed. Two ledgers are equal
 * when the same was counted, whatever windows it went through. Only for test_window.
 */
#ifndef TOKENTALLY_TESTS_WINDOW_LEDGER_H
#define TOKENTALLY_TESTS_WINDOW_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "event.h"
#include "window.h"

struct ledger;
struct ledger *ledger_new(void);
void ledger_free(struct ledger *ledger);
/* Adds what the window holds. */
void ledger_add_window(struct ledger *ledger, const struct window *window);
/* Adds what an event should make, reckoned without window. */
void ledger_add_event(struct ledger *ledger, const struct event *event);
/* False: says on stderr where they differ. */
bool ledger_equal(struct ledger *a, struct ledger *b);

#endif
