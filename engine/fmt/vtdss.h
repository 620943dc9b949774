/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vtdss.h - Intel VT-d second-stage page tables.
 *
 * Intel Virtualization Technology for Directed I/O, D51397-017 (rev 4.1), section 9.8 "Second-Stage Paging Entries" and section 3.7
 * "Second-Stage Translation". Our level 0 holds SS-PTEs, 1 SS-PDEs, 2 SS-PDPEs, 3 SS-PML4Es, 4 SS-PML5Es.
 */
#ifndef HITLESS_FMT_VTDSS_H
#define HITLESS_FMT_VTDSS_H

#include "../pt.h"
#include "../resolve.h"

#define VTDSS_R (UINT64_C(1) << 0)
#define VTDSS_W (UINT64_C(1) << 1)
#define VTDSS_PS (UINT64_C(1) << 7)                /* page size: a leaf, levels 1 and 2 */
#define VTDSS_A (UINT64_C(1) << 8)                 /* accessed */
#define VTDSS_D (UINT64_C(1) << 9)                 /* dirty, leaf */
#define VTDSS_SNP (UINT64_C(1) << 11)              /* snoop, leaf */
#define VTDSS_ADDRESS UINT64_C(0x000ffffffffff000) /* HAW-1:12, the rest reserved */
#define VTDSS_FLUSHED (UINT64_C(1) << 52)          /* 61:52 are ignored: ours */

static const char *const vtdss_configs[] = {
	"",
	"levels=3 ias=39 oas=39 ad=1 tables=limit",
	"levels=5 ad=1 snp=1 tables=high",
	"levels=4 coherent=0 tables=straddle",
	"levels=3 coherent=0 snp=1 negcache=1",
	"levels=4 snp=1 pgsizes=0x201000 tlb=generic",
	"levels=4 pgsizes=0x40001000 ad=1",
	"levels=5 pgsizes=0x40200000 oas=46",
	"tiny=4 ad=1",
	"tiny=2 coherent=0",
	"tiny=3 snp=1 tlb=generic",
	"tiny=2 ad=1 pgsizes=0x11000",
	NULL,
};

/* Span of one item at level. */
static inline unsigned vtdss_item_lg2(const struct config *cfg, unsigned level)
{
	return 12 + level * (cfg->tiny ? cfg->tiny : 9);
}

static inline int vtdss_resolve(struct config *cfg, const char **why)
{
	uint64_t sizes = 0;
	unsigned level;

	if (cfg->tiny) {
		if (!resolve_tiny(cfg, 12, 4))
			return resolve_no(why, "tiny: levels takes 2 to as many as 8 bits hold, ias is 12 + levels * tiny");
	} else {
		if (!resolve_in(&cfg->levels, 4, 3, 5))
			return resolve_no(why, "levels takes 3 to 5");
		if (!resolve_in(&cfg->ias, 12 + 9 * cfg->levels, 12 + 9 * cfg->levels, 12 + 9 * cfg->levels))
			return resolve_no(why, "ias is 39, 48 or 57 for 3, 4 or 5 levels");
	}
	if (!resolve_in(&cfg->oas, 52, 36, 52))
		return resolve_no(why, "oas takes 36 to 52");
	for (level = 0; level < 3 && level < cfg->levels; level++)
		sizes |= UINT64_C(1) << vtdss_item_lg2(cfg, level);
	if (!resolve_pgsizes(cfg, sizes))
		return resolve_no(why, "pgsizes: 4K, 2M and 1G");
	if (!resolve_in(&cfg->ad, 0, 0, 1) || !resolve_in(&cfg->snp, 0, 0, 1))
		return resolve_no(why, "ad and snp take 0 or 1");
	if (!resolve_tlb(cfg, TLB_VTD, TLB_VTD))
		return resolve_no(why, "tlb takes vtd or generic");
	if (!resolve_none(&cfg->stage) || !resolve_none(&cfg->half) || !resolve_none(&cfg->bbm) || !resolve_none(&cfg->napot) ||
	    !resolve_none(&cfg->pbmt) || !resolve_none(&cfg->sign) || !resolve_none(&cfg->cbit) || !resolve_none(&cfg->lpa))
		return resolve_no(why, "vtdss has no stage, half, bbm, napot, pbmt, sign, cbit, lpa");
	return resolve_common(cfg, why, MODEL_STRONG, true);
}

