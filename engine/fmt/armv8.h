/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * armv8.h - Armv8 VMSAv8-64 translation tables, stage 1 and stage 2, for the 4K, 16K and 64K granule.
 *
 * Arm Architecture Reference Manual, DDI 0487J.a: D8.2 "The translation process" (levels, concatenation), D8.3 "Translation table
 * descriptor formats", D8.4 "Memory access control" (AP, S2AP, XN), D8.5 "Memory region attributes", D8.7.1 "Use of the Contiguous bit".
 * SMMUv3: IHI 0070F, 3.21.1 "BBML". Our level n is Arm's level 3 - n.
 *
 * FMT_ARMV8_GRANULE_LG2 (12, 14 or 16) and FMT_NAME are set by the instantiation.
 */
#ifndef HITLESS_FMT_ARMV8_H
#define HITLESS_FMT_ARMV8_H

#include "../pt.h"
#include "../resolve.h"

#define ARMV8_VALID (UINT64_C(1) << 0)
#define ARMV8_TABLE (UINT64_C(1) << 1)  /* above level 0: a table; at level 0: a page (0 is reserved there) */
#define ARMV8_S1_ATTR_SHIFT 2           /* 4:2 AttrIndx */
#define ARMV8_S2_ATTR_SHIFT 2           /* 5:2 MemAttr */
#define ARMV8_S1_AP1 (UINT64_C(1) << 6) /* unprivileged access */
#define ARMV8_S1_AP2 (UINT64_C(1) << 7) /* read only; with DBM: clean */
#define ARMV8_S2_READ (UINT64_C(1) << 6)
#define ARMV8_S2_WRITE (UINT64_C(1) << 7) /* with DBM: dirty */
#define ARMV8_SH_INNER (UINT64_C(3) << 8)
#define ARMV8_SH_OUTER (UINT64_C(2) << 8)
#define ARMV8_AF (UINT64_C(1) << 10)
#define ARMV8_S1_NG (UINT64_C(1) << 11)
#define ARMV8_DBM (UINT64_C(1) << 51)
#define ARMV8_CONTIG (UINT64_C(1) << 52)
#define ARMV8_S1_PXN (UINT64_C(1) << 53)
#define ARMV8_S1_UXN (UINT64_C(1) << 54)
#define ARMV8_S2_XN (UINT64_C(2) << 53)   /* XN[1:0] = 10: never executable */
#define ARMV8_FLUSHED (UINT64_C(1) << 55) /* 58:55 are software's: ours, in table descriptors */

#define ARMV8_G FMT_ARMV8_GRANULE_LG2

static const char *const armv8_configs[] = {
	"",
	"stage=1 ad=1 bbm=2 tables=high",
	"stage=1 half=1 ias=42 oas=44 bbm=2",
	"stage=1 half=1 bbm=1 tables=straddle",
	"stage=2 ias=40 oas=44 bbm=2 ad=1",
	"stage=2 ias=42 oas=48 bbm=2",
	"stage=2 ias=48 coherent=0 bbm=2 tables=limit",
	"stage=1 coherent=0 bbm=2 negcache=1",
	"stage=1 coherent=0 ias=36 oas=36",
	"stage=1 lpa=1 bbm=2 ad=1 tables=limit",
	"stage=2 lpa=1 bbm=2 coherent=0",
	"stage=1 half=1 lpa=1 ias=52 oas=48 bbm=2",
	"stage=1 bbm=2 tlb=generic",
#if ARMV8_G == 12
	"stage=1 bbm=2 pgsizes=0x40201000",
	"stage=2 bbm=2 ad=1 pgsizes=0x2010000",
	"tiny=4 bbm=2 ad=1",
	"tiny=2 bbm=2 stage=2 ad=1",
#elif ARMV8_G == 14
	"stage=1 bbm=2 pgsizes=0x2004000",
	"stage=2 bbm=2 ad=1 pgsizes=0x200000",
	"tiny=4 bbm=2 ad=1",
	"tiny=2 bbm=2 stage=2 ad=1",
#else
	"stage=1 bbm=2 pgsizes=0x20010000",
	"stage=2 bbm=2 ad=1 pgsizes=0x20200000",
	"tiny=4 bbm=2 ad=1",
	"tiny=2 bbm=2 stage=2 ad=1",
#endif
	"tiny=3 half=1 bbm=0",
	"tiny=3 bbm=2 stage=2 coherent=0",
	"tiny=2 levels=3 bbm=2 lpa=1",
	NULL,
};

static inline unsigned armv8_bits(const struct config *cfg)
{
	return cfg->tiny ? cfg->tiny : ARMV8_G - 3;
}

/* Items of the root, base-2 logarithm; more than a table holds where stage 2 concatenates up to 16 tables (D8.2.8). */
static inline unsigned armv8_root_index_lg2(const struct config *cfg)
{
	return cfg->ias - ARMV8_G - (cfg->levels - 1u) * armv8_bits(cfg);
}

