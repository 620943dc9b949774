/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_iommu.h - stands in for the kernel's <linux/iommu.h>: the parts of a domain and of a gather that its page tables use.
 */
#ifndef HITLESS_KERNEL_IOMMU_H
#define HITLESS_KERNEL_IOMMU_H

#include "kernel_memory.h"

enum {
	IOMMU_READ = 1 << 0,
	IOMMU_WRITE = 1 << 1,
	IOMMU_CACHE = 1 << 2,
	IOMMU_NOEXEC = 1 << 3,
	IOMMU_MMIO = 1 << 4,
	IOMMU_PRIV = 1 << 5,
};

#define __IOMMU_DOMAIN_PAGING (1u << 0)
#define IOMMU_DIRTY_NO_CLEAR (1 << 0)

struct iommu_domain_geometry {
	dma_addr_t aperture_start, aperture_end;
	bool force_aperture;
};

struct iommu_domain {
	unsigned type;
	bool is_iommupt;
	unsigned long pgsize_bitmap;
	struct iommu_domain_geometry geometry;
};

struct iommu_pages_list {
	struct list_head pages;
};

#define IOMMU_PAGES_LIST_INIT(name) ((struct iommu_pages_list){ .pages = LIST_HEAD_INIT((name).pages) })

/* [start, end] is what changed, nothing as long as start > end; freelist: tables to free after the invalidation. */
struct iommu_iotlb_gather {
	unsigned long start, end;
	union {
		size_t pgsize;
		struct {
			u8 leaf_levels_bitmap, table_levels_bitmap;
		} pt;
	};
	struct iommu_pages_list freelist;
	bool queued;
};

static inline void iommu_iotlb_gather_init(struct iommu_iotlb_gather *gather)
{
	*gather = (struct iommu_iotlb_gather){ .start = ULONG_MAX };
	INIT_LIST_HEAD(&gather->freelist.pages);
}

static inline bool iommu_iotlb_gather_queued(const struct iommu_iotlb_gather *gather)
{
	return gather && gather->queued;
}

/* Whether something is gathered that neither overlaps nor touches the range. */
static inline bool iommu_iotlb_gather_is_disjoint(const struct iommu_iotlb_gather *gather, unsigned long iova, size_t bytes)
{
	unsigned long last = iova + bytes - 1;

	return gather->end && (last + 1 < gather->start || iova > gather->end + 1);
}

static inline void iommu_iotlb_gather_add_range(struct iommu_iotlb_gather *gather, unsigned long iova, size_t bytes)
{
	unsigned long last = iova + bytes - 1;

	gather->start = iova < gather->start ? iova : gather->start;
	gather->end = last > gather->end ? last : gather->end;
}

/* The driver's part: invalidate what was gathered, wait, free the tables; the gather is empty afterwards. In linux_ops.c. */
void iommu_iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather);

struct iova_bitmap;

struct iommu_dirty_bitmap {
	struct iova_bitmap *bitmap;
	struct iommu_iotlb_gather *gather;
};

/* A leaf of so many bytes is dirty. In linux_host.c. */
void iova_bitmap_set(struct iova_bitmap *bitmap, unsigned long iova, size_t bytes);

static inline void iommu_dirty_bitmap_record(struct iommu_dirty_bitmap *dirty, unsigned long iova, unsigned long bytes)
{
	if (dirty->bitmap)
		iova_bitmap_set(dirty->bitmap, iova, bytes);
	if (dirty->gather)
		iommu_iotlb_gather_add_range(dirty->gather, iova, bytes);
}

#endif
