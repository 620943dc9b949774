/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inv_riscv.c - a gather as RISC-V IOMMU commands.
 *
 * RISC-V IOMMU Architecture Specification 1.0 (20260222): 4.1.1 IOMMU Page-Table cache invalidation commands, and in its chapter on
 * extensions Non-leaf PTE Invalidation 1.0 (capabilities.NL) and Address Range Invalidation 1.0 (capabilities.S). IOTINVAL.VMA:
 *
 *   low  6:0    opcode IOTINVAL 1      high 61:10  ADDR[63:12]
 *        9:7    func3 VMA 0                 9      S: ADDR holds a NAPOT range
 *        10     AV: ADDR is valid
 *        31:12  PSCID
 *        32     PSCV: PSCID is valid
 *        33     GV
 *        34     NL: entries of all levels
 *
 * Without NL a command by address removes leaf entries only; NL=1 is what removes cached table pointers, and AV=0 removes both. With S the
 * lowest zero of ADDR gives the range, 8K or more; S with ADDR all ones is UNSPECIFIED and is never built, since a range as large as the
 * domain goes out with AV=0. PSCV leaves global mappings alone: it covers the domain because entries have G clear.
 */
#include "inv.h"
#include "inv_block.h"

#define RISCV_IOTINVAL_VMA UINT64_C(1)
#define RISCV_AV (UINT64_C(1) << 10)
#define RISCV_PSCID (UINT64_C(1) << 12)
#define RISCV_PSCV (UINT64_C(1) << 32)
#define RISCV_NL (UINT64_C(1) << 34)
#define RISCV_S (UINT64_C(1) << 9)

void inv_riscv(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g)
{
	uint64_t low = RISCV_IOTINVAL_VMA | RISCV_PSCID | RISCV_PSCV;
	uint64_t by_address = low | RISCV_AV | (g->tables ? RISCV_NL : 0);
	struct inv_block b[2];
	unsigned i, nr;

	(void)geo;
	nr = inv_cover(cfg, g->iova, g->last, INV_PAGE_LG2, b);
	for (i = 0; i < nr; i++) {
		if (b[i].lg2 == INV_PAGE_LG2)
			mem_invalidate(mem, TLB_RISCV, by_address, b[i].iova >> 2);
		else
			mem_invalidate(mem, TLB_RISCV, by_address, inv_block_napot(&b[i]) >> 2 | RISCV_S);
	}
	if (!nr)
		mem_invalidate(mem, TLB_RISCV, low, 0);
}
