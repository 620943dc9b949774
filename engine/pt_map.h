/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pt_map.h - map, and the growth of the top that it may need.
 */
#ifndef HITLESS_PT_MAP_H
#define HITLESS_PT_MAP_H

#include "pt_table.h"

/* What is left to map, and what is owed so far. */
struct pt_map {
	const struct pt *pt;
	struct gather *g;
	uint64_t iova, last, oa;
	unsigned prot;
};

/* Past a leaf or a run of leaves of this size that spans bytes_less_1 + 1. A device that caches absence must forget it. */
static inline enum pt_walk pt_map_advance(struct pt_map *m, unsigned level, unsigned size_lg2, uint64_t bytes_less_1)
{
	uint64_t left_less_1 = m->last - m->iova;

	if (m->pt->cfg.negcache)
		gather_leaf(m->g, m->iova, m->iova + bytes_less_1, level, size_lg2);
	m->iova += bytes_less_1 + 1;
	m->oa += bytes_less_1 + 1;
	return left_less_1 == bytes_less_1 ? PT_DONE : PT_MORE;
}

/* Whether a table holds no leaf, in the tables below it neither. */
static inline bool pt_tree_is_empty(const struct pt *pt, unsigned level, uint64_t table)
{
	unsigned i;

	for (i = 0; i < 1u << pt->index_lg2[level]; i++) {
		uint64_t item = pt_load(pt, table + ((uint64_t)i << FMT_ITEM_BYTES_LG2));
		enum pt_kind kind = fmt_kind(pt, level, item);

		if (kind == PT_LEAF || (kind == PT_TABLE && !pt_tree_is_empty(pt, level - 1, fmt_table_pa(pt, item))))
			return false;
	}
	return true;
}

/* The empty table that an item at level over [iova, last] pointed to, and all below it, is owed to the gather. */
static inline void pt_gather_tree(const struct pt *pt, struct gather *g, unsigned level, uint64_t iova, uint64_t last, uint64_t table)
{
	unsigned i;

	gather_table(g, iova, last, level, table);
	for (i = 0; level > 1 && i < 1u << pt->index_lg2[level - 1]; i++) {
		uint64_t item = pt_load(pt, table + ((uint64_t)i << FMT_ITEM_BYTES_LG2));
		uint64_t start = iova + ((uint64_t)i << pt->item_lg2[level - 1]);

		if (fmt_kind(pt, level - 1, item) == PT_TABLE)
			pt_gather_tree(pt, g, level - 1, start, start + pt_mask(pt->item_lg2[level - 1]), fmt_table_pa(pt, item));
	}
}

/*
 * Break before make (DDI 0487 D8.14): hardware that may not see a table pointer turn into a leaf must have forgotten the pointer first.
 * The items are holes meanwhile, as they
 * were to every walk. What g owes stays owed.
 */
static inline void pt_break(const struct pt *pt, const struct gather *g, uint64_t pa, unsigned items)
{
	if (items == 1)
		mem_store(pt->mem, pa, FMT_ITEM_BYTES_LG2, 0, MEM_RELAXED);
	else
		mem_fill(pt->mem, pa, FMT_ITEM_BYTES_LG2, items, 0, 0);
	pt_flush(pt, pa, items);
	pt_invalidate(pt, g);
}

/* One leaf of several items, or of one that is not empty: empty tables give way, anything else is a conflict. */
static inline enum pt_walk pt_map_over(struct pt_map *m, unsigned level, uint64_t pa, unsigned size_lg2)
{
	const struct pt *pt = m->pt;
	unsigned i, items = pt_group_items(pt, level, size_lg2);
	uint64_t old[PT_GROUP_MAX];
	bool any = false;

	for (i = 0; i < items; i++) {
		enum pt_kind kind;

		old[i] = pt_load(pt, pa + ((uint64_t)i << FMT_ITEM_BYTES_LG2));
		kind = fmt_kind(pt, level, old[i]);
		if (kind == PT_LEAF || (kind == PT_TABLE && !pt_tree_is_empty(pt, level - 1, fmt_table_pa(pt, old[i]))))
			return PT_CONFLICT;
	}
	for (i = 0; i < items; i++) {
		uint64_t start = m->iova + ((uint64_t)i << pt->item_lg2[level]);

		if (fmt_kind(pt, level, old[i]) != PT_TABLE)
			continue;
		pt_gather_tree(pt, m->g, level, start, start + pt_mask(pt->item_lg2[level]), fmt_table_pa(pt, old[i]));
		any = true;
	}
	if (any && !pt->cap_leaf_to_table)
		pt_break(pt, m->g, pa, items);
	pt_leaf_stores(pt, level, pa, items, fmt_leaf_item(pt, level, m->oa, size_lg2, m->prot), true);
	pt_flush(pt, pa, items);
	return pt_map_advance(m, level, size_lg2, pt_mask(size_lg2));
}

/* The leaves of the best size at m->iova, which belong into this table: as many as follow each other into empty items. */
static inline enum pt_walk pt_map_leaves(struct pt_map *m, unsigned level, uint64_t table, unsigned size_lg2)
{
	const struct pt *pt = m->pt;
	unsigned index = pt_index(pt, level, m->iova), n;
	uint64_t pa = table + ((uint64_t)index << FMT_ITEM_BYTES_LG2), run;

	if (size_lg2 != pt->item_lg2[level])
		return pt_map_over(m, level, pa, size_lg2);
	run = m->last - m->iova == pt_mask(size_lg2) ? 1 : pt_run(pt, m->iova, m->last, m->oa, size_lg2);
	if (run > (1u << pt->index_lg2[level]) - index)
		run = (1u << pt->index_lg2[level]) - index;
	for (n = 0; n < run; n++)
		if (fmt_kind(pt, level, pt_load(pt, pa + ((uint64_t)n << FMT_ITEM_BYTES_LG2))) != PT_EMPTY)
			break;
	if (!n)
		return pt_map_over(m, level, pa, size_lg2);
	pt_leaf_stores(pt, level, pa, n, fmt_leaf_item(pt, level, m->oa, size_lg2, m->prot), false);
	pt_flush(pt, pa, n);
	return pt_map_advance(m, level, size_lg2, ((uint64_t)n << size_lg2) - 1);
}

