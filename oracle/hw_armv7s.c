/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw_armv7s.c - what the Arm Short-descriptor table walk makes of one descriptor: Section, Supersection, Large page, Small page.
 *
 * It is neither the walk nor a model of the TLB. Written from [ARM] Arm Architecture Reference Manual, ARMv7-A and ARMv7-R edition,
 * DDI 0406C.d, chapter B3: B3.5 Short-descriptor translation table format, B3.7 memory access control, B3.8 memory region attributes.
 *
 * How the hardware is set up: SCTLR.AFE=1 (AP[2:1] is the access permission, AP[0] the Access flag, which hardware never sets),
 * SCTLR.TRE=0 (TEX, C and B say the memory type themselves), TTBCR.N=0 (one table for all 4GB), DACR: domain 0 client, the others
 * without access. The implementation has no PXN, and no physical addresses beyond 32 bits. Bit[9] of a level 1 descriptor is
 * IMPLEMENTATION DEFINED: no meaning is known, so no correct software sets it.
 *
 * Levels: ours 1 and 0 are Arm's first and second level. In a tiny geometry the level 1 item stays 1MB, so that a Section keeps its address
 * bits; a Small page is then 2^(20-tiny) bytes, a Large page 2^19, a Supersection 2^21.
 */
#include <errno.h>
#include <stdio.h>

#include "hw.h"

/* The attribute fields of a leaf, gathered from wherever its descriptor format has them. */
struct armv7s_attr {
	uint8_t tex, c, b, ap, xn; /* ap is AP[2:0] */
};

static inline unsigned armv7s_bits(uint64_t raw, unsigned high, unsigned low)
{
	return raw >> low & ((2u << (high - low)) - 1);
}

/* Whether any of the bits first to last-1 is set; false if last <= first. */
static inline bool armv7s_any(uint64_t raw, unsigned last, unsigned first)
{
	return last > first && (raw & ((UINT64_C(1) << last) - 1)) >> first;
}

static struct hw_entry armv7s_bad(const char *why)
{
	return (struct hw_entry){ .kind = HW_BAD, .why = why };
}

/* Number of items that repeat a Large page (level 0) or a Supersection (level 1), base-2 logarithm; [ARM] B3.5.1, B3.5.2. */
static inline unsigned armv7s_group_lg2(const struct hw *hw, unsigned level)
{
	return hw->cfg.tiny ? config_tiny_contig_lg2(hw->cfg.tiny, level) : 4;
}

/* [ARM] figure B3-4: Section and Supersection, AP[2] bit[15], TEX bits[14:12], AP[1:0] bits[11:10], XN bit[4], C bit[3], B bit[2]. */
static inline struct armv7s_attr armv7s_attr_section(uint64_t raw)
{
	return (struct armv7s_attr){
		.tex = armv7s_bits(raw, 14, 12),
		.c = armv7s_bits(raw, 3, 3),
		.b = armv7s_bits(raw, 2, 2),
		.ap = armv7s_bits(raw, 15, 15) << 2 | armv7s_bits(raw, 11, 10),
		.xn = armv7s_bits(raw, 4, 4),
	};
}

/*
 * [ARM] figure B3-5: AP[2] bit[9], AP[1:0] bits[5:4], C bit[3], B bit[2]; Large page: XN bit[15], TEX bits[14:12]; Small page:
 * TEX bits[8:6], XN bit[0].
 */
static inline struct armv7s_attr armv7s_attr_page(uint64_t raw, bool small)
{
	return (struct armv7s_attr){
		.tex = small ? armv7s_bits(raw, 8, 6) : armv7s_bits(raw, 14, 12),
		.c = armv7s_bits(raw, 3, 3),
		.b = armv7s_bits(raw, 2, 2),
		.ap = armv7s_bits(raw, 9, 9) << 2 | armv7s_bits(raw, 5, 4),
		.xn = small ? armv7s_bits(raw, 0, 0) : armv7s_bits(raw, 15, 15),
	};
}

/* B3.8.2 (TEX, C, B with TRE=0), B3.7.1 (AP[2:1] with AFE=1), B3.7.2 (XN). Fills in what a leaf grants, or says what is wrong. */
static inline const char *armv7s_leaf(struct armv7s_attr a, struct hw_entry *e)
{
	unsigned type = a.tex << 2 | a.c << 1 | a.b;

	e->kind = HW_LEAF;
	e->accessed = true;
	e->dirty = true;
	e->prot = PROT_R;
	if (type == 7) /* 001 1 1: Normal, outer and inner write-back, write-allocate */
		e->prot |= PROT_CACHE;
	else if (type == 1) /* 000 0 1: shareable Device */
		e->prot |= PROT_MMIO;
	else if (type != 4) /* 001 0 0: Normal, outer and inner non-cacheable */
		return "TEX, C, B code the driver never programs";
	if (!(a.ap & 1))
		return "AP[0]=0 with AFE=1: Access flag fault";
	if (!(a.ap & 4))
		e->prot |= PROT_W;
	if (!(a.ap & 2))
		e->prot |= PROT_PRIV;
	if (!a.xn)
		e->prot |= PROT_X;
	return NULL;
}

