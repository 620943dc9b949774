/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pt_dirty.h - read and clear the dirty state that the device leaves in leaves, and translate by software.
 */
#ifndef HITLESS_PT_DIRTY_H
#define HITLESS_PT_DIRTY_H

#include "pt_table.h"

struct pt_dirty {
	const struct pt *pt;
	struct gather *g;
	bool clear;
	uint64_t last;
	engine_dirty_fn *fn;
	void *arg;
};

/* The leaf [iova, last] whose first item is at pa: report it if any item is dirty, and make all of them clean. */
static inline void pt_dirty_leaf(const struct pt_dirty *d, unsigned level, uint64_t pa, unsigned size_lg2, uint64_t iova)
{
	const struct pt *pt = d->pt;
	unsigned i, items = pt_group_items(pt, level, size_lg2);
	bool dirty = false;

	for (i = 0; i < items; i++) {
		uint64_t at = pa + ((uint64_t)i << FMT_ITEM_BYTES_LG2), item = pt_load(pt, at);

		while (fmt_leaf_prot(pt, level, item) & PT_DIRTY) {
			dirty = true;
			if (!d->clear || mem_cas(pt->mem, at, FMT_ITEM_BYTES_LG2, &item, fmt_make_clean(pt, level, item)))
				break;
		}
	}
	if (!dirty)
		return;
	if (d->clear) {
		pt_flush(pt, pa, items);
		gather_leaf(d->g, iova, iova + pt_mask(size_lg2), level, size_lg2);
	}
	d->fn(d->arg, iova, iova + pt_mask(size_lg2));
}

/* The leaves of this table that overlap [iova, d->last]; holes are skipped. */
static void pt_dirty_table(const struct pt_dirty *d, unsigned level, uint64_t table, uint64_t iova)
{
	const struct pt *pt = d->pt;

	do {
		uint64_t pa = pt_item_pa(pt, level, table, iova), item = pt_load(pt, pa), mask = pt_mask(pt->item_lg2[level]);

		switch (fmt_kind(pt, level, item)) {
		case PT_TABLE:
			pt_dirty_table(d, level - 1, fmt_table_pa(pt, item), iova);
			break;
		case PT_LEAF: {
			unsigned size_lg2 = fmt_leaf_lg2(pt, level, item);
			uint64_t group_bytes = (uint64_t)pt_group_items(pt, level, size_lg2) << FMT_ITEM_BYTES_LG2;

			mask = pt_mask(size_lg2);
			pt_dirty_leaf(d, level, pa & ~(group_bytes - 1), size_lg2, iova & ~mask);
			break;
		}
		default:
			break;
		}
		if ((iova | mask) >= d->last)
			return;
		iova = (iova | mask) + 1;
	} while (pt_index(pt, level, iova));
}

/* The arguments are valid and the format keeps dirty state. */
static inline void pt_dirty(const struct pt *pt, uint64_t iova, uint64_t last, bool clear, struct gather *g, engine_dirty_fn *fn, void *arg)
{
	struct pt_dirty d = { .pt = pt, .g = g, .clear = clear, .last = last, .fn = fn, .arg = arg };
	uint64_t top = pt_load_top(pt);

	if (pt_level_top(top) != pt->top_level_max && iova > pt_mask(pt_table_lg2(pt, pt_level_top(top))))
		return;
	pt_dirty_table(&d, pt_level_top(top), pt_table_top(top), iova);
}

/* The argument is valid. 0 and *oa, or -ENOENT. Safe against writers of other ranges. */
static inline int pt_translate(const struct pt *pt, uint64_t iova, uint64_t *oa)
{
	uint64_t top = pt_load_top(pt), table = pt_table_top(top);
	unsigned level = pt_level_top(top);

	if (level != pt->top_level_max && iova > pt_mask(pt_table_lg2(pt, level)))
		return -ENOENT;
	for (;; level--) {
		uint64_t item = pt_load(pt, pt_item_pa(pt, level, table, iova));

		switch (fmt_kind(pt, level, item)) {
		case PT_LEAF: {
			uint64_t mask = pt_mask(fmt_leaf_lg2(pt, level, item));

			*oa = (fmt_leaf_oa(pt, level, item) & ~mask) | (iova & mask);
			return 0;
		}
		case PT_TABLE:
			table = fmt_table_pa(pt, item);
			break;
		default:
			return -ENOENT;
		}
	}
}

#endif
