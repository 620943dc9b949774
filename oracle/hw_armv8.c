/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw_armv8.c - what the Arm VMSAv8-64 table walk makes of one descriptor: 4KB, 16KB and 64KB granule, stage 1 and stage 2.
 *
 * It is neither the walk nor a model of the TLB. Written from:
 *
 *   [ARM]  Arm Architecture Reference Manual for A-profile architecture, DDI 0487L.b, chapter D8, "The AArch64 Virtual Memory System
 *          Architecture": D8.2 translation process, D8.3.1 VMSAv8-64 descriptor formats (tables D8-48 to D8-55), D8.4 memory access
 *          control, D8.5 hardware updates, D8.6 memory region attributes, D8.7 other descriptor fields (Contiguous, nT)
 *   [SMMU] Arm System Memory Management Unit Architecture, version 3, IHI 0070H.a: 3.4 address sizes, 3.13 translation table
 *          entries and Access/Dirty flags, 5.2 Stream Table Entry, 5.4 Context Descriptor
 *
 * What the hardware is taken to be: Non-secure; FEAT_HAFDBS exactly if cfg.ad; DS=1 (4KB, 16KB) or FEAT_LPA (64KB) exactly if
 * cfg.lpa; FEAT_TTST and FEAT_XNX; none of FEAT_BTI (GP), FEAT_XS (FnXS), FEAT_S2FWB, FEAT_HAFT, FEAT_S1PIE, FEAT_S1POE,
 * FEAT_S2PIE, FEAT_D128. Stage 1 is a regime with two privilege levels (EL1&0), hierarchical permissions on, PAN and WXN off.
 *
 * Levels: ours 0, 1, 2, 3, 4 are Arm's 3, 2, 1, 0, -1.
 */
#include <errno.h>
#include <stdio.h>

#include "hw.h"

/* Bit positions, [ARM] tables D8-48 (bits 0 and 1), D8-50 (stage 1 Table), D8-52 and D8-53 (stage 1 and 2 Block and Page). */
enum armv8_bit {
	ARMV8_VALID = 0,     /* 0: invalid, all other bits IGNORED (D8.3.1.3) */
	ARMV8_TABLE = 1,     /* level -1 to 2: 1 Table, 0 Block; level 3: 1 Page, 0 reserved */
	ARMV8_NS = 5,        /* stage 1: RES0 for Non-secure accesses; stage 2: MemAttr[3] */
	ARMV8_AP1 = 6,       /* stage 1: 1: unprivileged access like privileged (D8.4.1.2) */
	ARMV8_S2AP0 = 6,     /* stage 2: read (D8.4.2.1) */
	ARMV8_AP2 = 7,       /* stage 1: 1: read-only */
	ARMV8_S2AP1 = 7,     /* stage 2: write */
	ARMV8_AF = 10,       /* D8.5.1 */
	ARMV8_NG = 11,       /* stage 1 nG */
	ARMV8_FNXS = 11,     /* stage 2, RES0 without FEAT_XS */
	ARMV8_NT = 16,       /* Block only, RES0 without FEAT_BBML1 (D8.7.3) */
	ARMV8_DBM = 51,      /* D8.5.2.1 */
	ARMV8_CONTIG = 52,   /* D8.7.1 */
	ARMV8_PXN = 53,      /* stage 1; stage 2: XN[0] */
	ARMV8_UXN = 54,      /* stage 1; stage 2: XN[1] */
	ARMV8_PXNTABLE = 59, /* stage 1 Table, hierarchical permissions (D8.4.1.2) */
	ARMV8_UXNTABLE = 60,
	ARMV8_APTABLE0 = 61, /* 1: no unprivileged access below */
	ARMV8_APTABLE1 = 62, /* 1: no write below */
	ARMV8_NSTABLE = 63,  /* RES0 for Non-secure */
};

enum { ARMV8_4K = 12, ARMV8_16K = 14, ARMV8_64K = 16 };

#define ARMV8_INLINE static inline __attribute__((always_inline))

ARMV8_INLINE bool armv8_bit(uint64_t raw, enum armv8_bit nr)
{
	return raw >> nr & 1;
}

/* The field raw<high:low>. */
ARMV8_INLINE uint64_t armv8_bits(uint64_t raw, unsigned high, unsigned low)
{
	return raw >> low & ((UINT64_C(2) << (high - low)) - 1);
}

