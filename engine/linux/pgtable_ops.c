/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pgtable_ops.c - struct engine_ops on top of the kernel's io-pgtable: the part that all formats share.
 *
 * It plays the two parties above io-pgtable. As the IOMMU core (__iommu_map_domain_pgtbl and its like for unmap) it chooses page sizes and
 * calls until all is done. As the core's caller it passes only what a caller may pass: nothing that overlaps what is mapped, no hole, no part
 * of a leaf, which the record of what was mapped tells (pgtable_record.h). With engine_hostile it passes them.
 */
#include "pgtable_ops.h"

#include <stdlib.h>

#include "../resolve.h"

static struct pgtable_domain *pgtable_of(const struct engine *e)
{
	return (struct pgtable_domain *)(uintptr_t)e;
}

/* The kernel's code is about to work on d. */
static struct pgtable_domain *pgtable_enter(const struct engine *e)
{
	struct pgtable_domain *d = pgtable_of(e);

	linux_host_use(&d->host, d->mem, 0, engine_hostile);
	linux_pages_use(&d->pages);
	return d;
}

/* --- the caller's part --- */

static uint64_t pgtable_first(const struct pgtable_domain *d)
{
	return d->cfg.half ? -(UINT64_C(1) << d->cfg.ias) : 0;
}

static uint64_t pgtable_last(const struct pgtable_domain *d)
{
	return d->cfg.half ? UINT64_MAX : (UINT64_C(1) << d->cfg.ias) - 1;
}

static bool pgtable_in_aperture(const struct pgtable_domain *d, uint64_t iova, uint64_t last)
{
	return engine_hostile || (iova >= pgtable_first(d) && last <= pgtable_last(d));
}

/* Whole smallest pages: the core makes sure of that itself. */
static bool pgtable_aligned(const struct pgtable_domain *d, uint64_t iova, uint64_t last, uint64_t oa)
{
	return !((iova | (last + 1) | oa) & ((d->cfg.pgsizes & -d->cfg.pgsizes) - 1));
}

/*
 * The largest page that may begin here, and how many of them are to be asked for at once: as far as the next place where a larger one begins, if
 * there is room for that. Of oa and iova only the alignment counts.
 */
static uint64_t pgtable_chunk(uint64_t pgsizes, uint64_t iova, uint64_t oa, uint64_t bytes, uint64_t *nr)
{
	uint64_t align = iova | oa, sizes = pgsizes, page, larger, ahead;

	sizes &= (UINT64_C(2) << (63 - __builtin_clzll(bytes))) - 1;
	/* 0 is a multiple of every size. */
	if (align)
		sizes &= 2 * (align & -align) - 1;
	page = UINT64_C(1) << (63 - __builtin_clzll(sizes));
	larger = pgsizes & -(2 * page);
	larger &= -larger;
	*nr = bytes / page;
	if (!larger || (iova ^ oa) & (larger - 1))
		return page;
	ahead = larger - (align & (larger - 1));
	if (ahead + larger >= ahead && ahead + larger <= bytes)
		*nr = ahead / page;
	return page;
}

static int pgtable_check_map(const struct pgtable_domain *d, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot)
{
	uint64_t oa_last = (UINT64_C(1) << d->cfg.oas) - 1;
	const struct pgtable_run *run;

	if (last < iova || !(prot & (PROT_R | PROT_W)) || (prot & ~(unsigned)PROT_ALL))
		return -EINVAL;
	if (!iova && last == UINT64_MAX)
		return -ERANGE;
	if (!pgtable_in_aperture(d, iova, last))
		return -ERANGE;
	/* The first oa of each call is looked at by the kernel's code, and no other. */
	if (!engine_hostile && (oa > oa_last || last - iova > oa_last - oa))
		return -ERANGE;
	if (!pgtable_aligned(d, iova, last, oa))
		return -ENXIO;
	run = pgtable_record_from(&d->mapped, iova);
	return !engine_hostile && run && run->iova <= last ? -EADDRINUSE : 0;
}

