/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * riscv64.h - RISC-V first-stage page tables: Sv39, Sv48, Sv57 with Svnapot and Svpbmt.
 *
 * The RISC-V Instruction Set Manual Volume II: Privileged Architecture, 20240411: sections "Sv39", "Sv48", "Sv57" of the chapter on the
 * supervisor-level ISA (entry layout, and "Sv32" for the algorithm and the meaning of R, W, X, U, A, D), chapters "Svnapot", "Svpbmt" and
 * "Svadu". Our level n is the specification's i: level 0 holds 4K leaves.
 *
 * A NAPOT leaf repeats one value in all of its items, the size encoded as the lowest set bit of the PPN: bit g-1 for a group of 2^g items,
 * 2^4 in hardware.
 */
#ifndef HITLESS_FMT_RISCV64_H
#define HITLESS_FMT_RISCV64_H

#include "../pt.h"
#include "../resolve.h"

#define RISCV64_V (UINT64_C(1) << 0)
#define RISCV64_R (UINT64_C(1) << 1) /* R = W = X = 0: a table */
#define RISCV64_W (UINT64_C(1) << 2)
#define RISCV64_X (UINT64_C(1) << 3)
#define RISCV64_U (UINT64_C(1) << 4) /* unprivileged access, leaf; 5 is G, never set */
#define RISCV64_A (UINT64_C(1) << 6) /* accessed, leaf */
#define RISCV64_D (UINT64_C(1) << 7) /* dirty, leaf */
#define RISCV64_PPN_SHIFT 10         /* 53:10 PPN: address bits 55:12 */
#define RISCV64_PPN (((UINT64_C(1) << 44) - 1) << RISCV64_PPN_SHIFT)
#define RISCV64_PBMT_IO (UINT64_C(2) << 61) /* 62:61: 0 PMA, 1 NC, 2 IO */
#define RISCV64_N (UINT64_C(1) << 63)       /* NAPOT, level 0 */

static const char *const riscv64_configs[] = {
	"",
	"levels=3 napot=0 oas=44 tables=high",
	"levels=3 ad=1 pbmt=1 oas=37 tables=straddle",
	"levels=4 ad=1 negcache=1 tables=limit",
	"levels=5 ad=1 tables=limit",
	"levels=5 pbmt=1 napot=0 oas=47",
	"levels=4 pbmt=1 tlb=generic oas=32",
	"levels=4 pgsizes=0x40011000 ad=1",
	"levels=4 pgsizes=0x8000210000",
	"levels=5 pgsizes=0x1000000001000",
	"tiny=4 ad=1",
	"tiny=3 pbmt=1 ad=1 tlb=generic",
	"tiny=2",
	"tiny=2 levels=3 napot=0 ad=1",
	"tiny=4 pgsizes=0x18000",
	NULL,
};

/* Span of one item at level. */
static inline unsigned riscv64_item_lg2(const struct config *cfg, unsigned level)
{
	return 12 + level * (cfg->tiny ? cfg->tiny : 9);
}

/* Items of a NAPOT group, base-2 logarithm. Only 64K is defined: the other codes are reserved. */
static inline unsigned riscv64_napot_lg2(const struct config *cfg)
{
	return cfg->tiny ? config_tiny_contig_lg2(cfg->tiny, 0) : 4;
}

/* Every level holds leaves; none is larger than either half of the iovas or than the oa. */
static inline uint64_t riscv64_sizes(const struct config *cfg)
{
	unsigned level, end = cfg->oas < cfg->ias - 1u ? cfg->oas : cfg->ias - 1u;
	uint64_t sizes = 0;

	for (level = 0; level < cfg->levels; level++)
		sizes |= UINT64_C(1) << riscv64_item_lg2(cfg, level);
	if (cfg->napot)
		sizes |= UINT64_C(1) << (12 + riscv64_napot_lg2(cfg));
	return sizes & pt_mask(end + 1);
}

