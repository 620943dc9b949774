/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw_riscv64.c - the RISC-V first-stage walker: what one PTE of Sv39, Sv48 or Sv57 means to an IOMMU.
 *
 * It is not an encoder, and it does not know the second stage (Sv39x4 and up) nor the PTE bits 60:59 that Svrsw60t59b later gave to
 * software.
 *
 * [priv]  The RISC-V Instruction Set Manual, Volume II: Privileged Architecture, version 20240411, chapter 10 "Supervisor-Level
 *         ISA": 10.3.1 "Addressing and Memory Protection" (PTE bits), 10.3.2 "Virtual Address Translation Process", 10.4 Sv39, 10.5 Sv48,
 *         10.6 Sv57; chapters "Svnapot" 1.0 and "Svpbmt" 1.0
 * [iommu] RISC-V IOMMU Architecture Specification, version 20250828 (base architecture 1.0): section "Process to translate an IOVA" (first
 *         stage as [priv]; SADE: accessed and dirty set by the IOMMU), 4.1.1 IOTINVAL
 *
 * Levels: the vendor's i is ours (0 is the last). PTE, [priv] figures "Sv39/Sv48/Sv57 page table entry":
 *
 *   63  62:61  60:54     53:10  9:8  7 6 5 4 3 2 1 0
 *   N   PBMT   reserved  PPN    RSW  D A G U X W R V
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "hw.h"

enum {
	RISCV64_V = 1 << 0,
	RISCV64_R = 1 << 1,
	RISCV64_W = 1 << 2,
	RISCV64_X = 1 << 3,
	RISCV64_U = 1 << 4,
	RISCV64_G = 1 << 5,
	RISCV64_A = 1 << 6,
	RISCV64_D = 1 << 7,
	RISCV64_PPN_SHIFT = 10,
	RISCV64_PBMT_SHIFT = 61,
	RISCV64_PAGE_LG2 = 12,
	RISCV64_INDEX_LG2 = 9,
	RISCV64_NAPOT_LG2 = 4, /* 64 KiB, the only code that Svnapot 1.0 defines */
	RISCV64_OAS_MAX = 56,  /* PPN is 44 bits wide */
};

#define RISCV64_PPN UINT64_C(0x003ffffffffffc00)      /* 53:10 */
#define RISCV64_RESERVED UINT64_C(0x1fc0000000000000) /* 60:54, "reserved for future standard use", 10.4.1 */
#define RISCV64_PBMT UINT64_C(0x6000000000000000)     /* 62:61 */
#define RISCV64_N UINT64_C(0x8000000000000000)        /* 63 */

enum { RISCV64_PBMT_NC = 1, RISCV64_PBMT_IO, RISCV64_PBMT_RSVD };

static struct hw_entry riscv64_bad(const char *why)
{
	return (struct hw_entry){ .kind = HW_BAD, .why = why };
}

static uint64_t riscv64_pa(uint64_t raw)
{
	return (raw & RISCV64_PPN) << (RISCV64_PAGE_LG2 - RISCV64_PPN_SHIFT);
}

/* Items of a NAPOT group at level 0, as a base-2 logarithm. */
static unsigned riscv64_napot_lg2(const struct hw *hw)
{
	return hw->cfg.tiny ? config_tiny_contig_lg2(hw->cfg.tiny, 0) : RISCV64_NAPOT_LG2;
}

/*
 * A non-leaf: R = W = X = 0. 10.3.1: "For non-leaf PTEs, the D, A, and U bits are reserved"; Svpbmt: 62:61 reserved in a non-leaf;
 * Svnapot: N is defined for leaves only, 10.4.1: bit 63 reserved otherwise. 10.3.2 step 4: there is nothing below level 0.
 */
static struct hw_entry riscv64_table(const struct hw *hw, unsigned level, uint64_t raw)
{
	uint64_t pa = riscv64_pa(raw);

