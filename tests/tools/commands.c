/* SPDX-License-Identifier: Apache-2.0
 *
 * commands: see commands.h. What is left of a line that has not ended stays for the next call.
 */
#include "commands.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool commands_read(void (*obey)(void *ctx, const char *line), void *ctx)
{
	static char text[1024];
	static size_t len;
	ssize_t got = read(STDIN_FILENO, text + len, sizeof(text) - 1 - len);
	char *end;

	if (got <= 0)
		return false;
	len += (size_t)got;
	text[len] = '\0';
	while ((end = strchr(text, '\n'))) {
		*end = '\0';
		obey(ctx, text);
		fflush(stdout);
		len -= (size_t)(end + 1 - text);
		memmove(text, end + 1, len + 1);
	}
	return len < sizeof(text) - 1;
}
