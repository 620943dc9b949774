/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux_pages.c - stands in for the kernel's allocator of table pages: memory is mem's, what is kept beside a page lies beside the arena.
 *
 * The kernel hands out whole pages, aligned to their size, and keeps a list link and the DMA state in the page's descriptor; its slab caches
 * hand out tables that are smaller than a page.
 */
/* Both ways of the kernel's header are offered: which one a domain goes, struct linux_pages says. */
#undef CONFIG_X86
#include "linux_pages.h"

#include <stdlib.h>

#include <iommu-pages.h>

static struct linux_pages *linux_pages_now;

int linux_pages_init(struct linux_pages *pages, const struct mem *mem, bool dma_api)
{
	pages->dma_api = dma_api;
	pages->joined = MEM_NONE;
	pages->descs = calloc(mem->view.bytes_nr >> PAGE_SHIFT, sizeof(*pages->descs));
	return pages->descs ? 0 : -ENOMEM;
}

void linux_pages_release(struct linux_pages *pages)
{
	free(pages->descs);
}

void linux_pages_use(struct linux_pages *pages)
{
	linux_pages_now = pages;
}

int linux_pages_join(struct linux_pages *pages, struct mem *mem, unsigned nr, uint32_t bytes)
{
	pages->joined = mem_alloc(mem, nr * bytes, (unsigned)__ffs(nr * bytes));
	pages->refused |= pages->joined == MEM_NONE;
	pages->joined_bytes = bytes;
	pages->joined_nr = pages->joined_live = nr;
	pages->joined_out = 0;
	return pages->joined == MEM_NONE ? -ENOMEM : 0;
}

/* The next part of what was joined, or MEM_NONE. */
static uint64_t linux_pages_part(struct linux_pages *pages, size_t bytes)
{
	if (pages->joined == MEM_NONE || bytes != pages->joined_bytes || pages->joined_out == pages->joined_nr)
		return MEM_NONE;
	return pages->joined + bytes * pages->joined_out++;
}

/* Whether pa is such a part, which has now come back. */
static bool linux_pages_part_back(struct linux_pages *pages, uint64_t pa)
{
	if (pages->joined == MEM_NONE || pa - pages->joined >= pages->joined_bytes * pages->joined_nr)
		return false;
	if (!--pages->joined_live)
		mem_free(linux_mem, pages->joined);
	return true;
}

struct folio *virt_to_folio(const void *virt)
{
	if (!linux_is_table(virt))
		mem_fail(linux_mem, MEM_FAULT_DOUBLE_FREE, MEM_NONE, "a page that is no table memory");
	return ioptdesc_folio(&linux_pages_now->descs[linux_offset(virt) >> PAGE_SHIFT]);
}

static void *linux_pages_virt(const struct ioptdesc *desc)
{
	return linux_mem->view.bytes + ((uint64_t)(desc - linux_pages_now->descs) << PAGE_SHIFT);
}

static size_t linux_pages_bytes(const void *virt)
{
	return mem_view_frame(&linux_mem->view, linux_pa(virt))->bytes;
}

static uint64_t linux_pages_alloc(uint32_t bytes, unsigned align_lg2)
{
	uint64_t pa = mem_alloc(linux_mem, bytes, align_lg2);

	linux_pages_now->refused |= pa == MEM_NONE;
	return pa;
}

void *iommu_alloc_pages_node_sz(int nid, gfp_t gfp, size_t size)
{
	unsigned lg2 = size > PAGE_SIZE ? (unsigned)fls64(size - 1) : PAGE_SHIFT;
	uint64_t pa = linux_pages_part(linux_pages_now, size);

	(void)nid;
	(void)gfp;
	if (pa == MEM_NONE)
		pa = linux_pages_alloc(1u << lg2, lg2);
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
	if (linux_pages_now->dma_api)
		WARN_ON(virt_to_ioptdesc(virt)->incoherent);
	else
		linux_pages_stop(virt);
	if (!linux_pages_part_back(linux_pages_now, virt_to_phys(virt)))
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
	if (linux_pages_now->dma_api) {
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

	list_for_each_entry(desc, &list->pages, iopt_freelist_elm)
	{
		ret = iommu_pages_start_incoherent(linux_pages_virt(desc), dma_dev);
		if (ret)
			return ret;
	}
	return 0;
}

void iommu_pages_stop_incoherent_list(struct iommu_pages_list *list, struct device *dma_dev)
{
	struct ioptdesc *desc;

	(void)dma_dev;
	list_for_each_entry(desc, &list->pages, iopt_freelist_elm) linux_pages_stop(linux_pages_virt(desc));
}

void iommu_pages_free_incoherent(void *virt, struct device *dma_dev)
{
	(void)dma_dev;
	linux_pages_stop(virt);
	iommu_free_pages(virt);
}

/* --- the DMA API by itself --- */

dma_addr_t dma_map_single(struct device *dev, void *virt, size_t bytes, enum dma_data_direction direction)
{
	(void)dev;
	(void)direction;
	if (!mem_dma_map(linux_mem, virt_to_phys(virt), (uint32_t)bytes))
		return 0;
	mem_flush(linux_mem, virt_to_phys(virt), bytes);
	return virt_to_phys(virt);
}

void dma_unmap_single(struct device *dev, dma_addr_t pa, size_t bytes, enum dma_data_direction direction)
{
	(void)dev;
	(void)direction;
	mem_dma_unmap(linux_mem, pa, (uint32_t)bytes);
}

/* --- pages without a descriptor, and tables smaller than a page --- */

struct kmem_cache {
	unsigned int bytes, align;
};

unsigned int get_order(unsigned long bytes)
{
	return bytes > PAGE_SIZE ? (unsigned)fls64(bytes - 1) - PAGE_SHIFT : 0;
}

unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	uint64_t pa = linux_pages_alloc((uint32_t)(PAGE_SIZE << order), PAGE_SHIFT + order);

	(void)gfp;
	return pa == MEM_NONE ? 0 : (unsigned long)mem_host(linux_mem, pa);
}

void free_pages(unsigned long virt, unsigned int order)
{
	(void)order;
	mem_free(linux_mem, virt_to_phys((void *)virt));
}

struct kmem_cache *kmem_cache_create(const char *name, unsigned int bytes, unsigned int align, slab_flags_t flags, void (*ctor)(void *))
{
	struct kmem_cache *cache = kzalloc_obj(*cache);

	(void)name;
	(void)flags;
	(void)ctor;
	*cache = (struct kmem_cache){ bytes, align };
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	kfree(cache);
}

void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp)
{
	uint64_t pa = linux_pages_alloc(cache->bytes, (unsigned)__ffs(cache->align));

	(void)gfp;
	return pa == MEM_NONE ? NULL : mem_host(linux_mem, pa);
}

void kmem_cache_free(struct kmem_cache *cache, void *table)
{
	(void)cache;
	mem_free(linux_mem, virt_to_phys(table));
}

/* --- tables that wait for an invalidation --- */

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
	list_for_each_entry(desc, &list->pages, iopt_freelist_elm) gather_table(g, g->iova, g->last, 1, linux_pa(linux_pages_virt(desc)));
}