/* What is left, as far as this table reaches; size_lg2 is the best size at m->iova. */
static enum pt_walk pt_map_table(struct pt_map *m, unsigned level, uint64_t table, unsigned size_lg2)
{
	const struct pt *pt = m->pt;
	enum pt_walk walk;

	for (;;) {
		if (pt->level_of[size_lg2] == level) {
			walk = pt_map_leaves(m, level, table, size_lg2);
		} else {
			uint64_t child;

			PT_INVARIANT(pt, pt->level_of[size_lg2] < level);
			walk = pt_child(pt, level, pt_item_pa(pt, level, table, m->iova), &child);
			if (walk == PT_MORE)
				walk = pt_map_table(m, level - 1, child, size_lg2);
		}
		if (walk != PT_MORE || !pt_index(pt, level, m->iova))
			return walk;
		size_lg2 = pt_best(pt, m->iova, m->last, m->oa);
	}
}

/*
 * From the table at *level down, as long as the tables are there and hold the whole range, to the one for leaves of 2^size_lg2. A small map is
 * done in that one.
 */
static inline uint64_t pt_map_descend(const struct pt_map *m, unsigned *level, uint64_t table, unsigned size_lg2)
{
	const struct pt *pt = m->pt;

	while (*level > pt->level_of[size_lg2] && !((m->iova ^ m->last) >> pt->item_lg2[*level])) {
		uint64_t pa = pt_item_pa(pt, *level, table, m->iova), item = pt_load(pt, pa);

		if (fmt_kind(pt, *level, item) != PT_TABLE)
			break;
		pt_flush_link(pt, pa, item);
		table = fmt_table_pa(pt, item);
		--*level;
	}
	return table;
}

/* The level that the root must have for a range that ends at last and begins with a leaf of 2^size_lg2. */
static inline unsigned pt_map_top_level(const struct pt *pt, uint64_t last, unsigned size_lg2)
{
	unsigned level = pt->level_of[size_lg2];

	while (level < pt->top_level_max && last > pt_mask(pt_table_lg2(pt, level)))
		level++;
	return level;
}

/*
 * Build roots from the one above top up to level, each pointing to the one below. Returns the highest, or MEM_NONE with nothing left
 * behind.
 */
static inline uint64_t pt_build_roots(const struct pt *pt, uint64_t top, unsigned level)
{
	uint64_t root = pt_table_top(top), fresh[CONFIG_LEVELS_MAX];
	unsigned l, n = 0;

	for (l = pt_level_top(top) + 1; l <= level; l++) {
		fresh[n] = pt_alloc(pt, l);
		if (fresh[n] == MEM_NONE) {
			while (n)
				pt_free(pt, fresh[--n], --l);
			return MEM_NONE;
		}
		mem_store(pt->mem, fresh[n], FMT_ITEM_BYTES_LG2, fmt_table_item(pt, l, root), MEM_RELAXED);
		pt_flush(pt, fresh[n], 1u << pt->index_lg2[l]);
		root = fresh[n++];
	}
	return root;
}

/*
 * pt_grow - raise the top to level at least. The device is told of the new root before any writer can map through it, and roots reach it
 * in the order in which they
 * grow; both need one writer at a time. 0 or -ENOMEM, nothing changed.
 */
static inline int pt_grow(struct pt *pt, unsigned level)
{
	uint64_t top, root;
	int ret = 0;

	mem_lock(pt->mem, &pt->growing);
	top = pt_load_top(pt);
	if (pt_level_top(top) < level) {
		root = pt_build_roots(pt, top, level);
		if (root == MEM_NONE) {
			ret = -ENOMEM;
		} else {
			mem_top(pt->mem, root, level);
			mem_word_store(pt->mem, &pt->top, root | level);
		}
	}
	mem_unlock(pt->mem, &pt->growing);
	return ret;
}

/* The arguments are valid. *granules is what was mapped, in every case. */
static inline int pt_map(struct pt *pt, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules)
{
	struct pt_map m = { .pt = pt, .g = g, .iova = iova, .last = last, .oa = oa, .prot = prot };
	unsigned size_lg2 = pt_best(pt, iova, last, oa);
	uint64_t top = pt_load_top(pt), table;
	unsigned start;
	enum pt_walk walk;

	if (pt->top_level_max > pt_level_top(top)) {
		unsigned level = pt_map_top_level(pt, last, size_lg2);

		if (level > pt_level_top(top) && pt_grow(pt, level))
			return -ENOMEM;
		top = pt_load_top(pt);
	}
	start = pt_level_top(top);
	table = pt_map_descend(&m, &start, pt_table_top(top), size_lg2);
	walk = pt_map_table(&m, start, table, size_lg2);
	*granules = (m.iova - iova) >> pt->granule_lg2;
	if (walk == PT_DONE && m.iova == iova)
		*granules = UINT64_C(1) << (64 - pt->granule_lg2);
	if (walk == PT_DONE)
		return 0;
	return walk == PT_NOMEM ? -ENOMEM : -EADDRINUSE;
}

#endif
