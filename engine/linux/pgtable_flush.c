/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pgtable_flush.c - the driver below io-pgtable: what it is told to invalidate, as commands of inv_*.c.
 *
 * Leaves are collected, of one size and without gaps, and go out when the caller syncs or something else comes. What lies over a table that is
 * about to be freed goes at once, all levels of it, and is waited for. With a flush queue (defer) nothing is collected: the queue invalidates
 * everything.
 */
#include "pgtable_ops.h"

/* Everything that the domain can hold. */
static void flush_whole(const struct pgtable_domain *d, struct gather *g)
{
	uint64_t all = (UINT64_C(1) << d->cfg.ias) - 1;

	gather_range(g, d->cfg.half ? ~all : 0, d->cfg.half ? UINT64_MAX : all);
	g->levels = 0xff;
	g->tables = true;
	g->table_levels = 0xfe;
}

void pgtable_flush(struct pgtable_domain *d, struct gather *g)
{
	/* A driver's barrier: what was stored comes before the command. */
	mem_fence(d->mem);
	inv_issue(d->mem, &d->cfg, &d->geo, g);
	mem_sync(d->mem);
	gather_release(g);
}

static unsigned flush_level(const struct pgtable_domain *d, unsigned size_lg2)
{
	unsigned level = d->geo.top_level;

	while (level && size_lg2 < d->geo.item_lg2[level])
		level--;
	return level;
}

/* Leaves of one size, or, if it is not known, of any. */
static void flush_collected(const struct pgtable_domain *d, struct gather *g, const struct iommu_iotlb_gather *kernel)
{
	if (kernel->pgsize) {
		unsigned size_lg2 = (unsigned)__ffs(kernel->pgsize);

		gather_leaf(g, kernel->start, kernel->end, flush_level(d, size_lg2), size_lg2);
	} else {
		gather_range(g, kernel->start, kernel->end);
		g->levels = 0xff;
		g->leaf_sizes = d->cfg.pgsizes;
	}
}

void pgtable_gather_end(const struct pgtable_domain *d, struct gather *g, const struct iommu_iotlb_gather *kernel)
{
	if (d->cfg.defer)
		flush_whole(d, g);
	else if (kernel->start <= kernel->end)
		flush_collected(d, g, kernel);
}

static void flush_all(void *cookie)
{
	struct gather g;

	gather_init(&g);
	flush_whole(cookie, &g);
	pgtable_flush(cookie, &g);
}

static void flush_walk(unsigned long iova, size_t bytes, size_t granule, void *cookie)
{
	struct gather g;

	gather_init(&g);
	gather_range(&g, iova, iova + bytes - 1);
	g.levels = 0xff;
	g.leaf_sizes = granule;
	g.tables = true;
	g.table_levels = 0xfe;
	pgtable_flush(cookie, &g);
}

static void flush_page(struct iommu_iotlb_gather *kernel, unsigned long iova, size_t bytes, void *cookie)
{
	struct gather g;

	if ((kernel->pgsize && kernel->pgsize != bytes) || iommu_iotlb_gather_is_disjoint(kernel, iova, bytes)) {
		gather_init(&g);
		flush_collected(cookie, &g, kernel);
		pgtable_flush(cookie, &g);
		iommu_iotlb_gather_init(kernel);
	}
	kernel->pgsize = bytes;
	iommu_iotlb_gather_add_range(kernel, iova, bytes);
}

const struct iommu_flush_ops pgtable_flush_ops = {
	.tlb_flush_all = flush_all,
	.tlb_flush_walk = flush_walk,
	.tlb_add_page = flush_page,
};