	if (raw & (RISCV64_D | RISCV64_A | RISCV64_U | RISCV64_G | RISCV64_PBMT | RISCV64_N)) {
		if (raw & RISCV64_D)
			return riscv64_bad("D: reserved in a non-leaf PTE");
		if (raw & RISCV64_A)
			return riscv64_bad("A: reserved in a non-leaf PTE");
		if (raw & RISCV64_U)
			return riscv64_bad("U: reserved in a non-leaf PTE");
		if (raw & RISCV64_PBMT)
			return riscv64_bad("PBMT: reserved in a non-leaf PTE");
		if (raw & RISCV64_N)
			return riscv64_bad("N: reserved in a non-leaf PTE");
		return riscv64_bad("G: global entries outlive an invalidation by PSCID");
	}
	if (!level)
		return riscv64_bad("R, W, X: a non-leaf PTE at level 0");
	if (pa >> hw->oa_lg2)
		return riscv64_bad("PPN: wider than the physical address");
	return (struct hw_entry){ .kind = HW_TABLE, .level = level - 1, .prot = PROT_ACCESS, .pa = pa };
}

/*
 * The fields of a leaf that say neither where nor how large. G is legal for the walk, but [iommu] 4.1.1 exempts "entries containing
 * global mappings" from every IOTINVAL.VMA with PSCV=1, so a driver that gives each domain a PSCID never sets it.
 */
static const char *riscv64_leaf_wrong(const struct hw *hw, uint64_t raw)
{
	unsigned pbmt = (raw & RISCV64_PBMT) >> RISCV64_PBMT_SHIFT;

	if ((raw & (RISCV64_R | RISCV64_W)) == RISCV64_W)
		return "W without R: reserved";
	if (raw & RISCV64_G)
		return "G: global entries outlive an invalidation by PSCID";
	/* Svpbmt, table "Encodings for PBMT field"; 10.4.1: bits 62:61 are reserved where it is not implemented */
	if (pbmt && !hw->cfg.pbmt)
		return "PBMT: reserved without Svpbmt";
	if (pbmt == RISCV64_PBMT_RSVD)
		return "PBMT code 3: reserved";
	if (pbmt == RISCV64_PBMT_NC)
		return "PBMT code the driver never programs";
	if (!hw->cfg.ad) {
		/* 10.3.2 step 9: without hardware update, A=0 faults, and so does a write to D=0 */
		if (!(raw & RISCV64_A))
			return "A: clear, and the device does not set it";
		if ((raw & (RISCV64_W | RISCV64_D)) == RISCV64_W)
			return "D: clear in a writable leaf, and the device does not set it";
	}
	return NULL;
}

static unsigned riscv64_prot(uint64_t raw)
{
	unsigned prot = 0;

	if (raw & RISCV64_R)
		prot |= PROT_R;
	if (raw & RISCV64_W)
		prot |= PROT_W;
	if (raw & RISCV64_X)
		prot |= PROT_X;
	if (!(raw & RISCV64_U))
		prot |= PROT_PRIV;
	if ((raw & RISCV64_PBMT) >> RISCV64_PBMT_SHIFT == RISCV64_PBMT_IO)
		prot |= PROT_MMIO;
	return prot;
}

static struct hw_entry riscv64_leaf(const struct hw *hw, unsigned level, uint64_t raw)
{
	const char *wrong = riscv64_leaf_wrong(hw, raw);
	unsigned size_lg2 = hw->item_lg2[level];
	uint64_t pa = riscv64_pa(raw);

