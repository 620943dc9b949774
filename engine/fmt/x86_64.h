/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86_64.h - x86-64 long-mode page tables, as VT-d's first stage and AMD's IOMMU v2 tables have them.
 *
 * AMD64 Architecture Programmer's Manual Volume 2, 24593 rev 3.42, section 5.3 "Long-Mode Page Translation" and 5.4
 * "Page-Translation-Table Entry Fields"; used by 48882 rev 3.09, "I/O Page Tables for Guest Translations". Intel Virtualization Technology
 * for Directed I/O, D51397-017 (rev 4.1), section 9.7 "First-Stage Paging Entries", 3.6 "First-Stage Translation" and 3.10 "Snoop
 * Behavior". Our level 0 holds PTEs (Intel: FS-PTEs), 1 PDEs, 2 PDPEs, 3 PML4Es, 4 PML5Es.
 *
 * No-execute and supervisor write protection are taken to be enabled outside the table (VT-d: NXE and WPE of the PASID-table entry).
 */
#ifndef HITLESS_FMT_X86_64_H
#define HITLESS_FMT_X86_64_H

#include "../pt.h"
#include "../resolve.h"

#define X86_64_P (UINT64_C(1) << 0)
#define X86_64_RW (UINT64_C(1) << 1)
#define X86_64_US (UINT64_C(1) << 2) /* unprivileged access */
#define X86_64_PWT (UINT64_C(1) << 3)
#define X86_64_PCD (UINT64_C(1) << 4)               /* with PWT and a clear PAT bit: UC */
#define X86_64_A (UINT64_C(1) << 5)                 /* accessed, tables too */
#define X86_64_D (UINT64_C(1) << 6)                 /* dirty, leaf */
#define X86_64_PS (UINT64_C(1) << 7)                /* page size: a leaf, levels 1 and 2; PAT at level 0 */
#define X86_64_FLUSHED (UINT64_C(1) << 9)           /* ignored by both vendors in every entry: ours, in table items */
#define X86_64_ADDRESS UINT64_C(0x000ffffffffff000) /* 51:12, what is above the width reserved */
#define X86_64_XD (UINT64_C(1) << 63)

static const char *const x86_64_configs[] = {
	"",
	"levels=5 tables=limit",
	"levels=4 ad=1 oas=41 tables=straddle",
	"levels=5 sign=0 ad=1 tlb=vtd tables=high",
	"levels=4 sign=0 oas=36 tables=limit",
	"levels=4 ad=1 tlb=vtd negcache=1",
	"levels=4 coherent=0 tables=straddle",
	"levels=5 coherent=0 sign=0 negcache=1 oas=47",
	"levels=4 coherent=0 tlb=generic",
	"levels=4 pgsizes=0x40001000 ad=1",
	"levels=5 pgsizes=0x40200000 tlb=generic",
	"tiny=4 ad=1",
	"tiny=3 sign=0 tlb=vtd",
	"tiny=2 coherent=0",
	"tiny=2 ad=1 tlb=generic pgsizes=0x11000",
	NULL,
};

/* Span of one item at level. */
static inline unsigned x86_64_item_lg2(const struct config *cfg, unsigned level)
{
	return 12 + level * (cfg->tiny ? cfg->tiny : 9);
}

/* The IOTLB that was left open: an AMD IOMMU always snoops, so that a device that does not is Intel's. */
static inline enum config_tlb x86_64_tlb(const struct config *cfg)
{
	bool incoherent = cfg->coherent == 0 || (cfg->coherent == CONFIG_UNSET && cfg->model == MODEL_INCOHERENT);

	return incoherent ? TLB_VTD : TLB_AMD;
}

static inline int x86_64_resolve(struct config *cfg, const char **why)
{
	enum config_tlb tlb = x86_64_tlb(cfg);
	uint64_t sizes = 0;
	unsigned level;

	if (cfg->tiny) {
		if (!resolve_tiny(cfg, 12, 4))
			return resolve_no(why, "tiny: levels takes 2 to as many as 8 bits hold, ias is 12 + levels * tiny");
	} else {
		if (!resolve_in(&cfg->levels, 4, 4, 5))
			return resolve_no(why, "levels takes 4 or 5");
		if (!resolve_in(&cfg->ias, 12 + 9 * cfg->levels, 12 + 9 * cfg->levels, 12 + 9 * cfg->levels))
			return resolve_no(why, "ias is 48 or 57 for 4 or 5 levels, sign bit included");
	}
	if (!resolve_in(&cfg->oas, 52, 36, 52))
		return resolve_no(why, "oas takes 36 to 52");
	for (level = 0; level < 3 && level < cfg->levels; level++)
		sizes |= UINT64_C(1) << x86_64_item_lg2(cfg, level);
	if (!resolve_pgsizes(cfg, sizes))
		return resolve_no(why, "pgsizes: 4K, 2M and 1G");
	if (!resolve_in(&cfg->sign, 1, 0, 1) || !resolve_in(&cfg->ad, 0, 0, 1))
		return resolve_no(why, "sign and ad take 0 or 1");
	if (tlb == TLB_VTD && cfg->tlb == TLB_AMD)
		return resolve_no(why, "coherent=0 needs tlb=vtd or generic: an AMD IOMMU always snoops the caches");
	if (!resolve_tlb(cfg, tlb, tlb == TLB_AMD ? TLB_VTD : tlb))
		return resolve_no(why, "tlb takes amd, vtd or generic");
	if (!resolve_none(&cfg->stage) || !resolve_none(&cfg->half) || !resolve_none(&cfg->bbm) || !resolve_none(&cfg->napot) ||
	    !resolve_none(&cfg->pbmt) || !resolve_none(&cfg->cbit) || !resolve_none(&cfg->snp) || !resolve_none(&cfg->lpa))
		return resolve_no(why, "x86_64 has no stage, half, bbm, napot, pbmt, cbit, snp, lpa");
	return resolve_common(cfg, why, MODEL_STRONG, true);
}

