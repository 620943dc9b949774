/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw_amdv1.c - what the AMD IOMMU reads out of one entry of its host ("v1") I/O page tables.
 *
 * Not an encoder, and not the walk: skipped iova bits and the AND of permissions down the walk are the walker's.
 *
 * Source: AMD I/O Virtualization Technology (IOMMU) Specification, publication 48882, revision 3.10, section 2.2.3 "I/O Page Tables
 * for Host Translations" (formats of the PDE and PTE, page table level parameters, page size encodings) and section 2.2.2.1 (device
 * table entry: Mode, HAD). The memory encryption bit: AMD64 Architecture Programmer's Manual volume 2, 24593, section 7.10
 * "Secure Memory Encryption"; the bit is a physical address bit whose number CPUID 8000_001F reports.
 *
 *   level here    0   1   2   3    4    5
 *   AMD level     1   2   3   4    5    6
 *   default size  4K  2M  1G  512G 256T none
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "hw.h"

enum {
	AMDV1_NEXT_SHIFT = 9,
	AMDV1_NEXT_DEFAULT = 0, /* "Next Level" 000b: a page of the level's default size */
	AMDV1_NEXT_SIZED = 7,   /* "Next Level" 111b: a page whose size the address field encodes */
	AMDV1_GRANULE_LG2 = 12,
	AMDV1_LEAF_MAX_LG2 = 51,
};

/* PDE and PTE, 48882 section 2.2.3. */
#define AMDV1_PR UINT64_C(0x1)                      /* bit 0, Present; 4:1 ignored */
#define AMDV1_A UINT64_C(0x20)                      /* bit 5, Accessed */
#define AMDV1_D UINT64_C(0x40)                      /* bit 6, Dirty: PTE only, ignored in a PDE; 8:7 ignored */
#define AMDV1_NEXT UINT64_C(0xe00)                  /* bits 11:9, Next Level */
#define AMDV1_ADDR UINT64_C(0x000ffffffffff000)     /* bits 51:12, Page Address or Next Table Address */
#define AMDV1_PTE_RSVD UINT64_C(0x07f0000000000000) /* bits 58:52 of a PTE, reserved */
#define AMDV1_PDE_RSVD UINT64_C(0x1ff0000000000000) /* bits 60:52 of a PDE, reserved: a PDE has neither U nor FC */
#define AMDV1_U UINT64_C(0x0800000000000000)        /* bit 59 of a PTE, returned in ATS responses; says nothing about this translation */
#define AMDV1_FC UINT64_C(0x1000000000000000)       /* bit 60 of a PTE, Force Coherent */
#define AMDV1_IR UINT64_C(0x2000000000000000)       /* bit 61, read permission */
#define AMDV1_IW UINT64_C(0x4000000000000000)       /* bit 62, write permission; 63 ignored */

static struct hw_entry amdv1_bad(const char *why)
{
	return (struct hw_entry){ .kind = HW_BAD, .why = why };
}

/* The encryption bit as a mask, 0 if there is none: it lies in the address field and is not part of the address. */
static uint64_t amdv1_cbit(const struct hw *hw)
{
	return hw->cfg.cbit ? UINT64_C(1) << hw->cfg.cbit : 0;
}

static struct hw_entry amdv1_decode_table(const struct hw *hw, unsigned level, uint64_t raw)
{
	unsigned next = (raw & AMDV1_NEXT) >> AMDV1_NEXT_SHIFT;
	uint64_t cbit = amdv1_cbit(hw);
	uint64_t pa = raw & AMDV1_ADDR & ~cbit;
	struct hw_entry e = { .kind = HW_TABLE, .level = next - 1, .prot = PROT_X, .pa = pa };

	if (raw & AMDV1_PDE_RSVD)
		return amdv1_bad("PDE bits 60:52 are reserved");
	/* Section 2.2.3: Next Level must be lower than the level of the table that holds the entry; level here is AMD's less one. */
	if (next > level)
		return amdv1_bad("Next Level is not below the level of the table");
	if (pa >> hw->oa_lg2)
		return amdv1_bad("Next Table Address is wider than a physical address");
	if (cbit && !(raw & cbit))
		return amdv1_bad("Next Table Address lacks the encryption bit");
	if (raw & AMDV1_IR)
		e.prot |= PROT_R;
	if (raw & AMDV1_IW)
		e.prot |= PROT_W;
	return e;
}