/* The bits first to last-1 in place; none if last <= first. */
ARMV8_INLINE uint64_t armv8_mask(unsigned last, unsigned first)
{
	return last > first ? ((UINT64_C(1) << last) - 1) & ~((UINT64_C(1) << first) - 1) : 0;
}

static struct hw_entry armv8_bad(const char *why)
{
	return (struct hw_entry){ .kind = HW_BAD, .why = why };
}

/*
 * The Arm levels that may hold a Block, [ARM] D8.2.8 to D8.2.10: 4KB: 1 and 2, and 0 with DS=1; 16KB: 2, and 1 with DS=1; 64KB: 2, and 1 if
 * addresses have 52 bits. Level 3 holds Pages.
 */
static bool armv8_has_leaf(const struct config *cfg, unsigned granule, unsigned level)
{
	unsigned top = granule == ARMV8_4K ? 2 : 1;

	return level <= top + (cfg->lpa ? 1 : 0);
}

/*
 * Number of items in a contiguous group, base-2 logarithm; 0 where the bit is RES0. [ARM] D8.7.1: 4KB: 16 at levels 3, 2, 1;
 * 16KB: 128 at level 3, 32 at level 2; 64KB: 32 at levels 3 and 2 (table D8-104). In the Blocks that only 52-bit addresses have (512GB,
 * 64GB, 4TB) the bit is RES0.
 */
static unsigned armv8_group_lg2(const struct config *cfg, unsigned granule, unsigned level)
{
	if (level > (granule == ARMV8_4K ? 2 : 1))
		return 0;
	if (cfg->tiny)
		return config_tiny_contig_lg2(cfg->tiny, level);
	if (granule == ARMV8_16K)
		return level ? 5 : 7;
	return granule == ARMV8_4K ? 4 : 5;
}

/*
 * The address that a descriptor holds, down to bit low. [ARM] D8.3.1.1, D8.3.1.2: [47:low] in place; with DS=1 (4KB, 16KB) [49:low]
 * in place and [51:50] in bits[9:8]; 64KB with 52-bit addresses: [51:48] in bits[15:12].
 */
ARMV8_INLINE uint64_t armv8_address(const struct hw *hw, unsigned granule, uint64_t raw, unsigned low)
{
	if (!hw->cfg.lpa)
		return raw & armv8_mask(48, low);
	if (granule == ARMV8_64K)
		return (raw & armv8_mask(48, low)) | armv8_bits(raw, 15, 12) << 48;
	return (raw & armv8_mask(50, low)) | armv8_bits(raw, 9, 8) << 50;
}

/* What is wrong with the reserved bits around an address that reaches down to bit low, or NULL. */
ARMV8_INLINE const char *armv8_address_res0(const struct hw *hw, unsigned granule, uint64_t raw, unsigned low)
{
	uint64_t below = armv8_mask(low, 12);

	if (hw->cfg.lpa && granule != ARMV8_64K) {
		if (raw & armv8_mask(51, 50))
			return "RES0 bit[50]";
	} else if (raw & armv8_mask(51, 48)) {
		return "RES0 bits[50:48]";
	}
	if (hw->cfg.lpa && granule == ARMV8_64K)
		below &= ~armv8_mask(16, 12);
	if (raw & below)
		return "RES0 bits between the address field and bits[11:0]";
	return NULL;
}

/*
 * Table descriptor, [ARM] D8.3.1.1. Bits[58:51] and bits[11:2] but for the address are IGNORED. Stage 1 bits[63:59] restrict what
 * lies below; stage 2 bits[63:59] are RES0.
 */
