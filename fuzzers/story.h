/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * story.h - what an operation did to table memory, in words: its log event by event, slots by their level and what they translate.
 *
 * It decides nothing: it reads the log of the current operation, which may have ended, or stopped half-way with a finding.
 */
#ifndef HITLESS_STORY_H
#define HITLESS_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../oracle/check_state.h"

/* Holds an event in words, and any other line. */
#define STORY_LINE_MAX 512

/*
 * struct story_place - where a table that the operation allocated came to be.
 *
 * @fresh: the operation allocated it
 * @known: it was linked or became the root, with this level and first iova
 */
struct story_place {
	bool fresh, known;
	uint8_t level;
	uint64_t iova;
};

/*
 * struct story - the log that is being told.
 *
 * @places: by frame
 * @item_bytes: size of an item
 */
struct story {
	const struct check *c;
	const struct mem_view *view;
	const struct hw *hw;
	struct story_place *places;
	unsigned item_bytes;
};

/* story_init - read the log that c's view shows; good until it changes. story_release frees what was needed for that. */
void story_init(struct story *s, const struct check *c);
void story_release(struct story *s);

/* Append "2M", 2^size_lg2 bytes. */
void story_size(unsigned size_lg2, char *buf, size_t room);

/* Append "rw- mmio A D": what an entry grants, and the accessed and dirty bits where the device keeps them. */
void story_prot(const struct hw *hw, const struct hw_entry *e, char *buf, size_t room);

/* Append what a raw item of a level is: "2M leaf, oa 0x80000000 rw-", "table 0x102000", "empty". */
void story_entry(const struct hw *hw, unsigned level, uint64_t raw, char *buf, size_t room);

/* Append "compare-exchange", or whatever else event idx of the log is; at most 16 characters. */
void story_kind(const struct story *s, size_t idx, char *buf, size_t room);

/*
 * How many events from idx on do alike to items that follow each other, and can be told as one; at least 1.
 */
size_t story_alike(const struct story *s, size_t idx);

/*
 * Append what happened at event idx, no newline: "#12  compare-exchange  level 1 0x103018 [0x2c000, 0x2ffff]: ...". nr: at how many
 * from idx on, 1, or up to what story_alike says.
 */
void story_event(const struct story *s, size_t idx, size_t nr, char *buf, size_t room);

/* The table that pa, which lies in the arena, lies in. */
uint64_t story_table(const struct story *s, uint64_t pa);

/* Whether there is an event idx, and it is of the same fill as the one before it. */
bool story_joined(const struct story *s, size_t idx);

/* Whether event idx stored to the item at pa. */
bool story_stores(const struct story *s, size_t idx, uint64_t pa);

/* What the item at pa held when the log had nr events: 0: before the operation. */
uint64_t story_item(const struct story *s, uint64_t pa, size_t nr);

#endif
