/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux_vtdss.c - the kernel's VT-d second-stage tables, set up as its Intel driver does.
 *
 * snp=1 is a domain on which cache coherency was enforced before the first map.
 */
#include "../resolve.h"
#include "linux_ops.h"

struct linux_vtdss {
	struct linux_domain d;
	struct pt_iommu_vtdss table;
};

static const char *const vtdss_configs[] = {
	"",
	"levels=3 ias=39 oas=39 ad=1 tables=limit",
	"levels=5 ad=1 snp=1 tables=high",
	"levels=4 coherent=0 tables=straddle",
	"levels=3 coherent=0 snp=1 negcache=1",
	"levels=4 snp=1 pgsizes=0x201000 tlb=generic",
	"levels=4 pgsizes=0x40001000 ad=1 defer=1",
	"levels=5 pgsizes=0x40200000 oas=46",
	"levels=4 coherent=0 defer=1",
	NULL,
};

static int vtdss_resolve(struct config *cfg, const char **why)
{
	if (!resolve_in(&cfg->levels, 4, 3, 5) ||
	    !resolve_in(&cfg->ias, 12 + 9 * cfg->levels, 12 + 9 * cfg->levels, 12 + 9 * cfg->levels))
		return resolve_no(why, "levels takes 3 to 5, ias is 39, 48 or 57");
	if (!resolve_in(&cfg->oas, 52, 36, 52) || !resolve_in(&cfg->ad, 0, 0, 1) || !resolve_in(&cfg->snp, 0, 0, 1))
		return resolve_no(why, "oas takes 36 to 52, ad and snp 0 or 1");
	if (!resolve_tlb(cfg, TLB_VTD, TLB_VTD))
		return resolve_no(why, "tlb takes vtd or generic");
	if (!resolve_none(&cfg->napot) || !resolve_none(&cfg->pbmt) || !resolve_none(&cfg->cbit) || !resolve_none(&cfg->sign))
		return resolve_no(why, "vtdss has no napot, pbmt, cbit, sign");
	return linux_resolve(cfg, why, SZ_4K | SZ_2M | SZ_1G, MODEL_STRONG, true);
}

static int vtdss_init(struct linux_domain *d)
{
	struct pt_iommu_vtdss *table = &container_of(d, struct linux_vtdss, d)->table;
	struct pt_iommu_vtdss_cfg cfg = {
		.common.features = BIT(PT_FEAT_FLUSH_RANGE) | (d->cfg.snp ? BIT(PT_FEAT_VTDSS_FORCE_COHERENCE) : 0) |
				   (d->cfg.coherent ? 0 : BIT(PT_FEAT_DMA_INCOHERENT)),
		.common.hw_max_vasz_lg2 = d->cfg.ias,
		.common.hw_max_oasz_lg2 = d->cfg.oas,
		.top_level = d->cfg.levels - 1,
	};

	d->iommu = &table->iommu;
	d->iommu->iommu_device = &d->device;
	return pt_iommu_vtdss_init(table, &cfg, GFP_KERNEL);
}

static void vtdss_root(struct linux_domain *d, u64 *pa, unsigned *level)
{
	struct pt_iommu_vtdss_hw_info info;

	pt_iommu_vtdss_hw_info(&container_of(d, struct linux_vtdss, d)->table, &info);
	*pa = info.ssptptr;
	/* The address width says how many levels there are: 1 for three. */
	*level = info.aw + 1u;
}

static void vtdss_traits(const struct config *cfg, struct traits *traits)
{
	traits->prot_ignored = PROT_X | PROT_PRIV | PROT_TYPE;
	traits->prot_forced = cfg->snp ? PROT_CACHE : 0;
}

static const struct linux_format vtdss_format = {
	.bytes = sizeof(struct linux_vtdss),
	.init = vtdss_init,
	.iova_to_phys = pt_iommu_vtdss_iova_to_phys,
	.read_and_clear_dirty = pt_iommu_vtdss_read_and_clear_dirty,
	.root = vtdss_root,
	.traits = vtdss_traits,
};

LINUX_ENGINE(vtdss);
