/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The made-up format toy, for the generic page table: what docs/new-format.md of hitless specifies.
 *
 * Three levels of 512 items; leaves of 4K at level 0 and of 2M at level 1.
 */
#ifndef __GENERIC_PT_FMT_TOY_H
#define __GENERIC_PT_FMT_TOY_H

#include "defs_toy.h"
#include "../pt_defs.h"

#include <linux/bitfield.h>
#include <linux/container_of.h>
#include <linux/log2.h>

enum {
	PT_MAX_OUTPUT_ADDRESS_LG2 = 44,
	PT_MAX_VA_ADDRESS_LG2 = 39,
	PT_ITEM_WORD_SIZE = sizeof(u64),
	PT_MAX_TOP_LEVEL = 2,
	PT_GRANULE_LG2SZ = 12,
	PT_TABLEMEM_LG2SZ = 12,
	PT_TOP_PHYS_MASK = GENMASK_ULL(43, 12),
};

enum {
	TOY_FMT_P = BIT(0),
	TOY_FMT_T = BIT(1),
	TOY_FMT_W = BIT(2),
	TOY_FMT_ADDR = GENMASK_ULL(39, 8),
};

static inline pt_oaddr_t toy_pt_addr(const struct pt_state *pts)
{
	return oalog2_mul(FIELD_GET(TOY_FMT_ADDR, pts->entry), PT_GRANULE_LG2SZ);
}
#define pt_table_pa toy_pt_addr
#define pt_entry_oa toy_pt_addr

static inline bool toy_pt_can_have_leaf(const struct pt_state *pts)
{
	return pts->level < 2;
}
#define pt_can_have_leaf toy_pt_can_have_leaf

static inline unsigned int toy_pt_num_items_lg2(const struct pt_state *pts)
{
	return PT_TABLEMEM_LG2SZ - ilog2(sizeof(u64));
}
#define pt_num_items_lg2 toy_pt_num_items_lg2

static inline enum pt_entry_type toy_pt_load_entry_raw(struct pt_state *pts)
{
	const u64 *items = pt_cur_table(pts, u64);

	pts->entry = READ_ONCE(items[pts->index]);
	if (!(pts->entry & TOY_FMT_P))
		return PT_ENTRY_EMPTY;
	return pts->entry & TOY_FMT_T ? PT_ENTRY_TABLE : PT_ENTRY_OA;
}
#define pt_load_entry_raw toy_pt_load_entry_raw

static inline void toy_pt_install_leaf_entry(struct pt_state *pts, pt_oaddr_t oa, unsigned int oasz_lg2,
					     const struct pt_write_attrs *attrs)
{
	u64 *items = pt_cur_table(pts, u64);

	if (!pt_check_install_leaf_args(pts, oa, oasz_lg2))
		return;
	pts->entry = attrs->bits | FIELD_PREP(TOY_FMT_ADDR, log2_div(oa, PT_GRANULE_LG2SZ));
	WRITE_ONCE(items[pts->index], pts->entry);
}
#define pt_install_leaf_entry toy_pt_install_leaf_entry

static inline bool toy_pt_install_table(struct pt_state *pts, pt_oaddr_t table_pa, const struct pt_write_attrs *attrs)
{
	return pt_table_install64(pts, TOY_FMT_P | TOY_FMT_T | FIELD_PREP(TOY_FMT_ADDR, log2_div(table_pa, PT_GRANULE_LG2SZ)));
}
#define pt_install_table toy_pt_install_table

static inline void toy_pt_attr_from_entry(const struct pt_state *pts, struct pt_write_attrs *attrs)
{
	attrs->bits = pts->entry & (TOY_FMT_P | TOY_FMT_W);
}
#define pt_attr_from_entry toy_pt_attr_from_entry

static inline unsigned int toy_pt_max_sw_bit(struct pt_common *common)
{
	return 1;
}
#define pt_max_sw_bit toy_pt_max_sw_bit

static inline u64 toy_pt_sw_bit(unsigned int bitnr)
{
	return BIT_ULL(62 + bitnr);
}
#define pt_sw_bit toy_pt_sw_bit

#include <linux/iommu.h>

#define pt_iommu_table pt_iommu_toy

static inline struct pt_common *common_from_iommu(struct pt_iommu *iommu_table)
{
	return &container_of(iommu_table, struct pt_iommu_table, iommu)->toy_pt.common;
}

static inline struct pt_iommu *iommu_from_common(struct pt_common *common)
{
	return &container_of(common, struct pt_iommu_table, toy_pt.common)->iommu;
}

static inline int toy_pt_iommu_set_prot(struct pt_common *common, struct pt_write_attrs *attrs, unsigned int iommu_prot)
{
	/* There is no bit to withhold reads. */
	attrs->bits = TOY_FMT_P | (iommu_prot & IOMMU_WRITE ? TOY_FMT_W : 0);
	return 0;
}
#define pt_iommu_set_prot toy_pt_iommu_set_prot

static inline int toy_pt_iommu_fmt_init(struct pt_iommu_toy *iommu_table, const struct pt_iommu_toy_cfg *cfg)
{
	if (cfg->common.hw_max_vasz_lg2 != PT_MAX_VA_ADDRESS_LG2)
		return -EOPNOTSUPP;
	pt_top_set_level(&iommu_table->toy_pt.common, PT_MAX_TOP_LEVEL);
	return 0;
}
#define pt_iommu_fmt_init toy_pt_iommu_fmt_init

static inline void toy_pt_iommu_fmt_hw_info(struct pt_iommu_toy *table, const struct pt_range *top_range,
					    struct pt_iommu_toy_hw_info *info)
{
	info->root = virt_to_phys(top_range->top_table);
}
#define pt_iommu_fmt_hw_info toy_pt_iommu_fmt_hw_info

#endif
