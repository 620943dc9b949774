/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * amdv1.h - AMD I/O page tables for host translations (v1).
 *
 * AMD I/O Virtualization Technology (IOMMU) Specification, 48882 rev 3.09, section 2.2.3 "I/O Page Tables for Host Translations",
 * figures "I/O Page Table Entry" (PTE, PDE) and table "Page Size Encodings". Our level n is the specification's level n + 1.
 *
 * A leaf of the level's own size has Next Level 0; any other power of two has Next Level 7, the size encoded in the address field, and
 * is repeated in every item that it spans. 512G, the own size of level 3, is never made: some hardware reads it wrongly.
 */
#ifndef HITLESS_FMT_AMDV1_H
#define HITLESS_FMT_AMDV1_H

#include "../pt.h"
#include "../resolve.h"

#define AMDV1_PR (UINT64_C(1) << 0) /* present */
#define AMDV1_A (UINT64_C(1) << 5)  /* accessed, leaf */
#define AMDV1_D (UINT64_C(1) << 6)  /* dirty, leaf */
#define AMDV1_NEXT_LEVEL_SHIFT 9    /* 11:9: 0 leaf, 1 to 6 level of the table below, 7 leaf of encoded size */
#define AMDV1_NEXT_LEVEL (UINT64_C(7) << AMDV1_NEXT_LEVEL_SHIFT)
#define AMDV1_ADDRESS UINT64_C(0x000ffffffffff000) /* 51:12 */
#define AMDV1_FC (UINT64_C(1) << 60)               /* force coherent, leaf */
#define AMDV1_IR (UINT64_C(1) << 61)
#define AMDV1_IW (UINT64_C(1) << 62)

#define AMDV1_SIZE_512G (UINT64_C(1) << 39)

static const char *const amdv1_configs[] = {
	"",
	"levels=1 ad=1",
	"levels=6 tables=high",
	"levels=4 ias=48 oas=48 tables=straddle",
	"levels=2 ias=57 oas=40 ad=1 tables=limit",
	"levels=3 oas=47 cbit=47 tables=limit",
	"levels=1 oas=51 cbit=51 ad=1",
	"levels=3 pgsizes=0x40201000",
	"levels=2 pgsizes=0x8000040211000 ad=1",
	"levels=3 pgsizes=0xfffff0000 tlb=generic",
	"tiny=4 ad=1",
	"tiny=3 levels=1",
	"tiny=2 levels=1 ad=1",
	"tiny=2 levels=4 tlb=generic",
	"tiny=4 levels=2 pgsizes=0x15000",
	NULL,
};

static inline unsigned amdv1_index_bits(const struct config *cfg)
{
	return cfg->tiny ? cfg->tiny : 9;
}

static inline unsigned amdv1_top_level_max(const struct config *cfg)
{
	return (cfg->ias - 12u + amdv1_index_bits(cfg) - 1) / amdv1_index_bits(cfg) - 1;
}

static inline int amdv1_resolve(struct config *cfg, const char **why)
{
	unsigned sizes_end, tiny_ias = 12 + 8 / (cfg->tiny ? cfg->tiny : 1) * cfg->tiny;

	if (!resolve_in(&cfg->ias, cfg->tiny ? tiny_ias : 64, cfg->tiny ? 14 : 32, cfg->tiny ? tiny_ias : 64))
		return resolve_no(why, "ias takes 32 to 64 (tiny: up to 8 bits above 12)");
	if (cfg->tiny && (cfg->ias - 12) % cfg->tiny)
		return resolve_no(why, "ias must be 12 and a multiple of tiny");
	if (!resolve_in(&cfg->levels, cfg->tiny ? 1 : 3, 1, amdv1_top_level_max(cfg) + 1))
		return resolve_no(why, "levels takes 1 to what ias needs");
	if (!resolve_in(&cfg->cbit, 0, 0, 51) || (cfg->cbit && cfg->cbit < 43))
		return resolve_no(why, "cbit takes 0 or 43 to 51");
	if (!resolve_in(&cfg->oas, cfg->cbit ? cfg->cbit : 52, 36, cfg->cbit ? cfg->cbit : 52))
		return resolve_no(why, "oas takes 36 to 52, at most cbit");
	sizes_end = 12 + amdv1_index_bits(cfg) * (amdv1_top_level_max(cfg) + 1);
	if (sizes_end > cfg->oas + 1u)
		sizes_end = cfg->oas + 1u;
	if (sizes_end > 52)
		sizes_end = 52;
	if (!resolve_pgsizes(cfg, pt_mask(sizes_end) & ~pt_mask(12) & ~AMDV1_SIZE_512G))
		return resolve_no(why, "pgsizes: powers of two from 4K to 2^51 below the top table's span, not 512G");
	if (!resolve_in(&cfg->ad, 0, 0, 1))
		return resolve_no(why, "ad takes 0 or 1");
	if (!resolve_tlb(cfg, TLB_AMD, TLB_AMD))
		return resolve_no(why, "tlb takes amd or generic");
	if (!resolve_none(&cfg->stage) || !resolve_none(&cfg->half) || !resolve_none(&cfg->bbm) || !resolve_none(&cfg->napot) ||
	    !resolve_none(&cfg->pbmt) || !resolve_none(&cfg->sign) || !resolve_none(&cfg->snp) || !resolve_none(&cfg->lpa))
		return resolve_no(why, "amdv1 has no stage, half, bbm, napot, pbmt, sign, snp, lpa");
	return resolve_common(cfg, why, MODEL_STRONG, false);
}

