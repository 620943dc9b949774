/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dart.h - Apple DART page tables, the two entry layouts that are known: v1 with 36-bit and v2 with 42-bit addresses.
 *
 * There is no public document. The source is what the Asahi Linux project found out and published: the register and entry definitions of
 * its m1n1 (t8020: v1, t6000: v2; sub-page protection 63:40) and Sven Peter's and Janne Grunau's postings about DART entries, 2021 and
 * 2022 (protection bits: v1 7 and 8, v2 1 to 3; v2 shifts the address down by 4 and always checks sub-pages). Our level 1 holds what those
 * call L1, 0 holds L2.
 *
 * Up to four roots (TTBRs), which the bits of the iova above the first table's choose, are modelled as consecutive tables: one root of 1,
 * 2 or 4 times the size.
 */
#ifndef HITLESS_FMT_DART_H
#define HITLESS_FMT_DART_H

#include "../pt.h"
#include "../resolve.h"

#define DART_VALID (UINT64_C(1) << 0)
#define DART_V1_NO_WRITE (UINT64_C(1) << 7)
#define DART_V1_NO_READ (UINT64_C(1) << 8)
#define DART_V1_ADDRESS UINT64_C(0xffffff000) /* 35:12 */
#define DART_V2_NO_CACHE (UINT64_C(1) << 1)
#define DART_V2_NO_WRITE (UINT64_C(1) << 2)
#define DART_V2_NO_READ (UINT64_C(1) << 3)
#define DART_V2_ADDRESS_SHIFT 4
#define DART_V2_ADDRESS UINT64_C(0x3ffffffc00) /* 37:10: address bits 41:14 */
#define DART_SUBPAGES (UINT64_C(0xfff) << 40)  /* 63:52 first sub-page 0, 51:40 last sub-page 0xfff: all of them; leaf */

#define DART_V2_OAS 42

static const char *const dart_configs[] = {
	"",
	"ias=37 tables=high",
	"ias=38 tables=limit negcache=1",
	"oas=42",
	"oas=42 ias=37 tables=limit tlb=generic",
	"oas=42 ias=38 tables=straddle",
	"pgsizes=0x1000",
	"pgsizes=0x1000 ias=31 tables=straddle",
	"pgsizes=0x1000 ias=32 tlb=generic",
	"tiny=4",
	"tiny=3 oas=42",
	"tiny=2 pgsizes=0x1000",
	NULL,
};

static inline unsigned dart_granule_lg2(const struct config *cfg)
{
	return cfg->pgsizes == 0x1000 ? 12 : 14;
}

static inline unsigned dart_bits(const struct config *cfg)
{
	return cfg->tiny ? cfg->tiny : dart_granule_lg2(cfg) - 3;
}

static inline bool dart_v2(const struct config *cfg)
{
	return cfg->oas == DART_V2_OAS;
}

static inline int dart_resolve(struct config *cfg, const char **why)
{
	unsigned granule_lg2, ias;

	if (!cfg->pgsizes)
		cfg->pgsizes = 0x4000;
	if (cfg->pgsizes != 0x1000 && cfg->pgsizes != 0x4000)
		return resolve_no(why, "pgsizes is 0x1000 or 0x4000, the granule");
	granule_lg2 = dart_granule_lg2(cfg);
	if (cfg->tiny) {
		if (!resolve_tiny(cfg, granule_lg2, 2))
			return resolve_no(why, "tiny: levels is 2, ias is granule + 2 * tiny");
	} else {
		ias = granule_lg2 + 2 * dart_bits(cfg);
		if (!resolve_in(&cfg->levels, 2, 2, 2))
			return resolve_no(why, "levels is 2");
		if (!resolve_in(&cfg->ias, ias, ias, ias + 2))
			return resolve_no(why, "ias takes 30 to 32 with the 4K, 36 to 38 with the 16K granule: 1, 2 or 4 roots");
	}
	if (!resolve_in(&cfg->oas, 36, 36, DART_V2_OAS) || (cfg->oas != 36 && !dart_v2(cfg)))
		return resolve_no(why, "oas takes 36 (v1) or 42 (v2)");
	if (dart_v2(cfg) && granule_lg2 != 14)
		return resolve_no(why, "oas=42 needs the 16K granule: the entry has no address bits below 14");
	if (!resolve_tlb(cfg, TLB_DART, TLB_DART))
		return resolve_no(why, "tlb takes dart or generic");
	if (!resolve_none(&cfg->stage) || !resolve_none(&cfg->half) || !resolve_none(&cfg->bbm) || !resolve_none(&cfg->napot) ||
	    !resolve_none(&cfg->pbmt) || !resolve_none(&cfg->sign) || !resolve_none(&cfg->ad) || !resolve_none(&cfg->cbit) ||
	    !resolve_none(&cfg->snp) || !resolve_none(&cfg->lpa))
		return resolve_no(why, "dart has no stage, half, bbm, napot, pbmt, sign, ad, cbit, snp, lpa");
	return resolve_common(cfg, why, MODEL_WEAK, false);
}

