/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pt_cut.h - cut: make an address the start of a leaf while the device goes on translating through the leaf that held it.
 *
 * First every new item of the old entry is planned, with all tables below built in private memory; this can fail, and then nothing live has
 * changed. Then each old item is replaced by one compare-exchange, which also catches what the device set in it meanwhile.
 */
#ifndef HITLESS_PT_CUT_H
#define HITLESS_PT_CUT_H

#include "pt_table.h"

/*
 * struct pt_cut - one live entry being replaced.
 *
 * @level, @pa, @items: where it is: its first item, how many
 * @iova, @last, @oa, @prot: what it maps; prot with the accessed and dirty state of the whole entry
 * @at:  the cut point
 * @plan: the new items
 */
struct pt_cut {
	const struct pt *pt;
	unsigned level, items;
	uint64_t pa, iova, last, oa, at;
	unsigned prot;
	uint64_t plan[PT_GROUP_MAX];
};

/* Where the half ends that holds iova. */
static inline uint64_t pt_cut_half_last(const struct pt_cut *c, uint64_t iova)
{
	return iova < c->at ? c->at - 1 : c->last;
}

/*
 * pt_build - fill a private table with what the entry maps in [iova, last], which lies inside the table's span, in the largest pages that
 * do not cross the
 * cut. 0 or -ENOMEM; tables made so far hang below table.
 */
static int pt_build(const struct pt_cut *c, unsigned level, uint64_t table, uint64_t iova, uint64_t last)
{
	const struct pt *pt = c->pt;
	/* All of it is written back before the device can see any of it. */
	const uint64_t flushed = pt->cfg.coherent ? 0 : FMT_TABLE_FLUSHED;

	for (;;) {
		uint64_t oa = c->oa + (iova - c->iova), half_last = pt_cut_half_last(c, iova), bytes_less_1;
		unsigned size_lg2 = pt_best(pt, iova, half_last < last ? half_last : last, oa);
		uint64_t pa = pt_item_pa(pt, level, table, iova);

		if (pt->level_of[size_lg2] == level) {
			bool group = size_lg2 != pt->item_lg2[level];
			uint64_t nr = group ? 1 : pt_run(pt, iova, half_last < last ? half_last : last, oa, size_lg2);
			unsigned items = group ? pt_group_items(pt, level, size_lg2) : (unsigned)nr;

			pt_leaf_stores(pt, level, pa, items, fmt_leaf_item(pt, level, oa, size_lg2, c->prot), group);
			bytes_less_1 = (nr << size_lg2) - 1;
		} else {
			uint64_t child = pt_alloc(pt, level - 1), end = iova | pt_mask(pt->item_lg2[level]);

			if (child == MEM_NONE)
				return -ENOMEM;
			mem_store(pt->mem, pa, FMT_ITEM_BYTES_LG2, fmt_table_item(pt, level, child) | flushed, MEM_RELAXED);
			if (pt_build(c, level - 1, child, iova, end))
				return -ENOMEM;
			bytes_less_1 = end - iova;
		}
		if (last - iova <= bytes_less_1)
			break;
		iova += bytes_less_1 + 1;
	}
	pt_flush(pt, table, 1u << pt->index_lg2[level]);
	return 0;
}

/* Whether the item at index i of the old entry must become a table: no leaf that may start there fills it. */
static inline bool pt_cut_needs_table(const struct pt_cut *c, unsigned i)
{
	const struct pt *pt = c->pt;
	uint64_t iova = c->iova + ((uint64_t)i << pt->item_lg2[c->level]);

	return pt_best(pt, iova, pt_cut_half_last(c, iova), c->oa + (iova - c->iova)) < pt->item_lg2[c->level];
}

static inline void pt_cut_unplan(const struct pt_cut *c, unsigned planned)
{
	unsigned i;

	for (i = 0; i < planned; i++)
		if (fmt_kind(c->pt, c->level, c->plan[i]) == PT_TABLE)
			pt_free_tree(c->pt, c->level - 1, fmt_table_pa(c->pt, c->plan[i]));
}

/* The new item at index i: a table with all below it. */
static inline int pt_cut_plan_table(struct pt_cut *c, unsigned i)
{
	const struct pt *pt = c->pt;
	uint64_t iova = c->iova + ((uint64_t)i << pt->item_lg2[c->level]);
	uint64_t table = pt_alloc(pt, c->level - 1);

	if (table == MEM_NONE)
		return -ENOMEM;
	if (pt_build(c, c->level - 1, table, iova, iova + pt_mask(pt->item_lg2[c->level]))) {
		pt_free_tree(pt, c->level - 1, table);
		return -ENOMEM;
	}
	c->plan[i] = fmt_table_item(pt, c->level, table);
	return 0;
}

/* Plan all items. 0, -EOPNOTSUPP, -ENOMEM; on error nothing is left behind. */
static inline int pt_cut_plan(struct pt_cut *c)
{
	const struct pt *pt = c->pt;
	unsigned i, k, item_lg2 = pt->item_lg2[c->level];

	if (c->items > 1 && !pt->cap_size_change)
		return -EOPNOTSUPP;
	for (i = 0; i < c->items; i++)
		if (!pt->cap_leaf_to_table && pt_cut_needs_table(c, i))
			return -EOPNOTSUPP;
	for (i = 0; i < c->items;) {
		uint64_t iova = c->iova + ((uint64_t)i << item_lg2), oa = c->oa + (iova - c->iova), item;
		unsigned size_lg2 = pt_best(pt, iova, pt_cut_half_last(c, iova), oa), group_step_lg2 = fmt_group_step_lg2(pt, c->level);

		if (size_lg2 < item_lg2) {
			if (pt_cut_plan_table(c, i)) {
				pt_cut_unplan(c, i);
				return -ENOMEM;
			}
			i++;
			continue;
		}
		item = fmt_leaf_item(pt, c->level, oa, size_lg2, c->prot);
		for (k = 0; k < pt_group_items(pt, c->level, size_lg2); k++)
			c->plan[i++] = group_step_lg2 ? item + ((uint64_t)k << group_step_lg2) : item;
	}
	return 0;
}

