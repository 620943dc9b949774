/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pgtable_armv7s.c - the kernel's ARM_V7S tables, set up as its SMMUv2 driver does for the short-descriptor format.
 *
 * Not covered: the MediaTek variants (34-bit iovas, 35-bit oas, no permissions), which the oracle does not know. negcache=1 is what drivers
 * do that invalidate after a map.
 */
#include "../resolve.h"
#include "pgtable_ops.h"

static const char *const armv7s_configs[] = {
	"",
	"coherent=0 tables=high",
	"coherent=0 negcache=1 tables=limit",
	"pgsizes=0x11000",
	"pgsizes=0x101000 coherent=0",
	"pgsizes=0x1001000",
	"pgsizes=0x100000",
	"coherent=0 defer=1",
	"defer=1 negcache=1",
	"tlb=generic",
	NULL,
};

static int armv7s_resolve(struct config *cfg, const char **why)
{
	if (!resolve_in(&cfg->levels, 2, 2, 2) || !resolve_in(&cfg->ias, 32, 32, 32) || !resolve_in(&cfg->oas, 32, 32, 32))
		return resolve_no(why, "levels is 2, ias and oas are 32");
	if (!resolve_none(&cfg->ad) || !resolve_none(&cfg->stage) || !resolve_none(&cfg->half) || !resolve_none(&cfg->lpa))
		return resolve_no(why, "armv7s has no ad, stage, half, lpa");
	if (!resolve_tlb(cfg, TLB_ARMV7S, TLB_ARMV7S))
		return resolve_no(why, "tlb takes armv7s or generic");
	return pgtable_resolve(cfg, why, SZ_4K | SZ_64K | SZ_1M | SZ_16M, 0, true);
}

static enum io_pgtable_fmt armv7s_setup(const struct config *cfg, struct io_pgtable_cfg *kernel)
{
	(void)cfg;
	kernel->tlb = &pgtable_flush_ops;
	return ARM_V7S;
}

static void armv7s_root(const struct pgtable_domain *d, u64 *pa, unsigned *level)
{
	/* Below bit 14: how the walk is cached and shared. */
	*pa = d->kernel.arm_v7s_cfg.ttbr & ~UINT32_C(0x3fff);
	*level = 1;
}

static unsigned armv7s_granule_lg2(const struct config *cfg)
{
	(void)cfg;
	return 12;
}

static unsigned armv7s_index_lg2(const struct config *cfg)
{
	(void)cfg;
	return 8;
}

static int armv7s_prot(const struct config *cfg, unsigned prot)
{
	(void)cfg;
	return (prot & PROT_R ? IOMMU_READ : 0) | (prot & PROT_W ? IOMMU_WRITE : 0) | (prot & PROT_X ? 0 : IOMMU_NOEXEC) |
	       (prot & PROT_MMIO    ? IOMMU_MMIO
		: prot & PROT_CACHE ? IOMMU_CACHE
				    : 0) |
	       (prot & PROT_PRIV ? IOMMU_PRIV : 0);
}

static void armv7s_traits(const struct config *cfg, struct traits *traits)
{
	(void)cfg;
	traits->prot_forced = PROT_R;
	traits->prot_ignored_by_mmio = PROT_CACHE;
}

static const struct pgtable_format armv7s_format = {
	.setup = armv7s_setup,
	.root = armv7s_root,
	.granule_lg2 = armv7s_granule_lg2,
	.index_lg2 = armv7s_index_lg2,
	.prot = armv7s_prot,
	.traits = armv7s_traits,
	.gathers = true,
};

PGTABLE_ENGINE(armv7s, armv7s_configs, armv7s_resolve, armv7s_format);
