/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux_riscv64.c - the kernel's RISC-V tables, set up as its RISC-V driver does.
 *
 * The driver presets accessed and dirty. What is not MMIO is asked for with IOMMU_CACHE, as for any device that snoops: the non-cacheable
 * type that the kernel gives the rest under Svpbmt is one that the oracle does not know.
 */
#include "../resolve.h"
#include "linux_ops.h"

struct linux_riscv64 {
	struct linux_domain d;
	struct pt_iommu_riscv_64 table;
};

static const char *const riscv64_configs[] = {
	"",
	"levels=3 napot=0 oas=44 tables=high",
	"levels=3 oas=37 tables=straddle",
	"levels=4 negcache=1 tables=limit",
	"levels=5 tables=limit",
	"levels=5 napot=0 oas=47",
	"levels=4 tlb=generic oas=32",
	"levels=4 pgsizes=0x40011000",
	"levels=4 pgsizes=0x8000210000",
	"levels=5 pgsizes=0x1000000001000",
	"levels=3 defer=1",
	NULL,
};

static int riscv64_resolve(struct config *cfg, const char **why)
{
	uint64_t sizes = 0;
	unsigned level;

	if (!resolve_in(&cfg->levels, 4, 3, 5) ||
	    !resolve_in(&cfg->ias, 12 + 9 * cfg->levels, 12 + 9 * cfg->levels, 12 + 9 * cfg->levels))
		return resolve_no(why, "levels takes 3 to 5, ias is 39, 48 or 57");
	if (!resolve_in(&cfg->oas, 56, 32, 56) || !resolve_in(&cfg->sign, 1, 1, 1))
		return resolve_no(why, "oas takes 32 to 56, sign is 1");
	if (!resolve_in(&cfg->napot, 1, 0, 1) || !resolve_in(&cfg->pbmt, 0, 0, 1))
		return resolve_no(why, "napot and pbmt take 0 or 1");
	if (!resolve_none(&cfg->ad))
		return resolve_no(why, "ad=1: the kernel presets accessed and dirty");
	for (level = 0; level < cfg->levels; level++)
		sizes |= UINT64_C(1) << (12 + 9 * level);
	if (!resolve_tlb(cfg, TLB_RISCV, TLB_RISCV))
		return resolve_no(why, "tlb takes riscv or generic");
	if (!resolve_none(&cfg->cbit) || !resolve_none(&cfg->snp))
		return resolve_no(why, "riscv64 has no cbit, snp");
	return linux_resolve(cfg, why, sizes | (cfg->napot ? SZ_64K : 0), MODEL_WEAK, false);
}

static int riscv64_init(struct linux_domain *d)
{
	struct pt_iommu_riscv_64 *table = &container_of(d, struct linux_riscv64, d)->table;
	struct pt_iommu_riscv_64_cfg cfg = {
		.common.features = BIT(PT_FEAT_SIGN_EXTEND) | BIT(PT_FEAT_FLUSH_RANGE) | BIT(PT_FEAT_DETAILED_GATHER) |
				   (d->cfg.napot ? BIT(PT_FEAT_RISCV_SVNAPOT_64K) : 0) |
				   (d->cfg.pbmt ? BIT(PT_FEAT_RISCV_SVPBMT) : 0),
		.common.hw_max_vasz_lg2 = d->cfg.ias,
		.common.hw_max_oasz_lg2 = d->cfg.oas,
	};

	d->iommu = &table->iommu;
	return pt_iommu_riscv_64_init(table, &cfg, GFP_KERNEL);
}

static void riscv64_root(struct linux_domain *d, u64 *pa, unsigned *level)
{
	struct pt_iommu_riscv_64_hw_info info;

	pt_iommu_riscv_64_hw_info(&container_of(d, struct linux_riscv64, d)->table, &info);
	*pa = info.ppn << PAGE_SHIFT;
	/* iosatp.MODE 8 is Sv39. */
	*level = info.fsc_iosatp_mode - 6u;
}

/* Writable is readable too; there is no privilege. */
static void riscv64_traits(const struct config *cfg, struct traits *traits)
{
	traits->prot_ignored = PROT_PRIV | PROT_CACHE | (cfg->pbmt ? 0 : PROT_MMIO);
	traits->prot_forced_by_write = PROT_R;
}

static const struct linux_format riscv64_format = {
	.bytes = sizeof(struct linux_riscv64),
	.init = riscv64_init,
	.iova_to_phys = pt_iommu_riscv_64_iova_to_phys,
	.read_and_clear_dirty = pt_iommu_riscv_64_read_and_clear_dirty,
	.root = riscv64_root,
	.levels_known = true,
	.traits = riscv64_traits,
};

LINUX_ENGINE(riscv64);
