/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iotlb.c - what each vendor's invalidation commands are sure to remove from an IOTLB and from the walk caches.
 *
 * It is not a model of a TLB: it keeps no entries. Anything that a specification leaves to the implementation is taken to remain cached,
 * and a command with a reserved bit or code set removes nothing. Over-invalidation by the device is not relied on.
 *
 * Conventions of the simulated driver: one domain, which is DomainID, DID, VMID, ASID and PSCID 1, PASID 0, and stream 0.
 *
 * [amd]   AMD I/O Virtualization Technology (IOMMU) Specification, 48882, rev 3.09: 2.4.3 INVALIDATE_IOMMU_PAGES, table 14
 * [vtd]   Intel Virtualization Technology for Directed I/O, D51397-018, rev 5.10: 6.5.2.3 IOTLB Invalidate, 6.5.2.4 PASID-based IOTLB
 *         Invalidate, 6.5.3.2 Caching Fractured Translations, 6.5.3.3 Guidance to Software for Invalidations, tables 22 to 24
 * [smmu]  Arm SMMU Architecture Specification, IHI 0070 G.b: 4.1.1 opcodes, 4.4 TLB invalidation, 4.4.1.1 Range-based invalidation
 *         and level hint, 4.4.2.2 CMD_TLBI_NH_ASID, 4.4.2.4 CMD_TLBI_NH_VA, 4.4.3.1 CMD_TLBI_S2_IPA, 4.4.3.2 CMD_TLBI_S12_VMALL
 * [iommu] RISC-V IOMMU Architecture Specification, version 20250828 (base architecture 1.0): 4.1.1 IOTINVAL, 9.2 Non-leaf PTE Invalidation
 *         Extension 1.0, 9.3 Address Range Invalidation Extension 1.0; both extensions are taken to be implemented
 * [smmu2] Arm SMMU Architecture Specification, SMMUv2, IHI 0062 D.c: SMMU_CBn_TLBIVA, SMMU_CBn_TLBIASID, AArch32 Short-descriptor layout
 * [m1n1]  Asahi Linux project, m1n1 hw/dart.py, reverse-engineered: STREAM_SELECT, STREAM_COMMAND.INVALIDATE
 */
#include <string.h>

#include "iotlb.h"

enum {
	IOTLB_PAGE_LG2 = 12,
	IOTLB_LEVELS_ANY = 0xff,
	IOTLB_DOMAIN = 1, /* DomainID, DID, VMID, ASID, PSCID */
};

#define IOTLB_ADDR (~UINT64_C(0xfff)) /* 63:12, where every vendor keeps the address */

/* Bits [hi:lo] of x. */
static uint64_t bits(uint64_t x, unsigned hi, unsigned lo)
{
	return x >> lo & (~UINT64_C(0) >> (63 - (hi - lo)));
}

static void reject(struct iotlb_cmd *cmd, const char *why)
{
	*cmd = (struct iotlb_cmd){ .why = why };
}

static void everything(struct iotlb_cmd *cmd)
{
	*cmd = (struct iotlb_cmd){ .leaves = true, .tables = true, .last = ~UINT64_C(0), .leaf_levels = IOTLB_LEVELS_ANY };
}

/*
 * generic: a command of our own. low = iova 63:12 | zero 11:9 | tables 8 | leaf levels 7:0, high = last iova. It stands for a device that
 * is as literal as can be: entries wholly inside, at the levels named.
 */
static void decode_generic(uint64_t low, uint64_t high, struct iotlb_cmd *cmd)
{
	uint64_t iova = low & IOTLB_ADDR;

	if (bits(low, 11, 9))
		return reject(cmd, "generic: bits 11:9 reserved");
	if (high < iova)
		return reject(cmd, "generic: last below iova");
	*cmd = (struct iotlb_cmd){
		.leaves = bits(low, 7, 0),
		.tables = bits(low, 8, 8),
		.inside = true,
		.iova = iova,
		.last = high,
		.leaf_levels = bits(low, 7, 0),
	};
}