static inline int riscv64_resolve(struct config *cfg, const char **why)
{
	if (cfg->tiny) {
		if (!resolve_tiny(cfg, 12, 4))
			return resolve_no(why, "tiny: levels takes 2 to as many as 8 bits hold, ias is 12 + levels * tiny");
	} else {
		if (!resolve_in(&cfg->levels, 4, 3, 5))
			return resolve_no(why, "levels takes 3 to 5: Sv39, Sv48, Sv57");
		if (!resolve_in(&cfg->ias, 12 + 9 * cfg->levels, 12 + 9 * cfg->levels, 12 + 9 * cfg->levels))
			return resolve_no(why, "ias is 39, 48 or 57 for 3, 4 or 5 levels, sign bit included");
	}
	if (!resolve_in(&cfg->sign, 1, 1, 1))
		return resolve_no(why, "sign is 1: a first-stage iova is always sign extended");
	if (!resolve_in(&cfg->oas, 56, 32, 56))
		return resolve_no(why, "oas takes 32 to 56");
	if (!resolve_in(&cfg->napot, 1, 0, 1) || !resolve_in(&cfg->pbmt, 0, 0, 1) || !resolve_in(&cfg->ad, 0, 0, 1))
		return resolve_no(why, "napot, pbmt and ad take 0 or 1");
	if (!resolve_pgsizes(cfg, riscv64_sizes(cfg)))
		return resolve_no(why, "pgsizes: 4K, 64K with napot=1, 2M, 1G, 512G from 4 levels, 256T with 5, at most oas");
	if (!resolve_tlb(cfg, TLB_RISCV, TLB_RISCV))
		return resolve_no(why, "tlb takes riscv or generic");
	if (!resolve_none(&cfg->stage) || !resolve_none(&cfg->half) || !resolve_none(&cfg->bbm) || !resolve_none(&cfg->cbit) ||
	    !resolve_none(&cfg->snp) || !resolve_none(&cfg->lpa))
		return resolve_no(why, "riscv64 has no stage, half, bbm, cbit, snp, lpa");
	return resolve_common(cfg, why, MODEL_WEAK, false);
}

static inline void riscv64_geometry(struct pt *pt)
{
	unsigned level;

	pt->granule_lg2 = 12;
	pt->top_level_start = pt->top_level_max = pt->cfg.levels - 1;
	for (level = 0; level <= pt->top_level_max; level++) {
		pt->index_lg2[level] = (uint8_t)(pt->cfg.tiny ? pt->cfg.tiny : 9);
		pt->item_lg2[level] = (uint8_t)riscv64_item_lg2(&pt->cfg, level);
		pt->align_lg2[level] = 12;
	}
	pt->low_last = pt_mask(pt->cfg.ias - 1);
	pt->high_first = ~pt->low_last;
	pt->oa_carry_lg2 = 64;
	pt->has_dirty = pt->cfg.ad;
	pt->cap_size_change = pt->cap_leaf_to_table = true;
}

static inline enum pt_kind riscv64_kind(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	(void)level;
	if (!(item & RISCV64_V))
		return PT_EMPTY;
	return item & (RISCV64_R | RISCV64_W | RISCV64_X) ? PT_LEAF : PT_TABLE;
}

static inline uint64_t riscv64_ppn(uint64_t pa)
{
	return pa >> 12 << RISCV64_PPN_SHIFT;
}

static inline uint64_t riscv64_table_pa(const struct pt *pt, uint64_t item)
{
	(void)pt;
	return (item & RISCV64_PPN) >> RISCV64_PPN_SHIFT << 12;
}

/* U, A, D, N and PBMT are reserved in a table and must be zero. */
static inline uint64_t riscv64_table_item(const struct pt *pt, unsigned level, uint64_t pa)
{
	(void)pt;
	(void)level;
	return riscv64_ppn(pa) | RISCV64_V;
}

