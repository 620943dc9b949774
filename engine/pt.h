/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pt.h - the radix tree of page tables that every native format shares: a domain, its geometry, and how one item is reached.
 *
 * This is the bottom of the template. The order of inclusion is the architecture: pt.h (words and geometry), fmt/<f>.h (one hardware
 * format), pt_map.h, pt_unmap.h, pt_cut.h, pt_dirty.h (one operation each), pt_ops.h (arguments, struct engine_ops).
 *
 * A format supplies, bound to the generic name in one line each at the end of its header:
 *
 *   FMT_NAME, FMT_ITEM_BYTES_LG2      its name; 2 or 3
 *   fmt_configs                       the configurations to be tested
 *   fmt_resolve(cfg, why)             engine_ops->resolve
 *   fmt_geometry(pt)                  fills in what struct pt calls geometry
 *   fmt_kind(pt, level, item)         empty, table or leaf
 *   fmt_table_pa(pt, item)            where a table item points
 *   fmt_table_item(pt, level, pa)     a table item at level that points to pa
 *   fmt_leaf_lg2(pt, level, item)     size of the leaf, its whole contiguous group counted
 *   fmt_leaf_oa(pt, level, item)      its oa; only the bits above the item's or above the leaf's size need be right
 *   fmt_leaf_item(pt, level, oa, size_lg2, prot) the first item of a leaf; prot is enum prot with PT_ACCESSED, PT_DIRTY
 *   fmt_group_step_lg2(pt, level)     item k of a group is the first + k << this; 0: all items are equal
 *   fmt_oa_step_lg2(pt, level)        the item whose oa is one item's span further is the item + 1 << this
 *   fmt_leaf_prot(pt, level, item)    enum prot with PT_ACCESSED and PT_DIRTY
 *   fmt_expressible(pt, prot)         whether an entry can say exactly this
 *   fmt_make_dirty, fmt_make_clean(pt, level, item)
 *   FMT_TABLE_FLUSHED                 a software bit of table items, or 0 if there is none: the item is known to be written back
 */
#ifndef HITLESS_PT_H
#define HITLESS_PT_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "inv.h"

/* State of a leaf beside enum prot, in the same word. */
enum { PT_ACCESSED = 1 << 8, PT_DIRTY = 1 << 9 };

enum pt_kind { PT_EMPTY, PT_TABLE, PT_LEAF };

/* How a recursive step ended. */
enum pt_walk {
	PT_MORE,     /* this table is done, the range goes on */
	PT_DONE,     /* the range is done */
	PT_HOLE,     /* unmap: nothing more to remove */
	PT_CONFLICT, /* map: something is mapped there */
	PT_NOMEM,
};

#define PT_GROUP_MAX 256 /* items of the largest contiguous group, 2^8 of amdv1 */

/*
 * struct pt - one domain.
 *
 * @top: address of the root | its level; changed only by who holds @growing, after the device has been told
 *
 * geometry, from fmt_geometry():
 * @granule_lg2: span of a level-0 item
 * @top_level_start, @top_level_max: level of the first root; level that the root may grow to
 * @item_lg2, @index_lg2: span of an item and items of a table, per level, the root's included
 * @align_lg2: alignment of a table
 * @low_last, @high_first: iovas lie in [0, low_last] or in [high_first, 2^64-1]; high_first == 0: there is no upper part
 * @no_low: there is no lower part
 * @oa_carry_lg2: fmt_oa_step_lg2 holds while the oa does not carry into this bit
 * @has_dirty: the device keeps dirty state
 * @cap_size_change, @cap_leaf_to_table: see struct engine_info
 * derived:
 * @pgsizes, @level_of: sizes that may be made, and the level of each
 */
struct pt {
	struct mem *mem;
	struct config cfg;
	uint64_t top;
	bool growing;

	uint8_t granule_lg2, top_level_start, top_level_max, oa_carry_lg2;
	uint8_t item_lg2[CONFIG_LEVELS_MAX], index_lg2[CONFIG_LEVELS_MAX], align_lg2[CONFIG_LEVELS_MAX];
	uint64_t low_last, high_first;
	bool no_low, has_dirty, cap_size_change, cap_leaf_to_table;