/* Tables on a full walk without concatenation: as few as the width needs. */
static inline unsigned armv8_levels_most(const struct config *cfg)
{
	return (cfg->ias - ARMV8_G + armv8_bits(cfg) - 1) / armv8_bits(cfg);
}

/* One fewer where stage 2 can concatenate (D8.2.8, D8.2.9). */
static inline unsigned armv8_levels(const struct config *cfg)
{
	unsigned levels = armv8_levels_most(cfg), rest = cfg->ias - ARMV8_G - (levels - 1) * armv8_bits(cfg);

	return cfg->stage == 2 && levels > 1 && rest <= 4 ? levels - 1 : levels;
}

/* Items of a contiguous group at level, base-2 logarithm; 0: none (table D8-16 of D8.7.1). */
static inline unsigned armv8_contig_lg2(const struct config *cfg, unsigned level)
{
	unsigned lg2;

	if (level > (ARMV8_G == 12 ? 2u : 1u))
		return 0;
	if (cfg->tiny)
		return config_tiny_contig_lg2(cfg->tiny, level);
	lg2 = ARMV8_G == 12 ? 4 : ARMV8_G == 14 && !level ? 7 : 5;
	/* A root with fewer items than a group has none. */
	return level == cfg->levels - 1u && armv8_root_index_lg2(cfg) < lg2 ? 0 : lg2;
}

/* Highest level that holds blocks: Arm level 1 for 4K (0 with LPA2), 2 for 16K and 64K (1 with LPA2, LPA) (D8.3.1). */
static inline unsigned armv8_block_level(const struct config *cfg)
{
	return (ARMV8_G == 12 ? 2u : 1u) + cfg->lpa;
}

static inline uint64_t armv8_sizes(const struct config *cfg)
{
	unsigned level, item_lg2, end = cfg->oas < cfg->ias ? cfg->oas : cfg->ias;
	uint64_t sizes = 0;

	for (level = 0; level <= armv8_block_level(cfg) && level < cfg->levels; level++) {
		item_lg2 = ARMV8_G + level * armv8_bits(cfg);
		sizes |= UINT64_C(1) << item_lg2;
		sizes |= UINT64_C(1) << (item_lg2 + armv8_contig_lg2(cfg, level));
	}
	return sizes & pt_mask(end + 1);
}

static inline int armv8_resolve(struct config *cfg, const char **why)
{
	unsigned widest;

	if (!resolve_in(&cfg->stage, 1, 1, 2) || !resolve_in(&cfg->lpa, 0, 0, 1))
		return resolve_no(why, "stage takes 1 or 2, lpa 0 or 1");
	if (!resolve_in(&cfg->half, 0, 0, cfg->stage == 1))
		return resolve_no(why, "half takes 0 or, at stage 1, 1");
	widest = cfg->lpa ? 52 : 48;
	if (cfg->tiny) {
		if (!resolve_tiny(cfg, ARMV8_G, 4))
			return resolve_no(why, "tiny: levels takes 2 to as many as 8 bits hold, ias is granule + levels * tiny");
	} else {
		if (!resolve_in(&cfg->ias, widest, 32, widest))
			return resolve_no(why, "ias takes 32 to 48, to 52 with lpa=1");
		if (!resolve_in(&cfg->levels, armv8_levels(cfg), armv8_levels(cfg), armv8_levels_most(cfg)))
			return resolve_no(why, "levels follows from ias and stage; stage 2 may do without concatenation");
	}
	/* The physical address sizes that TCR_ELx.IPS can name (D8.1.6). */
	if (!resolve_in(&cfg->oas, widest, 32, widest) ||
	    !(1ull << cfg->oas & (1ull << 32 | 1ull << 36 | 1ull << 40 | 1ull << 42 | 1ull << 44 | 1ull << 48 | 1ull << 52)))
		return resolve_no(why, "oas takes 32, 36, 40, 42, 44, 48, and 52 with lpa=1");
	if (!resolve_in(&cfg->bbm, 0, 0, 2) || !resolve_in(&cfg->ad, 0, 0, 1))
		return resolve_no(why, "bbm takes 0 to 2, ad 0 or 1");
	if (!resolve_pgsizes(cfg, armv8_sizes(cfg)))
		return resolve_no(why, "pgsizes: sizes that the granule, levels and lpa have, contiguous ones included");
	if (!resolve_tlb(cfg, TLB_ARM, TLB_ARM))
		return resolve_no(why, "tlb takes arm or generic");
	if (!resolve_none(&cfg->napot) || !resolve_none(&cfg->pbmt) || !resolve_none(&cfg->sign) || !resolve_none(&cfg->cbit) ||
	    !resolve_none(&cfg->snp))
		return resolve_no(why, "armv8 has no napot, pbmt, sign, cbit, snp");
	return resolve_common(cfg, why, MODEL_WEAK, true);
}