int pgtable_op_map(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules)
{
	struct pgtable_domain *d = pgtable_enter(e);
	int ret = pgtable_check_map(d, iova, last, oa, prot);
	uint64_t left = last - iova + 1, page, nr;

	*granules = 0;
	if (ret)
		return ret;
	prot = (unsigned)d->format->prot(&d->cfg, prot);
	while (left && !ret) {
		size_t mapped = 0;

		page = pgtable_chunk(d->cfg.pgsizes, iova, oa, left, &nr);
		ret = d->ops->map_pages(d->ops, iova, oa, page, nr, (int)prot, GFP_KERNEL, &mapped);
		if (mapped)
			pgtable_record_add(&d->mapped, iova, iova + mapped - 1, (unsigned)__ffs(page));
		/* The core would ask again for ever. */
		if (!ret && !mapped)
			mem_fail(d->mem, MEM_FAULT_INVARIANT, MEM_NONE, "map_pages succeeded and mapped nothing");
		*granules += mapped >> d->geo.granule_lg2;
		iova += mapped;
		oa += mapped;
		left -= mapped;
	}
	mem_plain_settle(d->mem);
	if (*granules && (d->format->sync_map || d->cfg.negcache)) {
		gather_range(g, last + 1 - left - (*granules << d->geo.granule_lg2), last - left);
		g->levels = 0xff;
		g->leaf_sizes = d->cfg.pgsizes;
	}
	return ret == -EEXIST ? -EADDRINUSE : ret;
}

int pgtable_op_cut(struct engine *e, uint64_t iova, struct gather *g)
{
	(void)e;
	(void)iova;
	(void)g;
	return -EOPNOTSUPP;
}

int pgtable_op_unmap(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules)
{
	struct pgtable_domain *d = pgtable_enter(e);
	struct iommu_iotlb_gather kernel;
	uint64_t left, page, nr;
	size_t done;

	*granules = 0;
	if (last < iova)
		return -EINVAL;
	if (!pgtable_aligned(d, iova, last, 0))
		return -ENXIO;
	if (!pgtable_in_aperture(d, iova, last) || (!iova && last == UINT64_MAX))
		return 0;
	if (!engine_hostile && !pgtable_record_extent(&d->mapped, iova, last, &last))
		return 0;
	iommu_iotlb_gather_init(&kernel);
	kernel.queued = d->cfg.defer;
	for (left = last - iova + 1; left; left -= done) {
		page = pgtable_chunk(d->cfg.pgsizes, iova, iova, left, &nr);
		done = d->ops->unmap_pages(d->ops, iova, page, nr, &kernel);
		if (!done)
			break;
		pgtable_record_remove(&d->mapped, iova, iova + done - 1);
		/* As the core does for a driver that collects nothing. */
		if (!d->format->gathers)
			iommu_iotlb_gather_add_range(&kernel, iova, done);
		*granules += done >> d->geo.granule_lg2;
		iova += done;
	}
	mem_plain_settle(d->mem);
	if (*granules)
		pgtable_gather_end(d, g, &kernel);
	return 0;
}

int pgtable_op_translate(struct engine *e, uint64_t iova, uint64_t *oa)
{
	struct pgtable_domain *d = pgtable_enter(e);

	if (!pgtable_in_aperture(d, iova, iova))
		return -ENOENT;
	*oa = d->ops->iova_to_phys(d->ops, iova);
	return *oa ? 0 : -ENOENT;
}

/*
 * What is mapped of the range, from hole to hole: a caller asks for none. It may ask from the middle of a leaf on; what comes of that is known
 * (docs/findings), so that otherwise the parts begin with a leaf.
 */
static int pgtable_dirty(struct pgtable_domain *d, uint64_t iova, uint64_t last, unsigned long flags, struct iommu_dirty_bitmap *dirty)
{
	const struct pgtable_run *run = pgtable_record_from(&d->mapped, iova);
	uint64_t from, to;
	int ret = 0;

	while (!ret && run && run->iova <= last) {
		from = run->iova > iova ? run->iova : iova;
		if (!engine_all_arguments)
			from &= -(UINT64_C(1) << run->size_lg2);
		do {
			to = run->last;
			run = pgtable_record_from(&d->mapped, to + 1);
		} while (to < last && run && run->iova == to + 1);
		to = to < last ? to : last;
		ret = d->ops->read_and_clear_dirty(d->ops, from, to - from + 1, flags, dirty);
	}
	return ret;
}