static void pt_mark_tree(const struct pt *pt, unsigned level, uint64_t table);

/* Make the leaf at pa, or every leaf below it, dirty; linked or not, while the device may set the same bit. */
static inline void pt_mark_item(const struct pt *pt, unsigned level, uint64_t pa)
{
	uint64_t item = pt_load(pt, pa), dirty;

	switch (fmt_kind(pt, level, item)) {
	case PT_TABLE:
		pt_mark_tree(pt, level - 1, fmt_table_pa(pt, item));
		break;
	case PT_LEAF:
		do {
			dirty = fmt_make_dirty(pt, level, item);
		} while (dirty != item && !mem_cas(pt->mem, pa, FMT_ITEM_BYTES_LG2, &item, dirty));
		break;
	default:
		break;
	}
}

static void pt_mark_tree(const struct pt *pt, unsigned level, uint64_t table)
{
	unsigned i;

	for (i = 0; i < 1u << pt->index_lg2[level]; i++)
		pt_mark_item(pt, level, table + ((uint64_t)i << FMT_ITEM_BYTES_LG2));
}

/*
 * Replace item i, whatever the device sets in it meanwhile. Returns whether it was dirty at last. A table that was planned from a clean
 * entry is marked before it is
 * linked.
 */
static inline bool pt_cut_publish_item(const struct pt_cut *c, unsigned i)
{
	const struct pt *pt = c->pt;
	uint64_t pa = c->pa + ((uint64_t)i << FMT_ITEM_BYTES_LG2), old = pt_load(pt, pa), item = c->plan[i];
	bool marked = c->prot & PT_DIRTY, dirty;

	do {
		dirty = fmt_leaf_prot(pt, c->level, old) & PT_DIRTY;
		if (dirty && !marked) {
			if (fmt_kind(pt, c->level, item) == PT_TABLE)
				pt_mark_tree(pt, c->level - 1, fmt_table_pa(pt, item));
			else
				item = fmt_make_dirty(pt, c->level, item);
			marked = true;
		}
	} while (!mem_cas(pt->mem, pa, FMT_ITEM_BYTES_LG2, &old, item));
	return dirty;
}

static inline void pt_cut_publish(const struct pt_cut *c)
{
	const struct pt *pt = c->pt;
	bool dirty = false;
	unsigned i;

	for (i = 0; i < c->items; i++)
		dirty |= pt_cut_publish_item(c, i);
	/* A write through one item of the old entry may have been to any address of it. */
	if (dirty && pt->has_dirty && !(c->prot & PT_DIRTY))
		for (i = 0; i < c->items; i++)
			pt_mark_item(pt, c->level, c->pa + ((uint64_t)i << FMT_ITEM_BYTES_LG2));
	pt_flush(pt, c->pa, c->items);
}

/* The leaf around at whose item is at pa: 0, -EOPNOTSUPP, -ENOMEM. */
static inline int pt_cut_leaf(const struct pt *pt, unsigned level, uint64_t pa, uint64_t item, uint64_t at, struct gather *g)
{
	unsigned size_lg2 = fmt_leaf_lg2(pt, level, item), i;
	struct pt_cut c;
	int ret;

	if (!(at & pt_mask(size_lg2)))
		return 0;
	c.pt = pt;
	c.level = level;
	c.at = at;
	c.items = pt_group_items(pt, level, size_lg2);
	c.pa = pa & ~(((uint64_t)c.items << FMT_ITEM_BYTES_LG2) - 1);
	c.iova = at & ~pt_mask(size_lg2);
	c.last = at | pt_mask(size_lg2);
	c.oa = fmt_leaf_oa(pt, level, item) & ~pt_mask(size_lg2);
	c.prot = fmt_leaf_prot(pt, level, item);
	for (i = 0; i < c.items; i++)
		c.prot |= fmt_leaf_prot(pt, level, pt_load(pt, c.pa + ((uint64_t)i << FMT_ITEM_BYTES_LG2))) & (PT_ACCESSED | PT_DIRTY);
	ret = pt_cut_plan(&c);
	if (ret)
		return ret;
	pt_cut_publish(&c);
	/*
	 * The device may hold the old entry whole: unless it is gone before one half is unmapped and reused, an invalidation of that half
	 * alone
	 * would leave it standing.
	 */
	gather_leaf(g, c.iova, c.last, level, size_lg2);
	return 0;
}

/* The argument is valid. 0, -ENOENT, -EOPNOTSUPP, -ENOMEM. */
static inline int pt_cut(const struct pt *pt, uint64_t at, struct gather *g)
{
	uint64_t top = pt_load_top(pt), table = pt_table_top(top);
	unsigned level = pt_level_top(top);

	if (level != pt->top_level_max && at > pt_mask(pt_table_lg2(pt, level)))
		return -ENOENT;
	for (;; level--) {
		uint64_t pa = pt_item_pa(pt, level, table, at), item = pt_load(pt, pa);

		switch (fmt_kind(pt, level, item)) {
		case PT_LEAF:
			return pt_cut_leaf(pt, level, pa, item, at, g);
		case PT_TABLE:
			table = fmt_table_pa(pt, item);
			break;
		default:
			return -ENOENT;
		}
	}
}

#endif
