/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inv.c - chooses the vendor's encoder for a gather. It encodes nothing itself and waits for nothing.
 */
#include "inv.h"

typedef void inv_fn(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g);

static inv_fn *const inv_vendor[TLB_NR] = {
	[TLB_GENERIC] = inv_generic, [TLB_AMD] = inv_amd,       [TLB_VTD] = inv_vtd,   [TLB_ARM] = inv_arm,
	[TLB_RISCV] = inv_riscv,     [TLB_ARMV7S] = inv_armv7s, [TLB_DART] = inv_dart,
};

void inv_issue(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g)
{
	if (cfg->tlb >= TLB_NR)
		mem_fail(mem, MEM_FAULT_INVARIANT, MEM_NONE, "inv_issue: cfg->tlb names no vendor");
	inv_vendor[cfg->tlb](mem, cfg, geo, g);
}