ARMV8_INLINE struct hw_entry armv8_decode_table(const struct hw *hw, unsigned granule, unsigned level, uint64_t raw)
{
	struct hw_entry e = { .kind = HW_TABLE, .level = level - 1, .prot = PROT_ACCESS };
	const char *why = armv8_address_res0(hw, granule, raw, granule);

	if (why)
		return armv8_bad(why);
	e.pa = armv8_address(hw, granule, raw, granule);
	if (e.pa >> hw->cfg.oas)
		return armv8_bad("next-level table address beyond the output address size: Address size fault");
	if (!armv8_bits(raw, 63, 59))
		return e;

	if (hw->cfg.stage == 2)
		return armv8_bad("RES0 bits[63:59] of a stage 2 Table descriptor");
	if (armv8_bit(raw, ARMV8_NSTABLE))
		return armv8_bad("NSTable bit[63], RES0 in Non-secure state");
	/* Neither of these can be said with the PROT_ACCESS bits of struct hw_entry, and no driver here programs them. */
	if (armv8_bit(raw, ARMV8_APTABLE0))
		return armv8_bad("APTable[0]: takes unprivileged access away below");
	if (armv8_bit(raw, ARMV8_UXNTABLE) != armv8_bit(raw, ARMV8_PXNTABLE))
		return armv8_bad("UXNTable and PXNTable differ");
	if (armv8_bit(raw, ARMV8_APTABLE1))
		e.prot &= ~PROT_W;
	if (armv8_bit(raw, ARMV8_UXNTABLE))
		e.prot &= ~PROT_X;
	return e;
}

/*
 * Attributes of a stage 1 leaf: AttrIndx bits[4:2] into MAIR ([ARM] D8.6.1), AP[2:1] bits[7:6], UXN and PXN (D8.4.1.2, table
 * D8-65), nG bit[11] 1: an invalidation by ASID leaves global entries. The pair UXN=0 with AP[1]=0 lets an unprivileged master execute what it cannot read; PROT_PRIV cannot
 * say that, so no correct software writes it. UXN=1 with PXN=0 on an unprivileged page counts as executable: where it is not
 * writable a privileged master may (R_VWLLR).
 */
ARMV8_INLINE const char *armv8_leaf_stage1(const struct hw *hw, uint64_t raw, struct hw_entry *e)
{
	bool uxn = armv8_bit(raw, ARMV8_UXN), pxn = armv8_bit(raw, ARMV8_PXN);

	if (armv8_bit(raw, ARMV8_NS))
		return "NS bit[5], RES0 in Non-secure state";
	if (!armv8_bit(raw, ARMV8_NG))
		return "nG=0: global, which no invalidation by ASID removes";
	switch (hw->arm_mair >> 8 * armv8_bits(raw, 4, 2) & 0xff) {
	case 0xff: /* Normal, outer and inner write-back, read- and write-allocate */
		e->prot = PROT_CACHE;
		break;
	case 0x44: /* Normal, outer and inner non-cacheable */
		break;
	case 0x04: /* Device-nGnRE */
		e->prot = PROT_MMIO;
		break;
	default:
		return "AttrIndx of an attribute that the driver does not use";
	}
	e->prot |= PROT_R;
	e->dirty = !armv8_bit(raw, ARMV8_AP2);
	if (e->dirty || (hw->cfg.ad && armv8_bit(raw, ARMV8_DBM)))
		e->prot |= PROT_W;
	if (!armv8_bit(raw, ARMV8_AP1)) {
		if (!uxn)
			return "UXN=0 with AP[1]=0: unprivileged execution of a privileged mapping";
		e->prot |= PROT_PRIV;
	}
	if (!uxn || !pxn)
		e->prot |= PROT_X;
	return NULL;
}

/*
 * Attributes of a stage 2 leaf: MemAttr bits[5:2], FWB disabled ([ARM] D8.6.5, table D8-96), S2AP bits[7:6] and XN[1:0] bits[54:53]
 * (D8.4.2.1, tables D8-76 and D8-78: write-only exists, and execution does not ask for read).
 */
ARMV8_INLINE const char *armv8_leaf_stage2(const struct hw *hw, uint64_t raw, struct hw_entry *e)
{
	if (armv8_bit(raw, ARMV8_FNXS))
		return "FnXS bit[11], RES0 without FEAT_XS";
	if (raw >> 63)
		return "RES0 bit[63] of a stage 2 Block or Page descriptor";
	switch (armv8_bits(raw, 5, 2)) {
	case 0xf: /* Normal, outer and inner write-back */
		e->prot = PROT_CACHE;
		break;
	case 0x5: /* Normal, outer and inner non-cacheable */
		break;
	case 0x1: /* Device-nGnRE */
		e->prot = PROT_MMIO;
		break;
	default:
		return "MemAttr[3:0] that the driver never programs";
	}
	switch (armv8_bits(raw, ARMV8_UXN, ARMV8_PXN)) {
	case 0: /* execution permitted at EL1 and EL0 */
		e->prot |= PROT_X;
		break;
	case 2: /* at neither */
		break;
	default:
		return "XN[1:0] code the driver never programs";
	}
	if (armv8_bit(raw, ARMV8_S2AP0))
		e->prot |= PROT_R;
	e->dirty = armv8_bit(raw, ARMV8_S2AP1);
	if (e->dirty || (hw->cfg.ad && armv8_bit(raw, ARMV8_DBM)))
		e->prot |= PROT_W;
	return NULL;
}

