/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inv_generic.c - the project's own command: no hardware has it, and it says exactly what is owed.
 *
 *   low  63:12  first iova of the range
 *        8      table pointers in the range are meant too
 *        5:0    bitmap of the levels whose leaves are meant
 *   high 63:0   last iova of the range
 *
 * The range is whole granules. Only entries wholly inside it, at the levels named, are removed; the hull of a gather is made of whole
 * leaves, so that none is cut off. Never coarser than the gather: that is what the vendors' encodings are compared with.
 */
#include "inv.h"
#include "inv_block.h"

enum inv_generic_bits {
	GENERIC_LEVELS = 0xff,
	GENERIC_TABLES = 1 << 8,
};

void inv_generic(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g)
{
	uint64_t in_granule = (UINT64_C(1) << geo->granule_lg2) - 1;
	uint64_t what = (g->levels & GENERIC_LEVELS) | (g->tables ? GENERIC_TABLES : 0);

	(void)cfg;
	mem_invalidate(mem, TLB_GENERIC, (g->iova & ~in_granule & INV_PAGE_MASK) | what, g->last | in_granule);
}
