/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw_x86_64.c - what an IOMMU reads out of one entry of long-mode page tables: AMD's guest ("v2") tables, Intel VT-d's first stage.
 *
 * Not an encoder, and not the walk: how RW, US and XD combine down the walk is the walker's (see HW_TABLE below).
 *
 * Sources: AMD64 Architecture Programmer's Manual volume 2, 24593, revision 3.42, sections 5.3 "Long-Mode Page Translation" and 5.4
 * "Page-Translation-Table Entry Fields", which the IOMMU specification, 48882, section 2.2.6, takes over for guest tables; Intel VT-d,
 * D51397, revision 4.1, sections 3.6 "First-Stage Translation", 3.10 (snoop behaviour) and 9.7 "First-Stage Paging Entries". Where
 * one vendor reserves a bit that the other ignores, it is reserved here: software that serves both writes 0.
 *
 *   level here   0    1    2     3      4
 *   vendors      PTE  PDE  PDPE  PML4E  PML5E
 *   leaf         4K   2M   1G    none   none
 *
 * Assumed of the control bits: write protection and no-execute on, extended-accessed off.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "hw.h"

enum { X86_64_GRANULE_LG2 = 12, X86_64_LEAF_LEVEL_MAX = 2 };

/* APM 5.4.1, VT-d 9.7. Ignored: 6 and 8 of PDE and PDPE pointers, 8 (G) of a leaf, 11:9, 62:52. */
#define X86_64_P UINT64_C(0x1)                   /* bit 0, Present */
#define X86_64_RW UINT64_C(0x2)                  /* bit 1, Read/Write */
#define X86_64_US UINT64_C(0x4)                  /* bit 2, User/Supervisor */
#define X86_64_PWT UINT64_C(0x8)                 /* bit 3, page-level write-through; of a pointer: how the table is read, any value */
#define X86_64_PCD UINT64_C(0x10)                /* bit 4, page-level cache disable; likewise */
#define X86_64_A UINT64_C(0x20)                  /* bit 5, Accessed */
#define X86_64_D UINT64_C(0x40)                  /* bit 6, Dirty, of a leaf */
#define X86_64_PS UINT64_C(0x80)                 /* bit 7, Page Size of PDE and PDPE; reserved in PML4E and PML5E */
#define X86_64_PAT_4K UINT64_C(0x80)             /* bit 7 of a PTE, page attribute table */
#define X86_64_TOP_MBZ UINT64_C(0x100)           /* bit 8 of PML4E and PML5E: must be zero (AMD), ignored (Intel) */
#define X86_64_PAT_LARGE UINT64_C(0x1000)        /* bit 12 of a 2M or 1G leaf, page attribute table */
#define X86_64_ADDR UINT64_C(0x000ffffffffff000) /* bits 51:12; 51:oas reserved */
#define X86_64_XD UINT64_C(0x8000000000000000)   /* bit 63, execute disable (AMD: NX) */

static struct hw_entry x86_64_bad(const char *why)
{
	return (struct hw_entry){ .kind = HW_BAD, .why = why };
}

static unsigned x86_64_access(uint64_t raw)
{
	return PROT_R | (raw & X86_64_RW ? PROT_W : 0) | (raw & X86_64_XD ? 0 : PROT_X) | (raw & X86_64_US ? 0 : PROT_PRIV);
}

/* .prot of a pointer has PROT_PRIV where US = 0: APM 5.6.1, everything below is supervisor's whatever its own US says. */
static struct hw_entry x86_64_decode_table(const struct hw *hw, unsigned level, uint64_t raw)
{
	if (raw & X86_64_PS)
		return x86_64_bad("PS of PML4E and PML5E is reserved");
	if (raw & X86_64_TOP_MBZ && level > X86_64_LEAF_LEVEL_MAX)
		return x86_64_bad("bit 8 of PML4E and PML5E must be zero");
	/*
	 * The IOMMU sets A in every entry that it uses. VT-d section 3.10: the need to update an entry that is not snooped is a
	 * non-recoverable fault. A snooped pointer may hold any A.
	 */
	if (!hw->cfg.coherent && !(raw & X86_64_A))
		return x86_64_bad("A = 0 in a pointer that the page walk does not snoop");
	return (struct hw_entry){ .kind = HW_TABLE, .level = level - 1, .prot = x86_64_access(raw), .pa = raw & X86_64_ADDR };
}