/* How much the leaf maps and where, [ARM] D8.3.1.2 and D8.7.1. A group must fit the input size (R_WMNPV) and the output size (R_XFDVL). */
ARMV8_INLINE const char *armv8_leaf_extent(const struct hw *hw, unsigned granule, unsigned level, uint64_t raw, struct hw_entry *e)
{
	unsigned group_lg2;

	e->span_lg2 = hw->item_lg2[level];
	e->size_lg2 = e->span_lg2;
	if (!(hw->leaf_sizes >> e->size_lg2 & 1))
		return "Block at a level that has none, or larger than the output address size";
	if (armv8_bit(raw, ARMV8_CONTIG)) {
		group_lg2 = armv8_group_lg2(&hw->cfg, granule, level);
		if (!group_lg2)
			return "Contiguous bit[52], RES0 at this level";
		e->size_lg2 += group_lg2;
		if (!(hw->leaf_sizes >> e->size_lg2 & 1))
			return "Contiguous bit[52]: the group exceeds the input or the output address size";
	}
	e->pa = armv8_address(hw, granule, raw, e->span_lg2);
	if (e->pa >> hw->cfg.oas)
		return "output address beyond the output address size: Address size fault";
	return NULL;
}

/*
 * Block and Page descriptors, [ARM] D8.3.1.2. Any value: bits[58:55] and at stage 1 bit[63] (software), bits[62:59] (PBHA, IGNORED, System
 * MMU). nT=1 may fault (D8.7.3, R_MRRPW) and is RES0 without FEAT_BBML1. In a tiny geometry the address may reach below it, and
 * then bit 16 is part of that.
 */
ARMV8_INLINE struct hw_entry armv8_decode_leaf(const struct hw *hw, unsigned granule, unsigned level, uint64_t raw)
{
	struct hw_entry e = { .kind = HW_LEAF };
	const char *why = armv8_leaf_extent(hw, granule, level, raw, &e);

	if (why)
		return armv8_bad(why);
	if (e.span_lg2 > ARMV8_NT && armv8_bit(raw, ARMV8_NT))
		return armv8_bad("nT bit[16] of a Block descriptor: RES0, or may fault");
	why = armv8_address_res0(hw, granule, raw, e.span_lg2);
	if (why)
		return armv8_bad(why);
	/* SH, [ARM] D8.6.2 and D8.6.7. With DS=1 shareability comes from the TCR and the bits are address. */
	if (!(hw->cfg.lpa && granule != ARMV8_64K) && armv8_bits(raw, 9, 8) == 1)
		return armv8_bad("SH[1:0] = 01, reserved");

	why = hw->cfg.stage == 1 ? armv8_leaf_stage1(hw, raw, &e) : armv8_leaf_stage2(hw, raw, &e);
	if (why)
		return armv8_bad(why);
	e.accessed = armv8_bit(raw, ARMV8_AF);
	if (hw->cfg.ad)
		return e;

	/* D8.5.1.1: Access flag fault. D8.5.2.1: no FEAT_HAFDBS, no DBM. */
	if (!e.accessed)
		return armv8_bad("AF=0 without hardware update: Access flag fault");
	if (armv8_bit(raw, ARMV8_DBM))
		return armv8_bad("DBM bit[51] without hardware update of the dirty state");
	e.dirty = true;
	return e;
}

ARMV8_INLINE struct hw_entry armv8_decode(const struct hw *hw, unsigned granule, unsigned level, uint64_t raw)
{
	if (!armv8_bit(raw, ARMV8_VALID))
		return (struct hw_entry){ .kind = HW_EMPTY };
	if (armv8_bit(raw, ARMV8_TABLE) == (level == 0))
		return armv8_decode_leaf(hw, granule, level, raw);
	if (level)
		return armv8_decode_table(hw, granule, level, raw);
	return armv8_bad("bits[1:0] = 01 at level 3, reserved");
}

