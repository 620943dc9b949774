/* SPDX-License-Identifier: GPL-2.0-or-later */
/* say.c - appends text to a buffer that may fill up. */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void say(char *buf, size_t room, const char *format, ...)
{
	size_t at = strlen(buf);
	va_list args;

	va_start(args, format);
	vsnprintf(buf + at, room - at, format, args);
	va_end(args);
}