static inline void armv8_geometry(struct pt *pt)
{
	const struct config *cfg = &pt->cfg;
	unsigned level;

	pt->granule_lg2 = ARMV8_G;
	pt->top_level_start = pt->top_level_max = cfg->levels - 1;
	for (level = 0; level < cfg->levels; level++) {
		pt->index_lg2[level] = (uint8_t)(level == cfg->levels - 1u ? armv8_root_index_lg2(cfg) : armv8_bits(cfg));
		pt->item_lg2[level] = (uint8_t)(ARMV8_G + level * armv8_bits(cfg));
		pt->align_lg2[level] = ARMV8_G;
	}
	/* Concatenated tables are aligned to the whole (D8.2.8). */
	if (pt->index_lg2[level - 1] + 3u > ARMV8_G)
		pt->align_lg2[level - 1] = pt->index_lg2[level - 1] + 3;
	pt->no_low = cfg->half;
	pt->low_last = pt_mask(cfg->ias);
	pt->high_first = cfg->half ? ~pt_mask(cfg->ias) : 0;
	pt->oa_carry_lg2 = !cfg->lpa ? 64 : ARMV8_G == 16 ? 48 : 50;
	pt->has_dirty = cfg->ad;
	pt->cap_size_change = pt->cap_leaf_to_table = cfg->bbm == 2;
}

/*
 * Output and table address field: 47:granule; with LPA2 49:granule and 51:50 in 9:8; with LPA 47:16 and 51:48 in 15:12 (D8.3.1, D8.3.2).
 */
static inline uint64_t armv8_address(const struct pt *pt, uint64_t item)
{
	uint64_t in_place = pt_mask(48) & ~pt_mask(ARMV8_G);

	if (!pt->cfg.lpa)
		return item & in_place;
	if (ARMV8_G == 16)
		return (item & in_place) | (item >> 12 & 0xf) << 48;
	return (item & pt_mask(50) & ~pt_mask(ARMV8_G)) | (item >> 8 & 3) << 50;
}

static inline uint64_t armv8_address_bits(const struct pt *pt, uint64_t pa)
{
	if (!pt->cfg.lpa)
		return pa;
	if (ARMV8_G == 16)
		return (pa & pt_mask(48)) | (pa >> 48 & 0xf) << 12;
	return (pa & pt_mask(50)) | (pa >> 50 & 3) << 8;
}

static inline enum pt_kind armv8_kind(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	if (!(item & ARMV8_VALID))
		return PT_EMPTY;
	return level && (item & ARMV8_TABLE) ? PT_TABLE : PT_LEAF;
}

static inline uint64_t armv8_table_pa(const struct pt *pt, uint64_t item)
{
	return armv8_address(pt, item);
}

static inline uint64_t armv8_table_item(const struct pt *pt, unsigned level, uint64_t pa)
{
	(void)level;
	return armv8_address_bits(pt, pa) | ARMV8_VALID | ARMV8_TABLE;
}

static inline unsigned armv8_leaf_lg2(const struct pt *pt, unsigned level, uint64_t item)
{
	return pt->item_lg2[level] + (item & ARMV8_CONTIG ? armv8_contig_lg2(&pt->cfg, level) : 0);
}

static inline uint64_t armv8_leaf_oa(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)level;
	return armv8_address(pt, item);
}

/* Shareability matters for normal memory alone; with LPA2 it is TCR's, its field being address bits. */
static inline uint64_t armv8_sh(const struct pt *pt, unsigned prot)
{
	if (pt->cfg.lpa && ARMV8_G != 16)
		return 0;
	return prot & PROT_MMIO ? ARMV8_SH_OUTER : ARMV8_SH_INNER;
}

/* Attribute indices 0, 1, 2 of CONFIG_ARM_MAIR; D8.4.2 for AP and XN; a writable clean page is read-only with DBM (D8.4.6). */
static inline uint64_t armv8_s1_bits(const struct pt *pt, unsigned prot)
{
	uint64_t bits = ARMV8_S1_NG;
	bool writable_now = (prot & PROT_W) && (!pt->cfg.ad || (prot & PT_DIRTY));

	bits |= (uint64_t)(prot & PROT_CACHE ? 0 : prot & PROT_MMIO ? 2 : 1) << ARMV8_S1_ATTR_SHIFT;
	bits |= prot & PROT_PRIV ? 0 : ARMV8_S1_AP1;
	bits |= writable_now ? 0 : ARMV8_S1_AP2;
	bits |= (prot & PROT_W) && pt->cfg.ad ? ARMV8_DBM : 0;
	if (!(prot & PROT_X))
		bits |= ARMV8_S1_PXN | ARMV8_S1_UXN;
	else if (prot & PROT_PRIV)
		bits |= ARMV8_S1_UXN;
	return bits;
}

