/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pgtable_dart.c - the kernel's APPLE_DART and APPLE_DART2 tables, set up as its Apple DART driver does.
 *
 * The driver has no flush operations: it invalidates the whole stream at each sync, after a map too. io-pgtable allocates each root by itself;
 * here they are parts of one table, as the oracle takes them.
 */
#include "../resolve.h"
#include "pgtable_ops.h"

static const char *const dart_configs[] = {
	"",
	"pgsizes=0x4000 oas=42 tables=high",
	"pgsizes=0x4000 oas=36 tables=limit",
	"pgsizes=0x1000 ias=32 oas=36 tables=straddle",
	"pgsizes=0x1000 ias=31 oas=36",
	"pgsizes=0x1000 ias=30 oas=36 negcache=1",
	"pgsizes=0x4000 oas=42 defer=1",
	"pgsizes=0x1000 ias=32 oas=36 defer=1 tlb=generic",
	NULL,
};

static unsigned dart_granule_lg2(const struct config *cfg)
{
	return (unsigned)__builtin_ctzll(cfg->pgsizes);
}

static unsigned dart_index_lg2(const struct config *cfg)
{
	return dart_granule_lg2(cfg) - 3;
}

/* The iova width of one root with the table below it, log2 of the number of roots above that. */
static unsigned dart_one_root_lg2(const struct config *cfg)
{
	return dart_granule_lg2(cfg) + 2 * dart_index_lg2(cfg);
}

static int dart_resolve(struct config *cfg, const char **why)
{
	unsigned one_root_lg2;

	if (!cfg->pgsizes)
		cfg->pgsizes = SZ_16K;
	if (cfg->pgsizes != SZ_4K && cfg->pgsizes != SZ_16K)
		return resolve_no(why, "pgsizes takes 0x1000 or 0x4000");
	one_root_lg2 = dart_one_root_lg2(cfg);
	if (!resolve_in(&cfg->levels, 2, 2, 2) ||
	    !resolve_in(&cfg->ias, one_root_lg2, one_root_lg2, one_root_lg2 + (cfg->pgsizes == SZ_4K ? 2 : 0)))
		return resolve_no(why, "levels is 2, ias takes 30 to 32 with 4K pages, 36 with 16K");
	if (!resolve_in(&cfg->oas, 36, 36, 42) || (cfg->oas != 36 && (cfg->oas != 42 || cfg->pgsizes != SZ_16K)))
		return resolve_no(why, "oas takes 36 or, with 16K pages, 42");
	if (!resolve_none(&cfg->ad) || !resolve_none(&cfg->stage) || !resolve_none(&cfg->half) || !resolve_none(&cfg->lpa))
		return resolve_no(why, "dart has no ad, stage, half, lpa");
	if (!resolve_tlb(cfg, TLB_DART, TLB_DART))
		return resolve_no(why, "tlb takes dart or generic");
	return pgtable_resolve(cfg, why, cfg->pgsizes, cfg->pgsizes, false);
}

static enum io_pgtable_fmt dart_setup(const struct config *cfg, struct io_pgtable_cfg *kernel)
{
	(void)kernel;
	return cfg->oas == 42 ? APPLE_DART2 : APPLE_DART;
}

static int dart_prepare(struct pgtable_domain *d)
{
	unsigned roots_nr = 1u << (d->cfg.ias - dart_one_root_lg2(&d->cfg));

	return roots_nr > 1 ? linux_pages_join(&d->pages, d->mem, roots_nr, (uint32_t)d->cfg.pgsizes) : 0;
}

static void dart_root(const struct pgtable_domain *d, u64 *pa, unsigned *level)
{
	*pa = d->kernel.apple_dart_cfg.ttbr[0];
	/* Counted with the roots themselves. */
	*level = d->kernel.apple_dart_cfg.n_levels - 2;
}

static int dart_prot(const struct config *cfg, unsigned prot)
{
	(void)cfg;
	return (prot & PROT_R ? IOMMU_READ : 0) | (prot & PROT_W ? IOMMU_WRITE : 0) | (prot & PROT_X ? 0 : IOMMU_NOEXEC) |
	       (prot & PROT_MMIO ? IOMMU_MMIO : 0) | (prot & PROT_CACHE ? IOMMU_CACHE : 0) | (prot & PROT_PRIV ? IOMMU_PRIV : 0);
}

static void dart_traits(const struct config *cfg, struct traits *traits)
{
	traits->prot_ignored = PROT_X | PROT_PRIV | PROT_MMIO | (cfg->oas == 42 ? 0 : PROT_CACHE);
}

static const struct pgtable_format dart_format = {
	.setup = dart_setup,
	.prepare = dart_prepare,
	.root = dart_root,
	.granule_lg2 = dart_granule_lg2,
	.index_lg2 = dart_index_lg2,
	.prot = dart_prot,
	.traits = dart_traits,
	.sync_map = true,
};

PGTABLE_ENGINE(dart, dart_configs, dart_resolve, dart_format);
