/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * armv7s.h - Armv7 VMSA short-descriptor translation tables.
 *
 * Arm Architecture Reference Manual, ARMv7-A and ARMv7-R edition, DDI 0406C.d: B3.5 "Short-descriptor translation table format" (B3.5.1
 * descriptors), B3.7 "Memory access control" (AP[2:1] with SCTLR.AFE = 1, XN), B3.8.2 "Short-descriptor format memory region attributes,
 * without TEX remap". Our level 1 is the first-level table, 0 the second-level one.
 *
 * SCTLR.AFE = 1: AP[0] is the access flag, which nothing here clears. SCTLR.TRE = 0. Domain 0. TTBCR.N = 0. A supersection's oa is 32
 * bits: PA[39:32], bits 23:20 and 8:5, is zero. In the tiny geometry its address field begins at its size, as every leaf's does.
 */
#ifndef HITLESS_FMT_ARMV7S_H
#define HITLESS_FMT_ARMV7S_H

#include "../pt.h"
#include "../resolve.h"

#define ARMV7S_TYPE UINT64_C(3)
#define ARMV7S_TABLE UINT64_C(1) /* level 1 */
#define ARMV7S_B (UINT64_C(1) << 2)
#define ARMV7S_C (UINT64_C(1) << 3)
#define ARMV7S_SUPERSECTION (UINT64_C(1) << 18)
#define ARMV7S_TABLE_ADDRESS UINT64_C(0xfffffc00) /* 31:10 */

/*
 * Where a kind of leaf has its fields (B3.5.1).
 *
 * @type: value of bits 1:0, XN apart
 * @xn:   execute never
 * @ap:   AP[1:0]: access flag, then unprivileged access
 * @ap2:  AP[2]: read only
 * @tex:  TEX[2:0]
 * @s:    shareable
 * @ng:   not global
 */
struct armv7s_layout {
	uint8_t type, xn, ap, ap2, tex, s, ng;
};

static const struct armv7s_layout armv7s_small = { .type = 2, .xn = 0, .ap = 4, .ap2 = 9, .tex = 6, .s = 10, .ng = 11 };
static const struct armv7s_layout armv7s_large = { .type = 1, .xn = 15, .ap = 4, .ap2 = 9, .tex = 12, .s = 10, .ng = 11 };
static const struct armv7s_layout armv7s_section = { .type = 2, .xn = 4, .ap = 10, .ap2 = 15, .tex = 12, .s = 16, .ng = 17 };

static const char *const armv7s_configs[] = {
	"",
	"tables=limit",
	"coherent=0 tables=high",
	"coherent=0 negcache=1",
	"coherent=0 tlb=generic",
	"negcache=1 tlb=generic",
	"pgsizes=0x100000",
	"pgsizes=0x1001000",
	"coherent=0 pgsizes=0x110000",
	"pgsizes=0x111000 tables=limit",
	"tiny=4",
	"tiny=3 coherent=0",
	"tiny=2 tlb=generic",
	"tiny=3 pgsizes=0x220000",
	"tiny=4 pgsizes=0x110000 coherent=0",
	NULL,
};

/* Span of one item at level; a section stays 1M in the tiny geometry. */
static inline unsigned armv7s_item_lg2(const struct config *cfg, unsigned level)
{
	if (level)
		return 20;
	return cfg->tiny ? 20u - cfg->tiny : 12;
}

/* Items of a large page or supersection, base-2 logarithm. */
static inline unsigned armv7s_contig_lg2(const struct config *cfg, unsigned level)
{
	return cfg->tiny ? config_tiny_contig_lg2(cfg->tiny, level) : 4;
}

static inline int armv7s_resolve(struct config *cfg, const char **why)
{
	uint64_t sizes = 0;
	unsigned level;

	if (cfg->tiny) {
		if (!resolve_tiny(cfg, armv7s_item_lg2(cfg, 0), 2))
			return resolve_no(why, "tiny: levels is 2, ias is 20 + tiny");
	} else {
		if (!resolve_in(&cfg->levels, 2, 2, 2) || !resolve_in(&cfg->ias, 32, 32, 32))
			return resolve_no(why, "levels is 2, ias is 32");
	}
	if (!resolve_in(&cfg->oas, 32, 32, 32))
		return resolve_no(why, "oas is 32");
	for (level = 0; level < 2; level++) {
		sizes |= UINT64_C(1) << armv7s_item_lg2(cfg, level);
		sizes |= UINT64_C(1) << (armv7s_item_lg2(cfg, level) + armv7s_contig_lg2(cfg, level));
	}
	if (!resolve_pgsizes(cfg, sizes))
		return resolve_no(why, "pgsizes: 4K, 64K, 1M and 16M");
	if (!resolve_none(&cfg->ad))
		return resolve_no(why, "ad is 0: there is no hardware update of the tables");
	if (!resolve_tlb(cfg, TLB_ARMV7S, TLB_ARMV7S))
		return resolve_no(why, "tlb takes armv7s or generic");
	if (!resolve_none(&cfg->stage) || !resolve_none(&cfg->half) || !resolve_none(&cfg->bbm) || !resolve_none(&cfg->napot) ||
	    !resolve_none(&cfg->pbmt) || !resolve_none(&cfg->sign) || !resolve_none(&cfg->cbit) || !resolve_none(&cfg->snp) ||
	    !resolve_none(&cfg->lpa))
		return resolve_no(why, "armv7s has no stage, half, bbm, napot, pbmt, sign, cbit, snp, lpa");
	return resolve_common(cfg, why, MODEL_WEAK, true);
}