/*
 * [amd] 2.4.3. low: PASID 19:0, reserved 31:20, DomainID 47:32, reserved 59:48, opcode 3 63:60.
 * high: S 0, PDE 1, GN 2, reserved 11:3, Address 63:12.
 *
 * S=0: 4K. S=1: the lowest zero bit k of the address, from bit 12 up, gives 2^(k+1) bytes (table 14, as for a page-table entry); all
 * ones up to bit 62 and bit 63 zero is the whole address space. Table 14 ends with k = 51, and names no code with k = 52 to 62 or
 * without a zero.
 * Entries larger than the command, or beyond its ends, are not sure to go; page directory entries go with PDE=1 alone.
 */
static void decode_amd(const struct hw *hw, uint64_t low, uint64_t high, struct iotlb_cmd *cmd)
{
	bool guest = !strcmp(hw->format->name, "x86_64");
	uint64_t address = high & IOTLB_ADDR, code = ~(address | ~IOTLB_ADDR), size = 1 << IOTLB_PAGE_LG2;

	if (bits(low, 63, 60) != 3)
		return reject(cmd, "INVALIDATE_IOMMU_PAGES: another opcode");
	if (bits(low, 31, 20) || bits(low, 59, 48) || bits(high, 11, 3))
		return reject(cmd, "INVALIDATE_IOMMU_PAGES: reserved bits");
	if (bits(low, 47, 32) != IOTLB_DOMAIN)
		return reject(cmd, "command for another domain");
	if (bits(high, 2, 2) != guest)
		return reject(cmd, guest ? "GN: 0, but the table is a guest (v2) table" : "GN: 1, but the table is a host (v1) table");
	if (bits(low, 19, 0))
		return reject(cmd, guest ? "PASID: another address space" : "PASID: reserved when GN=0");
	if (bits(high, 0, 0)) {
		if (!code)
			return reject(cmd, "Address: S=1 and no zero bit");
		size = (code & -code) << 1; /* 0 for k = 63: 2^64, and so what follows covers everything */
		if (size > UINT64_C(1) << 52)
			return reject(cmd, "Address: S=1 and a size that table 14 does not list");
	}
	everything(cmd);
	cmd->tables = bits(high, 1, 1);
	cmd->inside = true;
	cmd->iova = address & ~(size - 1);
	cmd->last = cmd->iova + (size - 1);
}

/*
 * The page-selective forms: ADDR, AM and IH in the high half. The AM low bits of ADDR are masked (table 22), so they may hold anything.
 *
 * "When invalidating a large-page translation, software must use the appropriate Address Mask value (0 for 4KByte page, 9 for 2-MByte page,
 * and 18 for 1-GByte page)", and 6.5.3.2 says why: a large page may be cached in pieces. So a leaf entry larger than the mask is not
 * sure to go. AM is at most CAP_REG.MAMV (11.4.2); a unit with 1-GByte pages has 18 at least, and more is not to be relied on.
 * Paging-structure-cache entries go wherever they are "associated with" an address of the range, unless IH is set.
 */
enum { IOTLB_VTD_MAMV = 18 };

static void vtd_pages(const struct hw *hw, uint64_t high, struct iotlb_cmd *cmd)
{
	unsigned am = bits(high, 5, 0), level;
	uint64_t offset;

	if (am > IOTLB_VTD_MAMV)
		return reject(cmd, "AM: more than MAMV");
	offset = (UINT64_C(1) << (IOTLB_PAGE_LG2 + am)) - 1;
	*cmd = (struct iotlb_cmd){
		.leaves = true,
		.tables = !bits(high, 6, 6),
		.iova = high & IOTLB_ADDR & ~offset,
		.last = (high & IOTLB_ADDR) | offset,
	};
	for (level = 0; level <= hw->top_level_max; level++)
		if (hw->item_lg2[level] <= IOTLB_PAGE_LG2 + am)
			cmd->leaf_levels |= 1 << level;
}

