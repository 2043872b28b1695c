/* SPDX-License-Identifier: Apache-2.0
 *
 * cli_tier: see cli_tier.h.
 */
#include "autoconf.h"

#include "cli_tier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_MIN 40

enum colours { COLOURS_NONE, COLOURS_8, COLOURS_256, COLOUR_SETS };

/* Readable on a dark and on a light background. */
static const struct {
	const char *name, *codes[COLOUR_SETS];
} tiers[] = {
	{ "emerald", { "", "1;32", "1;38;5;35" } },
	{ "jade", { "", "32", "38;5;72" } },
	{ "gold", { "", "1;33", "1;38;5;178" } },
	{ "silver", { "", "1", "38;5;246" } },
	{ "bronze", { "", "33", "38;5;137" } },
};

static enum colours colours_of_terminal(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR"), *more = getenv("COLORTERM");

	if (!isatty(STDOUT_FILENO) || !term || !*term || !strcmp(term, "dumb") || (no && *no))
		return COLOURS_NONE;
	return strstr(term, "256color") || (more && *more) ? COLOURS_256 : COLOURS_8;
}

static struct span last_word(struct span text)
{
	size_t start = text.len;

	while (start > 0 && text.data[start - 1] != ' ')
		start--;
	return (struct span){ text.data + start, text.len - start };
}

void cli_tier_print(struct span text)
{
	enum colours colours = colours_of_terminal();
	struct span tier = last_word(text);

	for (size_t i = 0; colours && i < sizeof(tiers) / sizeof(*tiers); i++) {
		if (span_is(tier, tiers[i].name)) {
			printf("\033[%sm%.*s\033[0m", tiers[i].codes[colours], (int)text.len, text.data);
			return;
		}
	}
	printf("%.*s", (int)text.len, text.data);
}

int cli_columns(int fallback)
{
	struct winsize size = { 0 };

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return fallback;
	return size.ws_col > COLUMNS_MIN ? size.ws_col : COLUMNS_MIN;
}
