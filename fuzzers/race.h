/* SPDX-License-Identifier: GPL-2.0-or-later */
/* race.h - a round for people: what the writers did to what they share, in the order in which it happened, and where one gave way to another. */
#ifndef HITLESS_RACE_H
#define HITLESS_RACE_H

#include "story.h"

/* Append it, line by line, RACE_EVENTS_MAX events at most, the last ones. */
#define RACE_EVENTS_MAX 40
void race_print(const struct story *s, char *buf, size_t room);

#endif
