/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux_ops.c - struct engine_ops on top of the kernel's generic page table: the part that all formats share.
 *
 * It plays the two parties that the kernel's code is called by. As its caller it refuses what a caller must not pass (linux_check_map and
 * what is beside it), so that the kernel sees none of it; what the kernel checks itself is left to it. As the IOMMU's driver it turns
 * gathers into invalidations and announces a new root.
 */
#include "linux_ops.h"

#include <stdlib.h>

#include <iommu-pages.h>

#include "../inv.h"
#include "../resolve.h"

static struct linux_domain *linux_now;

static struct linux_domain *linux_of(const struct engine *e)
{
	return (struct linux_domain *)(uintptr_t)e;
}

/* The kernel's code is about to work on d. */
static struct linux_domain *linux_enter(const struct engine *e)
{
	struct linux_domain *d = linux_of(e);

	linux_now = d;
	linux_host_use(&d->host, d->mem, d->cbit, false);
	linux_pages_use(&d->pages);
	return d;
}

/* --- the driver's part --- */

static void linux_change_top(struct pt_iommu *iommu, phys_addr_t top, unsigned int level)
{
	(void)iommu;
	mem_top(linux_mem, top, level);
}

static spinlock_t *linux_top_lock(struct pt_iommu *iommu)
{
	(void)iommu;
	return &linux_now->top_lock;
}

const struct pt_iommu_driver_ops linux_driver_ops = {
	.change_top = linux_change_top,
	.get_top_lock = linux_top_lock,
};

/* Our gather as the kernel's: what it owes already. Tables to free change hands. */
static void linux_gather_begin(struct gather *g, struct iommu_iotlb_gather *kernel)
{
	iommu_iotlb_gather_init(kernel);
	if (!g->owed)
		return;
	kernel->start = g->iova;
	kernel->end = g->last;
	kernel->pt.leaf_levels_bitmap = g->levels;
	kernel->pt.table_levels_bitmap = g->table_levels;
	linux_pages_to_list(g, &kernel->freelist);
}

/*
 * And back. Only with the level bitmaps does the kernel say what changed; otherwise it may have been any leaf, and tables if there are any
 * to free. Nothing is owed where the kernel gathered nothing, which it shows as a range that ends before it starts.
 */
static void linux_gather_end(const struct linux_domain *d, struct gather *g, struct iommu_iotlb_gather *kernel)
{
	bool tables = !list_empty(&kernel->freelist.pages);

	g->owed = g->tables = false;
	if (kernel->start > kernel->end && !tables)
		return;
	g->owed = true;
	g->iova = kernel->start;
	g->last = kernel->end;
	g->leaf_sizes = 0;
	linux_pages_to_gather(&kernel->freelist, g);
	if (d->format->levels_known) {
		g->levels = kernel->pt.leaf_levels_bitmap;
		g->table_levels = kernel->pt.table_levels_bitmap;
		g->tables = g->table_levels;
	} else {
		g->levels = 0xff;
		g->table_levels = tables ? 0xfe : 0;
		g->tables = tables;
	}
}

static void linux_issue(struct linux_domain *d, struct gather *g)
{
	struct inv_geometry geo = { .granule_lg2 = PAGE_SHIFT };
	unsigned level, top;
	size_t i;
	u64 pa;

	d->format->root(d, &pa, &top);
	geo.top_level = (uint8_t)top;
	for (level = 0; level < CONFIG_LEVELS_MAX; level++)
		geo.item_lg2[level] = (uint8_t)(PAGE_SHIFT + 9 * level);
	inv_issue(d->mem, &d->cfg, &geo, g);
	mem_sync(d->mem);
	for (i = 0; i < g->free_nr; i++)
		linux_pages_free(g->free[i].pa);
	gather_release(g);
}

/* Called by the kernel's code itself, when a map has put a leaf over tables or a gather has a gap. */
void iommu_iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	struct gather g;

	(void)domain;
	gather_init(&g);
	linux_gather_end(linux_now, &g, gather);
	if (g.owed)
		linux_issue(linux_now, &g);
	iommu_iotlb_gather_init(gather);
}

/* --- the caller's part --- */

/*
 * Whole smallest pages. Callers keep to them: the IOMMU core made sure of that before it called map_pages, and no longer does where it calls
 * map_range, which finds out about the start alone.
 */
