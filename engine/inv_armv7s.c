/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inv_armv7s.c - a gather as SMMUv2 stage 1 operations on 32-bit short-descriptor tables.
 *
 * Arm System Memory Management Unit Architecture Specification, SMMU architecture version 2, IHI 0062D.c, SMMU_CBn_TLBIVA and
 * SMMU_CBn_TLBIASID; scope as TLBIMVA and TLBIASID in the Arm Architecture Reference Manual ARMv7-A, DDI 0406C.d, B4.2.2. An operation is
 * a register write, not a queue entry:
 *
 *   low   1 TLBIVA, 2 TLBIASID         high 31:12  TLBIVA: address
 *                                           7:0    ASID
 *
 * TLBIVA removes what translates the address, whatever its size, and every cached table pointer over it; there is no range form. TLBIASID
 * leaves global entries alone: it covers the domain because leaves have nG set.
 */
#include "inv.h"
#include "inv_block.h"

#define ARMV7S_ASID 1

enum armv7s_operation {
	ARMV7S_TLBIVA = 1,
	ARMV7S_TLBIASID = 2,
};

/* The smallest thing that was removed: one address in each is enough. */
static unsigned armv7s_step_lg2(const struct inv_geometry *geo, const struct gather *g)
{
	unsigned step_lg2 = g->leaf_sizes ? (unsigned)__builtin_ctzll(g->leaf_sizes) : 64;
	unsigned item_lg2;

	if (g->table_levels) {
		item_lg2 = geo->item_lg2[__builtin_ctz(g->table_levels)];
		if (item_lg2 < step_lg2)
			step_lg2 = item_lg2;
	}
	return step_lg2 < 64 ? step_lg2 : geo->granule_lg2;
}

void inv_armv7s(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g)
{
	unsigned step_lg2 = armv7s_step_lg2(geo, g);
	uint64_t first = g->iova >> step_lg2, last = g->last >> step_lg2;

	if (inv_whole(cfg, g->iova, g->last) || last - first >= INV_COMMANDS_MAX) {
		mem_invalidate(mem, TLB_ARMV7S, ARMV7S_TLBIASID, ARMV7S_ASID);
		return;
	}
	for (; first <= last; first++)
		mem_invalidate(mem, TLB_ARMV7S, ARMV7S_TLBIVA, first << step_lg2 | ARMV7S_ASID);
}