/*
 * The size of a page: section 2.2.3, page size encodings. With 111b the lowest zero of the address field, counted from bit 12, is the
 * top bit of the offset: 0 in bit 12 is 8K, 01 in 13:12 is 16K. The bits above the field count as zeros.
 */
static unsigned amdv1_size_lg2(const struct hw *hw, unsigned level, uint64_t raw)
{
	if ((raw & AMDV1_NEXT) >> AMDV1_NEXT_SHIFT == AMDV1_NEXT_DEFAULT)
		return hw->item_lg2[level];
	return AMDV1_GRANULE_LG2 + 1 + __builtin_ctzll(~(raw & AMDV1_ADDR) >> AMDV1_GRANULE_LG2);
}

static struct hw_entry amdv1_decode_leaf(const struct hw *hw, unsigned level, uint64_t raw)
{
	bool sized = (raw & AMDV1_NEXT) >> AMDV1_NEXT_SHIFT == AMDV1_NEXT_SIZED;
	unsigned size_lg2 = amdv1_size_lg2(hw, level, raw);
	uint64_t cbit = amdv1_cbit(hw);
	uint64_t pa = raw & AMDV1_ADDR & ~cbit;
	struct hw_entry e = { .kind = HW_LEAF, .size_lg2 = size_lg2, .span_lg2 = size_lg2, .accessed = true, .dirty = true };

	if (raw & AMDV1_PTE_RSVD)
		return amdv1_bad("PTE bits 58:52 are reserved");
	if (pa >> hw->oa_lg2)
		return amdv1_bad("Page Address is wider than a physical address");
	/* 111b is for sizes that are not the level's default: larger than one entry, smaller than the table (hardware enforces it). */
	if (sized && size_lg2 <= hw->item_lg2[level])
		return amdv1_bad("Next Level 7 with a page size that is not larger than the level's default");
	if (sized && size_lg2 >= hw->item_lg2[level] + hw->index_lg2[level])
		return amdv1_bad("Next Level 7 with a page size that is not smaller than the table's span");
	if (!(hw->leaf_sizes >> size_lg2 & 1))
		return amdv1_bad("page size that the level or the address widths do not have");
	if (!sized && pa & ((UINT64_C(1) << size_lg2) - 1))
		return amdv1_bad("Page Address is not aligned to the default page size");
	e.pa = pa & ~((UINT64_C(1) << size_lg2) - 1);
	if (raw & AMDV1_IR)
		e.prot |= PROT_R;
	if (raw & AMDV1_IW)
		e.prot |= PROT_W;
	if (raw & AMDV1_FC)
		e.prot |= PROT_CACHE;
	if (cbit && !(raw & cbit))
		e.prot |= PROT_MMIO;
	/* DTE.HAD = 00b: the IOMMU neither reads nor writes A and D, any value will do. */
	if (hw->cfg.ad) {
		e.accessed = raw & AMDV1_A;
		e.dirty = raw & AMDV1_D;
	}
	return e;
}

static struct hw_entry amdv1_decode(const struct hw *hw, unsigned level, uint64_t raw)
{
	unsigned next = (raw & AMDV1_NEXT) >> AMDV1_NEXT_SHIFT;

	if (!(raw & AMDV1_PR))
		return (struct hw_entry){ .kind = HW_EMPTY };
	if (next == AMDV1_NEXT_DEFAULT || next == AMDV1_NEXT_SIZED)
		return amdv1_decode_leaf(hw, level, raw);
	return amdv1_decode_table(hw, level, raw);
}

/* DTE.HAD = 11b: A with every translation, D with a write. Of a group's entries only the one that was read is updated. */
static uint64_t amdv1_touch(const struct hw *hw, unsigned level, uint64_t raw, bool write)
{
	(void)level;
	if (!hw->cfg.ad)
		return raw;
	return raw | AMDV1_A | (write ? AMDV1_D : 0);
}

static bool amdv1_expressible(const struct hw *hw, unsigned prot)
{
	if (!(prot & PROT_ACCESS) || prot & (PROT_X | PROT_PRIV))
		return false;
	if ((prot & PROT_TYPE) == PROT_TYPE)
		return false;
	return !(prot & PROT_MMIO) || hw->cfg.cbit;
}

