/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The made-up format toy: what a driver includes.
 *
 * A real format puts these into linux/generic_pt/common.h and linux/generic_pt/iommu.h, with IOMMU_FORMAT().
 */
#ifndef __LINUX_GENERIC_PT_TOY_H
#define __LINUX_GENERIC_PT_TOY_H

#include <linux/generic_pt/common.h>
#include <linux/generic_pt/iommu.h>

struct pt_toy {
	struct pt_common common;
};

struct pt_iommu_toy {
	struct pt_iommu iommu;
	struct pt_toy toy_pt;
};

struct pt_iommu_toy_cfg {
	struct pt_iommu_cfg common;
};

struct pt_iommu_toy_hw_info {
	u64 root;
};

int pt_iommu_toy_init(struct pt_iommu_toy *table, const struct pt_iommu_toy_cfg *cfg, gfp_t gfp);
void pt_iommu_toy_hw_info(struct pt_iommu_toy *table, struct pt_iommu_toy_hw_info *info);
phys_addr_t pt_iommu_toy_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova);
int pt_iommu_toy_read_and_clear_dirty(struct iommu_domain *domain, unsigned long iova, size_t size, unsigned long flags,
				      struct iommu_dirty_bitmap *dirty);

#endif