static inline void vtdss_geometry(struct pt *pt)
{
	unsigned level;

	pt->granule_lg2 = 12;
	pt->top_level_start = pt->top_level_max = pt->cfg.levels - 1;
	for (level = 0; level <= pt->top_level_max; level++) {
		pt->index_lg2[level] = (uint8_t)(pt->cfg.tiny ? pt->cfg.tiny : 9);
		pt->item_lg2[level] = (uint8_t)vtdss_item_lg2(&pt->cfg, level);
		pt->align_lg2[level] = 12;
	}
	pt->low_last = pt_mask(pt->cfg.ias);
	pt->oa_carry_lg2 = 64;
	pt->has_dirty = pt->cfg.ad;
	pt->cap_leaf_to_table = true;
}

/* An entry that neither reads nor writes is not present. */
static inline enum pt_kind vtdss_kind(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	if (!(item & (VTDSS_R | VTDSS_W)))
		return PT_EMPTY;
	return !level || (item & VTDSS_PS) ? PT_LEAF : PT_TABLE;
}

static inline uint64_t vtdss_table_pa(const struct pt *pt, uint64_t item)
{
	(void)pt;
	return item & VTDSS_ADDRESS;
}

static inline uint64_t vtdss_table_item(const struct pt *pt, unsigned level, uint64_t pa)
{
	(void)pt;
	(void)level;
	return pa | VTDSS_R | VTDSS_W;
}

static inline unsigned vtdss_leaf_lg2(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)item;
	return pt->item_lg2[level];
}

static inline uint64_t vtdss_leaf_oa(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	(void)level;
	return item & VTDSS_ADDRESS;
}

static inline uint64_t vtdss_leaf_item(const struct pt *pt, unsigned level, uint64_t oa, unsigned size_lg2, unsigned prot)
{
	uint64_t item = oa | (level ? VTDSS_PS : 0);

	(void)size_lg2;
	item |= prot & PROT_R ? VTDSS_R : 0;
	item |= prot & PROT_W ? VTDSS_W : 0;
	item |= prot & PROT_CACHE ? VTDSS_SNP : 0;
	if (pt->cfg.ad) {
		item |= prot & PT_ACCESSED ? VTDSS_A : 0;
		item |= prot & PT_DIRTY ? VTDSS_D : 0;
	}
	return item;
}

static inline unsigned vtdss_oa_step_lg2(const struct pt *pt, unsigned level)
{
	return pt->item_lg2[level];
}

static inline unsigned vtdss_leaf_prot(const struct pt *pt, unsigned level, uint64_t item)
{
	unsigned prot = 0;

	(void)level;
	prot |= item & VTDSS_R ? PROT_R : 0;
	prot |= item & VTDSS_W ? PROT_W : 0;
	prot |= item & VTDSS_SNP ? PROT_CACHE : 0;
	if (!pt->cfg.ad)
		return prot | PT_ACCESSED | PT_DIRTY;
	prot |= item & VTDSS_A ? PT_ACCESSED : 0;
	prot |= item & VTDSS_D ? PT_DIRTY : 0;
	return prot;
}

static inline bool vtdss_expressible(const struct pt *pt, unsigned prot)
{
	return !(prot & ~(unsigned)(PROT_R | PROT_W | (pt->cfg.snp ? PROT_CACHE : 0)));
}

static inline uint64_t vtdss_make_dirty(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)level;
	return pt->cfg.ad ? item | VTDSS_D : item;
}

static inline uint64_t vtdss_make_clean(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	(void)level;
	return item & ~VTDSS_D;
}

#define FMT_NAME vtdss
#define FMT_ITEM_BYTES_LG2 3
#define FMT_TABLE_FLUSHED VTDSS_FLUSHED
#define fmt_configs vtdss_configs
#define fmt_resolve vtdss_resolve
#define fmt_geometry vtdss_geometry
#define fmt_kind vtdss_kind
#define fmt_table_pa vtdss_table_pa
#define fmt_table_item vtdss_table_item
#define fmt_leaf_lg2 vtdss_leaf_lg2
#define fmt_leaf_oa vtdss_leaf_oa
#define fmt_leaf_item vtdss_leaf_item
#define fmt_group_step_lg2(pt, level) 0
#define fmt_oa_step_lg2 vtdss_oa_step_lg2
#define fmt_leaf_prot vtdss_leaf_prot
#define fmt_expressible vtdss_expressible
#define fmt_make_dirty vtdss_make_dirty
#define fmt_make_clean vtdss_make_clean

#endif