int pgtable_op_dirty(struct engine *e, uint64_t iova, uint64_t last, bool clear, struct gather *g, engine_dirty_fn *fn, void *arg)
{
	struct pgtable_domain *d = pgtable_enter(e);
	struct iova_bitmap bitmap = { fn, arg };
	struct iommu_iotlb_gather kernel;
	struct iommu_dirty_bitmap dirty = { .bitmap = &bitmap, .gather = &kernel };
	int ret;

	if (last < iova)
		return -EINVAL;
	if (!pgtable_aligned(d, iova, last, 0))
		return -ENXIO;
	if (!d->cfg.ad)
		return -EOPNOTSUPP;
	if (iova < pgtable_first(d) || last > pgtable_last(d))
		return -ERANGE;
	iommu_iotlb_gather_init(&kernel);
	ret = pgtable_dirty(d, iova, last, clear ? 0 : IOMMU_DIRTY_NO_CLEAR, &dirty);
	mem_plain_settle(d->mem);
	/* The driver's sync goes by the size of the pages collected, which a dirty report does not set; likewise. */
	if (clear && kernel.start <= kernel.end && !engine_all_arguments)
		pgtable_gather_end(d, g, &kernel);
	return ret;
}

void pgtable_op_sync(struct engine *e, struct gather *g)
{
	struct pgtable_domain *d = pgtable_enter(e);

	if (g->owed)
		pgtable_flush(d, g);
}

void pgtable_op_root(const struct engine *e, uint64_t *pa, unsigned *level)
{
	const struct pgtable_domain *d = pgtable_of(e);
	u64 root;

	d->format->root(d, &root, level);
	*pa = root;
}

/* --- a domain --- */

static void pgtable_geometry(struct pgtable_domain *d)
{
	unsigned level, top, granule_lg2 = d->format->granule_lg2(&d->cfg);
	u64 root;

	d->format->root(d, &root, &top);
	d->geo = (struct inv_geometry){ .granule_lg2 = (uint8_t)granule_lg2, .top_level = (uint8_t)top };
	for (level = 0; level < CONFIG_LEVELS_MAX; level++)
		d->geo.item_lg2[level] = (uint8_t)(granule_lg2 + level * d->format->index_lg2(&d->cfg));
}

int pgtable_create(struct engine **e, struct mem *mem, const struct config *cfg, const struct pgtable_format *format)
{
	struct pgtable_domain *d = calloc(1, sizeof(*d));
	enum io_pgtable_fmt fmt;
	unsigned level;
	u64 root;
	int ret;

	if (!d)
		return -ENOMEM;
	*e = (struct engine *)(void *)d;
	d->mem = mem;
	d->cfg = *cfg;
	d->format = format;
	if (linux_pages_init(&d->pages, mem, true)) {
		free(d);
		return -ENOMEM;
	}
	pgtable_enter(*e);
	d->kernel = (struct io_pgtable_cfg){
		.pgsize_bitmap = cfg->pgsizes,
		.ias = cfg->ias,
		.oas = cfg->oas,
		.coherent_walk = cfg->coherent,
		.iommu_dev = &d->device,
	};
	fmt = format->setup(cfg, &d->kernel);
	d->ops = format->prepare && format->prepare(d) ? NULL : alloc_io_pgtable_ops(fmt, &d->kernel, d);
	mem_plain_settle(mem);
	if (d->ops) {
		pgtable_geometry(d);
		format->root(d, &root, &level);
	}
	/* It takes what it is given, or less, or nothing: then our ->resolve has let something through that it should not have. */
	if (!d->ops || d->kernel.pgsize_bitmap != cfg->pgsizes || d->kernel.ias != cfg->ias || d->kernel.oas != cfg->oas ||
	    level != cfg->levels - 1u) {
		ret = d->pages.refused ? -ENOMEM : -EINVAL;
		pgtable_op_forget(*e);
		return ret;
	}
	mem_top(mem, root, level);
	return 0;
}

void pgtable_op_destroy(struct engine *e)
{
	struct pgtable_domain *d = pgtable_enter(e);

	free_io_pgtable_ops(d->ops);
	mem_plain_settle(d->mem);
	pgtable_op_forget(e);
}

