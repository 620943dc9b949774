/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw_vtdss.c - what Intel VT-d reads out of one second-stage paging entry.
 *
 * Not an encoder, and not the walk: the AND of permissions down the walk is the walker's.
 *
 * Source: Intel Virtualization Technology for Directed I/O, Architecture Specification, D51397, revision 4.1: section 3.7 "Second-Stage
 * Translation" (levels, permissions, accessed and dirty flags), section 3.10 (snoop behaviour), section 9.8 "Second-Stage Paging
 * Entries" (every field below). Revisions before 3.3 say "second-level" and write SL- for SS-.
 *
 *   level here   0       1       2        3         4
 *   Intel        SS-PTE  SS-PDE  SS-PDPE  SS-PML4E  SS-PML5E
 *   leaf         4K      2M      1G       none      none
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "hw.h"

enum { VTDSS_GRANULE_LG2 = 12, VTDSS_LEAF_LEVEL_MAX = 2 };

/* Section 9.8. 5:3 and 6 of a leaf, EMT and IPAT: ignored, memory types come with nested translation only. 10 and 61:52, 63: ignored. */
#define VTDSS_R UINT64_C(0x1)                   /* bit 0, Read */
#define VTDSS_W UINT64_C(0x2)                   /* bit 1, Write */
#define VTDSS_X UINT64_C(0x4)                   /* bit 2, Execute: ignored unless second-stage execute is enabled, which it is not here */
#define VTDSS_PS UINT64_C(0x80)                 /* bit 7, Page Size of SS-PDE and SS-PDPE; ignored in SS-PTE, reserved above */
#define VTDSS_A UINT64_C(0x100)                 /* bit 8, Accessed; ignored if SSADE = 0 */
#define VTDSS_D UINT64_C(0x200)                 /* bit 9, Dirty, of a leaf; ignored if SSADE = 0 */
#define VTDSS_SNP UINT64_C(0x800)               /* bit 11, Snoop, of a leaf; reserved without snoop control and in pointers */
#define VTDSS_ADDR UINT64_C(0x000ffffffffff000) /* bits 51:12; HAW-1:12 the address, 51:HAW reserved */
#define VTDSS_TM UINT64_C(0x4000000000000000)   /* bit 62, Transient Mapping until revision 3.1, reserved in every entry since 3.2 */

static struct hw_entry vtdss_bad(const char *why)
{
	return (struct hw_entry){ .kind = HW_BAD, .why = why };
}

static struct hw_entry vtdss_decode_table(unsigned level, uint64_t raw)
{
	struct hw_entry e = { .kind = HW_TABLE, .level = level - 1, .prot = PROT_X, .pa = raw & VTDSS_ADDR };

	/* Only the topmost two structures reach this with PS set. */
	if (raw & VTDSS_PS)
		return vtdss_bad("bit 7 of SS-PML4E and SS-PML5E is reserved");
	if (raw & VTDSS_SNP)
		return vtdss_bad("bit 11 of an entry that points to a table is reserved");
	if (raw & VTDSS_R)
		e.prot |= PROT_R;
	if (raw & VTDSS_W)
		e.prot |= PROT_W;
	return e;
}

static struct hw_entry vtdss_decode_leaf(const struct hw *hw, unsigned level, uint64_t raw)
{
	unsigned size_lg2 = hw->item_lg2[level];
	struct hw_entry e = {
		.kind = HW_LEAF,
		.size_lg2 = size_lg2,
		.span_lg2 = size_lg2,
		.accessed = true,
		.dirty = true,
		.pa = raw & VTDSS_ADDR,
	};

	if (e.pa & ((UINT64_C(1) << size_lg2) - 1))
		return vtdss_bad("address bits below the page size are reserved (20:12 of a 2M, 29:12 of a 1G page)");
	if (raw & VTDSS_SNP && !hw->cfg.snp)
		return vtdss_bad("SNP is reserved: no snoop control");
	if (raw & VTDSS_R)
		e.prot |= PROT_R;
	if (raw & VTDSS_W)
		e.prot |= PROT_W;
	if (raw & VTDSS_SNP)
		e.prot |= PROT_CACHE;
	if (hw->cfg.ad) {
		e.accessed = raw & VTDSS_A;
		e.dirty = raw & VTDSS_D;
	}
	return e;
}

static struct hw_entry vtdss_decode(const struct hw *hw, unsigned level, uint64_t raw)
{
	/* Section 3.7: an entry with neither Read nor Write is not present and nothing else in it is looked at. */
	if (!(raw & (VTDSS_R | VTDSS_W)))
		return (struct hw_entry){ .kind = HW_EMPTY };
	if (raw & VTDSS_TM)
		return vtdss_bad("bit 62 is reserved");
	if ((raw & VTDSS_ADDR) >> hw->oa_lg2)
		return vtdss_bad("address bits 51:HAW are reserved");
	if (level == 0 || (raw & VTDSS_PS && level <= VTDSS_LEAF_LEVEL_MAX))
		return vtdss_decode_leaf(hw, level, raw);
	return vtdss_decode_table(level, raw);
}