/*
 * [vtd] 6.5.2.3, iotlb_inv_dsc. low: Type 3:0 = 2, G 5:4, DW 6, DR 7, RsvdZ 8, Type 11:9 = 0, RsvdZ 15:12, DID 31:16, RsvdZ 63:32.
 * high: AM 5:0, IH 6, RsvdZ 11:7, ADDR 63:12. Table 23: on first-stage mappings the page-selective form acts like the domain-selective one.
 */
static void vtd_iotlb(const struct hw *hw, bool first_stage, uint64_t low, uint64_t high, struct iotlb_cmd *cmd)
{
	unsigned g = bits(low, 5, 4);

	if (bits(low, 8, 8) || bits(low, 15, 12) || bits(low, 63, 32) || bits(high, 11, 7))
		return reject(cmd, "iotlb_inv_dsc: RsvdZ bits");
	if (!g)
		return reject(cmd, "iotlb_inv_dsc: G=00b is reserved");
	if (g != 1 && bits(low, 31, 16) != IOTLB_DOMAIN)
		return reject(cmd, "command for another domain");
	if (g != 3 || first_stage)
		return everything(cmd);
	vtd_pages(hw, high, cmd);
}

/*
 * [vtd] 6.5.2.4, p_iotlb_inv_dsc, its first 128 bits; the rest is RsvdZ. low: Type 3:0 = 6, G 5:4, RsvdZ 8:6, Type 11:9 = 0, RsvdZ 15:12,
 * DID 31:16, PASID 51:32, RsvdZ 63:52. high: as above. Table 24: nothing of a second stage's paging-structure cache is removed.
 */
static void vtd_piotlb(const struct hw *hw, bool first_stage, uint64_t low, uint64_t high, struct iotlb_cmd *cmd)
{
	unsigned g = bits(low, 5, 4);

	if (bits(low, 8, 6) || bits(low, 15, 12) || bits(low, 63, 52) || bits(high, 11, 7))
		return reject(cmd, "p_iotlb_inv_dsc: RsvdZ bits");
	if (g < 2)
		return reject(cmd, "p_iotlb_inv_dsc: G=00b and G=01b are reserved");
	if (!first_stage)
		return reject(cmd, "p_iotlb_inv_dsc: for first-stage tables, and the table is a second-stage one");
	if (bits(low, 31, 16) != IOTLB_DOMAIN)
		return reject(cmd, "command for another domain");
	if (bits(low, 51, 32))
		return reject(cmd, "PASID: another address space");
	if (g == 2)
		return everything(cmd);
	vtd_pages(hw, high, cmd);
}

static void decode_vtd(const struct hw *hw, uint64_t low, uint64_t high, struct iotlb_cmd *cmd)
{
	bool first_stage = !strcmp(hw->format->name, "x86_64");
	unsigned type = bits(low, 11, 9) << 4 | bits(low, 3, 0);

	if (type == 2)
		vtd_iotlb(hw, first_stage, low, high, cmd);
	else if (type == 6)
		vtd_piotlb(hw, first_stage, low, high, cmd);
	else
		reject(cmd, "Type: neither iotlb_inv_dsc nor p_iotlb_inv_dsc");
}

enum { SMMU_NH_ASID = 0x11, SMMU_NH_VA = 0x12, SMMU_S12_VMALL = 0x28, SMMU_S2_IPA = 0x2a };

/*
 * TTL names the level of the leaf: only leaf entries of that level are sure to go. Of cached table descriptors (Leaf=0) those above that
 * level go, but not those at it (the note at the end of 4.4.1.1). struct iotlb_cmd cannot say "tables whose pointer lies above level n";
 * with TTL = 3 that is every table, with less we answer that none is sure to go.
 */
