/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inv_vtd.c - a gather as Intel VT-d invalidation queue descriptors.
 *
 * Intel Virtualization Technology for Directed I/O, Architecture Specification, D51397, Rev 5.10, sections 6.5.2.3 IOTLB Invalidate
 * (second-stage tables) and 6.5.2.4 PASID-based IOTLB Invalidate (first-stage tables). The first 128 bits of a descriptor; in the
 * 256-bit form, which scalable mode demands, the others are zero:
 *
 *   low  3:0    type, 2 or 6 (11:9 are its upper bits: 0)      high 63:12  address
 *        5:4    granularity, 2 domain or PASID, 3 page              6      IH: table pointers are unchanged
 *        6      type 2: drain writes                                5:0    AM: 4K pages of the region, base-2 logarithm
 *        7      type 2: drain reads
 *        31:16  domain-id
 *        51:32  type 6: PASID
 *
 * Type 6 always drains: its bits 8:6 are reserved and must be zero. An AM below a large page's size need not remove it (6.5.2.3 "Address
 * Mask"). The largest AM is the implementation's (CAP_REG.MAMV); 18, which 1G pages need, is what an encoder may rely on.
 */
#include <string.h>

#include "inv.h"
#include "inv_block.h"

#define VTD_DID (UINT64_C(1) << 16)
#define VTD_PASID (UINT64_C(0) << 32)
#define VTD_AM_MAX 18

enum vtd_low_bits {
	VTD_TYPE_IOTLB = 2,
	VTD_TYPE_PASID_IOTLB = 6,
	VTD_G_DOMAIN = 2 << 4, /* PASID-selective in type 6 */
	VTD_G_PAGE = 3 << 4,
	VTD_DW = 1 << 6,
	VTD_DR = 1 << 7,
};

enum vtd_high_bits {
	VTD_IH = 1 << 6,
};

void inv_vtd(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g)
{
	const unsigned large_lg2 = INV_PAGE_LG2 + VTD_AM_MAX;
	bool first_stage = !strcmp(cfg->format, "x86_64");
	uint64_t low = first_stage ? VTD_TYPE_PASID_IOTLB | VTD_DID | VTD_PASID : VTD_TYPE_IOTLB | VTD_DW | VTD_DR | VTD_DID;
	uint64_t ih = g->tables ? 0 : VTD_IH;
	uint64_t large = g->iova >> large_lg2, large_nr = (g->last >> large_lg2) - large + 1;
	unsigned leaf_lg2 = g->leaf_sizes ? inv_top_bit(g->leaf_sizes) : 0;
	struct inv_block b[2];
	unsigned i, nr;

	(void)geo;
	nr = inv_cover(cfg, g->iova, g->last, leaf_lg2 > INV_PAGE_LG2 ? leaf_lg2 : INV_PAGE_LG2, b);
	if (!nr || leaf_lg2 > large_lg2 || large_nr > INV_COMMANDS_MAX) {
		mem_invalidate(mem, TLB_VTD, low | VTD_G_DOMAIN, 0);
	} else if (b[0].lg2 > large_lg2 || b[nr - 1].lg2 > large_lg2) {
		for (; large_nr; large_nr--, large++)
			mem_invalidate(mem, TLB_VTD, low | VTD_G_PAGE, large << large_lg2 | ih | VTD_AM_MAX);
	} else {
		for (i = 0; i < nr; i++)
			mem_invalidate(mem, TLB_VTD, low | VTD_G_PAGE, b[i].iova | ih | (b[i].lg2 - INV_PAGE_LG2));
	}
}
