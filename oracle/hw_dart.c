/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw_dart.c - the Apple DART walker: what one entry means to the Device Address Resolution Table of an Apple SoC.
 *
 * There is no public document. What is here comes from the reverse-engineering notes that the Asahi Linux project published:
 *
 * [m1n1] AsahiLinux/m1n1, proxyclient/m1n1/hw/dart.py: registers (four TTBRs per stream, ADDR counted in 4K), PTE fields SP_START
 *        63:52, SP_END 51:40, SP_PROT_DIS bit 1, VALID bit 0, and the error codes NO_TTBR, NO_PMD, NO_PTE, SUBPAGE_PROT
 * [list] the descriptions posted with the DART support for the T8103 (M1) and T6000 (M1 Pro, Max, Ultra), linux-arm-kernel 2021-2022:
 *        v1 holds address bits 35:12 in place, NO_WRITE is bit 7 and NO_READ bit 8, bit 1 disables sub-page protection; v2 holds
 *        the address shifted right by 4 in bits 37:10, NO_CACHE is bit 1, NO_WRITE bit 2, NO_READ bit 3, and the sub-page protection
 *        cannot be disabled. Both: two levels of tables below the TTBRs, no other page size than the granule
 *
 * Not modelled: the four levels of later T8110 DARTs, sub-page ranges, bypass.
 *
 * Levels: 1 is the table that a TTBR points to, 0 the one below, which alone has leaves. The two or four tables of the TTBRs are
 * taken to follow one another in memory, as one root with more items.
 *
 *        63:52     51:40   39:38  37:36       35:12      11:10  9   8    7    6:4  3    2    1         0
 *   v1   SP_START  SP_END  reserved           address    reserved   NO_R NO_W reserved       SP_DIS    VALID
 *   v2   SP_START  SP_END  rsvd   address >> 4 (37:10)          reserved (9:4)    NO_R NO_W  NO_CACHE  VALID
 *
 * A bit that nobody has found a use for must be zero, and a pointer to a table has nothing but VALID and the address: the notes know of no
 * other bit that works there.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "hw.h"

enum {
	DART_VALID = 1 << 0,
	DART1_SP_DIS = 1 << 1,
	DART1_NO_WRITE = 1 << 7,
	DART1_NO_READ = 1 << 8,
	DART2_NO_CACHE = 1 << 1,
	DART2_NO_WRITE = 1 << 2,
	DART2_NO_READ = 1 << 3,
	DART2_SHIFT = 4,
	DART1_OAS = 36,
	DART2_OAS = 42,
};

#define DART_SP_START UINT64_C(0xfff0000000000000) /* 63:52, first part of the page that may be used, in 1/4096 */
#define DART_SP_END UINT64_C(0x000fff0000000000)   /* 51:40, last one */
#define DART1_ADDR UINT64_C(0x0000000ffffff000)    /* 35:12 */
#define DART2_ADDR UINT64_C(0x0000003ffffffc00)    /* 37:10 */
#define DART1_LEAF (DART_SP_START | DART_SP_END | DART1_ADDR | DART1_NO_READ | DART1_NO_WRITE | DART1_SP_DIS | DART_VALID)
#define DART2_LEAF (DART_SP_START | DART_SP_END | DART2_ADDR | DART2_NO_READ | DART2_NO_WRITE | DART2_NO_CACHE | DART_VALID)

static struct hw_entry dart_bad(const char *why)
{
	return (struct hw_entry){ .kind = HW_BAD, .why = why };
}

static bool dart_is_v2(const struct hw *hw)
{
	return hw->oa_lg2 == DART2_OAS;
}

static uint64_t dart_pa(bool v2, uint64_t raw)
{
	return v2 ? (raw & DART2_ADDR) << DART2_SHIFT : raw & DART1_ADDR;
}

static unsigned dart_prot(bool v2, uint64_t raw)
{
	unsigned prot = 0;

	if (!(raw & (v2 ? DART2_NO_READ : DART1_NO_READ)))
		prot |= PROT_R;
	if (!(raw & (v2 ? DART2_NO_WRITE : DART1_NO_WRITE)))
		prot |= PROT_W;
	if (v2 && !(raw & DART2_NO_CACHE))
		prot |= PROT_CACHE;
	return prot;
}

static struct hw_entry dart_decode(const struct hw *hw, unsigned level, uint64_t raw)
{
	bool v2 = dart_is_v2(hw);
	uint64_t pa = dart_pa(v2, raw);

	if (!(raw & DART_VALID))
		return (struct hw_entry){ .kind = HW_EMPTY };
	if (level) {
		if (raw & ~(DART_VALID | (v2 ? DART2_ADDR : DART1_ADDR)))
			return dart_bad("table pointer: a bit other than VALID and the address");
	} else {
		if (raw & ~(v2 ? DART2_LEAF : DART1_LEAF))
			return dart_bad("leaf: a bit without a known meaning");
		/* SP_DIS takes START and END out of use; v2 has no such bit */
		if ((raw & (DART_SP_START | DART_SP_END)) != DART_SP_END && (v2 || !(raw & DART1_SP_DIS)))
			return dart_bad("SP_START, SP_END: sub-page range");
	}
	if (pa & ((UINT64_C(1) << hw->item_lg2[0]) - 1))
		return dart_bad("address: not a multiple of the granule");
	if (level)
		return (struct hw_entry){ .kind = HW_TABLE, .level = level - 1, .prot = PROT_ACCESS, .pa = pa };
	return (struct hw_entry){
		.kind = HW_LEAF,
		.size_lg2 = hw->item_lg2[0],
		.span_lg2 = hw->item_lg2[0],
		.prot = dart_prot(v2, raw),
		.accessed = true,
		.dirty = true,
		.pa = pa,
	};
}