static void amdv1_fields(const struct hw *hw, unsigned level, uint64_t raw, char *buf, unsigned buf_bytes)
{
	uint64_t cbit = amdv1_cbit(hw);

	(void)level;
	snprintf(buf, buf_bytes, "PR=%u A=%u D=%u NextLevel=%u Address=0x%" PRIx64 " C=%u rsvd58:52=0x%x U=%u FC=%u IR=%u IW=%u ign63=%u",
		 !!(raw & AMDV1_PR), !!(raw & AMDV1_A), !!(raw & AMDV1_D), (unsigned)((raw & AMDV1_NEXT) >> AMDV1_NEXT_SHIFT),
		 raw & AMDV1_ADDR & ~cbit, !!(raw & cbit), (unsigned)((raw & AMDV1_PTE_RSVD) >> 52), !!(raw & AMDV1_U), !!(raw & AMDV1_FC),
		 !!(raw & AMDV1_IR), !!(raw & AMDV1_IW), (unsigned)(raw >> 63));
}

static const char *amdv1_refuses(const struct config *cfg)
{
	if (cfg->tiny == 1 || cfg->tiny > 4)
		return "tiny index width is not 0 or 2 to 4";
	if (cfg->tiny && (cfg->ias <= 12 || cfg->ias > 20 || (cfg->ias - 12) % cfg->tiny))
		return "tiny ias is not 12 plus a whole number of levels, at most 20";
	if (!cfg->tiny && (cfg->ias < 21 || cfg->ias > 64))
		return "ias is not 21 to 64";
	if (cfg->levels < 1 || cfg->levels > 6)
		return "paging mode is not 1 to 6 levels";
	if (cfg->oas < 32 || cfg->oas > 52)
		return "oas is not 32 to 52";
	if (cfg->cbit && (cfg->cbit > 51 || cfg->cbit < cfg->oas))
		return "the encryption bit lies in the oa or above the address field";
	if (cfg->ad > 1)
		return "ad is not 0 or 1";
	return NULL;
}

static int amdv1_init(struct hw *hw, const char **why)
{
	const struct config *cfg = &hw->cfg;
	unsigned index_lg2 = cfg->tiny ? cfg->tiny : 9;
	unsigned l, leaf_lg2;

	*why = amdv1_refuses(cfg);
	if (*why)
		return -EINVAL;
	hw->item_bytes_lg2 = 3;
	hw->top_level = cfg->levels - 1;
	hw->top_level_max = (cfg->ias - AMDV1_GRANULE_LG2 + index_lg2 - 1) / index_lg2 - 1;
	if (hw->top_level > hw->top_level_max) {
		*why = "more levels than ias needs";
		return -EINVAL;
	}
	for (l = 0; l < CONFIG_LEVELS_MAX; l++) {
		hw->item_lg2[l] = AMDV1_GRANULE_LG2 + l * index_lg2;
		hw->index_lg2[l] = index_lg2;
		hw->table_align_lg2[l] = 12;
		hw->oa_step_lg2[l] = hw->item_lg2[l];
	}
	hw->has_low = true;
	hw->has_high = false;
	hw->iova_low_last = cfg->ias == 64 ? UINT64_MAX : (UINT64_C(1) << cfg->ias) - 1;
	hw->iova_high_first = 0;
	hw->oa_lg2 = cfg->oas;
	hw->oa_carry_lg2 = 64;
	hw->leaf_sizes = 0;
	for (leaf_lg2 = AMDV1_GRANULE_LG2; leaf_lg2 <= AMDV1_LEAF_MAX_LG2; leaf_lg2++)
		if (leaf_lg2 <= cfg->oas && leaf_lg2 <= cfg->ias && leaf_lg2 < hw->item_lg2[hw->top_level_max] + index_lg2)
			hw->leaf_sizes |= UINT64_C(1) << leaf_lg2;
	hw->has_dirty = cfg->ad;
	/* The IOMMU may hold entries of any size over an address at once; software may change sizes under it (2.2.3). */
	hw->cap_size_change = true;
	hw->cap_leaf_to_table = true;
	hw->ad_mask = cfg->ad ? AMDV1_A | AMDV1_D : 0;
	return 0;
}

const struct hw_format hw_format_amdv1 = {
	.name = "amdv1",
	.document = "AMD I/O Virtualization Technology (IOMMU) Specification, 48882, rev 3.10, section 2.2.3",
	.init = amdv1_init,
	.decode = amdv1_decode,
	.touch = amdv1_touch,
	.expressible = amdv1_expressible,
	.fields = amdv1_fields,
};