static const char *smmu_level_hint(const struct hw *hw, uint64_t high, struct iotlb_cmd *cmd)
{
	unsigned ttl = bits(high, 9, 8), level = 3 - ttl;

	if (ttl == 1 && hw->item_lg2[0] == 14 && !hw->cfg.lpa)
		return "TTL: level 1 is reserved for the 16K granule without 52-bit addresses";
	if (level > hw->top_level_max)
		return "TTL: a level above the root";
	if (bits(high, hw->item_lg2[level] - 1, 0) >> IOTLB_PAGE_LG2)
		return "Address: not aligned to the level that TTL names, the range is unpredictable";
	cmd->leaf_levels = 1 << level;
	if (level)
		cmd->tables = false;
	return NULL;
}

/*
 * 4.4.1.1, TG != 0: Range = ((NUM+1) * 2^SCALE) * Translation_Granule_Size from Address. The range does not wrap, and from the lower
 * half it is "not required to invalidate any entries in the TTB1 region".
 */
static const char *smmu_range(const struct hw *hw, uint64_t low, uint64_t high, struct iotlb_cmd *cmd)
{
	unsigned granule_lg2 = hw->item_lg2[0];
	unsigned shift = bits(low, 25, 20) + granule_lg2;
	uint64_t nr = bits(low, 16, 12) + 1, limit = ~UINT64_C(0);

	if (bits(high, 11, 10) != (granule_lg2 - 10) / 2)
		return "TG: another granule than the table's";
	if (!bits(low, 16, 12) && !bits(low, 25, 20) && !bits(high, 9, 8))
		return "NUM=0, SCALE=0, TTL=0 with a TG: reserved";
	if (bits(low, 25, 25) && !(hw->cfg.lpa && granule_lg2 < 16))
		return "SCALE bit 5: RES0 without DS";
	if (bits(high, granule_lg2 - 1, 0) >> IOTLB_PAGE_LG2)
		return "Address: not aligned to the granule, the range is unpredictable";
	if (hw->cfg.stage == 1 && !(cmd->iova >> 63))
		limit = ~UINT64_C(0) >> 1;
	if (shift > 63 || nr > (~UINT64_C(0) >> shift) || (nr << shift) - 1 > limit - cmd->iova)
		cmd->last = limit;
	else
		cmd->last = cmd->iova + (nr << shift) - 1;
	return bits(high, 9, 8) ? smmu_level_hint(hw, high, cmd) : NULL;
}

/*
 * CMD_TLBI_NH_VA, CMD_TLBI_S2_IPA. low: opcode 7:0, SSec 8 = 0, RES0 11:9, NUM 16:12, RES0 19:17, SCALE 25:20, RES0 31:26, VMID 47:32,
 * ASID 63:48 (S2_IPA: RES0). high: Leaf 0, RES0 6:1, TTL128 7 (no 128-bit descriptors here: 0), TTL 9:8, TG 11:10, Address 63:12
 * (S2_IPA: 55:12, RES0 63:56).
 *
 * Without a TG one address is named, which need not be the first of an entry (4.4): every leaf entry that holds it goes.
 */
static void smmu_address(const struct hw *hw, uint64_t low, uint64_t high, struct iotlb_cmd *cmd)
{
	const char *why = NULL;

	if (bits(low, 11, 8) || bits(low, 19, 17) || bits(low, 31, 26) || bits(high, 7, 1))
		return reject(cmd, "CMD_TLBI: RES0 bits");
	if (bits(low, 7, 0) == SMMU_S2_IPA && bits(high, 63, 56))
		return reject(cmd, "CMD_TLBI_S2_IPA: Address bits 63:56 are RES0");
	everything(cmd);
	cmd->tables = !bits(high, 0, 0);
	cmd->iova = high & IOTLB_ADDR;
	cmd->last = cmd->iova | ~IOTLB_ADDR;
	if (bits(high, 11, 10))
		why = smmu_range(hw, low, high, cmd);
	else if (bits(low, 16, 12) || bits(low, 25, 20) || bits(high, 9, 8))
		why = "NUM, SCALE, TTL: RES0 when TG=0";
	if (why)
		reject(cmd, why);
}