/* Section 3.7, SSADE = 1: A in every entry used, D in the leaf of a write. */
static uint64_t vtdss_touch(const struct hw *hw, unsigned level, uint64_t raw, bool write)
{
	(void)level;
	if (!hw->cfg.ad)
		return raw;
	return raw | VTDSS_A | (write ? VTDSS_D : 0);
}

static bool vtdss_expressible(const struct hw *hw, unsigned prot)
{
	if (!(prot & PROT_ACCESS) || prot & (PROT_X | PROT_MMIO | PROT_PRIV))
		return false;
	return !(prot & PROT_CACHE) || hw->cfg.snp;
}

static void vtdss_fields(const struct hw *hw, unsigned level, uint64_t raw, char *buf, unsigned buf_bytes)
{
	(void)hw;
	(void)level;
	snprintf(buf, buf_bytes, "R=%u W=%u X=%u EMT=%u IPAT=%u PS=%u A=%u D=%u SNP=%u ADDR=0x%" PRIx64 " ign61:52=0x%x rsvd62=%u ign63=%u",
		 !!(raw & VTDSS_R), !!(raw & VTDSS_W), !!(raw & VTDSS_X), (unsigned)(raw >> 3 & 7), (unsigned)(raw >> 6 & 1),
		 !!(raw & VTDSS_PS), !!(raw & VTDSS_A), !!(raw & VTDSS_D), !!(raw & VTDSS_SNP), raw & VTDSS_ADDR,
		 (unsigned)(raw >> 52 & 0x3ff), !!(raw & VTDSS_TM), (unsigned)(raw >> 63));
}

static const char *vtdss_refuses(const struct config *cfg)
{
	unsigned span_lg2 = VTDSS_GRANULE_LG2 + cfg->levels * (cfg->tiny ? cfg->tiny : 9);

	if (cfg->tiny == 1 || cfg->tiny > 4)
		return "tiny index width is not 0 or 2 to 4";
	if (cfg->tiny && (cfg->levels < 1 || span_lg2 > 20 || cfg->ias != span_lg2))
		return "tiny ias is not 12 + levels * tiny, at most 20";
	if (!cfg->tiny && (cfg->levels < 3 || cfg->levels > 5))
		return "AW is not 3 to 5 levels";
	/* A domain may be narrower than its levels reach: addresses above MGAW fault before the walk (section 3.7). */
	if (!cfg->tiny && (cfg->ias > span_lg2 || cfg->ias <= span_lg2 - 9))
		return "ias does not need exactly that many levels";
	if (cfg->oas < 32 || cfg->oas > 52)
		return "HAW is not 32 to 52";
	if (cfg->snp > 1 || cfg->ad > 1)
		return "snp or ad is not 0 or 1";
	/* Section 3.10: an A or D update in an entry that is not snooped is a non-recoverable fault. */
	if (cfg->ad && !cfg->coherent)
		return "SSADE needs a snooped page walk";
	return NULL;
}

static int vtdss_init(struct hw *hw, const char **why)
{
	const struct config *cfg = &hw->cfg;
	unsigned index_lg2 = cfg->tiny ? cfg->tiny : 9;
	unsigned l;

	*why = vtdss_refuses(cfg);
	if (*why)
		return -EINVAL;
	hw->item_bytes_lg2 = 3;
	hw->top_level = cfg->levels - 1;
	hw->top_level_max = hw->top_level;
	hw->leaf_sizes = 0;
	for (l = 0; l < CONFIG_LEVELS_MAX; l++) {
		hw->item_lg2[l] = VTDSS_GRANULE_LG2 + l * index_lg2;
		hw->index_lg2[l] = index_lg2;
		hw->table_align_lg2[l] = 12;
		hw->oa_step_lg2[l] = hw->item_lg2[l];
		if (l <= VTDSS_LEAF_LEVEL_MAX && l <= hw->top_level)
			hw->leaf_sizes |= UINT64_C(1) << hw->item_lg2[l];
	}
	hw->has_low = true;
	hw->has_high = false;
	hw->iova_low_last = (UINT64_C(1) << cfg->ias) - 1;
	hw->iova_high_first = 0;
	hw->oa_lg2 = cfg->oas;
	hw->oa_carry_lg2 = 64;
	hw->has_dirty = cfg->ad;
	/* Large pages and what replaces them may be cached together (6.2.4); one entry has one size. */
	hw->cap_size_change = false;
	hw->cap_leaf_to_table = true;
	hw->ad_mask = cfg->ad ? VTDSS_A | VTDSS_D : 0;
	return 0;
}

const struct hw_format hw_format_vtdss = {
	.name = "vtdss",
	.document = "Intel VT for Directed I/O Architecture Specification, D51397, rev 4.1, sections 3.7 and 9.8",
	.init = vtdss_init,
	.decode = vtdss_decode,
	.touch = vtdss_touch,
	.expressible = vtdss_expressible,
	.fields = vtdss_fields,
};