	if (wrong)
		return riscv64_bad(wrong);
	if (pa >> hw->oa_lg2 || size_lg2 > hw->oa_lg2)
		return riscv64_bad("PPN: wider than the physical address");
	if (raw & RISCV64_N) {
		/* Svnapot, table "Page table entry encodings when pte.N=1": i = 0 and ppn[0] = x xxxx 1000 alone are defined */
		unsigned group_lg2 = riscv64_napot_lg2(hw);
		uint64_t code = UINT64_C(1) << (RISCV64_PAGE_LG2 + group_lg2 - 1);

		if (!hw->cfg.napot)
			return riscv64_bad("N: reserved without Svnapot");
		if (level)
			return riscv64_bad("N: reserved above level 0");
		size_lg2 += group_lg2;
		if ((pa & ((UINT64_C(1) << size_lg2) - 1)) != code)
			return riscv64_bad("N: ppn[0] holds a reserved NAPOT code");
		pa -= code;
	}
	/* 10.3.2 step 6: "pte.ppn[i-1:0] != 0": a misaligned superpage faults */
	if (pa & ((UINT64_C(1) << size_lg2) - 1))
		return riscv64_bad("PPN: misaligned superpage");
	return (struct hw_entry){
		.kind = HW_LEAF,
		.size_lg2 = size_lg2,
		.span_lg2 = size_lg2,
		.prot = riscv64_prot(raw),
		.accessed = !hw->cfg.ad || (raw & RISCV64_A),
		.dirty = !hw->cfg.ad || (raw & RISCV64_D),
		.pa = pa,
	};
}

static struct hw_entry riscv64_decode(const struct hw *hw, unsigned level, uint64_t raw)
{
	if (!(raw & RISCV64_V))
		return (struct hw_entry){ .kind = HW_EMPTY };
	if (raw & RISCV64_RESERVED)
		return riscv64_bad("bits 60:54: reserved");
	if (!(raw & (RISCV64_R | RISCV64_W | RISCV64_X)))
		return riscv64_table(hw, level, raw);
	return riscv64_leaf(hw, level, raw);
}

static uint64_t riscv64_touch(const struct hw *hw, unsigned level, uint64_t raw, bool write)
{
	(void)level;
	if (!hw->cfg.ad)
		return raw;
	return raw | RISCV64_A | (write ? RISCV64_D : 0);
}

static bool riscv64_expressible(const struct hw *hw, unsigned prot)
{
	if (!(prot & PROT_ACCESS) || (prot & ~PROT_ALL))
		return false;
	if ((prot & PROT_W) && !(prot & PROT_R))
		return false;
	if (prot & PROT_CACHE)
		return false;
	return !(prot & PROT_MMIO) || hw->cfg.pbmt;
}

static void riscv64_fields(const struct hw *hw, unsigned level, uint64_t raw, char *buf, unsigned buf_bytes)
{
	(void)hw;
	(void)level;
	snprintf(buf, buf_bytes, "V=%u R=%u W=%u X=%u U=%u G=%u A=%u D=%u RSW=%u PPN=0x%" PRIx64 " reserved=0x%x PBMT=%u N=%u",
		 !!(raw & RISCV64_V), !!(raw & RISCV64_R), !!(raw & RISCV64_W), !!(raw & RISCV64_X), !!(raw & RISCV64_U),
		 !!(raw & RISCV64_G), !!(raw & RISCV64_A), !!(raw & RISCV64_D), (unsigned)(raw >> 8 & 3),
		 (raw & RISCV64_PPN) >> RISCV64_PPN_SHIFT, (unsigned)((raw & RISCV64_RESERVED) >> 54),
		 (unsigned)((raw & RISCV64_PBMT) >> RISCV64_PBMT_SHIFT), !!(raw & RISCV64_N));
}

