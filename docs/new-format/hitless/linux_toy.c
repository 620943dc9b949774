/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linux_toy.c - the kernel's toy tables, set up as its driver does. */
#include "../resolve.h"
#include "linux_ops.h"

#include <linux/generic_pt/toy.h>

struct linux_toy {
	struct linux_domain d;
	struct pt_iommu_toy table;
};

static const char *const toy_configs[] = {
	"",
	"tables=limit",
	"tables=straddle negcache=1",
	"coherent=0",
	"coherent=0 pgsizes=0x1000",
	NULL,
};

static int toy_resolve(struct config *cfg, const char **why)
{
	if (!resolve_in(&cfg->levels, 3, 3, 3) || !resolve_in(&cfg->ias, 39, 39, 39) ||
	    !resolve_in(&cfg->oas, 44, 44, 44))
		return resolve_no(why, "toy has levels=3 ias=39 oas=44");
	if (!resolve_tlb(cfg, TLB_GENERIC, TLB_GENERIC))
		return resolve_no(why, "tlb takes generic");
	if (!resolve_none(&cfg->ad) || !resolve_none(&cfg->napot) || !resolve_none(&cfg->pbmt) || !resolve_none(&cfg->cbit) ||
	    !resolve_none(&cfg->sign) || !resolve_none(&cfg->snp))
		return resolve_no(why, "toy has no ad, napot, pbmt, cbit, sign, snp");
	return linux_resolve(cfg, why, UINT64_C(1) << 12 | UINT64_C(1) << 21, MODEL_WEAK, true);
}

static int toy_init(struct linux_domain *d)
{
	struct pt_iommu_toy *table = &container_of(d, struct linux_toy, d)->table;
	struct pt_iommu_toy_cfg cfg = {
		.common.features = BIT(PT_FEAT_FLUSH_RANGE) | (d->cfg.coherent ? 0 : BIT(PT_FEAT_DMA_INCOHERENT)),
		.common.hw_max_vasz_lg2 = d->cfg.ias,
		.common.hw_max_oasz_lg2 = d->cfg.oas,
	};

	d->iommu = &table->iommu;
	d->iommu->iommu_device = &d->device;
	return pt_iommu_toy_init(table, &cfg, GFP_KERNEL);
}

static void toy_root(struct linux_domain *d, u64 *pa, unsigned *level)
{
	struct pt_iommu_toy_hw_info info;

	pt_iommu_toy_hw_info(&container_of(d, struct linux_toy, d)->table, &info);
	*pa = info.root;
	*level = d->cfg.levels - 1u;
}

static void toy_traits(const struct config *cfg, struct traits *traits)
{
	(void)cfg;
	traits->prot_ignored = PROT_X | PROT_PRIV | PROT_TYPE;
	traits->prot_forced = PROT_R;
}

static const struct linux_format toy_format = {
	.bytes = sizeof(struct linux_toy),
	.init = toy_init,
	.iova_to_phys = pt_iommu_toy_iova_to_phys,
	.read_and_clear_dirty = pt_iommu_toy_read_and_clear_dirty,
	.root = toy_root,
	.traits = toy_traits,
};

LINUX_ENGINE(toy);