/*
 * [smmu] VMID and ASID are matched, so both are the domain's. NH_ASID and S12_VMALL have opcode 7:0, VMID 47:32, NH_ASID also ASID 63:48,
 * the rest RES0; they remove entries of every level, table descriptors included. S12_VMALL acts on "all implemented stages".
 */
static void decode_arm(const struct hw *hw, uint64_t low, uint64_t high, struct iotlb_cmd *cmd)
{
	unsigned opcode = bits(low, 7, 0), asid = bits(low, 63, 48);
	bool stage1 = opcode == SMMU_NH_ASID || opcode == SMMU_NH_VA;

	if (!stage1 && opcode != SMMU_S12_VMALL && opcode != SMMU_S2_IPA)
		return reject(cmd, "CMD_TLBI: another opcode");
	if (stage1 && hw->cfg.stage != 1)
		return reject(cmd, "CMD_TLBI_NH: a stage 1 command, and the table is a stage 2 one");
	if (opcode == SMMU_S2_IPA && hw->cfg.stage != 2)
		return reject(cmd, "CMD_TLBI_S2_IPA: a stage 2 command, and the table is a stage 1 one");
	if (bits(low, 47, 32) != IOTLB_DOMAIN)
		return reject(cmd, "VMID: command for another domain");
	if (asid != (stage1 ? IOTLB_DOMAIN : 0))
		return reject(cmd, stage1 ? "ASID: command for another domain" : "CMD_TLBI: bits 63:48 are RES0");
	if (opcode == SMMU_NH_VA || opcode == SMMU_S2_IPA)
		return smmu_address(hw, low, high, cmd);
	if (bits(low, 31, 8) || high)
		return reject(cmd, "CMD_TLBI: RES0 bits");
	everything(cmd);
}

/* Whether a walk may start at any address of [iova, last]. */
static bool any_iova_valid(const struct hw *hw, uint64_t iova, uint64_t last)
{
	return (hw->has_low && iova <= hw->iova_low_last) || (hw->has_high && last >= hw->iova_high_first);
}

/*
 * [iommu] 4.1.1, IOTINVAL.VMA. low: opcode 6:0 = 1, func3 9:7 = 0, AV 10, reserved 11, PSCID 31:12, PSCV 32, GV 33, NL 34, reserved 43:35,
 * GSCID 59:44, reserved 63:60. high: reserved 8:0, S 9, ADDR[63:12] 61:10, reserved 63:62.
 *
 * AV=0: the whole address space, all levels; NL, S and ADDR are ignored. AV=1, NL=0: "entries that contain first-stage leaf page table
 * entries, corresponding to the IOVA"; AV=1, NL=1: "information cached from all levels". So pointers to tables go with NL=1 only.
 * AV=1, S=1: the range is NAPOT: with the first 0 of ADDR at bit X it is 2^(X+1) * 4 KiB; all ones is UNSPECIFIED. An invalid address may
 * make the command do nothing.
 */
static void decode_riscv(const struct hw *hw, uint64_t low, uint64_t high, struct iotlb_cmd *cmd)
{
	uint64_t addr = bits(high, 61, 10), zero = ~addr & (~UINT64_C(0) >> IOTLB_PAGE_LG2), offset = ~IOTLB_ADDR;

	if (bits(low, 6, 0) != 1 || bits(low, 9, 7))
		return reject(cmd, "IOTINVAL.VMA: another opcode or func3");
	if (bits(low, 11, 11) || bits(low, 43, 35) || bits(low, 63, 60) || bits(high, 8, 0) || bits(high, 63, 62))
		return reject(cmd, "IOTINVAL.VMA: reserved bits");
	if (bits(low, 33, 33))
		return reject(cmd, "GV: the address space of a VM");
	if (bits(low, 32, 32) && bits(low, 31, 12) != IOTLB_DOMAIN)
		return reject(cmd, "PSCID: command for another domain");
	everything(cmd);
	if (!bits(low, 10, 10))
		return;
	if (bits(high, 9, 9)) {
		if (!zero)
			return reject(cmd, "ADDR: S=1 and all ones is UNSPECIFIED");
		offset |= ((zero & -zero) * 2 - 1) << IOTLB_PAGE_LG2;
	}
	cmd->tables = bits(low, 34, 34);
	cmd->iova = addr << IOTLB_PAGE_LG2 & ~offset;
	cmd->last = cmd->iova | offset;
	if (!any_iova_valid(hw, cmd->iova, cmd->last))
		reject(cmd, "ADDR: not a valid iova, the command may do nothing");
}