static inline void amdv1_geometry(struct pt *pt)
{
	unsigned level;

	pt->granule_lg2 = 12;
	pt->top_level_start = pt->cfg.levels - 1;
	pt->top_level_max = (uint8_t)amdv1_top_level_max(&pt->cfg);
	for (level = 0; level <= pt->top_level_max; level++) {
		pt->index_lg2[level] = (uint8_t)amdv1_index_bits(&pt->cfg);
		pt->item_lg2[level] = (uint8_t)(12 + level * amdv1_index_bits(&pt->cfg));
		pt->align_lg2[level] = 12;
	}
	pt->low_last = pt_mask(pt->cfg.ias);
	pt->oa_carry_lg2 = 64;
	pt->has_dirty = pt->cfg.ad;
	pt->cap_size_change = pt->cap_leaf_to_table = true;
}

static inline unsigned amdv1_next_level(uint64_t item)
{
	return (unsigned)((item & AMDV1_NEXT_LEVEL) >> AMDV1_NEXT_LEVEL_SHIFT);
}

static inline enum pt_kind amdv1_kind(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	(void)level;
	if (!(item & AMDV1_PR))
		return PT_EMPTY;
	return amdv1_next_level(item) == 0 || amdv1_next_level(item) == 7 ? PT_LEAF : PT_TABLE;
}

static inline uint64_t amdv1_cbit(const struct pt *pt)
{
	return pt->cfg.cbit ? UINT64_C(1) << pt->cfg.cbit : 0;
}

static inline uint64_t amdv1_table_pa(const struct pt *pt, uint64_t item)
{
	return item & AMDV1_ADDRESS & ~amdv1_cbit(pt);
}

/* Permissions are the AND over the walk, so a table grants everything. */
static inline uint64_t amdv1_table_item(const struct pt *pt, unsigned level, uint64_t pa)
{
	return pa | amdv1_cbit(pt) | AMDV1_PR | AMDV1_IR | AMDV1_IW | (uint64_t)level << AMDV1_NEXT_LEVEL_SHIFT;
}

/* Next Level 7: the lowest clear address bit n, from 12 on, means 2^(n+1) bytes. */
static inline unsigned amdv1_leaf_lg2(const struct pt *pt, unsigned level, uint64_t item)
{
	if (amdv1_next_level(item) == 0)
		return pt->item_lg2[level];
	return (unsigned)__builtin_ctzll(~((item & ~amdv1_cbit(pt)) | pt_mask(12))) + 1;
}

static inline uint64_t amdv1_leaf_oa(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)level;
	return item & AMDV1_ADDRESS & ~amdv1_cbit(pt);
}

static inline uint64_t amdv1_leaf_item(const struct pt *pt, unsigned level, uint64_t oa, unsigned size_lg2, unsigned prot)
{
	uint64_t item = oa | AMDV1_PR;

	if (size_lg2 != pt->item_lg2[level])
		item |= AMDV1_NEXT_LEVEL | (pt_mask(size_lg2 - 1) & ~pt_mask(12));
	item |= prot & PROT_R ? AMDV1_IR : 0;
	item |= prot & PROT_W ? AMDV1_IW : 0;
	item |= prot & PROT_CACHE ? AMDV1_FC : 0;
	item |= prot & PROT_MMIO ? 0 : amdv1_cbit(pt);
	item |= prot & PT_ACCESSED ? AMDV1_A : 0;
	item |= prot & PT_DIRTY ? AMDV1_D : 0;
	return item;
}

static inline unsigned amdv1_group_step_lg2(const struct pt *pt, unsigned level)
{
	(void)pt;
	(void)level;
	return 0;
}

static inline unsigned amdv1_oa_step_lg2(const struct pt *pt, unsigned level)
{
	return pt->item_lg2[level];
}

static inline unsigned amdv1_leaf_prot(const struct pt *pt, unsigned level, uint64_t item)
{
	unsigned prot = 0;

	(void)level;
	prot |= item & AMDV1_IR ? PROT_R : 0;
	prot |= item & AMDV1_IW ? PROT_W : 0;
	prot |= item & AMDV1_FC ? PROT_CACHE : 0;
	prot |= amdv1_cbit(pt) && !(item & amdv1_cbit(pt)) ? PROT_MMIO : 0;
	prot |= item & AMDV1_A ? PT_ACCESSED : 0;
	prot |= item & AMDV1_D ? PT_DIRTY : 0;
	return prot;
}

static inline bool amdv1_expressible(const struct pt *pt, unsigned prot)
{
	if (prot & (PROT_X | PROT_PRIV))
		return false;
	return !(prot & PROT_MMIO) || (pt->cfg.cbit && !(prot & PROT_CACHE));
}

static inline uint64_t amdv1_make_dirty(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	(void)level;
	return item | AMDV1_D;
}

static inline uint64_t amdv1_make_clean(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	(void)level;
	return item & ~AMDV1_D;
}

#define FMT_NAME amdv1
#define FMT_ITEM_BYTES_LG2 3
#define FMT_TABLE_FLUSHED UINT64_C(0)
#define fmt_configs amdv1_configs
#define fmt_resolve amdv1_resolve
#define fmt_geometry amdv1_geometry
#define fmt_kind amdv1_kind
#define fmt_table_pa amdv1_table_pa
#define fmt_table_item amdv1_table_item
#define fmt_leaf_lg2 amdv1_leaf_lg2
#define fmt_leaf_oa amdv1_leaf_oa
#define fmt_leaf_item amdv1_leaf_item
#define fmt_group_step_lg2 amdv1_group_step_lg2
#define fmt_oa_step_lg2 amdv1_oa_step_lg2
#define fmt_leaf_prot amdv1_leaf_prot
#define fmt_expressible amdv1_expressible
#define fmt_make_dirty amdv1_make_dirty
#define fmt_make_clean amdv1_make_clean

#endif