static inline void dart_geometry(struct pt *pt)
{
	const struct config *cfg = &pt->cfg;
	unsigned granule_lg2 = dart_granule_lg2(cfg), roots_lg2 = cfg->ias - granule_lg2 - 2 * dart_bits(cfg);

	pt->granule_lg2 = (uint8_t)granule_lg2;
	pt->top_level_start = pt->top_level_max = 1;
	pt->item_lg2[0] = (uint8_t)granule_lg2;
	pt->item_lg2[1] = (uint8_t)(granule_lg2 + dart_bits(cfg));
	pt->index_lg2[0] = (uint8_t)dart_bits(cfg);
	pt->index_lg2[1] = (uint8_t)(dart_bits(cfg) + roots_lg2);
	pt->align_lg2[0] = (uint8_t)granule_lg2;
	pt->align_lg2[1] = (uint8_t)(granule_lg2 + roots_lg2);
	pt->low_last = pt_mask(cfg->ias);
	pt->oa_carry_lg2 = 64;
}

static inline enum pt_kind dart_kind(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	if (!(item & DART_VALID))
		return PT_EMPTY;
	return level ? PT_TABLE : PT_LEAF;
}

static inline uint64_t dart_address(const struct pt *pt, uint64_t pa)
{
	return dart_v2(&pt->cfg) ? pa >> DART_V2_ADDRESS_SHIFT : pa;
}

static inline uint64_t dart_table_pa(const struct pt *pt, uint64_t item)
{
	return dart_v2(&pt->cfg) ? (item & DART_V2_ADDRESS) << DART_V2_ADDRESS_SHIFT : item & DART_V1_ADDRESS;
}

static inline uint64_t dart_table_item(const struct pt *pt, unsigned level, uint64_t pa)
{
	(void)level;
	return dart_address(pt, pa) | DART_VALID;
}

static inline unsigned dart_leaf_lg2(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)item;
	return pt->item_lg2[level];
}

static inline uint64_t dart_leaf_oa(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)level;
	return dart_table_pa(pt, item);
}

static inline uint64_t dart_leaf_item(const struct pt *pt, unsigned level, uint64_t oa, unsigned size_lg2, unsigned prot)
{
	uint64_t item = dart_address(pt, oa) | DART_SUBPAGES | DART_VALID;

	(void)level;
	(void)size_lg2;
	if (dart_v2(&pt->cfg)) {
		item |= prot & PROT_R ? 0 : DART_V2_NO_READ;
		item |= prot & PROT_W ? 0 : DART_V2_NO_WRITE;
		item |= prot & PROT_CACHE ? 0 : DART_V2_NO_CACHE;
	} else {
		item |= prot & PROT_R ? 0 : DART_V1_NO_READ;
		item |= prot & PROT_W ? 0 : DART_V1_NO_WRITE;
	}
	return item;
}

static inline unsigned dart_oa_step_lg2(const struct pt *pt, unsigned level)
{
	return pt->item_lg2[level] - (dart_v2(&pt->cfg) ? DART_V2_ADDRESS_SHIFT : 0);
}

static inline unsigned dart_leaf_prot(const struct pt *pt, unsigned level, uint64_t item)
{
	unsigned prot = PT_ACCESSED | PT_DIRTY;

	(void)level;
	if (dart_v2(&pt->cfg)) {
		prot |= item & DART_V2_NO_READ ? 0 : PROT_R;
		prot |= item & DART_V2_NO_WRITE ? 0 : PROT_W;
		prot |= item & DART_V2_NO_CACHE ? 0 : PROT_CACHE;
	} else {
		prot |= item & DART_V1_NO_READ ? 0 : PROT_R;
		prot |= item & DART_V1_NO_WRITE ? 0 : PROT_W;
	}
	return prot;
}

static inline bool dart_expressible(const struct pt *pt, unsigned prot)
{
	return !(prot & ~(unsigned)(PROT_R | PROT_W | (dart_v2(&pt->cfg) ? PROT_CACHE : 0)));
}

/* There is no dirty state. */
static inline uint64_t dart_same(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	(void)level;
	return item;
}

#define FMT_NAME dart
#define FMT_ITEM_BYTES_LG2 3
#define FMT_TABLE_FLUSHED UINT64_C(0)
#define fmt_configs dart_configs
#define fmt_resolve dart_resolve
#define fmt_geometry dart_geometry
#define fmt_kind dart_kind
#define fmt_table_pa dart_table_pa
#define fmt_table_item dart_table_item
#define fmt_leaf_lg2 dart_leaf_lg2
#define fmt_leaf_oa dart_leaf_oa
#define fmt_leaf_item dart_leaf_item
#define fmt_group_step_lg2(pt, level) 0
#define fmt_oa_step_lg2 dart_oa_step_lg2
#define fmt_leaf_prot dart_leaf_prot
#define fmt_expressible dart_expressible
#define fmt_make_dirty dart_same
#define fmt_make_clean dart_same

#endif
