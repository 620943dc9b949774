/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pgtable_armv8.c - the kernel's ARM_64_LPAE_S1 and S2 tables, set up as its SMMU drivers do: 4K, 16K and 64K granule.
 *
 * half=1 is what the Adreno SMMU does. Dirty tracking is stage 1's, in the lower half: read_and_clear_dirty takes no iova of the upper one. At
 * stage 2 the drivers have iovas that are no wider than oas.
 */
#include "../resolve.h"
#include "pgtable_ops.h"

/* One list for each granule: the sizes differ. */
#define ARMV8_CONFIGS(two_sizes)                                                                                                          \
	"", "stage=1 ad=1 tables=high", "stage=1 half=1 ias=39 oas=40", "stage=1 half=1 coherent=0 tables=straddle",                      \
		"stage=1 coherent=0 ias=36 oas=36", "stage=1 coherent=0 tables=limit", "stage=1 ias=42 oas=44 ad=1 defer=1 tables=limit", \
		"stage=1 tlb=generic", "stage=1 " two_sizes, "stage=2 ias=32 oas=32", "stage=2 ias=36 oas=36 coherent=0",                 \
		"stage=2 ias=40 oas=40 tables=high", "stage=2 ias=40 oas=48", "stage=2 ias=42 oas=42 coherent=0 defer=1",                 \
		"stage=2 ias=44 oas=44 tables=straddle", "stage=2 ias=48 oas=48 coherent=0 tables=limit", "stage=2 tlb=generic"

static const char *const armv8_4k_configs[] = { ARMV8_CONFIGS("pgsizes=0x40001000"), "stage=1 pgsizes=0x1000", NULL };
static const char *const armv8_16k_configs[] = { ARMV8_CONFIGS("pgsizes=0x4000"), NULL };
static const char *const armv8_64k_configs[] = {
	ARMV8_CONFIGS("pgsizes=0x10000"),
	"stage=1 lpa=1 ad=1 tables=limit",
	"stage=1 lpa=1 ias=48 coherent=0",
	"stage=2 lpa=1 tables=limit",
	NULL,
};

static unsigned armv8_granule_lg2(const struct config *cfg)
{
	return (unsigned)__builtin_ctzll(cfg->pgsizes);
}

static unsigned armv8_index_lg2(const struct config *cfg)
{
	return armv8_granule_lg2(cfg) - 3;
}

/*
 * Tables on a walk: as many as the width needs. Stage 2 starts one lower, with up to 16 tables side by side, where the hardware does not let
 * it start where it should: from Arm's level 0 with 4K below 44 bits, and with 16K at all; from level 1 with 16K below 42 bits (DDI 0487,
 * AArch64.S2InvalidSL).
 */
static unsigned armv8_levels(const struct config *cfg, unsigned granule_lg2)
{
	unsigned index_lg2 = granule_lg2 - 3, levels = (cfg->ias - granule_lg2 + index_lg2 - 1) / index_lg2;

	if (cfg->stage == 1)
		return levels;
	if (granule_lg2 == 12)
		return levels == 4 && cfg->oas < 44 ? 3 : levels;
	if (granule_lg2 == 14)
		return levels == 4 ? 3 : levels == 3 && cfg->oas < 42 ? 2 : levels;
	return levels;
}

static int armv8_resolve(struct config *cfg, const char **why, unsigned granule_lg2, uint64_t sizes)
{
	unsigned widest;

	if (!resolve_in(&cfg->stage, 1, 1, 2) || !resolve_in(&cfg->lpa, 0, 0, granule_lg2 == 16))
		return resolve_no(why, "stage takes 1 or 2, lpa 0 or, with the 64K granule, 1");
	if (!resolve_in(&cfg->half, 0, 0, cfg->stage == 1))
		return resolve_no(why, "half takes 0 or, at stage 1, 1");
	widest = cfg->lpa ? 52 : 48;
	if (!resolve_in(&cfg->oas, widest, 32, widest) || (cfg->lpa && cfg->oas != 52) ||
	    !(1ull << cfg->oas & (1ull << 32 | 1ull << 36 | 1ull << 40 | 1ull << 42 | 1ull << 44 | 1ull << 48 | 1ull << 52)))
		return resolve_no(why, "oas takes 32, 36, 40, 42, 44, 48, and 52 exactly with lpa=1");
	if (cfg->stage == 2)
		widest = cfg->oas;
	if (!resolve_in(&cfg->ias, widest, 32, widest))
		return resolve_no(why, "ias takes 32 to 48, to 52 with lpa=1, and at stage 2 to oas");
	if (!resolve_in(&cfg->levels, armv8_levels(cfg, granule_lg2), armv8_levels(cfg, granule_lg2), armv8_levels(cfg, granule_lg2)))
		return resolve_no(why, "levels follows from ias, oas and stage");
	if (!resolve_in(&cfg->ad, 0, 0, cfg->stage == 1 && !cfg->half))
		return resolve_no(why, "ad takes 0 or, at stage 1 with half=0, 1");
	if (!resolve_tlb(cfg, TLB_ARM, TLB_ARM))
		return resolve_no(why, "tlb takes arm or generic");
	if (!resolve_none(&cfg->negcache))
		return resolve_no(why, "negcache: the SMMU caches no faults, and its drivers do not invalidate after a map");
	sizes &= (UINT64_C(1) << cfg->ias) - 1;
	return pgtable_resolve(cfg, why, sizes, UINT64_C(1) << granule_lg2, true);
}