/* D8.5: AF is set by any access; a write to a leaf with DBM=1 clears AP[2] at stage 1 and sets S2AP[1] at stage 2. */
static uint64_t armv8_touch(const struct hw *hw, unsigned level, uint64_t raw, bool write)
{
	(void)level;
	if (!hw->cfg.ad)
		return raw;
	raw |= UINT64_C(1) << ARMV8_AF;
	if (!write || !armv8_bit(raw, ARMV8_DBM))
		return raw;
	if (hw->cfg.stage == 1)
		return raw & ~(UINT64_C(1) << ARMV8_AP2);
	return raw | UINT64_C(1) << ARMV8_S2AP1;
}

static bool armv8_expressible(const struct hw *hw, unsigned prot)
{
	if (!(prot & PROT_ACCESS) || (prot & ~(unsigned)PROT_ALL) || (prot & PROT_TYPE) == PROT_TYPE)
		return false;
	return hw->cfg.stage == 1 ? (prot & PROT_R) != 0 : !(prot & PROT_PRIV);
}

/* One field as fields() prints it: raw<high:low>. */
struct armv8_field {
	const char *name;
	uint8_t high, low;
};

static const struct armv8_field armv8_fields_table[] = {
	{ "NSTable", 63, 63 }, { "APTable", 62, 61 }, { "UXNTable", 60, 60 }, { "PXNTable", 59, 59 }, { NULL, 0, 0 },
};

static const struct armv8_field armv8_fields_stage1[] = {
	{ "AttrIndx", 4, 2 }, { "NS", 5, 5 },           { "AP", 7, 6 },    { "SH", 9, 8 },    { "AF", 10, 10 }, { "nG", 11, 11 },
	{ "DBM", 51, 51 },    { "Contiguous", 52, 52 }, { "PXN", 53, 53 }, { "UXN", 54, 54 }, { "sw", 58, 55 }, { NULL, 0, 0 },
};

static const struct armv8_field armv8_fields_stage2[] = {
	{ "MemAttr", 5, 2 }, { "S2AP", 7, 6 },         { "SH", 9, 8 },   { "AF", 10, 10 }, { "FnXS", 11, 11 },
	{ "DBM", 51, 51 },   { "Contiguous", 52, 52 }, { "XN", 54, 53 }, { "sw", 58, 55 }, { NULL, 0, 0 },
};

static void armv8_fields(const struct hw *hw, unsigned granule, unsigned level, uint64_t raw, char *buf, unsigned buf_bytes)
{
	bool table = level && armv8_bit(raw, ARMV8_TABLE), sh_is_address = hw->cfg.lpa && granule != ARMV8_64K;
	const struct armv8_field *f = hw->cfg.stage == 1 ? armv8_fields_stage1 : armv8_fields_stage2;
	unsigned low = table ? granule : hw->item_lg2[level], used;
	const char *type = "table";

	if (!armv8_bit(raw, ARMV8_VALID)) {
		snprintf(buf, buf_bytes, "type=invalid");
		return;
	}
	if (table)
		f = armv8_fields_table;
	else
		type = level ? "block" : armv8_bit(raw, ARMV8_TABLE) ? "page" : "reserved";
	used = snprintf(buf, buf_bytes, "type=%s address=0x%llx", type, (unsigned long long)armv8_address(hw, granule, raw, low));
	for (; f->name && used < buf_bytes; f++) {
		if (f->high == 9 && sh_is_address)
			continue;
		used += snprintf(buf + used, buf_bytes - used, " %s=%llu", f->name, (unsigned long long)armv8_bits(raw, f->high, f->low));
	}
	if (!table && low > ARMV8_NT && used < buf_bytes)
		snprintf(buf + used, buf_bytes - used, " nT=%d", armv8_bit(raw, ARMV8_NT));
}

/*
 * How many levels a walk visits, concatenation done. [ARM] D8.2.2: a stage 2 walk whose first table would have at most
 * 16 items may instead start one level lower, in that many tables side by side. A tiny geometry never concatenates.
 */
