/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * walk.h - one translation through the raw table bytes, as the hardware does it.
 */
#ifndef HITLESS_WALK_H
#define HITLESS_WALK_H

#include "../engine/mem_view.h"
#include "hw.h"

enum walk_end {
	WALK_LEAF,
	WALK_FAULT, /* an item that is not present, or an iova that the table does not span */
	WALK_BAD,   /* an item that the specification forbids */
	WALK_WILD,  /* a table pointer to memory that is no live table of the right size */
};

/* One item that the walk read. @gen: how often the memory of its table had been allocated. */
struct walk_step {
	uint8_t level;
	uint32_t gen;
	uint64_t pa, raw;
	struct hw_entry entry;
};

/*
 * struct walk - how a translation went.
 *
 * @steps, @nr: every item read, the last one decides
 * @prot:  WALK_LEAF: what leaf and tables together permit, memory type and privilege
 * @oa:    WALK_LEAF: for exactly this iova
 * @why:   WALK_BAD, WALK_WILD: a static string
 */
struct walk {
	enum walk_end end;
	unsigned nr;
	uint8_t prot;
	uint64_t oa;
	const char *why;
	struct walk_step steps[CONFIG_LEVELS_MAX];
};

/* Why pa cannot be a live table of a level, or NULL if it can. */
const char *walk_table_wrong(const struct hw *hw, const struct mem_view *view, unsigned level, uint64_t pa);

/* Translate iova from the root at level. Loads are atomic; the tables may change meanwhile. */
void walk(const struct hw *hw, const struct mem_view *view, uint64_t root, unsigned level, uint64_t iova, struct walk *w);

/*
 * walk_resume - what w came to had it been slower: its first keep steps, 1 to w->nr - 1 of them, are as they were, the rest is read now.
 * iova is the one that w translated.
 */
void walk_resume(const struct hw *hw, const struct mem_view *view, uint64_t iova, struct walk *w, unsigned keep);

/* Whether a table that w read an item of, translating iova, has been freed since. */
bool walk_is_stale(const struct hw *hw, const struct mem_view *view, uint64_t iova, const struct walk *w);

#endif