void pgtable_op_forget(struct engine *e)
{
	struct pgtable_domain *d = pgtable_of(e);

	linux_host_release(&d->host);
	linux_pages_release(&d->pages);
	pgtable_record_release(&d->mapped);
	free(d);
}

void pgtable_op_info(const struct engine *e, struct engine_info *info)
{
	const struct pgtable_domain *d = pgtable_of(e);

	*info = (struct engine_info){ .granule_lg2 = d->geo.granule_lg2 };
	if (d->format->mair)
		info->arm_mair = d->format->mair(d);
	/* No live entry is ever replaced by another. */
	info->traits.set = TRAIT_NO_CUT | TRAIT_ARGUMENTS | TRAIT_QUIET_UNMAP | TRAIT_ZERO_IS_HOLE | TRAIT_OWN_SYNC | TRAIT_PROT |
			   TRAIT_SHORT_MAP | TRAIT_WHOLE_LEAVES | TRAIT_TABLES_BY_SIZE;
	d->format->traits(&d->cfg, &info->traits);
}

int pgtable_resolve(struct config *cfg, const char **why, uint64_t sizes, uint64_t granule, bool may_be_incoherent)
{
	if (cfg->tiny)
		return resolve_no(why, "the iopgtable engine has no tiny geometry");
	if (!resolve_pgsizes(cfg, sizes) || (cfg->pgsizes & granule) != granule)
		return resolve_no(
			why,
			"pgsizes: sizes that io-pgtable makes, none of them contiguous groups but armv7s's, and with them the granule");
	if (!resolve_none(&cfg->napot) || !resolve_none(&cfg->pbmt) || !resolve_none(&cfg->sign) || !resolve_none(&cfg->cbit) ||
	    !resolve_none(&cfg->snp) || !resolve_none(&cfg->bbm))
		return resolve_no(why, "io-pgtable has no napot, pbmt, sign, cbit, snp, and makes no use of bbm");
	return resolve_common(cfg, why, MODEL_WEAK, may_be_incoherent);
}

const struct engine_difference pgtable_differences[] = {
	{ "cut", "-EOPNOTSUPP always", "no released kernel has the operation" },
	{ "arguments", "any of -EINVAL, -ERANGE, -ENXIO, -EOPNOTSUPP where one of them is due",
	  "it does not promise which check comes first" },
	{ "map", "-EINVAL without r and w", "its callers pass IOMMU_READ or IOMMU_WRITE; executable alone cannot be asked for" },
	{ "map", "prot is widened, or parts of it have no effect, as the format's line says",
	  "IOMMU_* flags that a format has no bits for are ignored" },
	{ "map", "on -EADDRINUSE there may be fewer leaves than those before the first conflict, and there are none without --hostile",
	  "its callers never map over a mapping: it warns, or does not notice; a caller looks before it maps" },
	{ "unmap", "a last leaf that the range covers only in part stays",
	  "it warns where part of a large leaf is to be unmapped, and removes nothing" },
	{ "unmap", "frees a table only together with a block that one of the enabled page sizes spans, and on dart none",
	  "the entry that a block would take is cleared with all that is below it; nothing counts the entries of a table" },
	{ "unmap", "0 granules and no error for a range outside the aperture", "it returns a size, so that 0 is its only way to fail" },
	{ "translate", "-ENOENT for an oa of 0 and for an iova outside the aperture", "iova_to_phys returns 0 where there is nothing" },
	{ "map, unmap", "invalidations of its own, waited for while others are owed",
	  "tlb_flush_walk comes before a table is freed; pages of one size without gaps are collected, and synced when others come" },
	{ "dirty", "a writable leaf is dirty from the start (armv8 stage 1 with ad=1)",
	  "the kernel sets DBM with the entry writable; callers clear first" },
	{ "dirty", "without --all-arguments, asked for from the start of the leaf that the range begins in",
	  "see docs/findings: io-pgtable loses entries otherwise" },
	{ "map", "without --all-arguments, stage 2 leaves are executable, and privileged stage 1 leaves are not", "see docs/findings" },
	{ NULL, NULL, NULL },
};