static struct hw_entry x86_64_decode_leaf(const struct hw *hw, unsigned level, uint64_t raw)
{
	unsigned size_lg2 = hw->item_lg2[level];
	uint64_t pat = level ? X86_64_PAT_LARGE : X86_64_PAT_4K;
	struct hw_entry e = {
		.kind = HW_LEAF,
		.size_lg2 = size_lg2,
		.span_lg2 = size_lg2,
		.prot = x86_64_access(raw),
		.accessed = true,
		.dirty = true,
		.pa = raw & X86_64_ADDR,
	};

	if (raw & pat)
		return x86_64_bad("PAT = 1: memory type the driver never programs");
	if (!(raw & X86_64_PCD) != !(raw & X86_64_PWT))
		return x86_64_bad("PCD differs from PWT: memory type the driver never programs");
	if (e.pa & ((UINT64_C(1) << size_lg2) - 1))
		return x86_64_bad("address bits below the page size are reserved (20:13 of a 2M, 29:13 of a 1G page)");
	if (raw & X86_64_PCD)
		e.prot |= PROT_MMIO;
	if (hw->cfg.ad) {
		e.accessed = raw & X86_64_A;
		e.dirty = raw & X86_64_D;
		return e;
	}
	/* Both vendors always set A and D where they are 0 (APM 5.4.2, VT-d 3.6). ad=0 promises that the device has nothing to set. */
	if (!(raw & X86_64_A))
		return x86_64_bad("A is not preset");
	if (raw & X86_64_RW && !(raw & X86_64_D))
		return x86_64_bad("D of a writable page is not preset");
	return e;
}

static struct hw_entry x86_64_decode(const struct hw *hw, unsigned level, uint64_t raw)
{
	if (!(raw & X86_64_P))
		return (struct hw_entry){ .kind = HW_EMPTY };
	if ((raw & X86_64_ADDR) >> hw->oa_lg2)
		return x86_64_bad("address bits above the physical address width are reserved");
	if (level == 0 || (raw & X86_64_PS && level <= X86_64_LEAF_LEVEL_MAX))
		return x86_64_decode_leaf(hw, level, raw);
	return x86_64_decode_table(hw, level, raw);
}

static uint64_t x86_64_touch(const struct hw *hw, unsigned level, uint64_t raw, bool write)
{
	(void)level;
	if (!hw->cfg.ad)
		return raw;
	return raw | X86_64_A | (write ? X86_64_D : 0);
}

static bool x86_64_expressible(const struct hw *hw, unsigned prot)
{
	(void)hw;
	return prot & PROT_R && !(prot & PROT_CACHE);
}

static void x86_64_fields(const struct hw *hw, unsigned level, uint64_t raw, char *buf, unsigned buf_bytes)
{
	bool large = level && level <= X86_64_LEAF_LEVEL_MAX && raw & X86_64_PS;

	(void)hw;
	snprintf(buf, buf_bytes,
		 "P=%u RW=%u US=%u PWT=%u PCD=%u A=%u D=%u %s=%u G=%u avl11:9=%u ADDR=0x%" PRIx64 " PAT12=%u avl62:52=0x%x XD=%u",
		 !!(raw & X86_64_P), !!(raw & X86_64_RW), !!(raw & X86_64_US), !!(raw & X86_64_PWT), !!(raw & X86_64_PCD),
		 !!(raw & X86_64_A), !!(raw & X86_64_D), level ? "PS" : "PAT", !!(raw & X86_64_PS), (unsigned)(raw >> 8 & 1),
		 (unsigned)(raw >> 9 & 7), raw & X86_64_ADDR & ~(large ? X86_64_PAT_LARGE : 0), large && raw & X86_64_PAT_LARGE,
		 (unsigned)(raw >> 52 & 0x7ff), !!(raw & X86_64_XD));
}