static inline void x86_64_geometry(struct pt *pt)
{
	unsigned level;

	pt->granule_lg2 = 12;
	pt->top_level_start = pt->top_level_max = pt->cfg.levels - 1;
	for (level = 0; level <= pt->top_level_max; level++) {
		pt->index_lg2[level] = (uint8_t)(pt->cfg.tiny ? pt->cfg.tiny : 9);
		pt->item_lg2[level] = (uint8_t)x86_64_item_lg2(&pt->cfg, level);
		pt->align_lg2[level] = 12;
	}
	/* Bit ias - 1 is the sign: canonical addresses repeat it upwards. Without sign extension the upper half does not exist. */
	pt->low_last = pt_mask(pt->cfg.ias - 1);
	pt->high_first = pt->cfg.sign ? ~pt->low_last : 0;
	pt->oa_carry_lg2 = 64;
	pt->has_dirty = pt->cfg.ad;
	pt->cap_leaf_to_table = true;
}

static inline enum pt_kind x86_64_kind(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	if (!(item & X86_64_P))
		return PT_EMPTY;
	return !level || (item & X86_64_PS) ? PT_LEAF : PT_TABLE;
}

static inline uint64_t x86_64_table_pa(const struct pt *pt, uint64_t item)
{
	(void)pt;
	return item & X86_64_ADDRESS;
}

/*
 * Permissions are the AND over the walk, so a table grants everything. The device sets A in tables too, whatever cfg->ad says, and a VT-d
 * that does not snoop faults where it would have to (3.10): it is preset.
 */
static inline uint64_t x86_64_table_item(const struct pt *pt, unsigned level, uint64_t pa)
{
	(void)pt;
	(void)level;
	return pa | X86_64_P | X86_64_RW | X86_64_US | X86_64_A;
}

static inline unsigned x86_64_leaf_lg2(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)item;
	return pt->item_lg2[level];
}

static inline uint64_t x86_64_leaf_oa(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	(void)level;
	return item & X86_64_ADDRESS;
}

static inline uint64_t x86_64_leaf_item(const struct pt *pt, unsigned level, uint64_t oa, unsigned size_lg2, unsigned prot)
{
	uint64_t item = oa | X86_64_P | (level ? X86_64_PS : 0);

	(void)pt;
	(void)size_lg2;
	item |= prot & PROT_W ? X86_64_RW : 0;
	item |= prot & PROT_X ? 0 : X86_64_XD;
	item |= prot & PROT_PRIV ? 0 : X86_64_US;
	item |= prot & PROT_MMIO ? X86_64_PCD | X86_64_PWT : 0;
	item |= prot & PT_ACCESSED ? X86_64_A : 0;
	item |= prot & PT_DIRTY ? X86_64_D : 0;
	return item;
}

static inline unsigned x86_64_oa_step_lg2(const struct pt *pt, unsigned level)
{
	return pt->item_lg2[level];
}

static inline unsigned x86_64_leaf_prot(const struct pt *pt, unsigned level, uint64_t item)
{
	unsigned prot = PROT_R;

	(void)pt;
	(void)level;
	prot |= item & X86_64_RW ? PROT_W : 0;
	prot |= item & X86_64_XD ? 0 : PROT_X;
	prot |= item & X86_64_US ? 0 : PROT_PRIV;
	prot |= item & X86_64_PCD ? PROT_MMIO : 0;
	prot |= item & X86_64_A ? PT_ACCESSED : 0;
	prot |= item & X86_64_D ? PT_DIRTY : 0;
	return prot;
}

/* A present entry can be read. */
static inline bool x86_64_expressible(const struct pt *pt, unsigned prot)
{
	(void)pt;
	return (prot & PROT_R) && !(prot & PROT_CACHE);
}

static inline uint64_t x86_64_make_dirty(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	(void)level;
	return item | X86_64_D;
}

static inline uint64_t x86_64_make_clean(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	(void)level;
	return item & ~X86_64_D;
}

#define FMT_NAME x86_64
#define FMT_ITEM_BYTES_LG2 3
#define FMT_TABLE_FLUSHED X86_64_FLUSHED
#define fmt_configs x86_64_configs
#define fmt_resolve x86_64_resolve
#define fmt_geometry x86_64_geometry
#define fmt_kind x86_64_kind
#define fmt_table_pa x86_64_table_pa
#define fmt_table_item x86_64_table_item
#define fmt_leaf_lg2 x86_64_leaf_lg2
#define fmt_leaf_oa x86_64_leaf_oa
#define fmt_leaf_item x86_64_leaf_item
#define fmt_group_step_lg2(pt, level) 0
#define fmt_oa_step_lg2 x86_64_oa_step_lg2
#define fmt_leaf_prot x86_64_leaf_prot
#define fmt_expressible x86_64_expressible
#define fmt_make_dirty x86_64_make_dirty
#define fmt_make_clean x86_64_make_clean

#endif
