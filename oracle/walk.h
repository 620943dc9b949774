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

/* One item that the walk read. */
struct walk_step {
	uint8_t level;
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

#endif