static const char *x86_64_refuses(const struct config *cfg)
{
	unsigned span_lg2 = X86_64_GRANULE_LG2 + cfg->levels * (cfg->tiny ? cfg->tiny : 9);

	if (cfg->tiny == 1 || cfg->tiny > 4)
		return "tiny index width is not 0 or 2 to 4";
	if (cfg->tiny && (cfg->levels < 1 || span_lg2 > 20))
		return "tiny ias is not 12 + levels * tiny, at most 20";
	if (!cfg->tiny && (cfg->levels < 4 || cfg->levels > 5))
		return "long mode has 4 or 5 levels";
	if (cfg->ias != span_lg2)
		return "ias is not 12 bits and those of each level's index";
	if (cfg->oas < 32 || cfg->oas > 52)
		return "oas is not 32 to 52";
	if (cfg->sign > 1 || cfg->ad > 1)
		return "sign or ad is not 0 or 1";
	/* VT-d section 3.10: an A or D update in an entry that is not snooped is a non-recoverable fault. */
	if (cfg->ad && !cfg->coherent)
		return "accessed and dirty updates need a snooped page walk";
	return NULL;
}

static int x86_64_init(struct hw *hw, const char **why)
{
	const struct config *cfg = &hw->cfg;
	unsigned index_lg2 = cfg->tiny ? cfg->tiny : 9;
	unsigned l;

	*why = x86_64_refuses(cfg);
	if (*why)
		return -EINVAL;
	hw->item_bytes_lg2 = 3;
	hw->top_level = cfg->levels - 1;
	hw->top_level_max = hw->top_level;
	hw->leaf_sizes = 0;
	for (l = 0; l < CONFIG_LEVELS_MAX; l++) {
		hw->item_lg2[l] = X86_64_GRANULE_LG2 + l * index_lg2;
		hw->index_lg2[l] = index_lg2;
		hw->table_align_lg2[l] = 12;
		hw->oa_step_lg2[l] = hw->item_lg2[l];
		if (l <= X86_64_LEAF_LEVEL_MAX && l <= hw->top_level)
			hw->leaf_sizes |= UINT64_C(1) << hw->item_lg2[l];
	}
	/* Canonical addresses, APM 5.3.1, VT-d 3.6: bits 63:ias repeat bit ias-1. */
	hw->has_low = true;
	hw->has_high = cfg->sign;
	hw->iova_low_last = (UINT64_C(1) << (cfg->ias - 1)) - 1;
	hw->iova_high_first = cfg->sign ? ~hw->iova_low_last : 0;
	hw->oa_lg2 = cfg->oas;
	hw->oa_carry_lg2 = 64;
	hw->has_dirty = cfg->ad;
	/* Large pages and what replaces them may be cached together (SDM vol. 3 4.10.2.3, VT-d 6.2.4); one entry has one size. */
	hw->cap_size_change = false;
	hw->cap_leaf_to_table = true;
	hw->ad_mask = cfg->ad ? X86_64_A | X86_64_D : 0;
	return 0;
}

const struct hw_format hw_format_x86_64 = {
	.name = "x86_64",
	.document = "AMD64 APM volume 2, 24593, rev 3.42, sections 5.3 and 5.4; Intel VT-d, D51397, rev 4.1, sections 3.6 and 9.7",
	.init = x86_64_init,
	.decode = x86_64_decode,
	.touch = x86_64_touch,
	.expressible = x86_64_expressible,
	.fields = x86_64_fields,
};