	uint64_t pgsizes;
	uint8_t level_of[64];
};

#ifdef HITLESS_INVARIANTS
#define PT_INVARIANT(pt, cond)                                                     \
	do {                                                                       \
		if (!(cond))                                                       \
			mem_fail((pt)->mem, MEM_FAULT_INVARIANT, MEM_NONE, #cond); \
	} while (0)
#else
#define PT_INVARIANT(pt, cond) ((void)0)
#endif

/* The n low bits, n up to 64. */
static inline uint64_t pt_mask(unsigned n)
{
	return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static inline unsigned pt_log2(uint64_t v)
{
	return 63 - (unsigned)__builtin_clzll(v);
}

static inline unsigned pt_index(const struct pt *pt, unsigned level, uint64_t iova)
{
	return (unsigned)(iova >> pt->item_lg2[level]) & (unsigned)pt_mask(pt->index_lg2[level]);
}

/* Bits of iova that a table at level resolves, lower levels included; may reach 64 and beyond. */
static inline unsigned pt_table_lg2(const struct pt *pt, unsigned level)
{
	return pt->item_lg2[level] + pt->index_lg2[level];
}

static inline uint64_t pt_table_top(uint64_t top)
{
	return top & ~UINT64_C(0xf);
}

static inline unsigned pt_level_top(uint64_t top)
{
	return (unsigned)(top & 0xf);
}

static inline uint64_t pt_load_top(const struct pt *pt)
{
	return mem_word_load(pt->mem, &pt->top);
}

/*
 * pt_best - size_lg2 of the largest page that may start at iova: enabled, aligned in iova and oa, and ending by last.
 * There always is one, since all three are multiples of the smallest page.
 */
static inline unsigned pt_best(const struct pt *pt, uint64_t iova, uint64_t last, uint64_t oa)
{
	uint64_t len_less_1 = last - iova, low = iova | oa;
	unsigned align = low ? (unsigned)__builtin_ctzll(low) : 63;
	unsigned fit = len_less_1 == UINT64_MAX ? 63 : pt_log2(len_less_1 + 1);
	uint64_t sizes = pt->pgsizes & pt_mask((align < fit ? align : fit) + 1);

	PT_INVARIANT(pt, sizes != 0);
	return pt_log2(sizes);
}

/*
 * pt_run - how many leaves of 2^size_lg2 bytes, the best size at iova, follow each other: until a larger page can start, the oa field
 * carries, or last comes. At least 1; the caller also stops at the end of its table.
 */
static inline uint64_t pt_run(const struct pt *pt, uint64_t iova, uint64_t last, uint64_t oa, unsigned size_lg2)
{
	uint64_t len_less_1 = last - iova;
	uint64_t larger = pt->pgsizes & ~pt_mask(size_lg2 + 1);
	uint64_t nr = (len_less_1 >> size_lg2) + ((len_less_1 & pt_mask(size_lg2)) == pt_mask(size_lg2));
	uint64_t carry = (~oa & pt_mask(pt->oa_carry_lg2)) >> size_lg2;

	if (larger) {
		uint64_t mask = (larger & -larger) - 1, ahead = -iova & mask;

		/* Larger pages can start ahead of iova only where iova and oa are aligned at the same time. */
		if (!((iova ^ oa) & mask) && ahead && len_less_1 >= ahead && len_less_1 - ahead >= mask && ahead >> size_lg2 < nr)
			nr = ahead >> size_lg2;
	}
	/* carry is the number of leaves after the first before the carry. */
	return nr - 1 > carry ? carry + 1 : nr;
}

/* What a child walk needs to know is in the words above; the derived fields come from these. */
static inline void pt_derive(struct pt *pt)
{
	unsigned size_lg2, level;

	pt->pgsizes = pt->cfg.pgsizes;
	for (size_lg2 = 0; size_lg2 < 64; size_lg2++)
		for (level = 0; level <= pt->top_level_max; level++)
			if (size_lg2 >= pt->item_lg2[level])
				pt->level_of[size_lg2] = (uint8_t)level;
}

#endif