/* What is wrong with a resolved configuration, its page sizes apart; NULL: nothing. */
static const char *riscv64_config_wrong(const struct config *cfg)
{
	unsigned index_lg2 = cfg->tiny ? cfg->tiny : RISCV64_INDEX_LG2;

	if (cfg->tiny == 1 || cfg->tiny > 4)
		return "tiny: must be 0 or 2 to 4";
	if (!cfg->tiny && (cfg->levels < 3 || cfg->levels > 5))
		return "levels: 3 (Sv39), 4 (Sv48) or 5 (Sv57)";
	if (cfg->tiny && (cfg->levels < 2 || cfg->levels * cfg->tiny > 8))
		return "levels: a tiny domain has at least two and at most 256 pages";
	if (cfg->ias != RISCV64_PAGE_LG2 + cfg->levels * index_lg2)
		return "ias: must be 12 + levels * index width (39, 48, 57)";
	if (cfg->oas < 20 || cfg->oas > RISCV64_OAS_MAX)
		return "oas: 20 to 56 bits";
	if (cfg->sign != 1)
		return "sign: first-stage iovas are sign extended";
	if (cfg->napot > 1 || cfg->pbmt > 1 || cfg->ad > 1 || cfg->coherent > 1)
		return "napot, pbmt, ad, coherent: must be 0 or 1";
	if (cfg->ad && !cfg->coherent)
		return "ad: the device sets accessed and dirty only in coherent memory";
	if (cfg->stage || cfg->half || cfg->bbm || cfg->cbit || cfg->snp || cfg->lpa)
		return "stage, half, bbm, cbit, snp, lpa: riscv64 has no such choice";
	if (cfg->tlb != TLB_RISCV && cfg->tlb != TLB_GENERIC)
		return "tlb: riscv or generic";
	return NULL;
}

static int riscv64_init(struct hw *hw, const char **why)
{
	const struct config *cfg = &hw->cfg;
	unsigned index_lg2 = cfg->tiny ? cfg->tiny : RISCV64_INDEX_LG2;
	unsigned level;

	*why = riscv64_config_wrong(cfg);
	if (*why)
		return -EINVAL;
	hw->item_bytes_lg2 = 3;
	hw->top_level = hw->top_level_max = cfg->levels - 1;
	hw->leaf_sizes = 0;
	for (level = 0; level < cfg->levels; level++) {
		hw->item_lg2[level] = RISCV64_PAGE_LG2 + level * index_lg2;
		hw->index_lg2[level] = index_lg2;
		hw->table_align_lg2[level] = RISCV64_PAGE_LG2; /* a PPN, whatever a tiny table's size */
		hw->oa_step_lg2[level] = hw->item_lg2[level] - RISCV64_PAGE_LG2 + RISCV64_PPN_SHIFT;
		if (hw->item_lg2[level] <= cfg->oas)
			hw->leaf_sizes |= UINT64_C(1) << hw->item_lg2[level];
	}
	if (cfg->napot)
		hw->leaf_sizes |= UINT64_C(1) << (RISCV64_PAGE_LG2 + riscv64_napot_lg2(hw));
	if (!cfg->pgsizes || (cfg->pgsizes & ~hw->leaf_sizes)) {
		*why = "pgsizes: a size that no leaf has";
		return -EINVAL;
	}
	/* 10.4.1: bits 63 to ias of an address must equal bit ias-1 */
	hw->has_low = hw->has_high = true;
	hw->iova_low_last = (UINT64_C(1) << (cfg->ias - 1)) - 1;
	hw->iova_high_first = ~hw->iova_low_last;
	hw->oa_lg2 = cfg->oas;
	hw->oa_carry_lg2 = 64;
	hw->has_dirty = cfg->ad;
	/* Svnapot: an entry that covers the whole range may be made from any of its PTEs. */
	hw->any_item = true;
	/* Entries of several sizes for an address may be cached and any may be used, if software lets them agree (privileged 10.3.2). */
	hw->cap_size_change = true;
	hw->cap_leaf_to_table = true;
	hw->ad_mask = cfg->ad ? RISCV64_A | RISCV64_D : 0;
	return 0;
}

const struct hw_format hw_format_riscv64 = {
	.name = "riscv64",
	.document = "RISC-V Privileged Architecture 20240411 (Sv39, Sv48, Sv57, Svnapot, Svpbmt); RISC-V IOMMU 1.0",
	.init = riscv64_init,
	.decode = riscv64_decode,
	.touch = riscv64_touch,
	.expressible = riscv64_expressible,
	.fields = riscv64_fields,
};