static int armv8_4k_resolve(struct config *cfg, const char **why)
{
	return armv8_resolve(cfg, why, 12, SZ_4K | SZ_2M | SZ_1G);
}

static int armv8_16k_resolve(struct config *cfg, const char **why)
{
	return armv8_resolve(cfg, why, 14, SZ_16K | SZ_32M);
}

static int armv8_64k_resolve(struct config *cfg, const char **why)
{
	return armv8_resolve(cfg, why, 16, SZ_64K | SZ_512M | (cfg->lpa == 1 ? UINT64_C(1) << 42 : 0));
}

static enum io_pgtable_fmt armv8_setup(const struct config *cfg, struct io_pgtable_cfg *kernel)
{
	kernel->tlb = &pgtable_flush_ops;
	/* Who lets user space choose what is mapped where has no use for warnings. */
	kernel->quirks = (cfg->half ? IO_PGTABLE_QUIRK_ARM_TTBR1 : 0) | (cfg->ad ? IO_PGTABLE_QUIRK_ARM_HD : 0) |
			 (engine_hostile ? IO_PGTABLE_QUIRK_NO_WARN : 0);
	return cfg->stage == 1 ? ARM_64_LPAE_S1 : ARM_64_LPAE_S2;
}

/* Stage 1 has its first level from the width; stage 2 is told it: SL0 counts down from 2, with 4K from Arm's level 0, else from 1. */
static void armv8_root(const struct pgtable_domain *d, u64 *pa, unsigned *level)
{
	if (d->cfg.stage == 1) {
		*pa = d->kernel.arm_lpae_s1_cfg.ttbr;
		*level = armv8_levels(&d->cfg, armv8_granule_lg2(&d->cfg)) - 1;
		return;
	}
	*pa = d->kernel.arm_lpae_s2_cfg.vttbr;
	*level = d->kernel.arm_lpae_s2_cfg.vtcr.sl + (armv8_granule_lg2(&d->cfg) == 12 ? 1u : 0u);
}

static u64 armv8_mair(const struct pgtable_domain *d)
{
	return d->cfg.stage == 1 ? d->kernel.arm_lpae_s1_cfg.mair : 0;
}

/* What is kept back here without engine_all_arguments, docs/findings tells. */
static int armv8_prot(const struct config *cfg, unsigned prot)
{
	bool exec = prot & PROT_X;

	if (!engine_all_arguments)
		exec = cfg->stage == 2 || (exec && !(prot & PROT_PRIV));
	return (prot & PROT_R ? IOMMU_READ : 0) | (prot & PROT_W ? IOMMU_WRITE : 0) | (exec ? 0 : IOMMU_NOEXEC) |
	       (prot & PROT_MMIO    ? IOMMU_MMIO
		: prot & PROT_CACHE ? IOMMU_CACHE
				    : 0) |
	       (prot & PROT_PRIV ? IOMMU_PRIV : 0);
}

static void armv8_traits(const struct config *cfg, struct traits *traits)
{
	traits->prot_ignored_by_mmio = PROT_CACHE;
	if (cfg->stage == 1) {
		/* Write-only becomes read-write. */
		traits->prot_forced = PROT_R;
		traits->prot_ignored_by_priv = engine_all_arguments ? 0 : PROT_X;
	} else {
		traits->prot_ignored = PROT_PRIV;
		traits->prot_forced = engine_all_arguments ? 0 : PROT_X;
	}
	if (cfg->ad)
		traits->set |= TRAIT_BORN_DIRTY;
}

static const struct pgtable_format armv8_format = {
	.setup = armv8_setup,
	.root = armv8_root,
	.granule_lg2 = armv8_granule_lg2,
	.index_lg2 = armv8_index_lg2,
	.mair = armv8_mair,
	.prot = armv8_prot,
	.traits = armv8_traits,
	.gathers = true,
};

PGTABLE_ENGINE(armv8_4k, armv8_4k_configs, armv8_4k_resolve, armv8_format);
PGTABLE_ENGINE(armv8_16k, armv8_16k_configs, armv8_16k_resolve, armv8_format);
PGTABLE_ENGINE(armv8_64k, armv8_64k_configs, armv8_64k_resolve, armv8_format);
