/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mixed.c - leaves of two sizes in the place of one contiguous group.
 *
 * A store of one item changes one item. So a group that is split or made item by item is for a time part old and part new; invalid items are no
 * harm then, valid ones of another size are (DDI 0487 D8.7.1: programming the Contiguous bit inconsistently is a misprogramming).
 */
#include "mixed.h"

/* The largest group of a level, in items, log2. */
static unsigned mixed_group_lg2(const struct hw *hw, unsigned level)
{
	uint64_t sizes = hw->cfg.pgsizes;
	unsigned item_lg2 = hw->item_lg2[level];

	if (level < hw->top_level_max)
		sizes &= layout_mask(hw->item_lg2[level + 1]);
	sizes &= ~layout_mask(item_lg2);
	return sizes ? 63 - (unsigned)__builtin_clzll(sizes) - item_lg2 : 0;
}

/* What slot held just after the store at place seq of the log. */
static uint64_t mixed_value(const struct history *h, const struct touched *t, uint32_t slot, uint32_t seq)
{
	const struct run *run = history_run(h, t, slot);
	const struct version *v;
	uint32_t i;

	if (!run)
		return mem_view_load(h->c->view, t->pa + ((uint64_t)slot << h->c->hw.item_bytes_lg2), h->c->hw.item_bytes_lg2);
	i = run->versions_at + run->versions_nr - 1;
	while (i > run->versions_at && h->versions[i].seq > seq)
		i--;
	v = &h->versions[i];
	if (v->uncleared)
		return 0;
	return v->step_lg2 ? v->raw + ((uint64_t)(slot - run->first) << v->step_lg2) : v->raw;
}

/* Slots first to last, beside those of a run that all became leaves of size_lg2 at place seq. */
static void mixed_beside(const struct history *h, const struct touched *t, unsigned level, uint64_t base, bool root, uint32_t first,
			 uint32_t last, const struct run *run, unsigned size_lg2, uint32_t seq)
{
	struct check *c = h->c;
	const struct hw *hw = &c->hw;
	uint32_t slot;

	for (slot = first; slot <= last && slot < t->items; slot++) {
		uint32_t mine = slot < run->first ? run->first : run->first + run->nr - 1;
		uint64_t raw = mixed_value(h, t, slot, seq), iova;
		struct hw_entry e;
		unsigned larger;

		if (!raw)
			continue;
		e = hw->format->decode(hw, level, raw);
		if (e.kind != HW_LEAF || e.size_lg2 == size_lg2)
			continue;
		larger = (e.size_lg2 > size_lg2 ? e.size_lg2 : size_lg2) - hw->item_lg2[level];
		if (slot >> larger != mine >> larger)
			continue;
		iova = check_item_iova(hw, base, level, root, mine);
		check_report(
			c, VERDICT_UNDECLARED_BREAK, 2, level, KIND_GROUP, KIND_LEAF, &iova,
			"iova 0x%llx: a leaf of 2^%u bytes was stored while the item of iova 0x%llx was one of 2^%u bytes, in one group",
			(unsigned long long)iova, size_lg2, (unsigned long long)check_item_iova(hw, base, level, root, slot), e.size_lg2);
	}
}

void mixed_table(const struct history *h, const struct touched *t, unsigned level, uint64_t base, bool root, uint32_t view)
{
	const struct hw *hw = &h->c->hw;
	unsigned group_lg2 = mixed_group_lg2(hw, level);
	uint32_t i, k, mask = (1u << group_lg2) - 1;

	for (i = 0; group_lg2 && i < t->runs_nr; i++) {
		const struct run *run = &h->runs[t->runs_at + i];
		uint32_t end = run->first + run->nr;

		for (k = 0; k < run->versions_nr; k++) {
			const struct version *v = &h->versions[run->versions_at + k];
			struct hw_entry e;

			if (v->seq <= view || v->uncleared || !v->raw)
				continue;
			e = hw->format->decode(hw, level, v->raw);
			if (e.kind != HW_LEAF)
				continue;
			if (run->first & mask)
				mixed_beside(h, t, level, base, root, run->first & ~mask, run->first - 1, run, e.size_lg2, v->seq);
			if (end & mask)
				mixed_beside(h, t, level, base, root, end, end | mask, run, e.size_lg2, v->seq);
		}
	}
}