/*
 * Page table descriptor, B3.5.1: base bits[31:10], bit[9] IMPLEMENTATION DEFINED, Domain bits[8:5], SBZ bit[4], NS bit[3] any, PXN or
 * SBZ bit[2].
 */
static struct hw_entry armv7s_decode_table(uint64_t raw)
{
	if (armv7s_bits(raw, 9, 9))
		return armv7s_bad("bit[9] of a Page table descriptor, IMPLEMENTATION DEFINED");
	if (armv7s_bits(raw, 8, 5))
		return armv7s_bad("Domain bits[8:5]: a domain without access: Domain fault");
	if (armv7s_bits(raw, 4, 4))
		return armv7s_bad("SBZ bit[4] of a Page table descriptor");
	if (armv7s_bits(raw, 2, 2))
		return armv7s_bad("PXN bit[2] of a Page table descriptor, SBZ without PXN support");
	return (struct hw_entry){ .kind = HW_TABLE, .level = 0, .prot = PROT_ACCESS, .pa = raw & UINT64_C(0xfffffc00) };
}

/*
 * Section (bit[18]=0) and Supersection (1), B3.5.1: bits[1:0]=10, and 11 is reserved without PXN. NS bit[19], nG bit[17] and S
 * bit[16] any. A Section has Domain bits[8:5] and base bits[31:20]; a Supersection has base bits[31:24], PA[35:32] bits[23:20] and
 * PA[39:36] bits[8:5].
 */
static struct hw_entry armv7s_decode_section(const struct hw *hw, uint64_t raw)
{
	struct hw_entry e = { .size_lg2 = 20 };
	const char *why;

	if (armv7s_bits(raw, 0, 0))
		return armv7s_bad("bits[1:0] = 11 at the first level, reserved without PXN support");
	if (armv7s_bits(raw, 9, 9))
		return armv7s_bad("bit[9] of a Section descriptor, IMPLEMENTATION DEFINED");
	if (!armv7s_bits(raw, 18, 18)) {
		if (armv7s_bits(raw, 8, 5))
			return armv7s_bad("Domain bits[8:5]: a domain without access: Domain fault");
	} else {
		e.size_lg2 += armv7s_group_lg2(hw, 1);
		if (armv7s_bits(raw, 8, 5))
			return armv7s_bad("Extended base address PA[39:36] of a Supersection");
		if (armv7s_any(raw, e.size_lg2, 20))
			return armv7s_bad(hw->cfg.tiny ? "Supersection base address, misaligned"
						       : "Extended base address PA[35:32] of a Supersection");
	}
	e.span_lg2 = e.size_lg2;
	e.pa = raw & UINT64_C(0xfff00000);
	why = armv7s_leaf(armv7s_attr_section(raw), &e);
	return why ? armv7s_bad(why) : e;
}

/*
 * Small page (bits[1:0]=1x) and Large page (01), B3.5.1: base bits[31:12] and bits[31:16], nG bit[11] and S bit[10] any. A Large
 * page has SBZ bits[8:6].
 */
static struct hw_entry armv7s_decode_page(const struct hw *hw, uint64_t raw)
{
	bool small = armv7s_bits(raw, 1, 1);
	struct hw_entry e = { .size_lg2 = hw->item_lg2[0] };
	const char *why;

	if (small) {
		if (armv7s_any(raw, e.size_lg2, 12))
			return armv7s_bad("Small page base address, misaligned");
		e.pa = raw & UINT64_C(0xfffff000);
	} else {
		e.size_lg2 += armv7s_group_lg2(hw, 0);
		if (armv7s_bits(raw, 8, 6))
			return armv7s_bad("SBZ bits[8:6] of a Large page descriptor");
		if (armv7s_any(raw, e.size_lg2, 16))
			return armv7s_bad("Large page base address, misaligned");
		e.pa = raw & UINT64_C(0xffff0000);
	}
	e.span_lg2 = e.size_lg2;
	why = armv7s_leaf(armv7s_attr_page(raw, small), &e);
	return why ? armv7s_bad(why) : e;
}

static struct hw_entry armv7s_decode(const struct hw *hw, unsigned level, uint64_t raw)
{
	switch (raw & 3) {
	case 0: /* Invalid: bits[31:2] are ignored */
		return (struct hw_entry){ .kind = HW_EMPTY };
	case 1:
		return level ? armv7s_decode_table(raw) : armv7s_decode_page(hw, raw);
	default:
		return level ? armv7s_decode_section(hw, raw) : armv7s_decode_page(hw, raw);
	}
}

/* Hardware never writes a descriptor: the Access flag is managed by software (B3.7.4), and there is no dirty state. */
static uint64_t armv7s_touch(const struct hw *hw, unsigned level, uint64_t raw, bool write)
{
	(void)hw;
	(void)level;
	(void)write;
	return raw;
}

static bool armv7s_expressible(const struct hw *hw, unsigned prot)
{
	(void)hw;
	return (prot & PROT_R) && !(prot & ~(unsigned)PROT_ALL) && (prot & PROT_TYPE) != PROT_TYPE;
}

