/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pt_table.h - tables and items under one format: allocate, link, write back. Included after the format's header.
 */
#ifndef HITLESS_PT_TABLE_H
#define HITLESS_PT_TABLE_H

#include "pt.h"

static inline uint64_t pt_item_pa(const struct pt *pt, unsigned level, uint64_t table, uint64_t iova)
{
	return table + ((uint64_t)pt_index(pt, level, iova) << FMT_ITEM_BYTES_LG2);
}

static inline uint32_t pt_table_bytes(const struct pt *pt, unsigned level)
{
	return (1u << pt->index_lg2[level]) << FMT_ITEM_BYTES_LG2;
}

static inline uint64_t pt_load(const struct pt *pt, uint64_t pa)
{
	return mem_load(pt->mem, pa, FMT_ITEM_BYTES_LG2);
}

static inline void pt_flush(const struct pt *pt, uint64_t pa, unsigned items)
{
	if (!pt->cfg.coherent)
		mem_flush(pt->mem, pa, (uint64_t)items << FMT_ITEM_BYTES_LG2);
}

static inline unsigned pt_group_items(const struct pt *pt, unsigned level, unsigned size_lg2)
{
	return 1u << (size_lg2 - pt->item_lg2[level]);
}

/* A table that the device does not walk, or no more, goes back to the allocator. */
static inline void pt_free(const struct pt *pt, uint64_t table, unsigned level)
{
	if (!pt->cfg.coherent)
		mem_dma_unmap(pt->mem, table, pt_table_bytes(pt, level));
	mem_free(pt->mem, table);
}

/* A zeroed table, within the device's reach but not yet written back; MEM_NONE if there is no memory. */
static inline uint64_t pt_alloc(const struct pt *pt, unsigned level)
{
	uint64_t table = mem_alloc(pt->mem, pt_table_bytes(pt, level), pt->align_lg2[level]);

	if (table != MEM_NONE && !pt->cfg.coherent && !mem_dma_map(pt->mem, table, pt_table_bytes(pt, level))) {
		mem_free(pt->mem, table);
		return MEM_NONE;
	}
	return table;
}

/*
 * pt_leaf_stores - store a leaf's items, or a run of nr leaves that each are one item. Relaxed; not written back.
 * @items: items to store; a whole group, or a run of single items whose oas follow each other
 */
static inline void pt_leaf_stores(const struct pt *pt, unsigned level, uint64_t pa, unsigned items, uint64_t first, bool group)
{
	unsigned step_lg2 = group ? fmt_group_step_lg2(pt, level) : fmt_oa_step_lg2(pt, level);

	if (items == 1)
		mem_store(pt->mem, pa, FMT_ITEM_BYTES_LG2, first, MEM_RELAXED);
	else
		mem_fill(pt->mem, pa, FMT_ITEM_BYTES_LG2, items, first, step_lg2);
}

/*
 * A table item found in a domain whose device does not snoop may have been linked by another writer that has not written it back yet;
 * what is mapped below must not be relied on before that.
 */
static inline void pt_flush_link(const struct pt *pt, uint64_t pa, uint64_t item)
{
	const uint64_t flushed = FMT_TABLE_FLUSHED;

	if (pt->cfg.coherent || (item & flushed))
		return;
	pt_flush(pt, pa, 1);
	if (flushed)
		mem_cas(pt->mem, pa, FMT_ITEM_BYTES_LG2, &item, item | flushed);
}

/*
 * pt_child - the table below the item at pa, made and linked if the item is empty.
 * Returns PT_MORE and *child, PT_CONFLICT if a leaf is there, PT_NOMEM. Several writers may race: one link wins, the others use it.
 */
static inline enum pt_walk pt_child(const struct pt *pt, unsigned level, uint64_t pa, uint64_t *child)
{
	uint64_t item = pt_load(pt, pa), fresh = MEM_NONE, link;
	enum pt_kind kind;

	while ((kind = fmt_kind(pt, level, item)) == PT_EMPTY) {
		if (fresh == MEM_NONE) {
			fresh = pt_alloc(pt, level - 1);
			if (fresh == MEM_NONE)
				return PT_NOMEM;
			pt_flush(pt, fresh, 1u << pt->index_lg2[level - 1]);
		}
		link = fmt_table_item(pt, level, fresh);
		if (mem_cas(pt->mem, pa, FMT_ITEM_BYTES_LG2, &item, link)) {
			pt_flush_link(pt, pa, link);
			*child = fresh;
			return PT_MORE;
		}
	}
	if (fresh != MEM_NONE)
		pt_free(pt, fresh, level - 1);
	if (kind == PT_LEAF)
		return PT_CONFLICT;
	pt_flush_link(pt, pa, item);
	*child = fmt_table_pa(pt, item);
	return PT_MORE;
}

/* Issue the invalidations that g owes and wait for them. */
static inline void pt_invalidate(const struct pt *pt, const struct gather *g)
{
	struct inv_geometry geo = { .granule_lg2 = pt->granule_lg2, .top_level = (uint8_t)pt_level_top(pt_load_top(pt)) };

	memcpy(geo.item_lg2, pt->item_lg2, sizeof(geo.item_lg2));
	inv_issue(pt->mem, &pt->cfg, &geo, g);
	mem_sync(pt->mem);
}

/* Free a table that the device never saw or no longer walks, and all below it, at once. */
static inline void pt_free_tree(const struct pt *pt, unsigned level, uint64_t table)
{
	uint64_t pa = table, end = table + pt_table_bytes(pt, level);

	for (; level && pa < end; pa += 1u << FMT_ITEM_BYTES_LG2) {
		uint64_t item = pt_load(pt, pa);

		if (item && fmt_kind(pt, level, item) == PT_TABLE)
			pt_free_tree(pt, level - 1, fmt_table_pa(pt, item));
	}
	pt_free(pt, table, level);
}

#endif
