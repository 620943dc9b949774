/* SPDX-License-Identifier: GPL-2.0-or-later */
/* say.h - appends text to a buffer that may fill up: what has no room is left out. */
#ifndef HITLESS_SAY_H
#define HITLESS_SAY_H

#include <stddef.h>

/* Append to the string in buf, which has room bytes. */
void say(char *buf, size_t room, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