static int linux_check_aligned(const struct linux_domain *d, uint64_t iova, uint64_t last, uint64_t oa)
{
	uint64_t mask = (d->cfg.pgsizes & -d->cfg.pgsizes) - 1;

	return !engine_hostile && (iova | (last + 1) | oa) & mask ? -ENXIO : 0;
}

/*
 * Whether the range lies in the aperture. Callers keep to it. Without sign extension the kernel's own check is left to it; with it, that
 * check lets ranges through that reach into the hole.
 */
static bool linux_in_aperture(const struct linux_domain *d, uint64_t iova, uint64_t last)
{
	uint64_t half = UINT64_C(1) << (d->cfg.ias - 1);

	return engine_hostile || !d->cfg.sign || last < half || iova >= -half;
}

static int linux_check_map(const struct linux_domain *d, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot)
{
	uint64_t oa_last = (UINT64_C(1) << d->cfg.oas) - 1;

	if (last < iova || !(prot & (PROT_R | PROT_W)) || (prot & ~(unsigned)PROT_ALL))
		return -EINVAL;
	/* The kernel has no words for 2^64 bytes. */
	if (!iova && last == UINT64_MAX)
		return -ERANGE;
	/* It looks at the first oa alone. */
	if (!engine_hostile && oa <= oa_last && last - iova > oa_last - oa)
		return -ERANGE;
	if (!linux_in_aperture(d, iova, last))
		return -ERANGE;
	return linux_check_aligned(d, iova, last, oa);
}

static unsigned linux_prot(unsigned prot)
{
	return (prot & PROT_R ? IOMMU_READ : 0) | (prot & PROT_W ? IOMMU_WRITE : 0) | (prot & PROT_X ? 0 : IOMMU_NOEXEC) |
	       (prot & PROT_MMIO ? IOMMU_MMIO : IOMMU_CACHE) | (prot & PROT_PRIV ? IOMMU_PRIV : 0);
}

int linux_op_map(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules)
{
	struct linux_domain *d = linux_enter(e);
	size_t mapped = 0;
	int ret = linux_check_map(d, iova, last, oa, prot);

	*granules = 0;
	if (ret)
		return ret;
	ret = d->iommu->ops->map_range(d->iommu, iova, oa, last - iova + 1, linux_prot(prot), GFP_KERNEL, &mapped);
	*granules = mapped >> PAGE_SHIFT;
	/* Drivers whose IOMMU caches absence invalidate after a map; the page table has no part in it. */
	if (mapped && d->cfg.negcache) {
		gather_range(g, iova, iova + mapped - 1);
		g->levels = 0xff;
	}
	return ret;
}

#ifdef HITLESS_LINUX_CUT
/* As it was proposed, it has no gather: its caller learns of nothing that it would have to invalidate. */
int linux_op_cut(struct engine *e, uint64_t iova, struct gather *g)
{
	struct linux_domain *d = linux_enter(e);
	int ret = linux_check_aligned(d, iova, iova - 1, 0);

	(void)g;
	if (!ret && !linux_in_aperture(d, iova, iova))
		ret = -ERANGE;
	return ret ? ret : d->iommu->ops->cut_mapping(d->iommu, iova, GFP_KERNEL);
}
#else
int linux_op_cut(struct engine *e, uint64_t iova, struct gather *g)
{
	(void)e;
	(void)iova;
	(void)g;
	return -EOPNOTSUPP;
}
#endif

/* Part of linux_op_unmap: at most half of 2^64 bytes at a time can be said in the kernel's words. */
static size_t linux_unmap(struct linux_domain *d, uint64_t iova, uint64_t last, struct gather *g)
{
	struct iommu_iotlb_gather kernel;
	size_t unmapped;

	linux_gather_begin(g, &kernel);
	unmapped = d->iommu->ops->unmap_range(d->iommu, iova, last - iova + 1, &kernel);
	linux_gather_end(d, g, &kernel);
	return unmapped;
}

