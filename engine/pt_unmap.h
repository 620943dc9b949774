/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pt_unmap.h - unmap: whole leaves from iova on, and the tables that the range empties.
 */
#ifndef HITLESS_PT_UNMAP_H
#define HITLESS_PT_UNMAP_H

#include "pt_table.h"

/* [first, last] was asked for; iova is where removal has come to. */
struct pt_unmap {
	const struct pt *pt;
	struct gather *g;
	uint64_t first, last, iova;
};

/* Past bytes_less_1 + 1 bytes that are gone now. */
static inline enum pt_walk pt_unmap_advance(struct pt_unmap *u, uint64_t bytes_less_1)
{
	bool done = u->last - u->iova <= bytes_less_1;

	u->iova += bytes_less_1 + 1;
	return done ? PT_DONE : PT_MORE;
}

/* How many leaves of one item follow each other from pa on, itself counted, of which the range wants at least a part. */
static inline unsigned pt_unmap_run(const struct pt_unmap *u, unsigned level, uint64_t pa)
{
	const struct pt *pt = u->pt;
	unsigned item_lg2 = pt->item_lg2[level], n;
	uint64_t room = (1u << pt->index_lg2[level]) - pt_index(pt, level, u->iova), want = ((u->last - u->iova) >> item_lg2) + 1;

	for (n = 1; n < room && n < want; n++) {
		uint64_t item = pt_load(pt, pa + ((uint64_t)n << FMT_ITEM_BYTES_LG2));

		if (fmt_kind(pt, level, item) != PT_LEAF || fmt_leaf_lg2(pt, level, item) != item_lg2)
			break;
	}
	return n;
}

/* The leaf whose first item is at pa, and those of its size that follow. Nothing is removed if u->iova lies inside it. */
static inline enum pt_walk pt_unmap_leaves(struct pt_unmap *u, unsigned level, uint64_t pa, uint64_t item)
{
	const struct pt *pt = u->pt;
	unsigned size_lg2 = fmt_leaf_lg2(pt, level, item), items, leaves = 1;
	uint64_t bytes_less_1;

	if (u->iova & pt_mask(size_lg2))
		return PT_HOLE;
	if (size_lg2 == pt->item_lg2[level])
		leaves = pt_unmap_run(u, level, pa);
	items = leaves * pt_group_items(pt, level, size_lg2);
	bytes_less_1 = ((uint64_t)(leaves - 1) << size_lg2) + pt_mask(size_lg2);
	if (items == 1)
		mem_store(pt->mem, pa, FMT_ITEM_BYTES_LG2, 0, MEM_RELAXED);
	else
		mem_fill(pt->mem, pa, FMT_ITEM_BYTES_LG2, items, 0, 0);
	pt_flush(pt, pa, items);
	gather_leaf(u->g, u->iova, u->iova + bytes_less_1, level, size_lg2);
	return pt_unmap_advance(u, bytes_less_1);
}

static enum pt_walk pt_unmap_table(struct pt_unmap *u, unsigned level, uint64_t table);

/* The table below the item at pa; if the range covers all that it spans, and all of it was removed, it goes too. */
static inline enum pt_walk pt_unmap_child(struct pt_unmap *u, unsigned level, uint64_t pa, uint64_t item)
{
	const struct pt *pt = u->pt;
	uint64_t child = fmt_table_pa(pt, item);
	uint64_t start = u->iova & ~pt_mask(pt->item_lg2[level]), end = start + pt_mask(pt->item_lg2[level]);
	enum pt_walk walk = pt_unmap_table(u, level - 1, child);

	if (walk == PT_HOLE || u->first > start || u->last < end)
		return walk;
	mem_store(pt->mem, pa, FMT_ITEM_BYTES_LG2, 0, MEM_RELAXED);
	pt_flush(pt, pa, 1);
	gather_table(u->g, start, end, level, child);
	return walk;
}

static enum pt_walk pt_unmap_table(struct pt_unmap *u, unsigned level, uint64_t table)
{
	const struct pt *pt = u->pt;
	enum pt_walk walk;

	do {
		uint64_t pa = pt_item_pa(pt, level, table, u->iova), item = pt_load(pt, pa);

		switch (fmt_kind(pt, level, item)) {
		case PT_LEAF:
			walk = pt_unmap_leaves(u, level, pa, item);
			break;
		case PT_TABLE:
			walk = pt_unmap_child(u, level, pa, item);
			break;
		default:
			walk = PT_HOLE;
		}
	} while (walk == PT_MORE && pt_index(pt, level, u->iova));
	return walk;
}

/* The arguments are valid. *granules is what was removed. */
static inline void pt_unmap(const struct pt *pt, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules)
{
	struct pt_unmap u = { .pt = pt, .g = g, .first = iova, .last = last, .iova = iova };
	uint64_t top = pt_load_top(pt);
	enum pt_walk walk = PT_HOLE;

	/* Above a top that has not grown yet there is nothing. */
	if (pt_level_top(top) == pt->top_level_max || iova <= pt_mask(pt_table_lg2(pt, pt_level_top(top))))
		walk = pt_unmap_table(&u, pt_level_top(top), pt_table_top(top));
	*granules = (u.iova - iova) >> pt->granule_lg2;
	if (walk != PT_HOLE && u.iova == iova)
		*granules = UINT64_C(1) << (64 - pt->granule_lg2);
}

#endif