static unsigned armv8_levels(const struct config *cfg, unsigned granule)
{
	unsigned stride = cfg->tiny ? cfg->tiny : granule - 3u;
	unsigned bits = cfg->ias - granule;
	unsigned levels = (bits + stride - 1) / stride;

	if (cfg->stage == 2 && !cfg->tiny && levels >= 2 && bits - (levels - 1) * stride <= 4)
		levels--;
	return levels;
}

/*
 * Whether a stage 2 walk that visits so many levels, concatenated or not, is one: [ARM] D8.2.5 to D8.2.10, AArch64.S2InvalidSL: the
 * first lookup may be at Arm's level 0 with 4KB from 44 bits of physical address on, and with 16KB not at all; at level 1 with 16KB from
 * 42 bits on, with 64KB from 44 on. Without concatenation the first table may have fewer items.
 */
static bool armv8_starts_higher(const struct config *cfg, unsigned granule)
{
	unsigned stride = granule - 3u, levels = (cfg->ias - granule + stride - 1) / stride;

	if (cfg->stage != 2 || cfg->tiny || (cfg->lpa && granule != ARMV8_64K) || cfg->levels != levels)
		return false;
	if (granule == ARMV8_4K)
		return levels < 4 || cfg->oas >= 44;
	return levels < 3 || (levels == 3 && cfg->oas >= (granule == ARMV8_16K ? 42 : 44));
}

/* Input sizes, [ARM] D8.2.8 to D8.2.10 with FEAT_TTST: TxSZ at most 48, for 64KB 47; at least 16, with 52-bit addresses 12. */
static const char *armv8_refuse_ias(const struct config *cfg, unsigned granule)
{
	if (cfg->tiny) {
		if (cfg->tiny < 2 || cfg->tiny > 4)
			return "tiny is not 2 to 4";
		if (!cfg->levels || cfg->levels * cfg->tiny > 8)
			return "tiny: more than 8 bits above the granule";
		if (cfg->ias != granule + cfg->levels * cfg->tiny)
			return "tiny: ias is not granule_lg2 + levels * tiny";
		return NULL;
	}
	if (cfg->ias < (granule == ARMV8_64K ? 17 : 16))
		return "ias: input size too small for TxSZ";
	if (cfg->ias > (cfg->lpa ? 52 : 48))
		return "ias: input size too large for TxSZ";
	if (cfg->levels != armv8_levels(cfg, granule) && !armv8_starts_higher(cfg, granule))
		return "levels does not follow from ias, granule and concatenation";
	return NULL;
}

/* Output sizes as the IPS and S2PS fields encode them, [SMMU] 5.2 and 5.4. */
static const char *armv8_refuse(const struct config *cfg, unsigned granule)
{
	if (cfg->stage != 1 && cfg->stage != 2)
		return "stage is not 1 or 2";
	if (cfg->half > (cfg->stage == 1 ? 1 : 0))
		return "half: only stage 1 has two halves";
	if (cfg->lpa > 1 || cfg->ad > 1 || cfg->bbm > 2)
		return "lpa, ad or bbm out of range";
	if (cfg->ad && !cfg->coherent)
		return "ad needs a coherent device";
	switch (cfg->oas) {
	case 32:
	case 36:
	case 40:
	case 42:
	case 44:
	case 48:
		break;
	case 52:
		if (cfg->lpa)
			break;
		return "oas: 52 bits need lpa";
	default:
		return "oas: no such output address size";
	}
	return armv8_refuse_ias(cfg, granule);
}

/*
 * A table fills a granule, since the address field ends there; the root may be smaller or, concatenated, larger. It is aligned to
 * its size, and to 64 bytes at least ([ARM] D8.2.5.2; revisions before L demand the 64 bytes of every output size).
 */