int linux_op_unmap(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules)
{
	struct linux_domain *d = linux_enter(e);
	uint64_t half = UINT64_C(1) << 63, unmapped;
	int ret = last < iova ? -EINVAL : linux_check_aligned(d, iova, last, 0);

	*granules = 0;
	if (ret || !linux_in_aperture(d, iova, last))
		return ret;
	if (iova || last != UINT64_MAX) {
		*granules = linux_unmap(d, iova, last, g) >> PAGE_SHIFT;
		return 0;
	}
	unmapped = linux_unmap(d, 0, half - 1, g);
	*granules = unmapped >> PAGE_SHIFT;
	if (unmapped == half)
		*granules += linux_unmap(d, half, last, g) >> PAGE_SHIFT;
	return 0;
}

int linux_op_translate(struct engine *e, uint64_t iova, uint64_t *oa)
{
	struct linux_domain *d = linux_enter(e);

	if (!linux_in_aperture(d, iova, iova))
		return -ENOENT;
	*oa = d->format->iova_to_phys(&d->iommu->domain, iova);
	return *oa ? 0 : -ENOENT;
}

static int linux_dirty(struct linux_domain *d, uint64_t iova, uint64_t last, bool clear, struct gather *g, struct iova_bitmap *bitmap)
{
	struct iommu_iotlb_gather kernel;
	struct iommu_dirty_bitmap dirty = { .bitmap = bitmap, .gather = &kernel };
	int ret;

	linux_gather_begin(g, &kernel);
	ret = d->format->read_and_clear_dirty(&d->iommu->domain, iova, last - iova + 1, clear ? 0 : IOMMU_DIRTY_NO_CLEAR, &dirty);
	linux_gather_end(d, g, &kernel);
	return ret;
}

int linux_op_dirty(struct engine *e, uint64_t iova, uint64_t last, bool clear, struct gather *g, engine_dirty_fn *fn, void *arg)
{
	struct linux_domain *d = linux_enter(e);
	struct iova_bitmap bitmap = { fn, arg };
	uint64_t half = UINT64_C(1) << 63;
	int ret = last < iova ? -EINVAL : linux_check_aligned(d, iova, last, 0);

	/* A driver offers this only where the IOMMU keeps dirty state. */
	if (!ret && !d->cfg.ad)
		ret = -EOPNOTSUPP;
	if (!ret && !linux_in_aperture(d, iova, last))
		ret = -ERANGE;
	if (ret)
		return ret;
	if (iova || last != UINT64_MAX)
		return linux_dirty(d, iova, last, clear, g, &bitmap);
	ret = linux_dirty(d, 0, half - 1, clear, g, &bitmap);
	return ret ? ret : linux_dirty(d, half, last, clear, g, &bitmap);
}

void linux_op_sync(struct engine *e, struct gather *g)
{
	struct linux_domain *d = linux_enter(e);

	if (g->owed)
		linux_issue(d, g);
}

void linux_op_root(const struct engine *e, uint64_t *pa, unsigned *level)
{
	struct linux_domain *d = linux_enter(e);
	u64 root;

	d->format->root(d, &root, level);
	*pa = root;
}

/* --- a domain --- */

int linux_create(struct engine **e, struct mem *mem, const struct config *cfg, const struct linux_format *format)
{
	struct linux_domain *d = calloc(1, format->bytes);
	unsigned level;
	u64 root;
	int ret;

	if (!d)
		return -ENOMEM;
	d->mem = mem;
	d->cfg = *cfg;
	d->format = format;
	d->cbit = cfg->cbit ? BIT_ULL(cfg->cbit) : 0;
	if (linux_pages_init(&d->pages, mem, IOMMU_PAGES_USE_DMA_API)) {
		free(d);
		return -ENOMEM;
	}
	linux_enter((struct engine *)(void *)d);
	ret = format->init(d);
	/* The core may narrow the sizes, never add to them. */
	if (!ret && (cfg->pgsizes & ~(uint64_t)d->iommu->domain.pgsize_bitmap)) {
		pt_iommu_deinit(d->iommu);
		ret = -EINVAL;
	}
	if (ret) {
		linux_op_forget((struct engine *)(void *)d);
		return ret == -ENOMEM ? ret : -EINVAL;
	}
	d->iommu->domain.pgsize_bitmap = cfg->pgsizes;
	format->root(d, &root, &level);
	mem_top(mem, root, level);
	*e = (struct engine *)(void *)d;
	return 0;
}