static inline void armv7s_geometry(struct pt *pt)
{
	unsigned level;

	pt->granule_lg2 = (uint8_t)armv7s_item_lg2(&pt->cfg, 0);
	pt->top_level_start = pt->top_level_max = 1;
	for (level = 0; level < 2; level++)
		pt->item_lg2[level] = (uint8_t)armv7s_item_lg2(&pt->cfg, level);
	pt->index_lg2[0] = pt->cfg.tiny ? pt->cfg.tiny : 8;
	pt->index_lg2[1] = pt->cfg.tiny ? pt->cfg.tiny : 12;
	pt->align_lg2[0] = 10;
	pt->align_lg2[1] = 14;
	pt->low_last = pt_mask(pt->cfg.ias);
	pt->oa_carry_lg2 = 64;
}

static inline enum pt_kind armv7s_kind(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	if (!(item & ARMV7S_TYPE))
		return PT_EMPTY;
	return level && (item & ARMV7S_TYPE) == ARMV7S_TABLE ? PT_TABLE : PT_LEAF;
}

static inline uint64_t armv7s_table_pa(const struct pt *pt, uint64_t item)
{
	(void)pt;
	return item & ARMV7S_TABLE_ADDRESS;
}

static inline uint64_t armv7s_table_item(const struct pt *pt, unsigned level, uint64_t pa)
{
	(void)pt;
	(void)level;
	return pa | ARMV7S_TABLE;
}

/* Whether a leaf item is one of several: a large page, a supersection. */
static inline bool armv7s_contig(unsigned level, uint64_t item)
{
	return level ? item & ARMV7S_SUPERSECTION : (item & ARMV7S_TYPE) == armv7s_large.type;
}

static inline const struct armv7s_layout *armv7s_layout(unsigned level, bool contig)
{
	return level ? &armv7s_section : contig ? &armv7s_large : &armv7s_small;
}

static inline unsigned armv7s_leaf_lg2(const struct pt *pt, unsigned level, uint64_t item)
{
	return pt->item_lg2[level] + (armv7s_contig(level, item) ? armv7s_contig_lg2(&pt->cfg, level) : 0);
}

static inline uint64_t armv7s_leaf_oa(const struct pt *pt, unsigned level, uint64_t item)
{
	return item & ~pt_mask(armv7s_leaf_lg2(pt, level, item));
}

/* TEX C B: 001 1 1 Normal write-back write-allocate, 001 0 0 Normal non-cacheable, 000 0 1 shareable Device (table B3-10). */
static inline uint64_t armv7s_leaf_item(const struct pt *pt, unsigned level, uint64_t oa, unsigned size_lg2, unsigned prot)
{
	bool contig = size_lg2 != pt->item_lg2[level];
	const struct armv7s_layout *at = armv7s_layout(level, contig);
	uint64_t item = oa | at->type | UINT64_C(1) << at->ap | UINT64_C(1) << at->ng;

	item |= level && contig ? ARMV7S_SUPERSECTION : 0;
	item |= prot & PROT_X ? 0 : UINT64_C(1) << at->xn;
	item |= prot & PROT_W ? 0 : UINT64_C(1) << at->ap2;
	item |= prot & PROT_PRIV ? 0 : UINT64_C(2) << at->ap;
	if (prot & PROT_MMIO)
		return item | ARMV7S_B;
	item |= UINT64_C(1) << at->tex | UINT64_C(1) << at->s;
	return item | (prot & PROT_CACHE ? ARMV7S_C | ARMV7S_B : 0);
}

static inline unsigned armv7s_oa_step_lg2(const struct pt *pt, unsigned level)
{
	return pt->item_lg2[level];
}

static inline unsigned armv7s_leaf_prot(const struct pt *pt, unsigned level, uint64_t item)
{
	const struct armv7s_layout *at = armv7s_layout(level, armv7s_contig(level, item));
	unsigned prot = PROT_R | PT_ACCESSED | PT_DIRTY;

	(void)pt;
	prot |= item >> at->xn & 1 ? 0 : PROT_X;
	prot |= item >> at->ap2 & 1 ? 0 : PROT_W;
	prot |= item >> at->ap & 2 ? 0 : PROT_PRIV;
	if (!(item >> at->tex & 7))
		prot |= PROT_MMIO;
	else if (item & ARMV7S_C)
		prot |= PROT_CACHE;
	return prot;
}

/* Every access permission includes reading (table B3-9). */
static inline bool armv7s_expressible(const struct pt *pt, unsigned prot)
{
	(void)pt;
	return (prot & PROT_R) && (prot & PROT_TYPE) != PROT_TYPE;
}

/* There is no dirty state. */
static inline uint64_t armv7s_same(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	(void)level;
	return item;
}

#define FMT_NAME armv7s
#define FMT_ITEM_BYTES_LG2 2
#define FMT_TABLE_FLUSHED UINT64_C(0)
#define fmt_configs armv7s_configs
#define fmt_resolve armv7s_resolve
#define fmt_geometry armv7s_geometry
#define fmt_kind armv7s_kind
#define fmt_table_pa armv7s_table_pa
#define fmt_table_item armv7s_table_item
#define fmt_leaf_lg2 armv7s_leaf_lg2
#define fmt_leaf_oa armv7s_leaf_oa
#define fmt_leaf_item armv7s_leaf_item
#define fmt_group_step_lg2(pt, level) 0
#define fmt_oa_step_lg2 armv7s_oa_step_lg2
#define fmt_leaf_prot armv7s_leaf_prot
#define fmt_expressible armv7s_expressible
#define fmt_make_dirty armv7s_same
#define fmt_make_clean armv7s_same

#endif
