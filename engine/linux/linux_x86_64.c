/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux_x86_64.c - the kernel's x86-64 tables, set up as its Intel driver does for a first stage and its AMD driver for v2 tables.
 *
 * Both drivers preset accessed and dirty, and neither tracks dirty pages. The AMD driver gives up the half that would be sign extended.
 */
#include "../resolve.h"
#include "linux_ops.h"

struct linux_x86_64 {
	struct linux_domain d;
	struct pt_iommu_x86_64 table;
};

static const char *const x86_64_configs[] = {
	"",
	"levels=5 tables=limit",
	"levels=4 oas=41 tables=straddle",
	"levels=5 sign=0 tlb=vtd tables=high",
	"levels=4 sign=0 oas=36 tables=limit",
	"levels=4 tlb=vtd negcache=1",
	"levels=4 coherent=0 tables=straddle",
	"levels=5 coherent=0 sign=0 negcache=1 oas=47",
	"levels=4 coherent=0 tlb=generic",
	"levels=4 pgsizes=0x40001000 defer=1",
	"levels=4 sign=0 negcache=1 defer=1",
	"levels=5 pgsizes=0x40200000 tlb=generic",
	NULL,
};

static int x86_64_resolve(struct config *cfg, const char **why)
{
	bool incoherent = cfg->coherent == 0 || (cfg->coherent == CONFIG_UNSET && cfg->model == MODEL_INCOHERENT);
	enum config_tlb tlb = incoherent ? TLB_VTD : TLB_AMD;

	if (!resolve_in(&cfg->levels, 4, 4, 5) ||
	    !resolve_in(&cfg->ias, 12 + 9 * cfg->levels, 12 + 9 * cfg->levels, 12 + 9 * cfg->levels))
		return resolve_no(why, "levels takes 4 or 5, ias is 48 or 57");
	if (!resolve_in(&cfg->oas, 52, 36, 52) || !resolve_in(&cfg->sign, 1, 0, 1))
		return resolve_no(why, "oas takes 36 to 52, sign 0 or 1");
	if (!resolve_none(&cfg->ad))
		return resolve_no(why, "ad=1: the kernel presets accessed and dirty");
	if (!resolve_tlb(cfg, tlb, tlb == TLB_AMD ? TLB_VTD : tlb))
		return resolve_no(why, "tlb takes amd, vtd or generic; vtd or generic with coherent=0");
	if (!resolve_none(&cfg->napot) || !resolve_none(&cfg->pbmt) || !resolve_none(&cfg->cbit) || !resolve_none(&cfg->snp))
		return resolve_no(why, "x86_64 has no napot, pbmt, cbit, snp");
	return linux_resolve(cfg, why, SZ_4K | SZ_2M | SZ_1G, MODEL_STRONG, true);
}

static int x86_64_init(struct linux_domain *d)
{
	struct pt_iommu_x86_64 *table = &container_of(d, struct linux_x86_64, d)->table;
	bool no_gaps = d->cfg.negcache && d->cfg.tlb == TLB_AMD;
	struct pt_iommu_x86_64_cfg cfg = {
		.common.features = BIT(no_gaps ? PT_FEAT_FLUSH_RANGE_NO_GAPS : PT_FEAT_FLUSH_RANGE) |
				   (d->cfg.sign ? BIT(PT_FEAT_SIGN_EXTEND) : 0) | (d->cfg.coherent ? 0 : BIT(PT_FEAT_DMA_INCOHERENT)),
		.common.hw_max_vasz_lg2 = d->cfg.ias - !d->cfg.sign,
		.common.hw_max_oasz_lg2 = d->cfg.oas,
		.top_level = d->cfg.levels - 1,
	};

	d->iommu = &table->iommu;
	d->iommu->iommu_device = &d->device;
	return pt_iommu_x86_64_init(table, &cfg, GFP_KERNEL);
}

static void x86_64_root(struct linux_domain *d, u64 *pa, unsigned *level)
{
	struct pt_iommu_x86_64_hw_info info;

	pt_iommu_x86_64_hw_info(&container_of(d, struct linux_x86_64, d)->table, &info);
	*pa = info.gcr3_pt;
	*level = info.levels - 1u;
}

/* Everything is readable, executable and unprivileged, and of one memory type. */
static void x86_64_traits(const struct config *cfg, struct traits *traits)
{
	(void)cfg;
	traits->prot_ignored = PROT_X | PROT_PRIV | PROT_TYPE;
	traits->prot_forced = PROT_R | PROT_X;
}

static const struct linux_format x86_64_format = {
	.bytes = sizeof(struct linux_x86_64),
	.init = x86_64_init,
	.iova_to_phys = pt_iommu_x86_64_iova_to_phys,
	.read_and_clear_dirty = pt_iommu_x86_64_read_and_clear_dirty,
	.root = x86_64_root,
	.traits = x86_64_traits,
};

LINUX_ENGINE(x86_64);