/* MemAttr 1111 write-back, 0101 non-cacheable, 0001 Device-nGnRE (table D8-77). */
static inline uint64_t armv8_s2_bits(const struct pt *pt, unsigned prot)
{
	bool writable_now = (prot & PROT_W) && (!pt->cfg.ad || (prot & PT_DIRTY));
	uint64_t bits = 0;

	bits |= (uint64_t)(prot & PROT_CACHE ? 0xf : prot & PROT_MMIO ? 1 : 5) << ARMV8_S2_ATTR_SHIFT;
	bits |= prot & PROT_R ? ARMV8_S2_READ : 0;
	bits |= writable_now ? ARMV8_S2_WRITE : 0;
	bits |= (prot & PROT_W) && pt->cfg.ad ? ARMV8_DBM : 0;
	bits |= prot & PROT_X ? 0 : ARMV8_S2_XN;
	return bits;
}

static inline uint64_t armv8_leaf_item(const struct pt *pt, unsigned level, uint64_t oa, unsigned size_lg2, unsigned prot)
{
	uint64_t item = armv8_address_bits(pt, oa) | ARMV8_VALID | (level ? 0 : ARMV8_TABLE) | armv8_sh(pt, prot);

	item |= size_lg2 != pt->item_lg2[level] ? ARMV8_CONTIG : 0;
	item |= prot & PT_ACCESSED ? ARMV8_AF : 0;
	return item | (pt->cfg.stage == 1 ? armv8_s1_bits(pt, prot) : armv8_s2_bits(pt, prot));
}

static inline unsigned armv8_oa_step_lg2(const struct pt *pt, unsigned level)
{
	return pt->item_lg2[level];
}

static inline unsigned armv8_leaf_prot(const struct pt *pt, unsigned level, uint64_t item)
{
	unsigned prot = item & ARMV8_AF ? PT_ACCESSED : 0, type;
	bool writable_now, dbm = pt->cfg.ad && (item & ARMV8_DBM);

	(void)level;
	if (pt->cfg.stage == 1) {
		type = item >> ARMV8_S1_ATTR_SHIFT & 7;
		prot |= PROT_R | (type == 0 ? PROT_CACHE : type == 2 ? PROT_MMIO : 0) | (item & ARMV8_S1_AP1 ? 0 : PROT_PRIV);
		prot |= item & ARMV8_S1_PXN ? 0 : PROT_X;
		writable_now = !(item & ARMV8_S1_AP2);
	} else {
		type = item >> ARMV8_S2_ATTR_SHIFT & 0xf;
		prot |= (type == 0xf ? PROT_CACHE : type == 1 ? PROT_MMIO : 0) | (item & ARMV8_S2_READ ? PROT_R : 0);
		prot |= item & ARMV8_S2_XN ? 0 : PROT_X;
		writable_now = item & ARMV8_S2_WRITE;
	}
	prot |= writable_now || dbm ? PROT_W : 0;
	prot |= !pt->cfg.ad || (writable_now && dbm) ? PT_DIRTY : 0;
	return prot;
}

static inline bool armv8_expressible(const struct pt *pt, unsigned prot)
{
	if ((prot & PROT_TYPE) == PROT_TYPE)
		return false;
	return pt->cfg.stage == 1 ? (prot & PROT_R) : !(prot & PROT_PRIV);
}

static inline uint64_t armv8_make_dirty(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)level;
	if (!pt->cfg.ad || !(item & ARMV8_DBM))
		return item;
	return pt->cfg.stage == 1 ? item & ~ARMV8_S1_AP2 : item | ARMV8_S2_WRITE;
}

static inline uint64_t armv8_make_clean(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)level;
	return pt->cfg.stage == 1 ? item | ARMV8_S1_AP2 : item & ~ARMV8_S2_WRITE;
}

#define FMT_ITEM_BYTES_LG2 3
#define FMT_TABLE_FLUSHED ARMV8_FLUSHED
#define fmt_configs armv8_configs
#define fmt_resolve armv8_resolve
#define fmt_geometry armv8_geometry
#define fmt_kind armv8_kind
#define fmt_table_pa armv8_table_pa
#define fmt_table_item armv8_table_item
#define fmt_leaf_lg2 armv8_leaf_lg2
#define fmt_leaf_oa armv8_leaf_oa
#define fmt_leaf_item armv8_leaf_item
#define fmt_group_step_lg2 armv8_oa_step_lg2
#define fmt_oa_step_lg2 armv8_oa_step_lg2
#define fmt_leaf_prot armv8_leaf_prot
#define fmt_expressible armv8_expressible
#define fmt_make_dirty armv8_make_dirty
#define fmt_make_clean armv8_make_clean

#endif
