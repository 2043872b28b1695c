/* SPDX-License-Identifier: Apache-2.0
 *
 * err: see err.h. The texts have a fixed size so that reporting a failure never allocates.
 */
#include "autoconf.h"

#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	/* Through a copy: the old text may be among the arguments. */
	char text[sizeof(err->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	memcpy(err->text, text, sizeof(text));
	err->kind = kind;
	return false;
}

bool err_wrap(struct err *err, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list args;
	int used, room;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	used = (int)strlen(text);
	room = (int)sizeof(text) - used;
	snprintf(text + used, (size_t)room, ": %.*s", room > 3 ? room - 3 : 0, err->text);
	memcpy(err->text, text, sizeof(text));
	return false;
}

const char *err_kind_name(enum err_kind kind)
{
	switch (kind) {
	case ERR_NONE:
		return "none";
	case ERR_CONFIG:
		return "config";
	case ERR_DATA:
		return "data";
	case ERR_RETRY:
		return "retry";
	case ERR_FENCED:
		return "fenced";
	case ERR_FATAL:
		return "fatal";
	}
	return "unknown";
}
