/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux_pages.c - stands in for the kernel's allocator of table pages: memory is mem's, what is kept beside a page lies beside the arena.
 *
 * The kernel hands out whole pages, aligned to their size, and keeps a list link and the DMA state in the page's descriptor.
 */
#include "linux_pages.h"

#include <stdlib.h>

#include <iommu-pages.h>

static struct ioptdesc *linux_descs;

const bool linux_mapping_may_fail = IOMMU_PAGES_USE_DMA_API;

int linux_pages_init(struct linux_domain *d)
{
	d->descs = calloc(d->mem->view.bytes_nr >> PAGE_SHIFT, sizeof(*d->descs));
	return d->descs ? 0 : -ENOMEM;
}

void linux_pages_release(struct linux_domain *d)
{
	free(d->descs);
}

void linux_pages_use(struct linux_domain *d)
{
	linux_descs = d->descs;
}

struct folio *virt_to_folio(const void *virt)
{
	if (!linux_is_table(virt))
		mem_fail(linux_mem, MEM_FAULT_DOUBLE_FREE, MEM_NONE, "a page that is no table memory");
	return ioptdesc_folio(&linux_descs[linux_offset(virt) >> PAGE_SHIFT]);
}

static void *linux_pages_virt(const struct ioptdesc *desc)
{
	return linux_mem->view.bytes + ((uint64_t)(desc - linux_descs) << PAGE_SHIFT);
}

static size_t linux_pages_bytes(const void *virt)
{
	return mem_view_frame(&linux_mem->view, linux_pa(virt))->bytes;
}

void *iommu_alloc_pages_node_sz(int nid, gfp_t gfp, size_t size)
{
	unsigned lg2 = size > PAGE_SIZE ? (unsigned)fls64(size - 1) : PAGE_SHIFT;
	uint64_t pa = mem_alloc(linux_mem, 1u << lg2, lg2);

	(void)nid;
	(void)gfp;
	if (pa == MEM_NONE)
		return NULL;
	memset(virt_to_ioptdesc(mem_host(linux_mem, pa)), 0, sizeof(struct ioptdesc));
	return mem_host(linux_mem, pa);
}

static void linux_pages_stop(void *virt)
{
	if (virt_to_ioptdesc(virt)->incoherent)
		mem_dma_unmap(linux_mem, linux_pa(virt), (uint32_t)linux_pages_bytes(virt));
	virt_to_ioptdesc(virt)->incoherent = 0;
}

void iommu_free_pages(void *virt)
{
	if (!virt)
		return;
	/* On x86 there is nothing to end; elsewhere the kernel warns if it was not ended before. */
	if (IOMMU_PAGES_USE_DMA_API)
		WARN_ON(virt_to_ioptdesc(virt)->incoherent);
	else
		linux_pages_stop(virt);
	mem_free(linux_mem, virt_to_phys(virt));
}

void linux_pages_free(uint64_t pa)
{
	iommu_free_pages(phys_to_virt(pa));
}

void iommu_put_pages_list(struct iommu_pages_list *list)
{
	struct list_head *at = list->pages.next, *next;

	for (; at != &list->pages; at = next) {
		next = at->next;
		iommu_free_pages(linux_pages_virt(container_of(at, struct ioptdesc, iopt_freelist_elm)));
	}
}

/*
 * The whole page is written back here. Where the DMA API is used the mapping may fail, as the fault injection has it; on x86 it cannot, and
 * its event only says that the device reaches the page from now on.
 */
int iommu_pages_start_incoherent(void *virt, struct device *dma_dev)
{
	uint32_t bytes = (uint32_t)linux_pages_bytes(virt);

	(void)dma_dev;
	if (WARN_ON(virt_to_ioptdesc(virt)->incoherent))
		return -EINVAL;
	if (IOMMU_PAGES_USE_DMA_API) {
		if (!mem_dma_map(linux_mem, virt_to_phys(virt), bytes))
			return -EINVAL;
	} else if (linux_mem->observed) {
		mem_observed_event(linux_mem, MEM_DMA_MAP, virt_to_phys(virt), bytes, 0);
	}
	mem_flush(linux_mem, virt_to_phys(virt), bytes);
	virt_to_ioptdesc(virt)->incoherent = 1;
	return 0;
}

int iommu_pages_start_incoherent_list(struct iommu_pages_list *list, struct device *dma_dev)
{
	struct ioptdesc *desc;
	int ret;

	list_for_each_entry(desc, &list->pages, iopt_freelist_elm) {
		ret = iommu_pages_start_incoherent(linux_pages_virt(desc), dma_dev);
		if (ret)
			return ret;
	}
	return 0;
}

#if IOMMU_PAGES_USE_DMA_API
void iommu_pages_stop_incoherent_list(struct iommu_pages_list *list, struct device *dma_dev)
{
	struct ioptdesc *desc;

	(void)dma_dev;
	list_for_each_entry(desc, &list->pages, iopt_freelist_elm)
		linux_pages_stop(linux_pages_virt(desc));
}

void iommu_pages_free_incoherent(void *virt, struct device *dma_dev)
{
	(void)dma_dev;
	linux_pages_stop(virt);
	iommu_free_pages(virt);
}
#endif

void linux_pages_to_list(struct gather *g, struct iommu_pages_list *list)
{
	size_t i;

	for (i = 0; i < g->free_nr; i++)
		iommu_pages_list_add(list, phys_to_virt(g->free[i].pa));
	g->free_nr = 0;
}

void linux_pages_to_gather(struct iommu_pages_list *list, struct gather *g)
{
	struct ioptdesc *desc;

	/* The level is the adapter's own affair, and it does not need it. */
	list_for_each_entry(desc, &list->pages, iopt_freelist_elm)
		gather_table(g, g->iova, g->last, 1, linux_pa(linux_pages_virt(desc)));
}
