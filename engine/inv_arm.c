/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inv_arm.c - a gather as SMMUv3 commands.
 *
 * Arm System Memory Management Unit Architecture Specification, SMMU architecture version 3, IHI 0070, an issue that has TTL128 already,
 * sections 4.4.1.1 Range-based invalidation and level hint (SMMU_IDR3.RIL, mandatory from SMMUv3.2), 4.4.2 stage 1, 4.4.3 stage 2:
 *
 *   low  7:0    opcode                           high 63:12  address
 *        16:12  NUM                                   11:10  TG: 0 none, 1 4K, 2 16K, 3 64K
 *        25:20  SCALE (24:20 unless IDR5.DS)           9:8   TTL: 0 any, else the level as Arm numbers it
 *        47:32  VMID                                  0      Leaf: cached table descriptors may stay
 *        63:48  ASID, stage 1
 *
 * With TG the command covers (NUM + 1) * 2^SCALE granules from the address on. Three traps:
 *  - TG with NUM = SCALE = TTL = 0 is reserved and stops the queue (CERROR_ILL). One granule at an unknown level needs TG = 0.
 *  - TTL has no code for level 0, where LPA2 allows 512G blocks, and with 16K granules its level 1 is reserved unless IDR5.DS (LPA2).
 *  - The range is UNPREDICTABLE unless the address is aligned to a block of the level that TTL names. With tiny tables entries at level 1
 *    and above are smaller than that, so there TTL is mostly left out.
 * Leaf = 0 and TTL together would still need every removed table pointer to lie above that level: TTL goes with Leaf = 1 only.
 *
 * CMD_TLBI_NH_ASID leaves global entries alone: it covers the domain because stage 1 leaves have nG set.
 */
#include "inv.h"
#include "inv_block.h"

#define ARM_VMID (UINT64_C(1) << 32)
#define ARM_ASID (UINT64_C(1) << 48)
#define ARM_LEAF UINT64_C(1)
#define ARM_NUM_MAX 32 /* granules times 2^SCALE in one command */

enum arm_opcode {
	CMD_TLBI_NH_ASID = 0x11,
	CMD_TLBI_NH_VA = 0x12,
	CMD_TLBI_S12_VMALL = 0x28,
	CMD_TLBI_S2_IPA = 0x2a,
};

/* The TTL for the one level named in g, 0 if it has none. */
static unsigned arm_ttl(const struct config *cfg, const struct inv_geometry *geo, const struct gather *g)
{
	unsigned level, block_lg2;

	if (g->tables || !g->levels || g->levels & (g->levels - 1))
		return 0;
	level = inv_top_bit(g->levels);
	/* A table of the real geometry holds granule / 8 items. */
	block_lg2 = geo->granule_lg2 + level * (geo->granule_lg2 - 3);
	if (level > 2 || (level == 2 && geo->granule_lg2 == 14 && !cfg->lpa))
		return 0;
	if ((g->iova | (g->last + 1)) & ((UINT64_C(1) << block_lg2) - 1))
		return 0;
	return 3 - level;
}

/* One command: nr * 2^scale granules from iova on, nr 1 to 32. */
static void arm_range(struct mem *mem, uint64_t low, uint64_t iova, unsigned nr, unsigned scale, unsigned tg, uint64_t how)
{
	unsigned ttl = how >> 8 & 3;

	if (nr == 1 && !scale && !ttl)
		mem_invalidate(mem, TLB_ARM, low, iova | how);
	else
		mem_invalidate(mem, TLB_ARM, low | (uint64_t)(nr - 1) << 12 | (uint64_t)scale << 20, iova | (uint64_t)tg << 10 | how);
}

void inv_arm(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g)
{
	unsigned tg = (geo->granule_lg2 - 10) / 2; /* 12, 14, 16 */
	unsigned scale_max = cfg->lpa && geo->granule_lg2 < 16 ? 39 : 31;
	uint64_t low = ARM_VMID | (cfg->stage == 1 ? ARM_ASID | CMD_TLBI_NH_VA : CMD_TLBI_S2_IPA);
	uint64_t how = (uint64_t)arm_ttl(cfg, geo, g) << 8 | (g->tables ? 0 : ARM_LEAF);
	uint64_t first = g->iova >> geo->granule_lg2, granules = (g->last >> geo->granule_lg2) - first + 1, nr;
	unsigned scale;

	if (inv_whole(cfg, g->iova, g->last)) {
		mem_invalidate(mem, TLB_ARM, ARM_VMID | (cfg->stage == 1 ? ARM_ASID | CMD_TLBI_NH_ASID : CMD_TLBI_S12_VMALL), 0);
		return;
	}
	/*
	 * Exact cover, five bits of the count per command from the lowest one bit up: at most 8 commands for 2^40 granules. Every
	 * address stays a multiple of what both ends of the hull are multiples of, as TTL needs.
	 */
	for (; granules; granules -= nr << scale, first += nr << scale) {
		scale = (unsigned)__builtin_ctzll(granules);
		if (scale > scale_max)
			scale = scale_max;
		nr = granules >> scale;
		if (nr > ARM_NUM_MAX)
			nr = nr % ARM_NUM_MAX ? nr % ARM_NUM_MAX : ARM_NUM_MAX;
		arm_range(mem, low, first << geo->granule_lg2, (unsigned)nr, scale, tg, how);
	}
}