static uint64_t dart_touch(const struct hw *hw, unsigned level, uint64_t raw, bool write)
{
	(void)hw;
	(void)level;
	(void)write;
	return raw;
}

static bool dart_expressible(const struct hw *hw, unsigned prot)
{
	if (!(prot & (PROT_R | PROT_W)))
		return false;
	return !(prot & ~(PROT_R | PROT_W | (dart_is_v2(hw) ? PROT_CACHE : 0)));
}

static void dart_fields(const struct hw *hw, unsigned level, uint64_t raw, char *buf, unsigned buf_bytes)
{
	bool v2 = dart_is_v2(hw);
	uint64_t rest = raw & ~(v2 ? DART2_LEAF : DART1_LEAF);

	if (level) {
		rest = raw & ~(DART_VALID | (v2 ? DART2_ADDR : DART1_ADDR));
		snprintf(buf, buf_bytes, "VALID=%u address=0x%" PRIx64 " rest=0x%" PRIx64, !!(raw & DART_VALID), dart_pa(v2, raw), rest);
		return;
	}
	snprintf(buf, buf_bytes, "VALID=%u %s=%u NO_WRITE=%u NO_READ=%u address=0x%" PRIx64 " SP_START=0x%x SP_END=0x%x rest=0x%" PRIx64,
		 !!(raw & DART_VALID), v2 ? "NO_CACHE" : "SP_DIS", !!(raw & DART2_NO_CACHE),
		 !!(raw & (v2 ? DART2_NO_WRITE : DART1_NO_WRITE)), !!(raw & (v2 ? DART2_NO_READ : DART1_NO_READ)), dart_pa(v2, raw),
		 (unsigned)(raw >> 52), (unsigned)(raw >> 40 & 0xfff), rest);
}

/* What is wrong with a resolved configuration; NULL: nothing. index_lg2 is that of one table, granule_lg2 the page. */
static const char *dart_config_wrong(const struct config *cfg, unsigned granule_lg2, unsigned index_lg2)
{
	unsigned one_root_lg2 = granule_lg2 + 2 * index_lg2;

	if (cfg->tiny == 1 || cfg->tiny > 4)
		return "tiny: must be 0 or 2 to 4";
	if (cfg->levels != 2)
		return "levels: two below the TTBRs";
	if (cfg->oas != DART1_OAS && cfg->oas != DART2_OAS)
		return "oas: 36 (v1) or 42 (v2)";
	if (cfg->oas == DART2_OAS && granule_lg2 != 14)
		return "oas: v2 has no address bits below 14, so its granule is 16K";
	if (cfg->ias < one_root_lg2 || cfg->ias > one_root_lg2 + 2)
		return "ias: that of 1, 2 or 4 TTBRs";
	if (cfg->tiny && cfg->ias > granule_lg2 + 8)
		return "ias: a tiny domain has at most 256 pages";
	if (cfg->ad)
		return "ad: DART has no accessed and dirty bits";
	if (cfg->stage || cfg->half || cfg->bbm || cfg->napot || cfg->pbmt || cfg->sign || cfg->cbit || cfg->snp || cfg->lpa)
		return "stage, half, bbm, napot, pbmt, sign, cbit, snp, lpa: dart has no such choice";
	if (cfg->tlb != TLB_DART && cfg->tlb != TLB_GENERIC)
		return "tlb: dart or generic";
	return NULL;
}

static int dart_init(struct hw *hw, const char **why)
{
	const struct config *cfg = &hw->cfg;
	unsigned granule_lg2, index_lg2, level;

	if (cfg->pgsizes != UINT64_C(1) << 12 && cfg->pgsizes != UINT64_C(1) << 14) {
		*why = "pgsizes: exactly one of 4K and 16K";
		return -EINVAL;
	}
	granule_lg2 = cfg->pgsizes == UINT64_C(1) << 12 ? 12 : 14;
	index_lg2 = cfg->tiny ? cfg->tiny : granule_lg2 - 3;
	*why = dart_config_wrong(cfg, granule_lg2, index_lg2);
	if (*why)
		return -EINVAL;
	hw->item_bytes_lg2 = 3;
	hw->top_level = hw->top_level_max = 1;
	for (level = 0; level < 2; level++) {
		hw->item_lg2[level] = granule_lg2 + level * index_lg2;
		hw->index_lg2[level] = index_lg2;
		hw->table_align_lg2[level] = granule_lg2;
		hw->oa_step_lg2[level] = hw->item_lg2[level] - (cfg->oas == DART2_OAS ? DART2_SHIFT : 0);
	}
	hw->index_lg2[1] = cfg->ias - hw->item_lg2[1]; /* with the TTBRs */
	hw->has_low = true;
	hw->has_high = false;
	hw->iova_low_last = (UINT64_C(1) << cfg->ias) - 1;
	hw->iova_high_first = 0;
	hw->oa_lg2 = cfg->oas;
	hw->oa_carry_lg2 = 64;
	hw->leaf_sizes = UINT64_C(1) << granule_lg2;
	hw->has_dirty = false;
	/* Leaves of one size, no leaf above a table: there is nothing to change. */
	hw->cap_size_change = false;
	hw->cap_leaf_to_table = false;
	hw->ad_mask = 0;
	return 0;
}

const struct hw_format hw_format_dart = {
	.name = "dart",
	.document = "Asahi Linux project, reverse-engineering notes on Apple DART (m1n1 hw/dart.py; mailing list, 2021-2022)",
	.init = dart_init,
	.decode = dart_decode,
	.touch = dart_touch,
	.expressible = dart_expressible,
	.fields = dart_fields,
};