static inline unsigned riscv64_leaf_lg2(const struct pt *pt, unsigned level, uint64_t item)
{
	return pt->item_lg2[level] + (item & RISCV64_N ? riscv64_napot_lg2(&pt->cfg) : 0);
}

/* The size code of a NAPOT leaf stays in the bits below its size. */
static inline uint64_t riscv64_leaf_oa(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)level;
	return riscv64_table_pa(pt, item);
}

/* Without hardware updating a clear A faults, and so does a write through a clear D: A is always set then, D as prot says. */
static inline uint64_t riscv64_leaf_item(const struct pt *pt, unsigned level, uint64_t oa, unsigned size_lg2, unsigned prot)
{
	uint64_t item = riscv64_ppn(oa) | RISCV64_V;

	if (size_lg2 != pt->item_lg2[level])
		item |= RISCV64_N | UINT64_C(1) << (RISCV64_PPN_SHIFT + riscv64_napot_lg2(&pt->cfg) - 1);
	item |= prot & PROT_R ? RISCV64_R : 0;
	item |= prot & PROT_W ? RISCV64_W : 0;
	item |= prot & PROT_X ? RISCV64_X : 0;
	item |= prot & PROT_PRIV ? 0 : RISCV64_U;
	item |= prot & PROT_MMIO ? RISCV64_PBMT_IO : 0;
	item |= !pt->cfg.ad || (prot & PT_ACCESSED) ? RISCV64_A : 0;
	item |= prot & PT_DIRTY ? RISCV64_D : 0;
	return item;
}

/* An oa of 2^12 is the PPN's lowest bit. */
static inline unsigned riscv64_oa_step_lg2(const struct pt *pt, unsigned level)
{
	return pt->item_lg2[level] - 12 + RISCV64_PPN_SHIFT;
}

static inline unsigned riscv64_leaf_prot(const struct pt *pt, unsigned level, uint64_t item)
{
	unsigned prot = 0;

	(void)pt;
	(void)level;
	prot |= item & RISCV64_R ? PROT_R : 0;
	prot |= item & RISCV64_W ? PROT_W : 0;
	prot |= item & RISCV64_X ? PROT_X : 0;
	prot |= item & RISCV64_U ? 0 : PROT_PRIV;
	prot |= item & RISCV64_PBMT_IO ? PROT_MMIO : 0;
	prot |= item & RISCV64_A ? PT_ACCESSED : 0;
	prot |= item & RISCV64_D ? PT_DIRTY : 0;
	return prot;
}

/* W without R is reserved. */
static inline bool riscv64_expressible(const struct pt *pt, unsigned prot)
{
	if ((prot & PROT_CACHE) || (!pt->cfg.pbmt && (prot & PROT_MMIO)))
		return false;
	return (prot & PROT_R) || !(prot & PROT_W);
}

static inline uint64_t riscv64_make_dirty(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	(void)level;
	return item | RISCV64_D;
}

static inline uint64_t riscv64_make_clean(const struct pt *pt, unsigned level, uint64_t item)
{
	(void)pt;
	(void)level;
	return item & ~RISCV64_D;
}

#define FMT_NAME riscv64
#define FMT_ITEM_BYTES_LG2 3
#define FMT_TABLE_FLUSHED UINT64_C(0)
#define fmt_configs riscv64_configs
#define fmt_resolve riscv64_resolve
#define fmt_geometry riscv64_geometry
#define fmt_kind riscv64_kind
#define fmt_table_pa riscv64_table_pa
#define fmt_table_item riscv64_table_item
#define fmt_leaf_lg2 riscv64_leaf_lg2
#define fmt_leaf_oa riscv64_leaf_oa
#define fmt_leaf_item riscv64_leaf_item
#define fmt_group_step_lg2(pt, level) 0
#define fmt_oa_step_lg2 riscv64_oa_step_lg2
#define fmt_leaf_prot riscv64_leaf_prot
#define fmt_expressible riscv64_expressible
#define fmt_make_dirty riscv64_make_dirty
#define fmt_make_clean riscv64_make_clean

#endif