/*
 * [smmu2] low: 1 = SMMU_CBn_TLBIVA, 2 = SMMU_CBn_TLBIASID. high is what is written to the 32-bit register: TLBIVA has Address 31:12,
 * reserved 11:8, ASID 7:0; TLBIASID reserved 31:8, ASID 7:0. TLBIVA names no level: every entry used for the address goes, from any
 * level of the walk (only TLBIVAL would stop at the last level).
 */
static void decode_armv7s(uint64_t low, uint64_t high, struct iotlb_cmd *cmd)
{
	if (low != 1 && low != 2)
		return reject(cmd, "neither TLBIVA nor TLBIASID");
	if (bits(high, 63, 32) || bits(high, 11, 8) || (low == 2 && bits(high, 31, 12)))
		return reject(cmd, "TLBIVA, TLBIASID: reserved bits");
	if (bits(high, 7, 0) != IOTLB_DOMAIN)
		return reject(cmd, "ASID: command for another domain");
	everything(cmd);
	if (low == 2)
		return;
	cmd->iova = high & IOTLB_ADDR;
	cmd->last = cmd->iova | ~IOTLB_ADDR;
}

/* [m1n1] low: STREAM_SELECT, a bitmap of 16 streams, ours being bit 0; the invalidate command has no operand: the whole stream. */
static void decode_dart(uint64_t low, uint64_t high, struct iotlb_cmd *cmd)
{
	if (bits(low, 63, 16) || high)
		return reject(cmd, "DART: bits beyond the 16 streams");
	if (!bits(low, 0, 0))
		return reject(cmd, "DART: command for another stream");
	everything(cmd);
}

void iotlb_decode(const struct hw *hw, unsigned vendor, uint64_t low, uint64_t high, struct iotlb_cmd *cmd)
{
	switch (vendor) {
	case TLB_GENERIC:
		return decode_generic(low, high, cmd);
	case TLB_AMD:
		return decode_amd(hw, low, high, cmd);
	case TLB_VTD:
		return decode_vtd(hw, low, high, cmd);
	case TLB_ARM:
		return decode_arm(hw, low, high, cmd);
	case TLB_RISCV:
		return decode_riscv(hw, low, high, cmd);
	case TLB_ARMV7S:
		return decode_armv7s(low, high, cmd);
	case TLB_DART:
		return decode_dart(low, high, cmd);
	default:
		return reject(cmd, "no such vendor");
	}
}

/* Whether the range of cmd takes in [iova, last] as the vendor's rule wants it. */
static bool covers(const struct iotlb_cmd *cmd, uint64_t iova, uint64_t last)
{
	if (cmd->inside)
		return iova >= cmd->iova && last <= cmd->last;
	return iova <= cmd->last && last >= cmd->iova;
}

bool iotlb_removes_leaf(const struct iotlb_cmd *cmd, uint64_t iova, uint64_t last, unsigned level)
{
	return !cmd->why && cmd->leaves && (cmd->leaf_levels >> level & 1) && covers(cmd, iova, last);
}

bool iotlb_removes_table(const struct iotlb_cmd *cmd, uint64_t iova, uint64_t last)
{
	return !cmd->why && cmd->tables && covers(cmd, iova, last);
}
