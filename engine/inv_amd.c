/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inv_amd.c - a gather as AMD IOMMU commands.
 *
 * AMD I/O Virtualization Technology (IOMMU) Specification, 48882, Rev 3.x, section 2.4.3 INVALIDATE_IOMMU_PAGES; sizes as in Table 14,
 * Example Page Size Encodings. The command is 128 bits; low is its first two dwords:
 *
 *   low  63:60  opcode 3               high 63:12  address and size
 *        47:32  DomainID                    2      GN: guest (v2) translations, by PASID
 *        19:0   PASID                       1      PDE: cached page directory entries too
 *                                           0      S: the address holds a size; otherwise 4K
 *
 * With S the lowest zero of address bits 63:12 is the top bit of the offset inside the region: bit 12 for 8K, bit 20 for 2M. A zero at bit
 * 51 or above means the whole address space in Table 14 (known here at second hand), while the rule itself would go on to bit 63. So a
 * region of more than 2^51 bytes is asked for as all ones but bit 63, which is the whole address space by either reading.
 *
 * An entry that is larger than the region need not be removed: the region is at least as large as the largest leaf that changed.
 */
#include <string.h>

#include "inv.h"
#include "inv_block.h"

#define AMD_OPCODE_INVALIDATE_IOMMU_PAGES (UINT64_C(3) << 60)
#define AMD_DOMAIN (UINT64_C(1) << 32)
#define AMD_PASID 0
#define AMD_ADDRESS_ALL UINT64_C(0x7ffffffffffff000)
#define AMD_BLOCK_LG2_MAX 51

enum amd_high_bits {
	AMD_S = 1 << 0,
	AMD_PDE = 1 << 1,
	AMD_GN = 1 << 2,
};

void inv_amd(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g)
{
	unsigned leaf_lg2 = g->leaf_sizes ? inv_top_bit(g->leaf_sizes) : 0;
	uint64_t low = AMD_OPCODE_INVALIDATE_IOMMU_PAGES | AMD_DOMAIN | AMD_PASID;
	uint64_t flags = (g->tables ? AMD_PDE : 0) | (strcmp(cfg->format, "x86_64") ? 0 : AMD_GN);
	struct inv_block b[2];
	unsigned i, nr;

	(void)geo;
	nr = inv_cover(cfg, g->iova, g->last, leaf_lg2 > INV_PAGE_LG2 ? leaf_lg2 : INV_PAGE_LG2, b);
	for (i = 0; i < nr; i++) {
		if (b[i].lg2 > AMD_BLOCK_LG2_MAX)
			nr = 0;
	}
	for (i = 0; i < nr; i++) {
		if (b[i].lg2 == INV_PAGE_LG2)
			mem_invalidate(mem, TLB_AMD, low, b[i].iova | flags);
		else
			mem_invalidate(mem, TLB_AMD, low, inv_block_napot(&b[i]) | flags | AMD_S);
	}
	if (!nr)
		mem_invalidate(mem, TLB_AMD, low, AMD_ADDRESS_ALL | flags | AMD_S);
}