void linux_op_destroy(struct engine *e)
{
	struct linux_domain *d = linux_enter(e);

	pt_iommu_deinit(d->iommu);
	linux_op_forget(e);
}

void linux_op_forget(struct engine *e)
{
	linux_host_release(&linux_of(e)->host);
	linux_pages_release(&linux_of(e)->pages);
	free(linux_of(e));
}

void linux_op_info(const struct engine *e, struct engine_info *info)
{
	const struct linux_domain *d = linux_of(e);

	*info = (struct engine_info){ .granule_lg2 = PAGE_SHIFT };
	/* The kernel declares nothing: it changes what the hardware of the format lets it change. */
	info->cap_size_change = !strcmp(d->cfg.format, "amdv1") || !strcmp(d->cfg.format, "riscv64");
	info->cap_leaf_to_table = true;
	info->traits.set = TRAIT_ARGUMENTS | TRAIT_QUIET_UNMAP | TRAIT_ZERO_IS_HOLE | TRAIT_TOP_IS_BOUND | TRAIT_OWN_SYNC |
			   TRAIT_PROT;
#ifndef HITLESS_LINUX_CUT
	info->traits.set |= TRAIT_NO_CUT;
#endif
	/* Otherwise none gets there. */
	if (engine_hostile)
		info->traits.set |= TRAIT_ANY_BYTES;
	if (d->pages.dma_api)
		info->traits.set |= TRAIT_MAPPING_EINVAL;
	d->format->traits(&d->cfg, &info->traits);
}

int linux_resolve(struct config *cfg, const char **why, uint64_t sizes, enum config_model model, bool may_be_incoherent)
{
	uint64_t below = UINT64_C(1) << (cfg->ias - 1u < cfg->oas ? cfg->ias - 1u : cfg->oas);

	if (cfg->tiny)
		return resolve_no(why, "the linux engine has no tiny geometry");
	/* As the kernel has it: no leaf as large as half of the iovas, or as all oas. */
	if (!resolve_pgsizes(cfg, sizes & (below - 1)))
		return resolve_no(why, "pgsizes: more than the kernel makes: it makes none of 2^(ias-1) or of 2^oas bytes");
	if (!resolve_none(&cfg->stage) || !resolve_none(&cfg->half) || !resolve_none(&cfg->bbm) || !resolve_none(&cfg->lpa))
		return resolve_no(why, "the format has no stage, half, bbm, lpa");
	return resolve_common(cfg, why, model, may_be_incoherent);
}

const struct engine_difference linux_differences[] = {
#ifndef HITLESS_LINUX_CUT
	{ "cut", "-EOPNOTSUPP always", "this tree has no cut_mapping; no released kernel does" },
#endif
	{ "arguments", "any of -EINVAL, -ERANGE, -ENXIO, -EOPNOTSUPP where one of them is due, and -EADDRINUSE or -ENOMEM in place of it",
	  "it does not promise which check comes first, and a top that grows is allocated before the range is found to be too long" },
	{ "map", "-EINVAL without r and w", "its callers pass IOMMU_READ or IOMMU_WRITE; executable alone cannot be asked for" },
	{ "map", "prot is widened, or parts of it have no effect, as the format's line says",
	  "IOMMU_* flags that a format has no bits for are ignored; FORCE_COHERENCE is a property of the domain" },
	{ "unmap", "0 granules and no error for a range outside the aperture", "it returns a size, so that 0 is its only way to fail" },
	{ "unmap, dirty", "ranges that are not whole pages, with --hostile", "its callers pass whole pages; what it does with others goes by leaves" },
	{ "translate", "-ENOENT for an oa of 0 and for an iova outside the aperture", "iova_to_phys returns 0 where there is nothing" },
	{ "cut, unmap, dirty", "a range that reaches above a top that has not grown is outside of the aperture",
	  "callers name only what they mapped, and mapping it would have made the top grow" },
	{ "map, unmap", "invalidations of its own, waited for while others are owed",
	  "a map that puts a leaf over tables frees them itself; a gather that must have no gaps is synced when one would arise" },
	{ "map", "-EINVAL where a table cannot be mapped for a device that does not snoop (not on x86, where it always can)",
	  "iommu_pages_start_incoherent returns that if the DMA API fails" },
	{ NULL, NULL, NULL },
};
