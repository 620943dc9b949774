/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mixed.h - hardware that cannot hold leaves of two sizes at once never has them in a contiguous group's place, not for a moment (G2). */
#ifndef HITLESS_MIXED_H
#define HITLESS_MIXED_H

#include "history.h"

/* Whether leaves of two sizes must not be in one group's place, and there are groups. */
static inline bool mixed_possible(const struct hw *hw)
{
	uint64_t sizes = hw->cfg.pgsizes;
	unsigned level;

	for (level = 0; level <= hw->top_level_max; level++)
		if (hw->item_lg2[level] < 64)
			sizes &= ~(UINT64_C(1) << hw->item_lg2[level]);
	return sizes && !hw->cap_size_change;
}

/*
 * mixed_table - whether any leaf that the operation stored, after view, to t, a table of level that is linked over base and whose runs are built, came to
 * stand beside items of a group that it lies in, or that lie in the group that it is an item of, and are of another size.
 */
void mixed_table(const struct history *h, const struct touched *t, unsigned level, uint64_t base, bool root, uint32_t view);

#endif
