/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux_amdv1.c - the kernel's AMD v1 tables, set up as its AMD driver does.
 *
 * The driver always forces coherence, takes its tables to be encrypted where the machine is, and begins with three levels.
 */
#include "../resolve.h"
#include "linux_ops.h"

struct linux_amdv1 {
	struct linux_domain d;
	struct pt_iommu_amdv1 table;
};

static const char *const amdv1_configs[] = {
	"",
	"levels=2 ad=1",
	"levels=6 tables=high",
	"levels=4 ias=48 oas=48 tables=straddle",
	"levels=2 ias=57 oas=40 ad=1 tables=limit",
	"levels=3 oas=47 cbit=47 tables=limit",
	"levels=2 oas=51 cbit=51 ad=1",
	"levels=3 pgsizes=0x40201000",
	"levels=2 pgsizes=0x8000040211000 ad=1",
	"levels=3 negcache=1",
	"levels=3 negcache=1 defer=1",
	"levels=2 ad=1 defer=1",
	NULL,
};

static int amdv1_resolve(struct config *cfg, const char **why)
{
	const uint64_t no_512g = ~(UINT64_C(1) << 39);
	unsigned levels_max;

	if (!resolve_in(&cfg->ias, 64, 32, 64))
		return resolve_no(why, "ias takes 32 to 64");
	levels_max = (cfg->ias - 12u + 8) / 9;
	if (!resolve_in(&cfg->levels, 3, 2, levels_max))
		return resolve_no(why, "levels takes 2 to what ias needs: the kernel makes no table of one level");
	if (!resolve_in(&cfg->cbit, 0, 0, 51) || (cfg->cbit && cfg->cbit < 43))
		return resolve_no(why, "cbit takes 0 or 43 to 51");
	if (!resolve_in(&cfg->oas, cfg->cbit ? cfg->cbit : 52, 36, cfg->cbit ? cfg->cbit : 52))
		return resolve_no(why, "oas takes 36 to 52, at most cbit");
	if (!resolve_in(&cfg->ad, 0, 0, 1))
		return resolve_no(why, "ad takes 0 or 1");
	if (!resolve_tlb(cfg, TLB_AMD, TLB_AMD))
		return resolve_no(why, "tlb takes amd or generic");
	if (!resolve_none(&cfg->napot) || !resolve_none(&cfg->pbmt) || !resolve_none(&cfg->sign) || !resolve_none(&cfg->snp))
		return resolve_no(why, "amdv1 has no napot, pbmt, sign, snp");
	return linux_resolve(cfg, why, ((UINT64_C(1) << 52) - 0x1000) & no_512g, MODEL_STRONG, false);
}

static int amdv1_init(struct linux_domain *d)
{
	struct pt_iommu_amdv1 *table = &container_of(d, struct linux_amdv1, d)->table;
	struct pt_iommu_amdv1_cfg cfg = {
		.common.features = BIT(PT_FEAT_DYNAMIC_TOP) | BIT(PT_FEAT_AMDV1_ENCRYPT_TABLES) | BIT(PT_FEAT_AMDV1_FORCE_COHERENCE) |
				   BIT(d->cfg.negcache ? PT_FEAT_FLUSH_RANGE_NO_GAPS : PT_FEAT_FLUSH_RANGE),
		.common.hw_max_vasz_lg2 = d->cfg.ias,
		.common.hw_max_oasz_lg2 = d->cfg.oas,
		.starting_level = d->cfg.levels - 1,
	};

	d->iommu = &table->iommu;
	d->iommu->driver_ops = &linux_driver_ops;
	return pt_iommu_amdv1_init(table, &cfg, GFP_KERNEL);
}

static void amdv1_root(struct linux_domain *d, u64 *pa, unsigned *level)
{
	struct pt_iommu_amdv1_hw_info info;

	pt_iommu_amdv1_hw_info(&container_of(d, struct linux_amdv1, d)->table, &info);
	*pa = info.host_pt_root;
	*level = info.mode - 1u;
}

/* There is no execute permission and no privilege; without an encryption bit there is no MMIO either. */
static void amdv1_traits(const struct config *cfg, struct traits *traits)
{
	traits->prot_ignored = PROT_X | PROT_PRIV | PROT_CACHE | (cfg->cbit ? 0 : PROT_MMIO);
	traits->prot_forced = PROT_CACHE;
}

static const struct linux_format amdv1_format = {
	.bytes = sizeof(struct linux_amdv1),
	.init = amdv1_init,
	.iova_to_phys = pt_iommu_amdv1_iova_to_phys,
	.read_and_clear_dirty = pt_iommu_amdv1_read_and_clear_dirty,
	.root = amdv1_root,
	.traits = amdv1_traits,
};

LINUX_ENGINE(amdv1);
