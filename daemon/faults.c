/* SPDX-License-Identifier: Apache-2.0
 *
 * faults: see faults.h.
 */
#include "autoconf.h"

#include "faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem.h"

void faults_init(struct faults *faults)
{
	*faults = (struct faults){ 0 };
}

void faults_release(struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++)
		free(faults->texts[i]);
	faults_init(faults);
}

void faults_add(struct faults *faults, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	if (faults->count == FAULTS_MAX) {
		faults->more++;
		return;
	}
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	faults->texts[faults->count++] = xstrdup(text);
}