static void armv8_geometry(struct hw *hw, unsigned granule)
{
	unsigned stride = hw->cfg.tiny ? hw->cfg.tiny : granule - 3u;
	unsigned top = hw->cfg.levels - 1u, level, group_lg2;

	hw->top_level = top;
	hw->top_level_max = top;
	hw->leaf_sizes = 0;
	for (level = 0; level < CONFIG_LEVELS_MAX; level++) {
		hw->item_lg2[level] = level <= top ? granule + level * stride : 0;
		hw->index_lg2[level] = level < top ? stride : 0;
		hw->table_align_lg2[level] = level <= top ? granule : 0;
		hw->oa_step_lg2[level] = hw->item_lg2[level];
	}
	hw->index_lg2[top] = hw->cfg.ias - hw->item_lg2[top];
	hw->table_align_lg2[top] = hw->index_lg2[top] > 3 ? hw->index_lg2[top] + 3 : 6;

	for (level = 0; level <= top; level++) {
		if (!armv8_has_leaf(&hw->cfg, granule, level) || hw->item_lg2[level] > hw->cfg.oas)
			continue;
		hw->leaf_sizes |= UINT64_C(1) << hw->item_lg2[level];
		group_lg2 = armv8_group_lg2(&hw->cfg, granule, level);
		if (group_lg2 && group_lg2 <= hw->index_lg2[level] && hw->item_lg2[level] + group_lg2 <= hw->cfg.oas)
			hw->leaf_sizes |= UINT64_C(1) << (hw->item_lg2[level] + group_lg2);
	}
}

static int armv8_init(struct hw *hw, unsigned granule, const char **why)
{
	const char *refused = armv8_refuse(&hw->cfg, granule);

	if (refused) {
		*why = refused;
		return -EINVAL;
	}
	armv8_geometry(hw, granule);
	hw->item_bytes_lg2 = 3;
	hw->has_low = hw->cfg.half == 0;
	hw->has_high = hw->cfg.half == 1;
	hw->iova_low_last = (UINT64_C(1) << hw->cfg.ias) - 1;
	hw->iova_high_first = ~hw->iova_low_last;
	hw->oa_lg2 = hw->cfg.oas;
	hw->oa_carry_lg2 = !hw->cfg.lpa ? 64 : granule == ARMV8_64K ? 48 : 50;
	hw->has_dirty = hw->cfg.ad;
	/* The Contiguous bit: one TLB entry for all, made from any of the descriptors; nothing says that each is updated. */
	hw->any_item = true;
	hw->mair_mask = hw->cfg.stage == 1 ? 7 << 2 : 0;
	hw->arm_mair = CONFIG_ARM_MAIR;
	/* SMMU_IDR3.BBML 2: changes of size neither fault nor conflict (IHI 0070 3.21.1); 0 and 1 leave conflicts or need nT. */
	hw->cap_size_change = hw->cfg.bbm == 2;
	hw->cap_leaf_to_table = hw->cfg.bbm == 2;
	/* AP[2] and S2AP[1] are the same bit. */
	hw->ad_mask = hw->cfg.ad ? UINT64_C(1) << ARMV8_AF | UINT64_C(1) << ARMV8_AP2 : 0;
	return 0;
}

#define ARMV8_DOCUMENT "Arm ARM DDI 0487L.b, chapter D8 (VMSAv8-64); SMMUv3 IHI 0070H.a"

/* One walker per granule, so that the granule is a constant in each decode. */
#define ARMV8_FORMAT(suffix, granule)                                                                                         \
	static int armv8_##suffix##_init(struct hw *hw, const char **why)                                                     \
	{                                                                                                                     \
		return armv8_init(hw, granule, why);                                                                          \
	}                                                                                                                     \
	static struct hw_entry armv8_##suffix##_decode(const struct hw *hw, unsigned level, uint64_t raw)                     \
	{                                                                                                                     \
		return armv8_decode(hw, granule, level, raw);                                                                 \
	}                                                                                                                     \
	static void armv8_##suffix##_fields(const struct hw *hw, unsigned level, uint64_t raw, char *buf, unsigned buf_bytes) \
	{                                                                                                                     \
		armv8_fields(hw, granule, level, raw, buf, buf_bytes);                                                        \
	}                                                                                                                     \
	extern const struct hw_format hw_format_armv8_##suffix;                                                               \
	const struct hw_format hw_format_armv8_##suffix = {                                                                   \
		.name = "armv8_" #suffix,                                                                                     \
		.document = ARMV8_DOCUMENT,                                                                                   \
		.init = armv8_##suffix##_init,                                                                                \
		.decode = armv8_##suffix##_decode,                                                                            \
		.touch = armv8_touch,                                                                                         \
		.expressible = armv8_expressible,                                                                             \
		.fields = armv8_##suffix##_fields,                                                                            \
	}

ARMV8_FORMAT(4k, ARMV8_4K);
ARMV8_FORMAT(16k, ARMV8_16K);
ARMV8_FORMAT(64k, ARMV8_64K);