static void armv7s_fields(const struct hw *hw, unsigned level, uint64_t raw, char *buf, unsigned buf_bytes)
{
	unsigned v = raw, type = v & 3;
	struct armv7s_attr a;

	(void)hw;
	if (!type) {
		snprintf(buf, buf_bytes, "type=invalid");
	} else if (level && type == 1) {
		snprintf(buf, buf_bytes, "type=table address=0x%x Domain=%u NS=%u PXN=%u", v & 0xfffffc00u, armv7s_bits(v, 8, 5),
			 armv7s_bits(v, 3, 3), armv7s_bits(v, 2, 2));
	} else if (level) {
		a = armv7s_attr_section(v);
		snprintf(buf, buf_bytes, "type=%s address=0x%x Domain=%u TEX=%u C=%u B=%u AP=%u XN=%u PXN=%u S=%u nG=%u NS=%u",
			 armv7s_bits(v, 18, 18) ? "supersection" : "section", v & 0xfff00000u, armv7s_bits(v, 8, 5), a.tex, a.c, a.b, a.ap,
			 a.xn, v & 1, armv7s_bits(v, 16, 16), armv7s_bits(v, 17, 17), armv7s_bits(v, 19, 19));
	} else {
		a = armv7s_attr_page(v, type != 1);
		snprintf(buf, buf_bytes, "type=%s address=0x%x TEX=%u C=%u B=%u AP=%u XN=%u S=%u nG=%u", type == 1 ? "large" : "small",
			 v & (type == 1 ? 0xffff0000u : 0xfffff000u), a.tex, a.c, a.b, a.ap, a.xn, armv7s_bits(v, 10, 10),
			 armv7s_bits(v, 11, 11));
	}
}

static const char *armv7s_refuse(const struct config *cfg)
{
	if (cfg->tiny && (cfg->tiny < 2 || cfg->tiny > 4))
		return "tiny is not 2 to 4";
	if (cfg->levels != 2)
		return "levels: the Short-descriptor format has two";
	if (cfg->ias != (cfg->tiny ? 20 + cfg->tiny : 32))
		return cfg->tiny ? "tiny: ias is not 20 + tiny" : "ias is not 32";
	if (cfg->oas != 32)
		return "oas is not 32";
	if (cfg->ad)
		return "ad: hardware does not update Short descriptors";
	if (cfg->half)
		return "half: only TTBR0 is used";
	return NULL;
}

/*
 * B3.5.4: 4,096 first-level entries in 16KB, 256 second-level entries in 1KB, each aligned to its size. A tiny root keeps the least
 * alignment that TTBR0 has for any TTBCR.N, 128 bytes; a tiny second-level table the 1KB of the Page table descriptor.
 */
static int armv7s_init(struct hw *hw, const char **why)
{
	unsigned tiny = hw->cfg.tiny, level;
	const char *refused = armv7s_refuse(&hw->cfg);

	if (refused) {
		*why = refused;
		return -EINVAL;
	}
	hw->item_bytes_lg2 = 2;
	hw->top_level = 1;
	hw->top_level_max = 1;
	for (level = 0; level < CONFIG_LEVELS_MAX; level++) {
		hw->item_lg2[level] = 0;
		hw->index_lg2[level] = 0;
		hw->table_align_lg2[level] = 0;
		hw->oa_step_lg2[level] = 0;
	}
	hw->item_lg2[0] = tiny ? 20 - tiny : 12;
	hw->item_lg2[1] = 20;
	hw->index_lg2[0] = tiny ? tiny : 8;
	hw->index_lg2[1] = tiny ? tiny : 12;
	hw->table_align_lg2[0] = 10;
	hw->table_align_lg2[1] = tiny ? 7 : 14;
	hw->leaf_sizes = 0;
	for (level = 0; level < 2; level++) {
		hw->oa_step_lg2[level] = hw->item_lg2[level];
		hw->leaf_sizes |= UINT64_C(1) << hw->item_lg2[level];
		hw->leaf_sizes |= UINT64_C(1) << (hw->item_lg2[level] + armv7s_group_lg2(hw, level));
	}
	hw->has_low = true;
	hw->has_high = false;
	hw->iova_low_last = (UINT64_C(1) << hw->cfg.ias) - 1;
	hw->iova_high_first = ~hw->iova_low_last;
	hw->oa_lg2 = 32;
	hw->oa_carry_lg2 = 64;
	hw->has_dirty = false;
	/* No level of support for changing sizes: break-before-make always (DDI 0406C.d B3.10.1, "TLB maintenance"). */
	hw->cap_size_change = false;
	hw->cap_leaf_to_table = false;
	hw->ad_mask = 0;
	return 0;
}

extern const struct hw_format hw_format_armv7s;
const struct hw_format hw_format_armv7s = {
	.name = "armv7s",
	.document = "Arm ARM DDI 0406C.d, chapter B3 (Short-descriptor format)",
	.init = armv7s_init,
	.decode = armv7s_decode,
	.touch = armv7s_touch,
	.expressible = armv7s_expressible,
	.fields = armv7s_fields,
};
