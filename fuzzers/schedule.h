/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schedule.h - a walk in flight that goes wrong, for people: the items that it reads, which of their values, and when, among the events
 * that it meets.
 */
#ifndef HITLESS_SCHEDULE_H
#define HITLESS_SCHEDULE_H

#include "../oracle/verdict.h"
#include "story.h"

/* Append, line by line, the walk that v shows, which has steps, and the schedule; at most SCHEDULE_EVENTS_MAX events of the log. */
#define SCHEDULE_EVENTS_MAX 30
void schedule_print(const struct story *s, const struct verdict *v, char *buf, size_t room);

#endif
