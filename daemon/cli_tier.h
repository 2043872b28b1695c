/* SPDX-License-Identifier: Apache-2.0
 *
 * cli_tier: tiers as a terminal shows them. Colours only where standard output is a terminal that has them (TERM) and
 * nobody said no (NO_COLOR); elsewhere the plain text.
 */
#ifndef TOKENTALLY_CLI_TIER_H
#define TOKENTALLY_CLI_TIER_H

#include "text.h"

/* Prints text in the colour of the tier that is its last word; any other text as it is. */
void cli_tier_print(struct span text);
/* How many columns a line may have: the terminal's, or fallback. */
int cli_columns(int fallback);

#endif
